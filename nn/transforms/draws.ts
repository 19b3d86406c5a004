/**
 * Random numbers of augmentation, drawn on the host from the stream that `init({ seed })` starts, so that a seed gives the same pictures on every
 * device. Each image of a batch takes its own.
 */
import { nextRandom } from "../../core/create.ts";
import { eachBlock } from "../../wgsl/random/philox.ts";
import { standardNormalQuantile } from "../init_host.ts";

/** `count` uniform numbers of [0, 1). */
export function uniforms(count: number): Float64Array<ArrayBuffer> {
  const values = new Float64Array(count);
  eachBlock(count, nextRandom([count]), (first, words) => {
    for (let i = first; i < Math.min(first + 4, count); i++) {
      values[i] = words[i - first] / 2 ** 32;
    }
  });
  return values;
}

/** A row of `each` uniform numbers for each of `images`. */
export function rows(
  images: number,
  each: number,
): Float64Array<ArrayBuffer>[] {
  const values = uniforms(images * each);
  return Array.from(
    { length: images },
    (_, i) => values.subarray(i * each, (i + 1) * each),
  );
}

/** `count` normal numbers of mean 0 and deviation 1. */
export function normals(count: number): Float64Array<ArrayBuffer> {
  const draw = standardNormalQuantile(-Infinity, Infinity);
  // Half a step up, since no normal number belongs to 0.
  return uniforms(count).map((u) => draw(u + 2 ** -33));
}

/** A range of numbers. */
export type Range = readonly [low: number, high: number];

/** The number of a range that stands at `u` of [0, 1). */
export function within([low, high]: Range, u: number): number {
  return low + (high - low) * u;
}

/** The whole number from 0 to `count` − 1 that stands at `u` of [0, 1). */
export function below(count: number, u: number): number {
  return Math.floor(count * u);
}

/** A range, or ±value where a number is given. */
export function rangeOf(value: number | Range, what: string): Range {
  const range: Range = typeof value === "number" ? [-value, value] : value;
  if (range[0] <= range[1]) return range;
  throw new RangeError(
    `Cannot ${what} between ${range[0]} and ${
      range[1]
    }: expected bounds in order`,
  );
}
