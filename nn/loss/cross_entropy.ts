/** Cross-entropy of scores, and negative log-likelihood of logarithms of probabilities. */
import { checkKnown, type Indices } from "../../core/indices.ts";
import { tidy } from "../../core/scope.ts";
import { apply, type Tensor } from "../../core/tensor.ts";
import { DTypeError, ShapeError } from "../../wgsl/errors.ts";
import type { HostData, Shape } from "../../wgsl/op.ts";
import { nllLoss as likelihoods } from "../../wgsl/softmax/nll.ts";
import {
  formatShape,
  isContiguous,
  sameShape,
  sizeOf,
} from "../../wgsl/shape.ts";
import { Module } from "../module.ts";
import { described, held, type LossOptions, reduce } from "./reduction.ts";

/** Options of {@linkcode nllLoss}. */
export interface NLLLossOptions extends LossOptions {
  /** `[C]`: factor of the loss of each class; an average is then a weighted one. @default ones */
  readonly weight?: Tensor;
  /** Label that counts nowhere: no loss, no gradient, no part in an average. @default -100 */
  readonly ignoreIndex?: number;
}

/** Options of {@linkcode crossEntropy}. */
export interface CrossEntropyOptions extends NLLLossOptions {
  /** Part of each target that is spread over all classes alike (Szegedy et al. 2016, section 7), from 0 to 1. @default 0 */
  readonly labelSmoothing?: number;
}

/**
 * Cross-entropy of scores with class indices, `-w[y]·log(e^x[y] / Σ e^x)`, or with class probabilities, `-Σ w·y·log(e^x / Σ e^x)`; the sums are over the
 * classes.
 *
 * `logits: [N, C, …], labels: [N, …]` (i32 or u32) or `[N, C, …]` (floats) `→` a scalar, or `[N, …]` without reduction. `[C]` with a scalar label or
 * `[C]` is one sample. The average over class indices is weighted, `Σ loss / Σ w[y]` over the labels that aren't ignored (NaN if all are); over
 * probabilities it is the sum divided by the number of samples.
 *
 * @throws {ShapeError} For other shapes.
 * @throws {DTypeError} For labels of bool, and for `ignoreIndex` with probabilities.
 * @throws {RangeError} For a label outside 0 … C - 1 that is known on the host. One that was computed on the device gives NaN.
 *
 * @example
 * ```ts
 * import { assertAlmostEquals } from "@std/assert";
 * import { init, nn, tensor } from "@tessera/tessera";
 *
 * await init();
 * const logits = tensor([[0, Math.log(3)], [0, 0]]); // probabilities ¼ ¾, ½ ½
 * const labels = tensor([1, 0], { dtype: "i32" });
 * const loss = nn.crossEntropy(logits, labels, { reduction: "sum" });
 * assertAlmostEquals(await loss.item(), -Math.log(0.75) - Math.log(0.5), 1e-6);
 * ```
 */
export function crossEntropy(
  logits: Tensor,
  labels: Tensor,
  options: CrossEntropyOptions = {},
): Tensor {
  const { labelSmoothing = 0 } = options;
  if (!(labelSmoothing >= 0 && labelSmoothing <= 1)) {
    throw new RangeError(
      `Cannot compute cross-entropy with a label smoothing of ${labelSmoothing}: expected a number from 0 to 1`,
    );
  }
  const what = "cross-entropy";
  const floats = labels.dtype !== "i32" && labels.dtype !== "u32";
  if (floats) {
    checkProbabilities(logits, labels, options);
  } else {
    checkLabels(what, "logits", logits, labels, options);
  }
  checkWeight(what, logits, options.weight);
  return tidy(() => {
    const axis = logits.rank === 1 ? 0 : 1;
    const logarithms = logits.logSoftmax(axis);
    return floats
      ? expectedLoss(logarithms, labels, options)
      : likelihoodLoss(logarithms, labels, options, labelSmoothing);
  });
}

/**
 * Negative log-likelihood: `-w[y]·x[y]`, where x are logarithms of probabilities, as {@linkcode logSoftmax} gives them.
 *
 * `x: [N, C, …], labels: [N, …]` (i32 or u32) `→` a scalar, or `[N, …]` without reduction. `[C]` with a scalar label is one sample. The average is
 * weighted: `Σ loss / Σ w[y]` over the labels that aren't ignored.
 *
 * @throws {ShapeError} For other shapes.
 * @throws {DTypeError} For labels that aren't integers.
 * @throws {RangeError} For a label outside 0 … C - 1 that is known on the host. One that was computed on the device gives NaN.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { init, nn, tensor } from "@tessera/tessera";
 *
 * await init();
 * const x = tensor([[-1, -2], [-3, -4], [-5, -6]]);
 * const labels = tensor([0, 1, -100], { dtype: "i32" });
 * const weight = tensor([1, 3]);
 * const loss = nn.nllLoss(x, labels, { weight });
 * assertEquals(await loss.item(), (1 * 1 + 3 * 4) / (1 + 3));
 * ```
 */
