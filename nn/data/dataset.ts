/** Data sets: numbered examples with class labels, in memory or read one by one. */
import type { Shape } from "../../wgsl/op.ts";
import { formatShape, sizeOf } from "../../wgsl/shape.ts";

/** One example, on the host. */
export interface Example {
  /** `[C, H, W]`, row-major. Bytes become 0 to 1 in a batch; floats are taken as they are. */
  readonly image: Uint8Array<ArrayBuffer> | Float32Array<ArrayBuffer>;
  readonly shape: Shape;
  /** Index of its class. */
  readonly label: number;
}

/** Examples by number. What {@linkcode DataLoader} makes batches of, so a data set of one's own needs no more than this. */
export interface Examples {
  readonly length: number;
  /** Names of the classes. */
  readonly classes: readonly string[];
  /**
   * Example `index`, from 0. A promise where it has to be read first. `draw` is a number that no other example of a `DataLoader` has, in this pass or
   * another: random numbers that follow from it are the same in every run, whichever example is read first.
   */
  get(index: number, draw?: number): Example | Promise<Example>;
}

/** Examples with class labels, all in memory: plain arrays, of which {@linkcode ArrayDataset} makes a data set. */
export interface ImageArrays {
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

/** Any data: arrays, or examples by number. */
export type Dataset = ImageArrays | Examples;

/**
 * A data set in memory.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { nn } from "@tessera/tessera";
 *
 * const data = new nn.ArrayDataset({
 *   images: Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8),
 *   labels: Uint8Array.of(1, 0),
 *   count: 2,
 *   shape: [1, 2, 2],
 *   classes: ["cat", "dog"],
 * });
 * const { image, label } = data.get(0);
 * assertEquals([data.length, data.classes[label], ...image], [2, "dog", 1, 2, 3, 4]);
 * ```
 */
export class ArrayDataset implements Examples, ImageArrays {
  readonly count: number;
  readonly shape: Shape;
  readonly classes: readonly string[];
  readonly images: Uint8Array<ArrayBuffer>;
  readonly labels: Uint8Array<ArrayBuffer>;

  /** Throws a RangeError if the arrays hold fewer than `count` examples. What they hold beyond is left alone. */
  constructor({ count, shape, classes, images, labels }: ImageArrays) {
    const needed = count * sizeOf(shape);
    if (images.length < needed || labels.length < count) {
      throw new RangeError(
        `Cannot make a data set of ${count} examples of ${
          formatShape(shape)
        }: ${needed} bytes and ${count} labels are needed, ${images.length} and ${labels.length} are there`,
      );
    }
    this.count = count;
    this.shape = shape;
    this.classes = classes;
    this.images = images;
    this.labels = labels;
  }

  get length(): number {
    return this.count;
  }

  /** Example `index`, whose image shares the data set's memory. */
  get(index: number): Example {
    requireIndex(index, this.count);
    const size = sizeOf(this.shape);
    return {
      image: this.images.subarray(index * size, (index + 1) * size),
      shape: this.shape,
      label: this.labels[index],
    };
  }
}

/** The examples of any data. */
export function examplesOf(data: Dataset): Examples {
  return "get" in data ? data : new ArrayDataset(data);
}

/** Throws a RangeError unless there is an example of this number. */
export function requireIndex(index: number, length: number): void {
  if (!Number.isInteger(index) || index < 0 || index >= length) {
    throw new RangeError(
      `Cannot get example ${index}: ${
        length === 0
          ? "the data set is empty"
          : `expected an integer from 0 to ${length - 1}`
      }`,
    );
  }
}
