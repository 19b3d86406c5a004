/** Normalisation as functions: what the classes in nn/layers/norm.ts call with their parameters. */
import { noGrad } from "../core/autograd.ts";
import { stack } from "../core/join.ts";
import { isRecomputing } from "../core/recompute.ts";
import { tidy } from "../core/scope.ts";
import { apply, type Tensor } from "../core/tensor.ts";
import { ShapeError } from "../wgsl/errors.ts";
import {
  batchForm,
  type Form,
  groupForm,
  layerForm,
} from "../wgsl/norm/forms.ts";
import { countOf, type NormAttrs, statsDType } from "../wgsl/norm/geometry.ts";
import { localResponse } from "../wgsl/norm/local_response.ts";
import { normalize, normalizeWith } from "../wgsl/norm/normalize.ts";
import { updateRunning } from "../wgsl/norm/running.ts";
import type { Shape } from "../wgsl/op.ts";
import { formatShape, sameShape } from "../wgsl/shape.ts";

/** Options that normalisations share. */
export interface NormOptions {
  /** Factor of each channel, or of each element for layer norm. @default 1 */
  readonly weight?: Tensor;
  /** Summand of each channel, or of each element for layer norm. @default 0 */
  readonly bias?: Tensor;
  /** Added to the variance before its root is taken. @default 1e-5 */
  readonly eps?: number;
}

/** Options of {@linkcode batchNorm}. */
export interface BatchNormOptions extends NormOptions {
  /** Whether to take the batch's own statistics, and move the running ones towards them. @default false */
  readonly training?: boolean;
  /** Share of the batch's statistics in the running ones; a scalar tensor for one that is computed. @default 0.1 */
  readonly momentum?: number | Tensor;
}

/**
 * Normalises each channel by its mean and variance over the batch and the space, in training, or by the running ones (Ioffe & Szegedy 2015, algorithms
 * 1 and 2).
 *
 * `x: [N, C, …] → the same`; running statistics, weight and bias `[C]`. In training the running statistics, where given, are changed in place; their
 * variance is the unbiased one, while x is divided by the root of the biased one.
 *
 * @throws {ShapeError} For other shapes, for a batch of one value a channel in training, and without running statistics in evaluation.
 *
 * @example
 * ```ts
 * import { assertAlmostEquals } from "@std/assert";
 * import { batchNorm, init, tensor } from "@tessera/tessera";
 *
 * await init();
 * const x = tensor([[1, 10], [3, 30]]);
 * const y = batchNorm(x, null, null, { training: true, eps: 0 });
 * const values = await y.read();
 * [-1, -1, 1, 1].forEach((v, i) => assertAlmostEquals(values[i], v, 1e-5));
 * const [mean, variance] = [tensor([1, 10]), tensor([4, 100])];
 * const z = await batchNorm(x, mean, variance, { eps: 0 }).read();
 * [0, 0, 1, 2].forEach((v, i) => assertAlmostEquals(z[i], v, 1e-5));
 * ```
 */
export function batchNorm(
  x: Tensor,
  runningMean: Tensor | null,
  runningVar: Tensor | null,
  options: BatchNormOptions = {},
): Tensor {
  const { training = false, momentum = 0.1 } = options;
  checkRank(x, "batch norm");
  if (x.size === 0) return x.alias();
  const attrs = attrsOf(batchForm(x.shape), options);
  return tidy(() => {
    if (!training) {
      if (!runningMean || !runningVar) {
        throw new ShapeError(
          `Cannot apply batch norm to ${
            formatShape(x.shape)
          } in evaluation: there are no running statistics`,
          [x.shape],
        );
      }
      const stats = stack([runningMean, runningVar], 1)
        .to(statsDType(x.dtype));
      const inputs = [x, stats, ...parametersOf(options)];
      return apply(normalizeWith, inputs, attrs)[0];
    }
    const count = countOf(attrs);
    if (count === 1) {
      throw new ShapeError(
        `Cannot apply batch norm to ${
          formatShape(x.shape)
        } in training: each channel has one value, expected more (a larger batch, or eval())`,
        [x.shape],
      );
    }
    const [y, stats] = apply(normalize, [x, ...parametersOf(options)], attrs);
    if (runningMean && runningVar && !isRecomputing()) {
      noGrad(() =>
        moveRunning(runningMean, runningVar, stats, count, momentum)
      );
    }
    return y;
  });
}

/** Moves running statistics towards those of a batch. */
function moveRunning(
  mean: Tensor,
  variance: Tensor,
  stats: Tensor,
  count: number,
  momentum: number | Tensor,
): void {
  if (typeof momentum === "number") {
    apply(updateRunning, [mean, variance, stats], { momentum, count });
    return;
  }
  const step = (running: Tensor, column: number, factor: number) => {
    const own = stats.slice(1, column, column + 1).squeeze(1).mul(factor);
    running.assign(running.add(own.sub(running).mul(momentum)));
  };
  step(mean, 0, 1);
  step(variance, 1, count / (count - 1));
}

