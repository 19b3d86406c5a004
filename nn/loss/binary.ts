/** Binary cross-entropy: every output is a question of its own. */
import { tidy } from "../../core/scope.ts";
import { apply, type Tensor } from "../../core/tensor.ts";
import {
  binaryCrossEntropy as probabilityOp,
  binaryCrossEntropyWithLogits as logitOp,
} from "../../wgsl/pointwise/loss.ts";
import { Module } from "../module.ts";
import {
  described,
  held,
  type LossOptions,
  reduce,
  requireSameShape,
} from "./reduction.ts";

/** Options of {@linkcode binaryCrossEntropy}. */
export interface BCELossOptions extends LossOptions {
  /** Factor of each loss; broadcasts to the inputs. It doesn't enter the divisor of an average. @default ones */
  readonly weight?: Tensor;
}

/** Options of {@linkcode binaryCrossEntropyWithLogits}. */
export interface BCEWithLogitsOptions extends BCELossOptions {
  /** Factor of the losses of positive targets, often negatives / positives; broadcasts to the inputs. @default ones */
  readonly posWeight?: Tensor;
}

/**
 * Binary cross-entropy of probabilities: `-w·(y·log p + (1 - y)·log(1 - p))`, with logarithms from -100 on, so that p = 0 and 1 give a finite loss. Values
 * outside 0 … 1 give NaN.
 *
 * `p, y: the same shape → ` a scalar, or that shape without reduction. From scores, {@linkcode binaryCrossEntropyWithLogits} is more exact. Unlike in
 * PyTorch, which raises an error, probabilities outside 0 … 1 aren't looked for: that would wait for the device.
 *
 * @throws {ShapeError} For targets of another shape.
 *
 * @example
 * ```ts
 * import { assertAlmostEquals } from "@std/assert";
 * import { init, nn, tensor } from "@tessera/tessera";
 *
 * await init();
 * const loss = nn.binaryCrossEntropy(tensor([0.25, 0.5]), tensor([0, 1]));
 * const want = -(Math.log(0.75) + Math.log(0.5)) / 2;
 * assertAlmostEquals(await loss.item(), want, 1e-6);
 * ```
 */
export function binaryCrossEntropy(
  p: Tensor,
  y: Tensor,
  options: BCELossOptions = {},
): Tensor {
  requireSameShape("binary cross-entropy", p, y);
  const { weight } = options;
  return tidy(() => {
    const [losses] = apply(probabilityOp, [p, y], {});
    return reduce(weight ? losses.mul(weight) : losses, options);
  });
}

/**
 * Binary cross-entropy of scores: `-w·(posWeight·y·log σ(x) + (1 - y)·log(1 - σ(x)))` with σ(x) = 1 / (1 + e⁻ˣ), exact for any score.
 *
 * `x, y: the same shape →` a scalar, or that shape without reduction.
 *
 * @throws {ShapeError} For targets of another shape.
 *
 * @example
 * ```ts
 * import { assertAlmostEquals } from "@std/assert";
 * import { init, nn, tensor } from "@tessera/tessera";
 *
 * await init();
 * const posWeight = tensor([3]);
 * const [x, y] = [tensor([0, 0]), tensor([0, 1])];
 * const loss = nn.binaryCrossEntropyWithLogits(x, y, { posWeight });
 * assertAlmostEquals(await loss.item(), (1 + 3) / 2 * Math.LN2, 1e-6);
 * ```
 */
export function binaryCrossEntropyWithLogits(
  x: Tensor,
  y: Tensor,
  options: BCEWithLogitsOptions = {},
): Tensor {
  requireSameShape("binary cross-entropy", x, y);
  const { weight, posWeight } = options;
  return tidy(() => {
    const [plain] = apply(logitOp, [x, y], {});
    // What positive targets count more: -(posWeight - 1)·y·log σ(x).
    const losses = posWeight
      ? plain.add(x.neg().softplus().mul(y).mul(posWeight.sub(1)))
      : plain;
    return reduce(weight ? losses.mul(weight) : losses, options);
  });
}

/**
 * {@linkcode binaryCrossEntropy} as a layer: `loss(p, y)`. The weights are a buffer, saved as "weight".
 *
 * @example
 * ```ts
 * import { assertAlmostEquals } from "@std/assert";
 * import { init, nn, tensor } from "@tessera/tessera";
 *
 * await init();
 * const loss = new nn.BCELoss({ reduction: "sum" });
 * const value = loss(tensor([0.5, 0.5]), tensor([0, 1]));
 * assertAlmostEquals(await value.item(), 2 * Math.LN2, 1e-6);
 * ```
 */
export class BCELoss extends Module {
  readonly weight: Tensor | null;
  readonly #options: LossOptions;

  constructor({ weight, ...options }: BCELossOptions = {}) {
    super();
    this.weight = held(weight);
    this.registerBuffer("weight");
    this.#options = options;
  }

  override forward(p: Tensor, y: Tensor): Tensor {
    const { weight } = this;
    return binaryCrossEntropy(p, y, {
      ...this.#options,
      ...(weight && { weight }),
    });
  }

  override describe(): string {
    return described(this.#options);
  }
}

/**
 * {@linkcode binaryCrossEntropyWithLogits} as a layer: `loss(x, y)`. The weights are buffers, saved as "weight" and "pos_weight".
 *
 * @example
 * ```ts
 * import { assertAlmostEquals } from "@std/assert";
 * import { init, nn, tensor } from "@tessera/tessera";
 *
 * await init();
 * const loss = new nn.BCEWithLogitsLoss();
 * const value = loss(tensor([0, 0]), tensor([0, 1]));
 * assertAlmostEquals(await value.item(), Math.LN2, 1e-6);
 * ```
 */
export class BCEWithLogitsLoss extends Module {
  readonly weight: Tensor | null;
  /** Under the name that PyTorch saves. */
  readonly pos_weight: Tensor | null;
  readonly #options: LossOptions;

  constructor({ weight, posWeight, ...options }: BCEWithLogitsOptions = {}) {
    super();
    this.weight = held(weight);
    this.pos_weight = held(posWeight);
    this.registerBuffer("weight");
    this.registerBuffer("pos_weight");
    this.#options = options;
  }

  override forward(x: Tensor, y: Tensor): Tensor {
    const { weight, pos_weight: posWeight } = this;
    return binaryCrossEntropyWithLogits(x, y, {
      ...this.#options,
      ...(weight && { weight }),
      ...(posWeight && { posWeight }),
    });
  }

  override describe(): string {
    return described(this.#options);
  }
}
