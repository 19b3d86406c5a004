/** Transforms with given numbers, of a picture on the host or of pictures on the device. */
import type { Tensor } from "../../core/tensor.ts";
import { tensor } from "../../core/create.ts";
import { tidy } from "../../core/scope.ts";
import { ShapeError } from "../../wgsl/errors.ts";
import { formatShape } from "../../wgsl/shape.ts";
import type { Image } from "../data/image.ts";
import { pad as padTensor } from "../functional_pad.ts";
import { perChannel, resizeBatch } from "./batch.ts";
import {
  centreOf,
  cropImage,
  type Fill,
  type PaddingMode,
} from "./geometry.ts";
import { type Interpolation, resizeImage } from "./resample.ts";
import {
  channelsOf,
  checked,
  either,
  pairOf,
  requirePictures,
  type Size,
  sizeOfVisual,
  type Visual,
} from "./visual.ts";

/** Options of {@linkcode resize}. */
export interface ResizeOptions {
  /** @default "bilinear" */
  readonly interpolation?: Interpolation;
  /** Most pixels of the longer edge, where the size is one number. */
  readonly maxSize?: number;
}

/**
 * Another size. A number is what the shorter edge becomes, the other following in proportion (cut to whole pixels).
 *
 * A picture gets Pillow's bytes. A batch gets the same filter without rounding to bytes, PyTorch's `interpolate` with `antialias`; both average what
 * shrinks, where torchvision 0.14 doesn't for tensors unless asked. `[N, C, H, W] → [N, C, OH, OW]`
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { nn } from "@tessera/tessera";
 *
 * const grey = { width: 4, height: 1, data: Uint8Array.of(0, 100, 200, 100) };
 * const half = nn.transforms.resize(grey, [1, 2]);
 * assertEquals([...half.data], [71, 143]);
 * ```
 */
export function resize<T extends Visual>(
  x: T,
  size: Size,
  options: ResizeOptions = {},
): T {
  const { interpolation = "bilinear", maxSize } = options;
  const [height, width] = typeof size === "number"
    ? shorterEdge(sizeOfVisual(x), pairOf(size, "resize")[0], maxSize)
    : pairOf(size, "resize");
  return either(
    x,
    (image) => resizeImage(image, height, width, interpolation),
    (batch) => resizeBatch(batch, height, width, interpolation),
  );
}

/** Height and width whose shorter edge is `size`, or whose longer edge is `most` if that is less. */
function shorterEdge(
  [height, width]: readonly [number, number],
  size: number,
  most = Infinity,
): [number, number] {
  if (!(most > size)) {
    throw new RangeError(
      `Cannot resize to a shorter edge of ${size} and a longer of at most ${most}: expected the longer to be larger`,
    );
  }
  const [short, long] = [Math.min(height, width), Math.max(height, width)];
  const proportional = Math.trunc(size * long / short);
  const [newShort, newLong] = proportional > most
    ? [Math.trunc(most * size / proportional), most]
    : [size, proportional];
  return height <= width ? [newShort, newLong] : [newLong, newShort];
}

/** Padding in pixels: on all sides, [left and right, top and bottom], or [left, top, right, bottom]. */
export type Padding =
  | number
  | readonly [number, number]
  | readonly [number, number, number, number];

/** Options of {@linkcode pad}. */
export interface PadOptions {
  /** Value of what is added in mode "constant". @default 0 */
  readonly fill?: Fill;
  /** @default "constant" */
  readonly paddingMode?: PaddingMode;
}

/** Padding of the four sides. */
export function sidesOf(
  padding: Padding,
): readonly [left: number, top: number, right: number, bottom: number] {
  if (typeof padding === "number") return [padding, padding, padding, padding];
  return padding.length === 4 ? padding : [...padding, ...padding];
}

/**
 * Pixels added around, or cut off where numbers are negative. `[N, C, H, W] → [N, C, top + H + bottom, left + W + right]`
 *
 * The mode "symmetric" is for pictures only, as in torchvision.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { nn } from "@tessera/tessera";
 *
 * const row = { width: 3, height: 1, data: Uint8Array.of(1, 2, 3) };
 * const { data } = nn.transforms.pad(row, [2, 0], { paddingMode: "reflect" });
 * assertEquals([...data], [3, 2, 1, 2, 3, 2, 1]);
 * ```
 */
export function pad<T extends Visual>(
  x: T,
  padding: Padding,
  options: PadOptions = {},
): T {
  const { fill = 0, paddingMode: mode = "constant" } = options;
  const [left, top, right, bottom] = sidesOf(padding);
  return either(
    x,
    (image) => {
      const height = top + image.height + bottom;
      const width = left + image.width + right;
      pairOf([height, width], "pad");
      return cropImage(image, [-top, -left, height, width], { fill, mode });
    },
    (batch) => padBatch(batch, [left, top, right, bottom], { fill, mode }),
  );
}

