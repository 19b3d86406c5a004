/**
 * Resizing as Pillow does it, by convolution: each output is the mean of the inputs under a filter as wide as the picture is shrunk, so that shrinking
 * averages ("antialias") instead of picking.
 *
 * Output o of O along an axis of N has its centre at c = (o + ½)·N/O, and the weight of input i is filter((i + ½ − c) / s) with s = max(1, N/O), divided
 * by the sum of weights. Columns come first, then rows. On bytes the weights are rounded to multiples of 2⁻²² and each pass rounds to bytes, which gives
 * Pillow's bytes exactly (Pillow 9.4, src/libImaging/Resample.c).
 */
import type { Image } from "../data/image.ts";
import { blank, channelsOf } from "./visual.ts";

/** How pixels between pixels are found. "bicubic" is for resizing only. */
export type Interpolation = "nearest" | "bilinear" | "bicubic";

interface Filter {
  /** Half of its width. */
  readonly support: number;
  readonly weight: (x: number) => number;
}

const FILTERS: Readonly<Record<"bilinear" | "bicubic", Filter>> = {
  bilinear: { support: 1, weight: (x) => Math.max(0, 1 - Math.abs(x)) },
  bicubic: { support: 2, weight: cubic },
};

/** Keys (1981), equation 15, with a = −½. */
function cubic(x: number): number {
  const a = -0.5;
  const d = Math.abs(x);
  if (d < 1) return ((a + 2) * d - (a + 3)) * d * d + 1;
  if (d < 2) return (((d - 5) * d + 8) * d - 4) * a;
  return 0;
}

/** The inputs that one output is made of: their weights, from `start` on. */
interface Taps {
  readonly start: number;
  readonly weights: Float64Array<ArrayBuffer>;
}

/** What each of `size` outputs takes from `length` inputs. The weights of an output add up to 1. */
function tapsOf(length: number, size: number, kind: keyof typeof FILTERS) {
  const { support, weight } = FILTERS[kind];
  const scale = length / size;
  const stretch = Math.max(1, scale);
  const reach = support * stretch;
  return Array.from({ length: size }, (_, o): Taps => {
    const centre = (o + 0.5) * scale;
    const start = Math.max(0, Math.trunc(centre - reach + 0.5));
    const end = Math.min(length, Math.trunc(centre + reach + 0.5));
    const weights = Float64Array.from(
      { length: end - start },
      (_, i) => weight((i + start - centre + 0.5) * (1 / stretch)),
    );
    const sum = weights.reduce((total, w) => total + w, 0);
    return { start, weights: weights.map((w) => w / sum) };
  });
}

/** The matrix `[size, length]` that resizes an axis, row-major. */
export function resizeMatrix(
  length: number,
  size: number,
  kind: keyof typeof FILTERS,
): Float32Array<ArrayBuffer> {
  const matrix = new Float32Array(size * length);
  tapsOf(length, size, kind).forEach(({ start, weights }, o) => {
    matrix.set(weights, o * length + start);
  });
  return matrix;
}

/** Bits after the point of a weight on bytes. */
const PRECISION = 22;

/** A picture of another size, byte for byte Pillow's. */
export function resizeImage(
  image: Image,
  height: number,
  width: number,
  interpolation: Interpolation,
): Image {
  if (interpolation === "nearest") return resizeNearest(image, height, width);
  const channels = channelsOf(image);
  const wide = width === image.width
    ? image.data
    : convolve(image.data, width, interpolation, {
      outer: image.height,
      length: image.width,
      inner: channels,
    });
  const data = height === image.height
    ? wide.slice()
    : convolve(wide, height, interpolation, {
      outer: 1,
      length: image.height,
      inner: width * channels,
    });
  return { width, height, data };
}

/** Elements before an axis, along it and after it. */
interface Blocks {
  readonly outer: number;
  readonly length: number;
  readonly inner: number;
}

/** Resizes the axis in the middle of `[outer, length, inner]`. */
function convolve(
  from: Uint8Array,
  size: number,
  kind: keyof typeof FILTERS,
  { outer, length, inner }: Blocks,
): Uint8Array<ArrayBuffer> {
  // Stores into a clamped array would round halves; the sums are whole by then.
  const to = new Uint8ClampedArray(outer * size * inner);
  const taps = tapsOf(length, size, kind).map(({ start, weights }) => ({
    start,
    weights: Int32Array.from(
      weights,
      (w) => Math.trunc(w * 2 ** PRECISION + (w < 0 ? -0.5 : 0.5)),
    ),
  }));
  const sums = new Int32Array(inner);
  for (let p = 0; p < outer; p++) {
    taps.forEach(({ start, weights }, o) => {
      sums.fill(1 << (PRECISION - 1));
      for (let k = 0; k < weights.length; k++) {
        const weight = weights[k];
        const row = (p * length + start + k) * inner;
        for (let i = 0; i < inner; i++) sums[i] += from[row + i] * weight;
      }
      const row = (p * size + o) * inner;
      for (let i = 0; i < inner; i++) to[row + i] = sums[i] >> PRECISION;
    });
  }
  return new Uint8Array(to.buffer);
}

/**
 * Pixels in which the places start + step·(o + ½) of `count` outputs lie, or −1 before the first. Places are summed up as Pillow does, whose rounding
 * decides ties.
 */
export function steppedPlaces(
  start: number,
  step: number,
  count: number,
): Int32Array<ArrayBuffer> {
  const places = new Int32Array(count);
  let place = start + step * 0.5;
  for (let o = 0; o < count; o++) {
    places[o] = place < 0 ? -1 : Math.floor(place);
    place += step;
  }
  return places;
}

function resizeNearest(image: Image, height: number, width: number): Image {
  const channels = channelsOf(image);
  const result = blank(width, height, channels);
  const columns = steppedPlaces(0, image.width / width, width);
  let to = 0;
  for (const row of steppedPlaces(0, image.height / height, height)) {
    for (const column of columns) {
      const from = (row * image.width + column) * channels;
      for (let c = 0; c < channels; c++) {
        result.data[to++] = image.data[from + c];
      }
    }
  }
  return result;
}