export function nllLoss(
  x: Tensor,
  labels: Tensor,
  options: NLLLossOptions = {},
): Tensor {
  const what = "the negative log-likelihood";
  checkLabels(what, "logarithms", x, labels, options);
  checkWeight(what, x, options.weight);
  return tidy(() => likelihoodLoss(x, labels, options, 0));
}

/** Loss of labels that have been checked. */
function likelihoodLoss(
  logarithms: Tensor,
  labels: Tensor,
  options: NLLLossOptions,
  smoothing: number,
): Tensor {
  const { ignoreIndex = -100, reduction = "mean", weight } = options;
  const axis = logarithms.rank === 1 ? 0 : 1;
  const [picked, counted] = apply(likelihoods, [logarithms, labels], {
    ignoreIndex,
  });
  const ignores = mayHold(labels, ignoreIndex);
  if (!weight && smoothing === 0) {
    // Ignored labels count less in an average.
    return ignores && reduction === "mean"
      ? picked.sum().div(counted.sum())
      : reduce(picked, options);
  }
  const counts = ignores ? labels.ne(ignoreIndex) : null;
  const indices = counts ? counts.where(labels, 0) : labels;
  const factors = weight &&
    weight.gather(0, indices.reshape([indices.size])).reshape(indices.shape);
  let losses = factors ? picked.mul(factors) : picked;
  if (smoothing > 0) {
    const weighted = weight
      ? logarithms.mul(alongAxis(weight, logarithms.rank))
      : logarithms;
    const spread = weighted.sum(axis).neg();
    const share = smoothing / logarithms.shape[axis];
    losses = losses.mul(1 - smoothing).add(spread.mul(share));
  }
  const kept = counts ? counts.where(losses, 0) : losses;
  if (reduction !== "mean") return reduce(kept, options);
  // Those of light classes do too.
  const count = factors
    ? (counts ? counts.where(factors, 0) : factors)
    : counts
    ? counted
    : null;
  return count ? kept.sum().div(count.sum()) : kept.mean();
}

/** Loss of class probabilities that have been checked. */
function expectedLoss(
  logarithms: Tensor,
  labels: Tensor,
  { labelSmoothing = 0, reduction = "mean", weight }: CrossEntropyOptions,
): Tensor {
  const { rank, shape } = logarithms;
  const axis = rank === 1 ? 0 : 1;
  const smooth = labelSmoothing === 0
    ? labels
    : labels.mul(1 - labelSmoothing).add(labelSmoothing / shape[axis]);
  const weights = weight ? smooth.mul(alongAxis(weight, rank)) : smooth;
  const losses = logarithms.mul(weights).sum(axis).neg();
  return reduce(losses, { reduction });
}

/** `[C]` as `[C, 1, …]`, so that it broadcasts along the axis of classes. */
function alongAxis(weight: Tensor, rank: number): Tensor {
  const trailing = Math.max(rank - 2, 0);
  return weight.reshape([weight.size, ...new Array<number>(trailing).fill(1)]);
}

/** Labels whose values are known on the host. */
function knownLabels(
  { storage: { host }, view }: Indices,
): HostData | undefined {
  if (!host || !isContiguous(view)) return undefined;
  return host.subarray(view.offset, view.offset + sizeOf(view.shape));
}

/** Whether labels may hold a value: false only if they are known, or can't. */
function mayHold(labels: Tensor, value: number): boolean {
  if (labels.dtype === "u32" && value < 0) return false;
  return knownLabels(labels)?.includes(value) ?? true;
}

function checkLabels(
  what: string,
  title: string,
  x: Tensor,
  labels: Tensor,
  { ignoreIndex = -100 }: NLLLossOptions,
): void {
  if (labels.dtype !== "i32" && labels.dtype !== "u32") {
    throw new DTypeError(
      `Cannot compute ${what} with ${labels.dtype} labels: expected class indices of i32 or u32`,
      [labels.dtype],
    );
  }
  const classes = classesOf(what, title, x);
  const expected = labelShape(x.shape);
  if (!sameShape(labels.shape, expected)) {
    throw new ShapeError(
      `Cannot compute ${what} of ${title} ${formatShape(x.shape)} and labels ${
        formatShape(labels.shape)
      }: expected labels ${formatShape(expected)}`,
      [x.shape, labels.shape],
    );
  }
  checkKnown(labels, (given) => {
    const known = knownLabels(given);
    const position = known
      ? known.findIndex((y) => y !== ignoreIndex && (y < 0 || y >= classes))
      : -1;
    if (!known || position < 0) return;
    throw new RangeError(
      `Cannot compute ${what}: label ${
        known[position]
      } at position ${position} is out of range for ${classes} classes, expected 0 to ${
        classes - 1
      }`,
    );
  });
}

