/** Batches of examples on their way to the device. */
import { tensor } from "../../core/create.ts";
import { scope } from "../../core/scope.ts";
import type { Tensor } from "../../core/tensor.ts";
import { collate, collateNow, type HostBatch } from "./collate.ts";
import { type Dataset, type Examples, examplesOf } from "./dataset.ts";
import { randomOrder } from "./subset.ts";

export type { Dataset } from "./dataset.ts";

/** Examples and labels of a batch. */
export interface Batch {
  /** `[N, C, H, W]`, values from 0 to 1 unless a transform changed them. */
  readonly inputs: Tensor;
  /** `[N]`, i32 */
  readonly targets: Tensor;
}

/** Numbers of examples, anew at each iteration: an array, or an object whose iterator draws them. */
export interface Sampler extends Iterable<number> {
  readonly length: number;
}

/** Options of {@linkcode DataLoader}. */
export interface LoaderOptions {
  /** Examples a batch. @default 64 */
  readonly batchSize?: number;
  /** Whether each pass has an order of its own, from the stream that `init({ seed })` starts or from `seed`. @default false */
  readonly shuffle?: boolean;
  /** A stream of the loader's own for its orders: pass n of every loader with this seed has the same. */
  readonly seed?: number;
  /** Which examples a pass has, and in which order, instead of each once. */
  readonly sampler?: Sampler;
  /** Whether a last, smaller batch is left out. @default false */
  readonly dropLast?: boolean;
  /** Changes the inputs of each batch, on the device: augmentation, normalisation. What it makes on the way is freed. */
  readonly transform?: (inputs: Tensor) => Tensor;
  /** Batches that are read and decoded ahead while the device works; of `for await` only. @default 2 */
  readonly prefetch?: number;
}

/**
 * A data set in batches, anew at each iteration. A batch's tensors are freed when the next batch is asked for.
 *
 * `for (const batch of loader)` is for data in memory. `for await (const batch of loader)` is for all data: batches are got ready ahead, so
 * that reading and decoding go on while the device works.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { init, nn } from "@tessera/tessera";
 *
 * await init({ seed: 0 });
 * const loader = new nn.DataLoader(await nn.fashionMnist(), { batchSize: 64, shuffle: true });
 * for (const { inputs, targets } of loader) {
 *   assertEquals(inputs.shape, [64, 1, 28, 28]);
 *   assertEquals(targets.shape, [64]);
 *   break;
 * }
 * ```
 *
 * @example With a transform, waiting for each batch
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { init, nn } from "@tessera/tessera";
 *
 * await init({ seed: 0 });
 * const loader = new nn.DataLoader(await nn.fashionMnist({ split: "test" }), {
 *   batchSize: 500,
 *   transform: (inputs) => inputs.sub(0.286).div(0.353),
 * });
 * let count = 0;
 * for await (const { targets } of loader) count += targets.size;
 * assertEquals(count, 2000);
 * ```
 */
export class DataLoader implements Iterable<Batch>, AsyncIterable<Batch> {
  readonly dataset: Examples;
  readonly batchSize: number;
  readonly #options: LoaderOptions;
  readonly #prefetch: number;
  #passes = 0;

  /** Throws a RangeError for a batch size or a number of batches ahead that isn't one, a TypeError for a sampler with `shuffle`. */
  constructor(dataset: Dataset, options: LoaderOptions = {}) {
    const { batchSize = 64, shuffle, sampler, prefetch = 2 } = options;
    if (!Number.isInteger(batchSize) || batchSize < 1) {
      throw new RangeError(
        `Cannot load batches of ${batchSize}: expected an integer of 1 or more`,
      );
    }
    if (!Number.isInteger(prefetch) || prefetch < 0) {
      throw new RangeError(
        `Cannot load ${prefetch} batches ahead: expected an integer of 0 or more`,
      );
    }
    if (sampler && shuffle) {
      throw new TypeError(
        "Cannot shuffle what a sampler puts in order: give one of the two",
      );
    }
    this.dataset = examplesOf(dataset);
    this.batchSize = batchSize;
    this.#options = options;
    this.#prefetch = prefetch;
  }

