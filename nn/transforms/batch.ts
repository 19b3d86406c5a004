/** Batches of pictures transformed on the device, each image with numbers of its own. All take and give `[N, C, H, W]`. */
import { arange, tensor } from "../../core/create.ts";
import { apply, type Tensor } from "../../core/tensor.ts";
import { ShapeError } from "../../wgsl/errors.ts";
import { affineSample } from "../../wgsl/resize/affine.ts";
import { formatShape } from "../../wgsl/shape.ts";
import { interpolate } from "../functional_resize.ts";
import { type Fill, fillOf, type Matrix } from "./geometry.ts";
import { type Interpolation, resizeMatrix } from "./resample.ts";
import { perImage } from "./visual.ts";

/** Rows and columns from the first to one behind the last. */
export interface Box {
  readonly top: number;
  readonly left: number;
  readonly height: number;
  readonly width: number;
}

/** How {@linkcode sampleBatch} looks at a batch. */
export interface Sampling {
  /** Height and width of the results. */
  readonly size: readonly [number, number];
  readonly interpolation: "nearest" | "bilinear";
  readonly fill?: Fill;
  /** Pixels that each image's places are held within. @default all, and the fill beyond */
  readonly boxes?: readonly Box[];
}

/** Each image seen through its matrix. */
export function sampleBatch(
  x: Tensor,
  matrices: readonly Matrix[],
  { size: [height, width], interpolation, fill = 0, boxes }: Sampling,
): Tensor {
  const [n, c, h, w] = x.shape;
  const map = (i: number): number[] => {
    const { top, left, ...size } = boxes?.[i] ??
      { top: -2, left: -2, height: h + 4, width: w + 4 };
    return [
      ...matrices[i].slice(0, 3),
      left,
      left + size.width - 1,
      ...matrices[i].slice(3),
      top,
      top + size.height - 1,
    ];
  };
  const maps = new Float32Array(n * c * 10);
  for (let i = 0; i < n; i++) {
    const row = map(i);
    for (let k = 0; k < c; k++) maps.set(row, (i * c + k) * 10);
  }
  const through = (source: Tensor, value: number): Tensor => {
    const attrs = { height, width, mode: interpolation, fill: value };
    const shape = [n, c, 2, 5];
    return apply(affineSample, [source, tensor(maps, { shape })], attrs)[0];
  };
  if (typeof fill === "number") return through(x, fill);
  // The kernel fills with one number: with 0, where each channel is counted from its own.
  const values = perChannel(fillOf(fill, c), x);
  return through(x.sub(values), 0).add(values);
}

/** One number a channel, to be broadcast over `[N, C, H, W]`. */
export function perChannel(values: readonly number[], like: Tensor): Tensor {
  return tensor(values, {
    shape: [values.length, 1, 1],
    dtype: like.dtype,
  });
}

/** Pillow's filter as two matrix products, without rounding to bytes; the nearest pixel as PyTorch's `interpolate` finds it. */
export function resizeBatch(
  x: Tensor,
  height: number,
  width: number,
  interpolation: Interpolation,
): Tensor {
  if (interpolation === "nearest") {
    return interpolate(x, { size: [height, width] });
  }
  const { dtype, shape: [, , h, w] } = x;
  const matrix = (from: number, to: number) =>
    tensor(resizeMatrix(from, to, interpolation), { shape: [to, from], dtype });
  const wide = w === width ? x : x.matmul(matrix(w, width).transpose());
  return h === height ? wide.alias() : matrix(h, height).matmul(wide);
}

/** Throws unless images have three channels, which `what` needs. */
function requireColours(x: Tensor, what: string): void {
  if (x.shape[1] === 3) return;
  throw new ShapeError(
    `Cannot ${what} of ${
      formatShape(x.shape)
    }: expected red, green and blue, [N, 3, H, W]`,
    [x.shape],
  );
}

/** Factor by factor between `other` (0), x (1) and beyond, clamped to 0 … 1. */
function blendBatch(
  x: Tensor,
  other: Tensor,
  factors: readonly number[],
): Tensor {
  const rest = perImage(factors.map((f) => 1 - f), x);
  return x.mul(perImage(factors, x)).add(other.mul(rest))
    .clamp({ min: 0, max: 1 });
}

/** torchvision's grey, `[N, 1, H, W]`: 0.2989·R + 0.587·G + 0.114·B (ITU-R 601-2). Of one channel, itself. */
function greyBatch(x: Tensor, what: string): Tensor {
  if (x.shape[1] === 1) return x;
  requireColours(x, what);
  return x.mul(perChannel([0.2989, 0.587, 0.114], x))
    .sum([1], { keepDims: true });
}

/** Brightness times a factor an image. */
export function brightenBatch(x: Tensor, factors: readonly number[]): Tensor {
  return x.mul(perImage(factors, x)).clamp({ min: 0, max: 1 });
}

/** Contrast around each image's mean grey. */
export function contrastBatch(x: Tensor, factors: readonly number[]): Tensor {
  const grey = greyBatch(x, "change the contrast");
  return blendBatch(x, grey.mean([1, 2, 3], { keepDims: true }), factors);
}

/** Colours between grey and themselves or beyond. */
export function saturateBatch(x: Tensor, factors: readonly number[]): Tensor {
  if (x.shape[1] === 1) return x.alias();
  return blendBatch(x, greyBatch(x, "change the saturation"), factors);
}

/**
 * Hues moved by shares of a turn, in HSV (Smith 1978).
 *
 * With M and m a pixel's largest and smallest channel, its hue is the place h of 0 … 6 on the hexagon red, yellow, green, cyan, blue, magenta, and
 * channel n is M − (M − m)·clamp(min(k, 4 − k), 0, 1) with k = (n + h) mod 6 and n = 5, 3, 1 for red, green and blue.
 */
export function hueBatch(x: Tensor, shifts: readonly number[]): Tensor {
  if (x.shape[1] === 1) return x.alias();
  requireColours(x, "change the hue");
  const most = x.max([1], { keepDims: true });
  const span = most.sub(x.min([1], { keepDims: true }));
  const away = most.sub(x).div(span.eq(0).where(1, span));
  const [r, g, b] = [0, 1, 2].map((c) => away.slice(1, c, c + 1));
  // A channel that is the largest is 0 away.
  const hue = r.eq(0).where(
    b.sub(g),
    g.eq(0).where(r.sub(b).add(2), g.sub(r).add(4)),
  );
  const places = perChannel([5, 3, 1], x);
  const k = hue.add(perImage(shifts.map((s) => 6 * s), x)).add(places)
    .remainder(6);
  const share = k.minimum(k.neg().add(4)).clamp({ min: 0, max: 1 });
  return most.sub(span.mul(share));
}

/** x with `value` in each image's box. Boxes of no pixels change nothing. */
export function eraseBatch(
  x: Tensor,
  boxes: readonly Box[],
  value: Tensor,
): Tensor {
  const inside = (axis: 2 | 3, range: (box: Box) => [number, number]) => {
    const shape = [1, 1, 1, 1].with(axis, x.shape[axis]);
    const places = arange(0, x.shape[axis], 1, { dtype: "f32" }).reshape(shape);
    const bounds = (end: 0 | 1) =>
      tensor(Float32Array.from(boxes, (box) => range(box)[end]), {
        shape: [boxes.length, 1, 1, 1],
      });
    return places.ge(bounds(0)).logicalAnd(places.lt(bounds(1)));
  };
  const rows = inside(2, ({ top, height }) => [top, top + height]);
  const columns = inside(3, ({ left, width }) => [left, left + width]);
  return rows.logicalAnd(columns).where(value, x);
}