function checkProbabilities(
  logits: Tensor,
  labels: Tensor,
  { ignoreIndex = -100 }: CrossEntropyOptions,
): void {
  const what = "cross-entropy";
  if (labels.dtype === "bool") {
    throw new DTypeError(
      `Cannot compute ${what} with bool labels: expected class indices of i32 or u32, or probabilities of floats`,
      [labels.dtype],
    );
  }
  classesOf(what, "logits", logits);
  if (!sameShape(labels.shape, logits.shape)) {
    throw new ShapeError(
      `Cannot compute ${what} of logits ${
        formatShape(logits.shape)
      } and probabilities ${formatShape(labels.shape)}: expected ${
        formatShape(logits.shape)
      }, or class indices ${formatShape(labelShape(logits.shape))} of i32`,
      [logits.shape, labels.shape],
    );
  }
  if (ignoreIndex >= 0) {
    throw new DTypeError(
      `Cannot ignore index ${ignoreIndex} in ${what} with probabilities: expected class indices of i32 or u32`,
      [labels.dtype],
    );
  }
}

/** The shape of the labels of some scores. */
function labelShape(shape: Shape): Shape {
  return shape.length === 1 ? [] : [shape[0], ...shape.slice(2)];
}

function classesOf(what: string, title: string, { shape }: Tensor): number {
  if (shape.length > 0) return shape.length === 1 ? shape[0] : shape[1];
  throw new ShapeError(
    `Cannot compute ${what} of ${title} []: expected [C] or [N, C, ...]`,
    [shape],
  );
}

function checkWeight(what: string, x: Tensor, weight?: Tensor): void {
  const classes = x.shape[x.rank === 1 ? 0 : 1];
  if (!weight || sameShape(weight.shape, [classes])) return;
  throw new ShapeError(
    `Cannot compute ${what} with weights ${
      formatShape(weight.shape)
    }: expected one for each class, [${classes}]`,
    [x.shape, weight.shape],
  );
}

/**
 * {@linkcode crossEntropy} as a layer: `loss(logits, labels)`. The weights are a buffer, saved as "weight".
 *
 * @example
 * ```ts
 * import { assertAlmostEquals } from "@std/assert";
 * import { init, nn, tensor, zeros } from "@tessera/tessera";
 *
 * await init();
 * const loss = new nn.CrossEntropyLoss({ labelSmoothing: 0.1 });
 * const value = loss(zeros([2, 4]), tensor([3, 0], { dtype: "i32" }));
 * assertAlmostEquals(await value.item(), Math.log(4), 1e-6);
 * ```
 */
export class CrossEntropyLoss extends Module {
  readonly weight: Tensor | null;
  readonly #options: Omit<CrossEntropyOptions, "weight">;

  constructor({ weight, ...options }: CrossEntropyOptions = {}) {
    super();
    this.weight = held(weight);
    this.registerBuffer("weight");
    this.#options = options;
  }

  override forward(logits: Tensor, labels: Tensor): Tensor {
    const { weight } = this;
    return crossEntropy(logits, labels, {
      ...this.#options,
      ...(weight && { weight }),
    });
  }

  override describe(): string {
    return described(this.#options);
  }
}

/**
 * {@linkcode nllLoss} as a layer: `loss(logarithms, labels)`. The weights are a buffer, saved as "weight".
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { init, nn, tensor } from "@tessera/tessera";
 *
 * await init();
 * const loss = new nn.NLLLoss({ reduction: "none" });
 * const value = loss(tensor([[-1, -2]]), tensor([1], { dtype: "i32" }));
 * assertEquals(await value.array(), [2]);
 * ```
 */
export class NLLLoss extends Module {
  readonly weight: Tensor | null;
  readonly #options: Omit<NLLLossOptions, "weight">;

  constructor({ weight, ...options }: NLLLossOptions = {}) {
    super();
    this.weight = held(weight);
    this.registerBuffer("weight");
    this.#options = options;
  }

  override forward(logarithms: Tensor, labels: Tensor): Tensor {
    const { weight } = this;
    return nllLoss(logarithms, labels, {
      ...this.#options,
      ...(weight && { weight }),
    });
  }

  override describe(): string {
    return described(this.#options);
  }
}
