/** A product of tensors as its kernels see it: axes of batch, m, n and k, and how each operand walks them. */
import { type Epilogue, epilogueInputs } from "../epilogue.ts";
import type { Walk } from "../launch.ts";
import { collapse } from "../launch.ts";
import type { Request, View } from "../op.ts";
import { broadcastStrides } from "../shape.ts";

/** How a product is finished. */
export interface MatmulAttrs {
  /** What is done to the sums before they are stored. Its operands follow a and b. @default a bias where there is a third input, else nothing */
  readonly epilogue?: Epilogue;
  /** Which axis of the product counts the epilogue's channels: a linear layer's are columns, those of a convolution as a product are rows. @default "columns" */
  readonly channels?: "columns" | "rows";
}

/** How many inputs a product has before those of its epilogue. */
export const OWN_INPUTS = 2;

/** The epilogue of a call with so many inputs. */
export function epilogueOf(
  { epilogue }: MatmulAttrs,
  inputs: number,
): Epilogue | undefined {
  return epilogue ?? (inputs > OWN_INPUTS ? { bias: true } : undefined);
}

/** Axes are [...batch, m, n, k] with at least two of batch; an operand's stride is 0 along axes that it doesn't have. */
export interface Problem {
  readonly shape: readonly number[];
  readonly a: Walk;
  readonly b: Walk;
  readonly c: Walk;
  readonly epilogue: Epilogue | undefined;
  /** How the epilogue's operands of one value a channel are walked, and which axis counts channels. */
  readonly channels: Walk;
  readonly channelAxis: "columns" | "rows";
}

/**
 * The axes of a product, with batch axes merged where every operand steps through them as one.
 *
 * A batch that b is the same for, as in a linear layer on [N, T, k], becomes part of m where a's strides allow it: one tall product
 * instead of many short ones. Rows that count channels stay as they are.
 *
 * The operands of one value a channel may have batch axes here, which the op's shape rule doesn't offer: a grouped convolution has them.
 */
export function problemOf(
  { inputs, outputs, attrs }: Request<MatmulAttrs>,
): Problem {
  const [a, b] = inputs;
  const [c] = outputs;
  const { channels: channelAxis = "columns" } = attrs;
  const epilogue = epilogueOf(attrs, inputs.length);
  let [m, n] = c.shape.slice(-2);
  const k = a.shape[a.shape.length - 1];
  let [aRow, aStep] = a.strides.slice(-2);
  const [bStep, bCol] = b.strides.slice(-2);
  const [cRow, cCol] = c.strides.slice(-2);
  const { bias, scale } = epilogueInputs(epilogue ?? {}, OWN_INPUTS);
  const perChannel = inputs.at(bias ?? scale ?? inputs.length);
  const along = perChannel?.strides.at(-1) ?? 0;

  const { shape: batch, strides: [aBatch, bBatch, cBatch, channelBatch] } =
    collapse(c.shape.slice(0, -2), [
      ...[a, b, c].map((view) => batchStrides(view, 2, c)),
      perChannel
        ? batchStrides(perChannel, 1, c)
        : c.shape.slice(0, -2).map(() => 0),
    ]);
  const last = batch.length - 1;
  const follows = m === 1 || aBatch[last] === m * aRow;
  const movable = channelBatch[last] === 0 &&
    (channelAxis === "columns" || !perChannel);
  if (batch[last] > 1 && bBatch[last] === 0 && follows && movable) {
    if (m === 1) aRow = aBatch[last];
    m *= batch[last];
    for (const list of [batch, aBatch, bBatch, cBatch, channelBatch]) {
      list.pop();
    }
  }
  while (batch.length < 2) {
    batch.unshift(1);
    for (const list of [aBatch, bBatch, cBatch, channelBatch]) list.unshift(0);
  }
  const [rows, columns] = channelAxis === "rows" ? [along, 0] : [0, along];
  return {
    shape: [...batch, m, n, k],
    a: walkOf(a, [...aBatch, aRow, 0, aStep]),
    b: walkOf(b, [...bBatch, 0, bCol, bStep]),
    c: walkOf(c, [...cBatch, cRow, cCol, 0]),
    epilogue,
    channels: walkOf(perChannel ?? c, [...channelBatch, rows, columns, 0]),
    channelAxis,
  };
}

/** Strides along the batch axes of c, for a view whose last `own` axes aren't of the batch. */
function batchStrides(view: View, own: number, c: View): number[] {
  const batch = {
    ...view,
    shape: view.shape.slice(0, -own),
    strides: view.strides.slice(0, -own),
  };
  return broadcastStrides(batch, c.shape.slice(0, -2));
}

function walkOf({ offset, dtype }: View, strides: readonly number[]): Walk {
  return { strides, offset, dtype };
}
