/** Data sets made of others: some of the examples, a random split, several in a row. */
import { nextRandom } from "../../core/create.ts";
import { permutation, type Stream } from "../../wgsl/random/philox.ts";
import {
  type Dataset,
  type Example,
  type Examples,
  examplesOf,
  requireIndex,
} from "./dataset.ts";

/**
 * Some examples of a data set, in an order of one's own. An example may come up more than once.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { nn } from "@tessera/tessera";
 *
 * const test = await nn.fashionMnist({ split: "test" });
 * const boots = new nn.Subset(test, [...test.labels.keys()].filter((i) => test.labels[i] === 9));
 * assertEquals(boots.length, 200);
 * ```
 */
export class Subset implements Examples {
  readonly dataset: Examples;
  readonly indices: ArrayLike<number>;

  /** Throws a RangeError if an index is none of the data set's. */
  constructor(dataset: Dataset, indices: ArrayLike<number>) {
    this.dataset = examplesOf(dataset);
    this.indices = indices;
    for (let i = 0; i < indices.length; i++) {
      requireIndex(indices[i], this.dataset.length);
    }
  }

  get length(): number {
    return this.indices.length;
  }

  get classes(): readonly string[] {
    return this.dataset.classes;
  }

  get(index: number, draw?: number): Example | Promise<Example> {
    requireIndex(index, this.length);
    return this.dataset.get(this.indices[index], draw);
  }
}

/**
 * Data sets one after the other, with the same classes.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { nn } from "@tessera/tessera";
 *
 * const all = new nn.ConcatDataset([await nn.fashionMnist(), await nn.fashionMnist({ split: "test" })]);
 * assertEquals(all.length, 12_000);
 * ```
 */
export class ConcatDataset implements Examples {
  readonly datasets: readonly Examples[];
  readonly classes: readonly string[];
  readonly length: number;

  /** Throws a RangeError for no data sets, or if their classes differ. */
  constructor(datasets: readonly Dataset[]) {
    this.datasets = datasets.map(examplesOf);
    if (this.datasets.length === 0) {
      throw new RangeError("Cannot join data sets: none is given");
    }
    this.classes = this.datasets[0].classes;
    this.datasets.forEach(({ classes }, i) => {
      if (JSON.stringify(classes) !== JSON.stringify(this.classes)) {
        throw new RangeError(
          `Cannot join data sets: number 0 has the classes ${
            this.classes.join(", ")
          } and number ${i} has ${classes.join(", ")}`,
        );
      }
    });
    this.length = this.datasets.reduce((sum, { length }) => sum + length, 0);
  }

  get(index: number, draw?: number): Example | Promise<Example> {
    requireIndex(index, this.length);
    let d = 0;
    for (; index >= this.datasets[d].length; d++) {
      index -= this.datasets[d].length;
    }
    return this.datasets[d].get(index, draw);
  }
}

/**
 * Deals a data set out at random, each example to one part. `lengths` are numbers of examples that add up to the data set's, or fractions
 * that add up to 1; what fractions leave over is dealt one each from the first part on, as PyTorch's `random_split` does.
 *
 * The order comes from the stream that `init({ seed })` starts, or from `seed`, so that the parts are the same in each run.
 *
 * Throws a RangeError for lengths that don't add up.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { nn } from "@tessera/tessera";
 *
 * const [train, validation] = nn.randomSplit(await nn.fashionMnist(), [0.9, 0.1], { seed: 1 });
 * assertEquals([train.length, validation.length], [9000, 1000]);
 * ```
 */
export function randomSplit(
  dataset: Dataset,
  lengths: readonly number[],
  options: { readonly seed?: number } = {},
): Subset[] {
  const examples = examplesOf(dataset);
  const counts = countsOf(lengths, examples.length);
  const order = randomOrder(examples.length, options.seed);
  let start = 0;
  return counts.map((count) => {
    const indices = order.subarray(start, start += count);
    return new Subset(examples, indices);
  });
}

/** The numbers below n in random order: from the common stream or, if there is a seed, from pass number `pass` of its own. */
export function randomOrder(
  n: number,
  seed: number | undefined,
  pass = 0,
): Uint32Array<ArrayBuffer> {
  if (seed === undefined) return permutation(n, nextRandom([n]));
  if (!Number.isSafeInteger(seed) || seed < 0) {
    throw new RangeError(
      `Cannot shuffle with seed ${seed}: expected an integer from 0 to 2^53 - 1`,
    );
  }
  const key: Stream["key"] = [seed >>> 0, Math.floor(seed / 2 ** 32)];
  // Passes are 2^32 blocks apart, more than an order uses up.
  return permutation(n, { key, counter: pass * 2 ** 32 });
}

/** How many examples each part gets. */
function countsOf(lengths: readonly number[], total: number): number[] {
  const sum = lengths.reduce((a, b) => a + b, 0);
  const whole = lengths.every((n) => Number.isInteger(n) && n >= 0);
  if (whole && sum === total) return [...lengths];
  const fractions = lengths.every((n) => n >= 0 && n <= 1) &&
    Math.abs(sum - 1) < 1e-9;
  if (!fractions) {
    throw new RangeError(
      `Cannot split ${total} examples into [${
        lengths.join(", ")
      }]: expected whole numbers that add up to ${total} or fractions that add up to 1`,
    );
  }
  const counts = lengths.map((part) => Math.floor(part * total));
  const rest = total - counts.reduce((a, b) => a + b, 0);
  for (let i = 0; i < rest; i++) counts[i % counts.length]++;
  return counts;
}