  /** Batches in one pass. */
  get length(): number {
    const { sampler, dropLast } = this.#options;
    const examples = sampler?.length ?? this.dataset.length;
    const batches = examples / this.batchSize;
    return dropLast ? Math.floor(batches) : Math.ceil(batches);
  }

  /** Draws the order of the next pass: numbers of examples. Each iteration begins with this; for one that goes on in the middle, keep it. */
  order(): Uint32Array<ArrayBuffer> {
    const { shuffle, seed, sampler } = this.#options;
    const pass = this.#passes++;
    if (sampler) return Uint32Array.from(sampler);
    const { length } = this.dataset;
    return shuffle
      ? randomOrder(length, seed, pass)
      : Uint32Array.from({ length }, (_, i) => i);
  }

  /** The batches of an order from batch `start` on, for data in memory. Throws a TypeError where examples have to be waited for. */
  *batches(order: Uint32Array = this.order(), start = 0): Generator<Batch> {
    for (const [indices, draw] of this.#parts(order, start)) {
      const batch = this.#send(collateNow(this.dataset, indices, draw));
      yield batch;
      free(batch);
    }
  }

  /**
   * The batches of an order from batch `start` on, got ready ahead.
   *
   * @example Going on where a run was cut
   * ```ts
   * import { assertEquals } from "@std/assert";
   * import { init, nn } from "@tessera/tessera";
   *
   * await init({ seed: 0 });
   * const loader = new nn.DataLoader(await nn.fashionMnist(), { shuffle: true });
   * const order = loader.order();
   * let batches = 0;
   * for await (const _ of loader.load(order, 150)) batches++;
   * assertEquals(batches, loader.length - 150);
   * ```
   */
  async *load(
    order: Uint32Array = this.order(),
    start = 0,
  ): AsyncGenerator<Batch> {
    const parts = this.#parts(order, start);
    const ahead: Promise<HostBatch>[] = [];
    const fill = () => {
      while (ahead.length <= this.#prefetch) {
        const { value, done } = parts.next();
        if (done) return;
        const batch = collate(this.dataset, ...value);
        // An error is for whoever waits for this batch, who may have left by then.
        batch.catch(() => {});
        ahead.push(batch);
      }
    };
    fill();
    while (ahead.length > 0) {
      const batch = this.#send(await ahead.shift()!);
      fill();
      yield batch;
      free(batch);
    }
  }

  [Symbol.iterator](): Generator<Batch> {
    return this.batches();
  }

  [Symbol.asyncIterator](): AsyncGenerator<Batch> {
    return this.load();
  }

  /** An order in pieces of a batch, each with the number of its first draw. Passes are 2^32 draws apart. */
  *#parts(
    order: Uint32Array,
    start: number,
  ): Generator<readonly [Uint32Array, number]> {
    const first = Math.max(0, this.#passes - 1) * 2 ** 32;
    const whole = order.length - order.length % this.batchSize;
    const end = this.#options.dropLast ? whole : order.length;
    for (let at = start * this.batchSize; at < end; at += this.batchSize) {
      yield [order.subarray(at, at + this.batchSize), first + at];
    }
  }

  /** Makes tensors of a batch and transforms it. */
  #send({ inputs, shape, targets }: HostBatch): Batch {
    const { transform } = this.#options;
    if (!transform) {
      return { inputs: tensor(inputs, { shape }), targets: tensor(targets) };
    }
    using s = scope();
    return s.keep({
      inputs: transform(tensor(inputs, { shape })),
      targets: tensor(targets),
    });
  }
}

function free({ inputs, targets }: Batch): void {
  inputs.dispose();
  targets.dispose();
}
