/** Colours changed by given numbers, of a picture on the host or of pictures on the device. */
import type { Tensor } from "../../core/tensor.ts";
import type { Image } from "../data/image.ts";
import {
  brightenBatch,
  contrastBatch,
  hueBatch,
  saturateBatch,
} from "./batch.ts";
import {
  brightenImage,
  contrastImage,
  hueImage,
  saturateImage,
} from "./color.ts";
import { either, type Transform, type Visual } from "./visual.ts";

/** How a property of colours is changed: of a picture by one number, of a batch by one an image. */
export interface Adjustment {
  readonly image: (image: Image, factor: number) => Image;
  readonly batch: (x: Tensor, factors: readonly number[]) => Tensor;
}

/** The four properties of colours. */
export const ADJUSTMENTS: Readonly<
  Record<"brightness" | "contrast" | "saturation" | "hue", Adjustment>
> = {
  brightness: { image: brightenImage, batch: brightenBatch },
  contrast: { image: contrastImage, batch: contrastBatch },
  saturation: { image: saturateImage, batch: saturateBatch },
  hue: { image: hueImage, batch: hueBatch },
};

/** The transform that changes each image by what `draw` gives for `n` images. */
export function adjusting(
  { image, batch }: Adjustment,
  draw: (images: number) => readonly number[],
): Transform {
  return (x) =>
    either(
      x,
      (picture) => image(picture, draw(1)[0]),
      (tensor) => batch(tensor, draw(tensor.shape[0])),
    );
}

function adjust<T extends Visual>(
  x: T,
  factor: number,
  property: keyof typeof ADJUSTMENTS,
): T {
  const hue = property === "hue";
  if (!(hue ? Math.abs(factor) <= 0.5 : factor >= 0 && factor < Infinity)) {
    throw new RangeError(
      `Cannot change the ${property} by ${factor}: expected a number ${
        hue ? "from -0.5 to 0.5" : "of 0 or more"
      }`,
    );
  }
  return adjusting(ADJUSTMENTS[property], (n) => Array(n).fill(factor))(x);
}

/**
 * Brightness times a factor: 0 gives black, 1 the same.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { nn } from "@tessera/tessera";
 *
 * const grey = { width: 3, height: 1, data: Uint8Array.of(10, 100, 200) };
 * const brighter = nn.transforms.adjustBrightness(grey, 1.5);
 * assertEquals([...brighter.data], [15, 150, 255]);
 * ```
 */
export function adjustBrightness<T extends Visual>(x: T, factor: number): T {
  return adjust(x, factor, "brightness");
}

/**
 * Contrast around the mean grey: 0 gives that, 1 the same. Of a batch, each image has its own mean.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { nn } from "@tessera/tessera";
 *
 * const grey = { width: 2, height: 1, data: Uint8Array.of(100, 200) };
 * assertEquals([...nn.transforms.adjustContrast(grey, 0.5).data], [125, 175]);
 * ```
 */
export function adjustContrast<T extends Visual>(x: T, factor: number): T {
  return adjust(x, factor, "contrast");
}

/**
 * Saturation: 0 gives grey, 1 the same.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { nn } from "@tessera/tessera";
 *
 * const red = { width: 1, height: 1, data: Uint8Array.of(255, 0, 0) };
 * assertEquals([...nn.transforms.adjustSaturation(red, 0).data], [76, 76, 76]);
 * ```
 */
export function adjustSaturation<T extends Visual>(x: T, factor: number): T {
  return adjust(x, factor, "saturation");
}

/**
 * Hue moved by a share of a turn, −½ to ½: ⅓ makes red green.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { nn } from "@tessera/tessera";
 *
 * const red = { width: 1, height: 1, data: Uint8Array.of(255, 0, 0) };
 * assertEquals([...nn.transforms.adjustHue(red, 1 / 3).data], [0, 255, 0]);
 * ```
 */
export function adjustHue<T extends Visual>(x: T, factor: number): T {
  return adjust(x, factor, "hue");
}