/**
 * Normalises each row over the last axes by its mean and variance (Ba, Kiros & Hinton 2016).
 *
 * `x: [..., normalizedShape] → the same`; weight and bias have the normalised shape.
 *
 * @throws {ShapeError} For an x that doesn't end with the normalised shape.
 *
 * @example
 * ```ts
 * import { assertAlmostEquals } from "@std/assert";
 * import { init, layerNorm, tensor } from "@tessera/tessera";
 *
 * await init();
 * const y = await layerNorm(tensor([[1, 3], [10, 30]]), [2]).read();
 * [-1, 1, -1, 1].forEach((v, i) => assertAlmostEquals(y[i], v, 1e-4));
 * ```
 */
export function layerNorm(
  x: Tensor,
  normalizedShape: Shape,
  options: NormOptions = {},
): Tensor {
  return normalizeLast(x, normalizedShape, "layer norm", options, true);
}

/** Options of {@linkcode rmsNorm}. */
export interface RmsNormOptions {
  /** Factor of each element. @default 1 */
  readonly weight?: Tensor;
  /** Added to the mean square before its root is taken. @default the spacing of floats of x's type above 1, as in PyTorch */
  readonly eps?: number;
}

/** Spacing of the floats above 1. */
const SPACING = { f16: 2 ** -10, f32: 2 ** -23, f64: 2 ** -52 };

/**
 * Divides each row over the last axes by the root of its mean square (Zhang & Sennrich 2019, equation 4). `x: [..., normalizedShape] → the same`
 *
 * @throws {ShapeError} For an x that doesn't end with the normalised shape.
 *
 * @example
 * ```ts
 * import { assertAlmostEquals } from "@std/assert";
 * import { init, rmsNorm, tensor } from "@tessera/tessera";
 *
 * await init();
 * const y = await rmsNorm(tensor([[3, 4]]), [2]).read();
 * assertAlmostEquals(y[0], 3 / Math.sqrt(12.5), 1e-5);
 * ```
 */
export function rmsNorm(
  x: Tensor,
  normalizedShape: Shape,
  options: RmsNormOptions = {},
): Tensor {
  const type = x.dtype === "f16" || x.dtype === "f64" ? x.dtype : "f32";
  const { weight, eps = SPACING[type] } = options;
  const given = weight ? { weight, eps } : { eps };
  return normalizeLast(x, normalizedShape, "RMS norm", given, false);
}

/**
 * Normalises each group of channels of each sample by its mean and variance (Wu & He 2018). `x: [N, C, …] → the same`; weight and bias `[C]`.
 *
 * @throws {ShapeError} For channels that don't divide into the groups.
 *
 * @example
 * ```ts
 * import { assertAlmostEquals } from "@std/assert";
 * import { groupNorm, init, tensor } from "@tessera/tessera";
 *
 * await init();
 * const x = tensor([[1, 3, 10, 30]]); // one sample of four channels
 * const y = await groupNorm(x, 2).read();
 * [-1, 1, -1, 1].forEach((v, i) => assertAlmostEquals(y[i], v, 1e-4));
 * ```
 */
export function groupNorm(
  x: Tensor,
  groups: number,
  options: NormOptions = {},
): Tensor {
  checkRank(x, "group norm");
  if (!Number.isInteger(x.shape[1] / groups) || groups < 1) {
    throw new ShapeError(
      `Cannot apply group norm of ${groups} groups to ${
        formatShape(x.shape)
      }: expected a number of channels that ${groups} divides`,
      [x.shape],
    );
  }
  return normalizeGroups(x, groups, options);
}

/** Options of {@linkcode instanceNorm}. */
export interface InstanceNormOptions extends NormOptions {
  /** `[C]`, moved towards the average of the samples' means. */
  readonly runningMean?: Tensor;
  /** `[C]`, moved towards the average of the samples' unbiased variances. */
  readonly runningVar?: Tensor;
  /** Whether to normalise by the samples' own statistics, or by the running ones. @default true */
  readonly useInputStats?: boolean;
  /** Share of the samples' statistics in the running ones. @default 0.1 */
  readonly momentum?: number;
}

/**
 * Normalises each channel of each sample by its mean and variance over the space (Ulyanov, Vedaldi & Lempitsky 2016). `x: [N, C, L…] → the same`;
 * weight and bias `[C]`. Running statistics, where given, are changed in place; without `useInputStats` x is normalised by them instead.
 *
 * @throws {ShapeError} For planes of one value, and without running statistics where they are asked for.
 *
 * @example
 * ```ts
 * import { assertAlmostEquals } from "@std/assert";
 * import { init, instanceNorm, tensor } from "@tessera/tessera";
 *
 * await init();
 * const x = tensor([[[1, 3], [10, 30]]]); // one sample, two channels, two places
 * const y = await instanceNorm(x).read();
 * [-1, 1, -1, 1].forEach((v, i) => assertAlmostEquals(y[i], v, 1e-4));
 * ```
 */
