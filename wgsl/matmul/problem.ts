/** A product of tensors as its kernels see it: axes of batch, m, n and k, and how each operand walks them. */
import type { Walk } from "../launch.ts";
import { collapse } from "../launch.ts";
import type { Request, View } from "../op.ts";
import { broadcastStrides } from "../shape.ts";

/** Axes are [...batch, m, n, k] with at least two of batch; an operand's stride is 0 along axes that it doesn't have. */
export interface Problem {
  readonly shape: readonly number[];
  readonly a: Walk;
  readonly b: Walk;
  readonly bias: Walk | undefined;
  readonly c: Walk;
}

/**
 * The axes of a product, with batch axes merged where every operand steps through them as one.
 *
 * A batch that b is the same for, as in a linear layer on [N, T, k], becomes part of m where a's strides allow it: one tall product
 * instead of many short ones.
 */
export function problemOf({ inputs, outputs }: Request<unknown>): Problem {
  const [a, b, bias] = inputs;
  const [c] = outputs;
  let [m, n] = c.shape.slice(-2);
  const k = a.shape[a.shape.length - 1];
  let [aRow, aStep] = a.strides.slice(-2);
  const [bStep, bCol] = b.strides.slice(-2);
  const [cRow, cCol] = c.strides.slice(-2);

  const { shape: batch, strides: [aBatch, bBatch, cBatch] } = collapse(
    c.shape.slice(0, -2),
    [a, b, c].map((view) => batchStrides(view, c)),
  );
  const last = batch.length - 1;
  const follows = m === 1 || aBatch[last] === m * aRow;
  if (batch[last] > 1 && bBatch[last] === 0 && follows) {
    if (m === 1) aRow = aBatch[last];
    m *= batch[last];
    for (const list of [batch, aBatch, bBatch, cBatch]) list.pop();
  }
  while (batch.length < 2) {
    batch.unshift(1);
    for (const list of [aBatch, bBatch, cBatch]) list.unshift(0);
  }
  const none = batch.map(() => 0);
  return {
    shape: [...batch, m, n, k],
    a: walkOf(a, [...aBatch, aRow, 0, aStep]),
    b: walkOf(b, [...bBatch, 0, bCol, bStep]),
    bias: bias && walkOf(bias, [...none, 0, bias.strides[0], 0]),
    c: walkOf(c, [...cBatch, cRow, cCol, 0]),
  };
}

function batchStrides(view: View, c: View): number[] {
  const batch = {
    ...view,
    shape: view.shape.slice(0, -2),
    strides: view.strides.slice(0, -2),
  };
  return broadcastStrides(batch, c.shape.slice(0, -2));
}

function walkOf({ offset, dtype }: View, strides: readonly number[]): Walk {
  return { strides, offset, dtype };
}
