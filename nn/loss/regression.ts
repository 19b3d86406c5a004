/** Losses of numbers: how far outputs are from their targets. */
import { tidy } from "../../core/scope.ts";
import type { Tensor } from "../../core/tensor.ts";
import { Module } from "../module.ts";
import {
  described,
  type LossOptions,
  reduce,
  requireSameShape,
} from "./reduction.ts";

/** Options of {@linkcode smoothL1Loss}. */
export interface SmoothL1Options extends LossOptions {
  /** Distance up to which the loss is a parabola; 0 gives {@linkcode l1Loss}. @default 1 */
  readonly beta?: number;
}

/** Options of {@linkcode huberLoss}. */
export interface HuberOptions extends LossOptions {
  /** Distance up to which the loss is a parabola. @default 1 */
  readonly delta?: number;
}

/**
 * Squared error: `(x - y)²`.
 *
 * `x, y: the same shape →` a scalar, or that shape without reduction. Unlike in PyTorch, which warns, the two aren't broadcast.
 *
 * @throws {ShapeError} For targets of another shape.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { init, nn, tensor } from "@tessera/tessera";
 *
 * await init();
 * const loss = nn.mseLoss(tensor([1, 2]), tensor([1, 5]));
 * assertEquals(await loss.item(), 4.5);
 * ```
 */
export function mseLoss(
  x: Tensor,
  y: Tensor,
  options: LossOptions = {},
): Tensor {
  requireSameShape("the squared error", x, y);
  return tidy(() => reduce(x.sub(y).square(), options));
}

/**
 * Absolute error: `|x - y|`, with a gradient of 0 where it is 0.
 *
 * `x, y: the same shape →` a scalar, or that shape without reduction. Unlike in PyTorch, which warns, the two aren't broadcast.
 *
 * @throws {ShapeError} For targets of another shape.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { init, nn, tensor } from "@tessera/tessera";
 *
 * await init();
 * const loss = nn.l1Loss(tensor([1, 2]), tensor([1, 5]), { reduction: "none" });
 * assertEquals(await loss.array(), [0, 3]);
 * ```
 */
export function l1Loss(
  x: Tensor,
  y: Tensor,
  options: LossOptions = {},
): Tensor {
  requireSameShape("the absolute error", x, y);
  return tidy(() => reduce(x.sub(y).abs(), options));
}

/**
 * Smooth absolute error (Girshick 2015, equation 3, where beta is 1): `d² / (2·beta)` for d = |x - y| below beta, `d - beta / 2` from there on. It is
 * {@linkcode huberLoss} divided by beta.
 *
 * `x, y: the same shape →` a scalar, or that shape without reduction. Unlike in PyTorch, which warns, the two aren't broadcast.
 *
 * @throws {ShapeError} For targets of another shape.
 * @throws {RangeError} For a negative beta.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { init, nn, tensor } from "@tessera/tessera";
 *
 * await init();
 * const [x, y] = [tensor([1, 9]), tensor([2, 4])];
 * const loss = nn.smoothL1Loss(x, y, { beta: 2, reduction: "none" });
 * assertEquals(await loss.array(), [1 / 4, 5 - 1]);
 * ```
 */
export function smoothL1Loss(
  x: Tensor,
  y: Tensor,
  options: SmoothL1Options = {},
): Tensor {
  const { beta = 1 } = options;
  requireSameShape("the smooth absolute error", x, y);
  if (!(beta >= 0)) {
    throw new RangeError(
      `Cannot compute the smooth absolute error with beta ${beta}: expected a number of 0 or more`,
    );
  }
  if (beta === 0) return l1Loss(x, y, options);
  return tidy(() => reduce(huber(x, y, beta).div(beta), options));
}

/**
 * Huber's loss (Huber 1964): `d² / 2` for d = |x - y| up to delta, `delta·(d - delta / 2)` from there on.
 *
 * `x, y: the same shape →` a scalar, or that shape without reduction. Unlike in PyTorch, which warns, the two aren't broadcast.
 *
 * @throws {ShapeError} For targets of another shape.
 * @throws {RangeError} Unless delta is above 0.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { init, nn, tensor } from "@tessera/tessera";
 *
 * await init();
 * const [x, y] = [tensor([1, 9]), tensor([2, 4])];
 * const loss = nn.huberLoss(x, y, { delta: 2, reduction: "none" });
 * assertEquals(await loss.array(), [1 / 2, 2 * (5 - 1)]);
 * ```
 */
export function huberLoss(
  x: Tensor,
  y: Tensor,
  options: HuberOptions = {},
): Tensor {
  const { delta = 1 } = options;
  requireSameShape("Huber's loss", x, y);
  if (!(delta > 0)) {
    throw new RangeError(
      `Cannot compute Huber's loss with delta ${delta}: expected a number above 0`,
    );
  }
  return tidy(() => reduce(huber(x, y, delta), options));
}

/** `c·(e - c / 2)`, where e = x - y, and c is e limited to -delta … delta: both forms of Huber's loss in one. */
function huber(x: Tensor, y: Tensor, delta: number): Tensor {
  const error = x.sub(y);
  const near = error.clamp({ min: -delta, max: delta });
  return near.mul(error.sub(near.mul(0.5)));
}

/**
 * {@linkcode mseLoss} as a layer: `loss(x, y)`.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { init, nn, tensor } from "@tessera/tessera";
 *
 * await init();
 * const loss = new nn.MSELoss({ reduction: "sum" });
 * assertEquals(await loss(tensor([1, 2]), tensor([1, 5])).item(), 9);
 * ```
 */
export class MSELoss extends Module {
  constructor(readonly options: LossOptions = {}) {
    super();
  }

  override forward(x: Tensor, y: Tensor): Tensor {
    return mseLoss(x, y, this.options);
  }

  override describe(): string {
    return described(this.options);
  }
}

/**
 * {@linkcode l1Loss} as a layer: `loss(x, y)`.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { init, nn, tensor } from "@tessera/tessera";
 *
 * await init();
 * const loss = new nn.L1Loss();
 * assertEquals(await loss(tensor([1, 2]), tensor([1, 5])).item(), 1.5);
 * ```
 */
export class L1Loss extends Module {
  constructor(readonly options: LossOptions = {}) {
    super();
  }

  override forward(x: Tensor, y: Tensor): Tensor {
    return l1Loss(x, y, this.options);
  }

  override describe(): string {
    return described(this.options);
  }
}

/**
 * {@linkcode smoothL1Loss} as a layer: `loss(x, y)`.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { init, nn, tensor } from "@tessera/tessera";
 *
 * await init();
 * const loss = new nn.SmoothL1Loss();
 * assertEquals(await loss(tensor([1]), tensor([5])).item(), 3.5);
 * ```
 */
export class SmoothL1Loss extends Module {
  constructor(readonly options: SmoothL1Options = {}) {
    super();
  }

  override forward(x: Tensor, y: Tensor): Tensor {
    return smoothL1Loss(x, y, this.options);
  }

  override describe(): string {
    return described(this.options);
  }
}

/**
 * {@linkcode huberLoss} as a layer: `loss(x, y)`.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { init, nn, tensor } from "@tessera/tessera";
 *
 * await init();
 * const loss = new nn.HuberLoss({ delta: 2 });
 * assertEquals(await loss(tensor([1]), tensor([5])).item(), 6);
 * ```
 */
export class HuberLoss extends Module {
  constructor(readonly options: HuberOptions = {}) {
    super();
  }

  override forward(x: Tensor, y: Tensor): Tensor {
    return huberLoss(x, y, this.options);
  }

  override describe(): string {
    return described(this.options);
  }
}