export function instanceNorm(
  x: Tensor,
  options: InstanceNormOptions = {},
): Tensor {
  checkRank(x, "instance norm");
  const { runningMean, runningVar, useInputStats = true } = options;
  if (!useInputStats) {
    if (!runningMean || !runningVar) {
      throw new ShapeError(
        `Cannot apply instance norm to ${
          formatShape(x.shape)
        } by running statistics: there are none`,
        [x.shape],
      );
    }
    return batchNorm(x, runningMean, runningVar, affineOf(options));
  }
  const plane = x.shape.slice(2).reduce((a, b) => a * b, 1);
  if (plane === 1) {
    throw new ShapeError(
      `Cannot apply instance norm to ${
        formatShape(x.shape)
      }: each plane has one value, expected more`,
      [x.shape],
    );
  }
  const [samples, channels] = x.shape;
  if (!runningMean || !runningVar || x.size === 0) {
    return normalizeGroups(x, channels, options);
  }
  return tidy(() => {
    const attrs = attrsOf(groupForm(x.shape, channels), options);
    const [y, stats] = apply(normalize, [x, ...parametersOf(options)], attrs);
    noGrad(() => {
      const mean = stats.reshape([samples, channels, 2]).mean(0);
      const { momentum = 0.1 } = options;
      moveRunning(runningMean, runningVar, mean, plane, momentum);
    });
    return y;
  });
}

/** Options of {@linkcode localResponseNorm}. */
export interface LocalResponseOptions {
  /** Weight of the window's mean square. AlexNet's paper doesn't divide by the size: its 1e-4 is 5e-4 here. @default 1e-4 */
  readonly alpha?: number;
  /** @default 0.75 */
  readonly beta?: number;
  /** @default 1 */
  readonly k?: number;
}

/**
 * Divides each value by `(k + alpha / size · Σ x²)^beta`, the sum over `size` neighbouring channels (Krizhevsky, Sutskever & Hinton 2012, section 3.3).
 *
 * `x: [N, C, …] → the same`. As in PyTorch the window begins size / 2 channels ahead, and alpha is divided by the size.
 *
 * @example
 * ```ts
 * import { assertAlmostEquals } from "@std/assert";
 * import { init, localResponseNorm, tensor } from "@tessera/tessera";
 *
 * await init();
 * const x = tensor([[1, 2, 3]]); // one sample of three channels
 * const y = await localResponseNorm(x, 3, { alpha: 3, beta: 1 }).read();
 * assertAlmostEquals(y[1], 2 / (1 + 1 + 4 + 9), 1e-6);
 * ```
 */
export function localResponseNorm(
  x: Tensor,
  size: number,
  options: LocalResponseOptions = {},
): Tensor {
  if (!Number.isInteger(size) || size < 1) {
    throw new RangeError(
      `Cannot normalise over ${size} channels: expected a positive integer`,
    );
  }
  const { alpha = 1e-4, beta = 0.75, k = 1 } = options;
  return tidy(() => apply(localResponse, [x], { size, alpha, beta, k })[0]);
}

function checkRank(x: Tensor, what: string): void {
  if (x.rank >= 2) return;
  throw new ShapeError(
    `Cannot apply ${what} to ${formatShape(x.shape)}: expected [N, C, ...]`,
    [x.shape],
  );
}

function attrsOf(
  form: Form,
  { weight, bias, eps = 1e-5 }: NormOptions,
  centered = true,
): NormAttrs {
  const present = { weight: weight !== undefined, bias: bias !== undefined };
  return { ...form, ...present, eps, centered };
}

/** What a normalisation that begins with the same options takes of them. */
function affineOf({ weight, bias, eps }: NormOptions): NormOptions {
  return {
    ...(weight ? { weight } : {}),
    ...(bias ? { bias } : {}),
    ...(eps === undefined ? {} : { eps }),
  };
}

function parametersOf({ weight, bias }: NormOptions): Tensor[] {
  return [...(weight ? [weight] : []), ...(bias ? [bias] : [])];
}

function normalizeGroups(
  x: Tensor,
  groups: number,
  options: NormOptions,
): Tensor {
  if (x.size === 0) return x.alias();
  const attrs = attrsOf(groupForm(x.shape, groups), options);
  return tidy(() => apply(normalize, [x, ...parametersOf(options)], attrs)[0]);
}

function normalizeLast(
  x: Tensor,
  normalized: Shape,
  what: string,
  options: NormOptions,
  centered: boolean,
): Tensor {
  const axes = normalized.length;
  if (axes === 0 || !sameShape(x.shape.slice(-axes), normalized)) {
    throw new ShapeError(
      `Cannot apply ${what} over ${formatShape(normalized)} to ${
        formatShape(x.shape)
      }: expected [..., ${normalized.join(", ")}]`,
      [x.shape, normalized],
    );
  }
  if (x.size === 0) return x.alias();
  const attrs = attrsOf(layerForm(x.shape, axes), options, centered);
  return tidy(() => apply(normalize, [x, ...parametersOf(options)], attrs)[0]);
}
