/** Pictures cut, padded, mirrored and turned on the host, byte for byte as Pillow does. */
import type { Image } from "../data/image.ts";
import { steppedPlaces } from "./resample.ts";
import { blank, channelsOf, roundHalfEven } from "./visual.ts";

/** What stands beyond a picture's edges: a value, the edge repeated, the picture mirrored without its edge, or with it. */
export type PaddingMode = "constant" | "edge" | "reflect" | "symmetric";

/** A number for all channels, or one a channel. On pictures from 0 to 255, on batches as the tensor's values. */
export type Fill = number | readonly number[];

/** A value for each channel. */
export function fillOf(fill: Fill, channels: number): number[] {
  if (typeof fill === "number") return new Array<number>(channels).fill(fill);
  if (fill.length === channels) return [...fill];
  throw new RangeError(
    `Cannot fill ${channels} channels with [${
      fill.join(", ")
    }]: expected a number, or one a channel`,
  );
}

/** What stands around a picture. */
export interface Surroundings {
  readonly fill: Fill;
  readonly mode: PaddingMode;
}

/** Where a place beyond the ends of an axis looks, or -1 for the fill. */
function placeOf(at: number, length: number, mode: PaddingMode): number {
  if (at >= 0 && at < length) return at;
  if (mode === "constant") return -1;
  if (mode === "edge") return at < 0 ? 0 : length - 1;
  if (length === 1) return 0;
  const period = mode === "reflect" ? 2 * length - 2 : 2 * length;
  const turn = ((at % period) + period) % period;
  return turn < length
    ? turn
    : mode === "reflect"
    ? period - turn
    : period - 1 - turn;
}

/** The box of `height` × `width` pixels whose first is (top, left), which may reach beyond the picture. */
export function cropImage(
  image: Image,
  [top, left, height, width]: readonly [number, number, number, number],
  { fill, mode }: Surroundings = { fill: 0, mode: "constant" },
): Image {
  const channels = channelsOf(image);
  const values = fillOf(fill, channels);
  const result = blank(width, height, channels);
  const columns = Array.from(
    { length: width },
    (_, j) => placeOf(left + j, image.width, mode),
  );
  let to = 0;
  for (let i = 0; i < height; i++) {
    const row = placeOf(top + i, image.height, mode);
    for (const column of columns) {
      const from = row < 0 || column < 0
        ? -1
        : (row * image.width + column) * channels;
      for (let c = 0; c < channels; c++) {
        result.data[to++] = from < 0 ? values[c] : image.data[from + c];
      }
    }
  }
  return result;
}

/** The picture with columns, rows or both in reverse. */
export function flipImage(
  image: Image,
  columns: boolean,
  rows: boolean,
): Image {
  const { width, height, data } = image;
  const channels = channelsOf(image);
  const result = blank(width, height, channels);
  let to = 0;
  for (let i = 0; i < height; i++) {
    const row = rows ? height - 1 - i : i;
    for (let j = 0; j < width; j++) {
      const from = (row * width + (columns ? width - 1 - j : j)) * channels;
      for (let c = 0; c < channels; c++) result.data[to++] = data[from + c];
    }
  }
  return result;
}

/** Places in the source, (x, y) = (a·j + b·i + c, d·j + e·i + f), of the output pixel in column j and row i, both counted at pixels' centres. */
export type Matrix = readonly [
  a: number,
  b: number,
  c: number,
  d: number,
  e: number,
  f: number,
];

/** A picture seen through a matrix. What lies beyond its edges has the fill's value. */
export function transformImage(
  image: Image,
  [height, width]: readonly [number, number],
  matrix: Matrix,
  { interpolation, fill }: {
    readonly interpolation: "nearest" | "bilinear";
    readonly fill: Fill;
  },
): Image {
  const channels = channelsOf(image);
  const values = fillOf(fill, channels).map(Math.trunc);
  const result = blank(width, height, channels);
  const pixel = interpolation === "nearest"
    ? nearestPixel(image, matrix, [height, width])
    : bilinearPixel(image, matrix);
  let to = 0;
  for (let i = 0; i < height; i++) {
    for (let j = 0; j < width; j++) {
      if (!pixel(i, j, result.data, to)) result.data.set(values, to);
      to += channels;
    }
  }
  return result;
}

/** Writes an output pixel at `to`. False where it lies beyond the source. */
type Pixel = (i: number, j: number, data: Uint8Array, to: number) => boolean;

/** Places are multiples of 2⁻¹⁶, or summed up where axes stay parallel, as in Pillow (src/libImaging/Geometry.c), whose rounding decides ties. */
function nearestPixel(
  image: Image,
  matrix: Matrix,
  [outHeight, outWidth]: readonly [number, number],
): Pixel {
  const [a, b, c, d, e, f] = matrix;
  if (b === 0 && d === 0) {
    const columns = steppedPlaces(c, a, outWidth);
    const rows = steppedPlaces(f, e, outHeight);
    return copyPixel(image, (i, j) => [rows[i], columns[j]]);
  }
  const fixed = (x: number) => Math.floor(x * 65536 + 0.5);
  const [fa, fb, fd, fe] = [a, b, d, e].map(fixed);
  const fc = fixed(c + a * 0.5 + b * 0.5);
  const ff = fixed(f + d * 0.5 + e * 0.5);
  return copyPixel(image, (i, j) => [
    (ff + fe * i + fd * j) >> 16,
    (fc + fb * i + fa * j) >> 16,
  ]);
}

