/** The Kullback-Leibler divergence. */
import { tidy } from "../../core/scope.ts";
import type { Tensor } from "../../core/tensor.ts";
import { ShapeError } from "../../wgsl/errors.ts";
import { Module } from "../module.ts";
import { described, reduce, requireSameShape } from "./reduction.ts";

/** Options of {@linkcode klDiv}. */
export interface KLDivOptions {
  /** "batchmean", the sum divided by the size of the first axis, is the divergence itself; "mean" divides by all elements. @default "mean", as in PyTorch */
  readonly reduction?: "mean" | "batchmean" | "sum" | "none";
  /** Whether the targets are logarithms of probabilities too. @default false */
  readonly logTarget?: boolean;
}

/**
 * Kullback-Leibler divergence of the distribution x from y (Kullback & Leibler 1951): `y·(log y - x)`, where x are logarithms of probabilities, and 0 for
 * a target of 0; with `logTarget`, `e^y·(y - x)`.
 *
 * `x, y: [N, …] →` a scalar, or that shape without reduction. Unlike in PyTorch, which warns, the two aren't broadcast.
 *
 * @throws {ShapeError} For targets of another shape.
 *
 * @example
 * ```ts
 * import { assertAlmostEquals } from "@std/assert";
 * import { init, nn, tensor } from "@tessera/tessera";
 *
 * await init();
 * const x = tensor([[0.25, 0.75]]).log();
 * const y = tensor([[0, 1]]);
 * const loss = nn.klDiv(x, y, { reduction: "batchmean" });
 * assertAlmostEquals(await loss.item(), -Math.log(0.75), 1e-6);
 * ```
 */
export function klDiv(
  x: Tensor,
  y: Tensor,
  { reduction = "mean", logTarget = false }: KLDivOptions = {},
): Tensor {
  requireSameShape("the divergence", x, y);
  if (reduction === "batchmean" && x.rank === 0) {
    throw new ShapeError(
      "Cannot average the divergence of [] over a batch: expected [N, ...]",
      [x.shape],
    );
  }
  return tidy(() => {
    const losses = logTarget
      ? y.exp().mul(y.sub(x))
      // The logarithm of a target of 0 is not looked at: 0·log 0 counts as 0.
      : y.mul(y.eq(0).where(1, y).log().sub(x));
    return reduction === "batchmean"
      ? losses.sum().div(x.shape[0])
      : reduce(losses, { reduction });
  });
}

/**
 * {@linkcode klDiv} as a layer: `loss(x, y)`.
 *
 * @example
 * ```ts
 * import { assertAlmostEquals } from "@std/assert";
 * import { init, nn, tensor } from "@tessera/tessera";
 *
 * await init();
 * const loss = new nn.KLDivLoss({ reduction: "batchmean", logTarget: true });
 * const [x, y] = [tensor([[0.25, 0.75]]), tensor([[0.5, 0.5]])];
 * const want = 0.5 * Math.log(2) + 0.5 * Math.log(2 / 3);
 * assertAlmostEquals(await loss(x.log(), y.log()).item(), want, 1e-6);
 * ```
 */
export class KLDivLoss extends Module {
  constructor(readonly options: KLDivOptions = {}) {
    super();
  }

  override forward(x: Tensor, y: Tensor): Tensor {
    return klDiv(x, y, this.options);
  }

  override describe(): string {
    return described(this.options);
  }
}