function padBatch(
  x: Tensor,
  [left, top, right, bottom]: readonly [number, number, number, number],
  { fill, mode }: { readonly fill: Fill; readonly mode: PaddingMode },
): Tensor {
  if (mode === "symmetric") {
    throw new RangeError(
      'Cannot pad a batch in mode "symmetric": expected "constant", "edge" or "reflect"',
    );
  }
  const sides = [left, right, top, bottom];
  if (mode !== "constant") {
    return padTensor(x, sides, {
      mode: mode === "edge" ? "replicate" : "reflect",
    });
  }
  if (typeof fill === "number") return padTensor(x, sides, { value: fill });
  const values = perChannel(fill, x);
  return padTensor(x.sub(values), sides).add(values);
}

/**
 * The box whose first pixel is (top, left). What reaches beyond is 0. `[N, C, H, W] → [N, C, height, width]`
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { nn } from "@tessera/tessera";
 *
 * const row = { width: 3, height: 1, data: Uint8Array.of(1, 2, 3) };
 * assertEquals([...nn.transforms.crop(row, 0, 1, 1, 3).data], [2, 3, 0]);
 * ```
 */
export function crop<T extends Visual>(
  x: T,
  top: number,
  left: number,
  height: number,
  width: number,
): T {
  pairOf([height, width], "crop");
  return either(
    x,
    (image) => cropImage(image, [top, left, height, width]),
    (batch) => {
      const [, , h, w] = batch.shape;
      return padBatch(
        batch,
        [-left, -top, left + width - w, top + height - h],
        { fill: 0, mode: "constant" },
      );
    },
  );
}

/**
 * The middle, filled up with 0 where pictures are smaller. `[N, C, H, W] → [N, C, OH, OW]`
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { nn } from "@tessera/tessera";
 *
 * const row = { width: 3, height: 1, data: Uint8Array.of(1, 2, 3) };
 * assertEquals([...nn.transforms.centerCrop(row, 1).data], [2]);
 * ```
 */
export function centerCrop<T extends Visual>(x: T, size: Size): T {
  const [height, width] = pairOf(size, "crop");
  const [top, left] = centreOf(sizeOfVisual(x), [height, width]);
  return crop(x, top, left, height, width);
}

/** Options of {@linkcode resizedCrop}. */
export interface ResizedCropOptions {
  /** @default "bilinear" */
  readonly interpolation?: Interpolation;
}

/**
 * {@linkcode crop} and then {@linkcode resize}.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { nn } from "@tessera/tessera";
 *
 * const row = { width: 3, height: 1, data: Uint8Array.of(1, 2, 3) };
 * const { data } = nn.transforms.resizedCrop(row, [0, 1, 1, 2], [1, 1]);
 * assertEquals([...data], [3]); // 2.5, rounded up
 * ```
 */
export function resizedCrop<T extends Visual>(
  x: T,
  [top, left, height, width]: readonly [number, number, number, number],
  size: Size,
  options: ResizedCropOptions = {},
): T {
  const part = crop(x, top, left, height, width);
  const result = resize(part, pairOf(size, "resize"), options);
  if ("dispose" in part) part.dispose();
  return result;
}

/**
 * A picture as a tensor of bytes / 255. `[height, width, C] → [C, H, W]`, f32
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { init, nn } from "@tessera/tessera";
 *
 * await init();
 * const red = { width: 1, height: 1, data: Uint8Array.of(255, 0, 51) };
 * const x = nn.transforms.toTensor(red);
 * assertEquals(x.shape, [3, 1, 1]);
 * assertEquals(await x.read(), Float32Array.of(1, 0, 0.2));
 * ```
 */
export function toTensor(image: Image): Tensor {
  const channels = channelsOf(checked(image));
  const { width, height, data } = image;
  const pixels = width * height;
  const values = new Float32Array(data.length);
  for (let c = 0; c < channels; c++) {
    for (let i = 0; i < pixels; i++) {
      values[c * pixels + i] = data[i * channels + c] / 255;
    }
  }
  return tensor(values, { shape: [channels, height, width] });
}

/**
 * (x − mean) / std of each channel. `[N, C, H, W]` or `[C, H, W] → the same`
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { init, nn, tensor } from "@tessera/tessera";
 *
 * await init();
 * const y = nn.transforms.normalize(tensor([[[0, 1]]]), [0.5], [0.25]);
 * assertEquals(await y.array(), [[[-2, 2]]]);
 * ```
 */
export function normalize(
  x: Tensor,
  mean: readonly number[],
  std: readonly number[],
): Tensor {
  requirePictures(x);
  const channels = x.shape[x.rank - 3];
  for (const list of [mean, std]) {
    if (list.length !== 1 && list.length !== channels) {
      throw new ShapeError(
        `Cannot normalize ${
          formatShape(x.shape)
        } by ${list.length} numbers: expected one, or one for each of ${channels} channels`,
        [x.shape],
      );
    }
  }
  if (std.some((s) => !(s > 0))) {
    throw new RangeError(
      `Cannot normalize by deviations of [${
        std.join(", ")
      }]: expected positive numbers`,
    );
  }
  return tidy(() => x.sub(perChannel(mean, x)).div(perChannel(std, x)));
}
