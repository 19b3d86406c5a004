/** Losses. */
import { findBadIndex } from "../core/indices.ts";
import { tidy } from "../core/scope.ts";
import type { Tensor } from "../core/tensor.ts";
import { DTypeError, ShapeError } from "../wgsl/errors.ts";
import { formatShape } from "../wgsl/shape.ts";

/** How the losses of a batch become one: their average, their sum, or one each. */
export type Reduction = "mean" | "sum" | "none";

/** Options of losses. */
export interface LossOptions {
  /** @default "mean" */
  readonly reduction?: Reduction;
}

/**
 * Negative log-likelihood of the right class under softmax of the scores: `-log(e^x[y] / Σ e^x)`.
 *
 * `logits: [N, C], labels: [N]` (i32 or u32) `→` a scalar, or `[N]` without reduction.
 *
 * @throws {ShapeError} For other shapes.
 * @throws {RangeError} For a label outside 0 … C - 1 that is known on the host. One that was computed on the device gives NaN.
 */
export function crossEntropy(
  logits: Tensor,
  labels: Tensor,
  options: LossOptions = {},
): Tensor {
  const [count, classes] = logits.shape;
  if (
    logits.rank !== 2 || labels.rank !== 1 || labels.shape[0] !== count
  ) {
    throw new ShapeError(
      `Cannot compute cross-entropy of logits ${
        formatShape(logits.shape)
      } and labels ${formatShape(labels.shape)}: expected [N, C] and [N]`,
      [logits.shape, labels.shape],
    );
  }
  if (labels.dtype !== "i32" && labels.dtype !== "u32") {
    throw new DTypeError(
      `Cannot compute cross-entropy with ${labels.dtype} labels: expected class indices of i32 or u32`,
      [labels.dtype],
    );
  }
  const bad = findBadIndex(labels, classes);
  if (bad) {
    throw new RangeError(
      `Cannot compute cross-entropy: label ${bad.value} at position ${bad.position} is out of range for ${classes} classes, expected 0 to ${
        classes - 1
      }`,
    );
  }
  return tidy(() => {
    const likelihood = logits.logSoftmax(1).gather(1, labels.unsqueeze(1));
    return reduce(likelihood.squeeze(1).neg(), options);
  });
}

/** Mean squared error. `(x - y)²` */
export function mseLoss(
  x: Tensor,
  y: Tensor,
  options: LossOptions = {},
): Tensor {
  return tidy(() => reduce(x.sub(y).square(), options));
}

function reduce(losses: Tensor, { reduction = "mean" }: LossOptions): Tensor {
  switch (reduction) {
    case "mean":
      return losses.mean();
    case "sum":
      return losses.sum();
    case "none":
      return losses;
  }
}
