/** Examples side by side in the arrays of a batch, still on the host. */
import { ShapeError } from "../../core/errors.ts";
import type { Shape } from "../../wgsl/op.ts";
import { formatShape, sizeOf } from "../../wgsl/shape.ts";
import type { Example, Examples } from "./dataset.ts";

/** A batch on the host. */
export interface HostBatch {
  /** Values of the images, row-major. */
  readonly inputs: Float32Array<ArrayBuffer>;
  /** `[N, C, H, W]` */
  readonly shape: Shape;
  /** `[N]` */
  readonly targets: Int32Array<ArrayBuffer>;
}

/** Byte b as b / 255 in float32: looked up, which is faster than divided. */
const UNIT = Float32Array.from({ length: 256 }, (_, b) => b / 255);

/** The examples of these numbers, now, of which the first is draw number `draw`. Throws a TypeError if one has to be waited for. */
export function collateNow(
  data: Examples,
  indices: Uint32Array,
  draw: number,
): HostBatch {
  let batch: HostBatch | undefined;
  for (let i = 0; i < indices.length; i++) {
    const example = data.get(indices[i], draw + i);
    if (example instanceof Promise) {
      // Nobody waits for it any more.
      example.catch(() => {});
      throw new TypeError(
        "Cannot load batches with `for`: the examples are read as they are needed, loop with `for await`",
      );
    }
    batch ??= makeBatch(indices.length, example);
    place(batch, i, example, indices);
  }
  return batch ?? EMPTY;
}

/** The examples of these numbers, when they have been read, of which the first is draw number `draw`. */
export async function collate(
  data: Examples,
  indices: Uint32Array,
  draw: number,
): Promise<HostBatch> {
  const examples = await Promise.all(
    Array.from(indices, (index, i) => data.get(index, draw + i)),
  );
  if (examples.length === 0) return EMPTY;
  const batch = makeBatch(examples.length, examples[0]);
  examples.forEach((example, i) => place(batch, i, example, indices));
  return batch;
}

const EMPTY: HostBatch = {
  inputs: new Float32Array(),
  shape: [0],
  targets: new Int32Array(),
};

function makeBatch(count: number, { shape }: Example): HostBatch {
  return {
    inputs: new Float32Array(count * sizeOf(shape)),
    shape: [count, ...shape],
    targets: new Int32Array(count),
  };
}

/** Writes an example into its place of the batch. */
function place(
  { inputs, shape, targets }: HostBatch,
  i: number,
  { image, shape: own, label }: Example,
  indices: Uint32Array,
): void {
  const common = shape.slice(1);
  const same = own.length === common.length &&
    own.every((n, d) => n === common[d]);
  if (!same) {
    throw new ShapeError(
      `Cannot put examples ${indices[0]} and ${
        indices[i]
      } into a batch: their shapes are ${formatShape(common)} and ${
        formatShape(own)
      }, resize them to one size`,
      [common, own],
    );
  }
  const size = sizeOf(own);
  if (image instanceof Float32Array) {
    inputs.set(image, i * size);
  } else {
    // A loop of its own over plain offsets: batches of small pictures spend their time here.
    let to = i * size;
    for (let j = 0; j < size; j++) inputs[to++] = UNIT[image[j]];
  }
  targets[i] = label;
}
