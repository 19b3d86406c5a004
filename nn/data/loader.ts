/** Batches of examples on their way to the device. */
import { nextRandom, tensor } from "../../core/create.ts";
import type { Tensor } from "../../core/tensor.ts";
import { permutation } from "../../wgsl/random/philox.ts";
import type { Shape } from "../../wgsl/op.ts";
import { sizeOf } from "../../wgsl/shape.ts";

/** Examples with class labels, on the host. */
export interface Dataset {
  /** Number of examples. */
  readonly count: number;
  /** Shape of one example: `[C, H, W]`. */
  readonly shape: Shape;
  /** Names of the classes. */
  readonly classes: readonly string[];
  /** Bytes of all examples, row-major, 0 to 255. */
  readonly images: Uint8Array<ArrayBuffer>;
  /** One class index an example. */
  readonly labels: Uint8Array<ArrayBuffer>;
}

/** Examples and labels of a batch. */
export interface Batch {
  /** `[N, C, H, W]`, values from 0 to 1. */
  readonly inputs: Tensor;
  /** `[N]`, i32 */
  readonly targets: Tensor;
}

/** Options of {@linkcode DataLoader}. */
export interface LoaderOptions {
  /** Examples a batch. @default 64 */
  readonly batchSize?: number;
  /** Whether each pass has an order of its own, from the stream that `init({ seed })` starts. @default false */
  readonly shuffle?: boolean;
  /** Whether a last, smaller batch is left out. @default false */
  readonly dropLast?: boolean;
}

/**
 * A dataset in batches, anew at each iteration. A batch's tensors are freed when the next batch is asked for.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { init, nn } from "@tessera/tessera";
 *
 * await init({ seed: 0 });
 * const loader = new nn.DataLoader(await nn.fashionMnist(), { batchSize: 64 });
 * for (const { inputs, targets } of loader) {
 *   assertEquals(inputs.shape, [64, 1, 28, 28]);
 *   assertEquals(targets.shape, [64]);
 *   break;
 * }
 * ```
 */
export class DataLoader implements Iterable<Batch> {
  readonly batchSize: number;
  readonly #shuffle: boolean;
  readonly #dropLast: boolean;

  constructor(readonly dataset: Dataset, options: LoaderOptions = {}) {
    const { batchSize = 64, shuffle = false, dropLast = false } = options;
    if (!Number.isInteger(batchSize) || batchSize < 1) {
      throw new RangeError(
        `Cannot load batches of ${batchSize}: expected an integer of 1 or more`,
      );
    }
    this.batchSize = batchSize;
    this.#shuffle = shuffle;
    this.#dropLast = dropLast;
  }

  /** Batches in one pass. */
  get length(): number {
    const batches = this.dataset.count / this.batchSize;
    return this.#dropLast ? Math.floor(batches) : Math.ceil(batches);
  }

  *[Symbol.iterator](): Generator<Batch> {
    const { count } = this.dataset;
    const order = this.#shuffle ? shuffled(count) : undefined;
    for (let b = 0; b < this.length; b++) {
      const start = b * this.batchSize;
      const end = Math.min(start + this.batchSize, count);
      const batch = batchOf(this.dataset, start, end, order);
      yield batch;
      batch.inputs.dispose();
      batch.targets.dispose();
    }
  }
}

function shuffled(count: number): Uint32Array {
  return permutation(count, nextRandom([count]));
}

/** The examples at positions `start` to `end` of an order. */
function batchOf(
  { images, labels, shape }: Dataset,
  start: number,
  end: number,
  order: Uint32Array | undefined,
): Batch {
  const size = sizeOf(shape);
  const inputs = new Float32Array((end - start) * size);
  const targets = new Int32Array(end - start);
  for (let i = start; i < end; i++) {
    const from = (order?.[i] ?? i) * size;
    const to = (i - start) * size;
    for (let j = 0; j < size; j++) inputs[to + j] = images[from + j] / 255;
    targets[i - start] = labels[order?.[i] ?? i];
  }
  return {
    inputs: tensor(inputs, { shape: [end - start, ...shape] }),
    targets: tensor(targets),
  };
}
