/** What transforms take and give: pictures of bytes on the host, and tensors of pictures on the device. */
import { noGrad } from "../../core/autograd.ts";
import { tensor } from "../../core/create.ts";
import { tidy } from "../../core/scope.ts";
import { Tensor } from "../../core/tensor.ts";
import { ShapeError } from "../../wgsl/errors.ts";
import { formatShape } from "../../wgsl/shape.ts";
import type { Image } from "../data/image.ts";

/**
 * A picture, as `decodeImage` gives it, or pictures on the device: `[N, C, H, W]` or `[C, H, W]`, of floats from 0 to 1.
 *
 * A picture whose `data` has one byte a pixel is grey.
 */
export type Visual = Image | Tensor;

/** A function of a picture or of a batch, which gives what it is given. */
export type Transform = <T extends Visual>(x: T) => T;

/** Runs one of two functions, by what `x` is. Batches have four axes inside, and no gradient flows through: augmentation isn't learned. */
export function either<T extends Visual>(
  x: T,
  onImage: (image: Image) => Image,
  onBatch: (batch: Tensor) => Tensor,
): T {
  const result = x instanceof Tensor
    ? onPictures(x, onBatch)
    : onImage(checked(x));
  // A Tensor came from a Tensor and an Image from an Image, which the compiler doesn't follow through `instanceof`.
  return result as T;
}

/** Applies a function of `[N, C, H, W]` to that or to `[C, H, W]`, without a gradient. */
export function onPictures(
  x: Tensor,
  onBatch: (batch: Tensor) => Tensor,
): Tensor {
  requirePictures(x);
  return noGrad(() =>
    tidy(() => x.rank === 4 ? onBatch(x) : onBatch(x.unsqueeze(0)).squeeze(0))
  );
}

/** Throws unless x is `[N, C, H, W]` or `[C, H, W]`. */
export function requirePictures(x: Tensor): void {
  if (x.rank === 3 || x.rank === 4) return;
  throw new ShapeError(
    `Cannot transform ${
      formatShape(x.shape)
    }: expected pictures of [N, C, H, W] or [C, H, W]`,
    [x.shape],
  );
}

/** Bytes a pixel: 1 for grey, 3 for colours. */
export function channelsOf({ width, height, data }: Image): number {
  return data.length / (width * height);
}

/** The picture, if its bytes are as many as its sizes say. */
export function checked(image: Image): Image {
  const { width, height, data } = image;
  const channels = channelsOf(image);
  const sizes = [width, height].every((n) => Number.isInteger(n) && n > 0);
  if (sizes && (channels === 1 || channels === 3)) return image;
  throw new ShapeError(
    `Cannot transform a picture of ${width}×${height} pixels with ${data.length} bytes: expected one or three bytes a pixel`,
  );
}

/** A black picture. */
export function blank(width: number, height: number, channels: number): Image {
  return { width, height, data: new Uint8Array(width * height * channels) };
}

/** Height and width of what is transformed. */
export function sizeOfVisual(x: Visual): [height: number, width: number] {
  if (!(x instanceof Tensor)) return [x.height, x.width];
  requirePictures(x);
  return [x.shape[x.rank - 2], x.shape[x.rank - 1]];
}

/** A number for both axes, or [height, width]. */
export type Size = number | readonly [height: number, width: number];

/** Height and width from a size. Throws unless both are positive integers. */
export function pairOf(size: Size, what: string): [number, number] {
  const [height, width] = typeof size === "number" ? [size, size] : size;
  for (const n of [height, width]) {
    if (!Number.isInteger(n) || n < 1) {
      throw new RangeError(
        `Cannot ${what} to a size of ${
          typeof size === "number" ? size : `[${size.join(", ")}]`
        }: expected positive integers`,
      );
    }
  }
  return [height, width];
}

/** Rounds halves to even numbers, as Python does. */
export function roundHalfEven(x: number): number {
  const down = Math.floor(x);
  const rest = x - down;
  if (rest !== 0.5) return Math.round(x);
  return down % 2 === 0 ? down : down + 1;
}

/** One number an image, to be broadcast over `[N, C, H, W]`. */
export function perImage(values: ArrayLike<number>, like: Tensor): Tensor {
  return tensor(Float32Array.from(values), {
    shape: [values.length, 1, 1, 1],
    dtype: like.dtype,
  });
}

/** A fraction of 0 to 1, or an error that names it. */
export function probability(p: number, what: string): number {
  if (p >= 0 && p <= 1) return p;
  throw new RangeError(
    `Cannot ${what} with probability ${p}: expected a number from 0 to 1`,
  );
}
