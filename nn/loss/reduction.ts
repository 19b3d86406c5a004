/** What losses share: how those of a batch become one, and operands of one shape. */
import { outsideScopes } from "../../core/scope.ts";
import type { Tensor } from "../../core/tensor.ts";
import { ShapeError } from "../../wgsl/errors.ts";
import { formatShape, sameShape } from "../../wgsl/shape.ts";

/** How the losses of a batch become one: their average, their sum, or one each. */
export type Reduction = "mean" | "sum" | "none";

/** Options of losses. */
export interface LossOptions {
  /** @default "mean" */
  readonly reduction?: Reduction;
}

/** Losses as their options want them. */
export function reduce(
  losses: Tensor,
  { reduction = "mean" }: LossOptions,
): Tensor {
  switch (reduction) {
    case "mean":
      return losses.mean();
    case "sum":
      return losses.sum();
    case "none":
      return losses;
  }
}

/** Throws a ShapeError unless inputs and targets have the same shape: broadcasting them is nearly always a mistake. */
export function requireSameShape(what: string, x: Tensor, y: Tensor): void {
  if (sameShape(x.shape, y.shape)) return;
  throw new ShapeError(
    `Cannot compute ${what} of inputs ${formatShape(x.shape)} and targets ${
      formatShape(y.shape)
    }: expected the same shape`,
    [x.shape, y.shape],
  );
}

/** A layer's own hold on a tensor that its options gave, for a field that is saved with the layer. */
export function held(x: Tensor | undefined): Tensor | null {
  return x ? outsideScopes(() => x.detach()) : null;
}

/** Options for a layer's description: those that aren't undefined, as `name=value`. */
export function described(options: object): string {
  return Object.entries(options)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}=${value}`)
    .join(", ");
}