/** Copies the source's pixel at the row and column that `place` gives. */
function copyPixel(
  image: Image,
  place: (i: number, j: number) => readonly [row: number, column: number],
): Pixel {
  const channels = channelsOf(image);
  const { width, height, data } = image;
  return (i, j, out, to) => {
    const [row, column] = place(i, j);
    if (column < 0 || column >= width || row < 0 || row >= height) return false;
    const from = (row * width + column) * channels;
    for (let k = 0; k < channels; k++) out[to + k] = data[from + k];
    return true;
  };
}

function bilinearPixel(image: Image, [a, b, c, d, e, f]: Matrix): Pixel {
  const channels = channelsOf(image);
  const { width, height, data } = image;
  return (i, j, out, to) => {
    const x = a * (j + 0.5) + b * (i + 0.5) + c;
    const y = d * (j + 0.5) + e * (i + 0.5) + f;
    if (x < 0 || x >= width || y < 0 || y >= height) return false;
    const left = Math.floor(x - 0.5);
    const top = Math.floor(y - 0.5);
    const dx = x - 0.5 - left;
    const dy = y - 0.5 - top;
    const x0 = Math.max(left, 0);
    const x1 = Math.min(left + 1, width - 1);
    const y0 = Math.max(top, 0);
    const y1 = Math.min(top + 1, height - 1);
    for (let k = 0; k < channels; k++) {
      const at = (row: number, column: number) =>
        data[(row * width + column) * channels + k];
      const upper = at(y0, x0) + (at(y0, x1) - at(y0, x0)) * dx;
      const lower = at(y1, x0) + (at(y1, x1) - at(y1, x0)) * dx;
      out[to + k] = Math.trunc(upper + (lower - upper) * dy);
    }
    return true;
  };
}

/** What turning and moving are made of. Degrees and pixels. */
export interface AffineParts {
  /** Clockwise. */
  readonly angle: number;
  readonly translate: readonly [x: number, y: number];
  readonly scale: number;
  readonly shear: readonly [x: number, y: number];
  /** [x, y] of the fixed point, from the upper left corner. */
  readonly center: readonly [x: number, y: number];
}

/**
 * From places in the output to places in the source: the inverse of T(translate)·T(center)·R(angle)·S(shear)·scale·T(−center), as torchvision
 * 0.14 computes it.
 */
export function inverseAffine(parts: AffineParts): Matrix {
  const { translate: [tx, ty], scale, center: [cx, cy] } = parts;
  const [turn, sx, sy] = [parts.angle, ...parts.shear].map(radians);
  const a = Math.cos(turn - sy) / Math.cos(sy);
  const b = -Math.cos(turn - sy) * Math.tan(sx) / Math.cos(sy) - Math.sin(turn);
  const c = Math.sin(turn - sy) / Math.cos(sy);
  const d = -Math.sin(turn - sy) * Math.tan(sx) / Math.cos(sy) + Math.cos(turn);
  const [ma, mb, md, me] = [d, -b, -c, a].map((x) => x / scale);
  return [
    ma,
    mb,
    ma * (-cx - tx) + mb * (-cy - ty) + cx,
    md,
    me,
    md * (-cx - tx) + me * (-cy - ty) + cy,
  ];
}

function radians(degrees: number): number {
  return degrees * Math.PI / 180;
}

/** The matrix and size with which Pillow turns a picture counter-clockwise around a point, `expand`ed to hold all of it. */
export function rotation(
  [height, width]: readonly [number, number],
  angle: number,
  { expand, center }: {
    readonly expand: boolean;
    readonly center?: readonly [number, number];
  },
): { matrix: Matrix; size: [number, number] } {
  const turn = -radians(((angle % 360) + 360) % 360);
  const [cx, cy] = center ?? [width / 2, height / 2];
  // 15 digits, so that right angles have zeros.
  const digits = (x: number) => Number(x.toFixed(15));
  const [a, b] = [digits(Math.cos(turn)), digits(Math.sin(turn))];
  const [d, e] = [digits(-Math.sin(turn)), digits(Math.cos(turn))];
  let c = a * -cx + b * -cy + cx;
  let f = d * -cx + e * -cy + cy;
  if (!expand) return { matrix: [a, b, c, d, e, f], size: [height, width] };
  const corners = [[0, 0], [width, 0], [width, height], [0, height]];
  const xs = corners.map(([x, y]) => a * x + b * y + c);
  const ys = corners.map(([x, y]) => d * x + e * y + f);
  const span = (values: number[]) =>
    Math.ceil(Math.max(...values)) - Math.floor(Math.min(...values));
  const [newWidth, newHeight] = [span(xs), span(ys)];
  const [mx, my] = [-(newWidth - width) / 2, -(newHeight - height) / 2];
  c = a * mx + b * my + c;
  f = d * mx + e * my + f;
  return { matrix: [a, b, c, d, e, f], size: [newHeight, newWidth] };
}

/** Where a box of a size stands in the middle. Odd rests go as torchvision rounds them. */
export function centreOf(
  [height, width]: readonly [number, number],
  [toHeight, toWidth]: readonly [number, number],
): [top: number, left: number] {
  const start = (from: number, to: number) =>
    to > from ? -Math.floor((to - from) / 2) : roundHalfEven((from - to) / 2);
  return [start(height, toHeight), start(width, toWidth)];
}
