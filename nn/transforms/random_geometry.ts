/** Crops, mirror images and turns with random numbers: one draw a picture, and one for each image of a batch. */
import type { Tensor } from "../../core/tensor.ts";
import { type Box, sampleBatch } from "./batch.ts";
import { boxRows, drawBox, middle } from "./boxes.ts";
import { below, type Range, rangeOf, rows, uniforms, within } from "./draws.ts";
import {
  crop,
  pad,
  type Padding,
  type PadOptions,
  resizedCrop,
  type ResizedCropOptions,
  sidesOf,
} from "./functional.ts";
import {
  affine,
  type AffineOptions,
  hflip,
  rotate,
  vflip,
  type WarpOptions,
} from "./functional_warp.ts";
import { inverseAffine, type Matrix, rotation } from "./geometry.ts";
import {
  either,
  pairOf,
  probability,
  type Size,
  sizeOfVisual,
  type Transform,
  type Visual,
} from "./visual.ts";

/** Options of {@linkcode RandomCrop}. */
export interface RandomCropOptions extends PadOptions {
  /** Added around before. @default none */
  readonly padding?: Padding;
  /** Whether pictures smaller than the crop are padded on both sides until they aren't. @default false */
  readonly padIfNeeded?: boolean;
}

/**
 * A box of a size from anywhere in the picture, all places alike. `[N, C, H, W] → [N, C, OH, OW]`
 *
 * With a padding of 4 and a mirror image it is what ResNet was trained with on CIFAR-10 (He et al. 2015, arXiv:1512.03385, section 4.2).
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { init, nn, ones } from "@tessera/tessera";
 *
 * await init({ seed: 0 });
 * const crop = nn.transforms.RandomCrop(32, { padding: 4 });
 * assertEquals(crop(ones([64, 3, 32, 32])).shape, [64, 3, 32, 32]);
 * ```
 */
export function RandomCrop(
  size: Size,
  options: RandomCropOptions = {},
): Transform {
  const [height, width] = pairOf(size, "crop");
  const { padding, padIfNeeded = false } = options;
  return (x) => {
    const sizes = sizeOfVisual(x);
    const [left, top, right, bottom] = sidesOf(padding ?? 0);
    const dx = padIfNeeded ? Math.max(0, width - sizes[1] - left - right) : 0;
    const dy = padIfNeeded ? Math.max(0, height - sizes[0] - top - bottom) : 0;
    const rangeY = sizes[0] + top + bottom + 2 * dy - height;
    const rangeX = sizes[1] + left + right + 2 * dx - width;
    if (rangeX < 0 || rangeY < 0) {
      throw new RangeError(
        `Cannot crop ${sizes[0]}×${
          sizes[1]
        } pixels to ${height}×${width}: expected pictures as large, a \`padding\`, or \`padIfNeeded: true\``,
      );
    }
    const place = (u: Float64Array) =>
      [below(rangeY + 1, u[0]), below(rangeX + 1, u[1])] as const;
    const padded = <T extends Visual>(y: T): T => {
      const first = padding === undefined ? y : pad(y, padding, options);
      if (dx === 0 && dy === 0) return first;
      return pad(first, [dx, dy, dx, dy], options);
    };
    return either(
      x,
      (image) => {
        const [i, j] = place(uniforms(2));
        return crop(padded(image), i, j, height, width);
      },
      (batch) => {
        const constant = (options.paddingMode ?? "constant") === "constant";
        // A constant needs no padded copy: it is what the kernel gives beyond the edges.
        const from = constant ? batch : padded(batch);
        const [y0, x0] = constant ? [-top - dy, -left - dx] : [0, 0];
        const matrices = rows(batch.shape[0], 2).map((u): Matrix => {
          const [i, j] = place(u);
          return [1, 0, x0 + j, 0, 1, y0 + i];
        });
        return sampleBatch(from, matrices, {
          size: [height, width],
          interpolation: "nearest",
          fill: options.fill,
        });
      },
    );
  };
}

/** Options of {@linkcode RandomResizedCrop}. */
export interface RandomResizedCropOptions extends ResizedCropOptions {
  /** Shares of the picture's area. @default [0.08, 1] */
  readonly scale?: Range;
  /** Width to height. @default [3/4, 4/3] */
  readonly ratio?: Range;
}

/**
 * A box of random area, shape and place, resized: what networks are trained with on ImageNet (Szegedy et al. 2014, arXiv:1409.4842, section 6).
 * `[N, C, H, W] → [N, C, OH, OW]`
 *
 * Pictures are averaged where they shrink, as Pillow does. Batches are sampled with the four pixels around each place, as torchvision 0.14 does with
 * tensors; "bicubic" isn't offered for them.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { init, nn, rand } from "@tessera/tessera";
 *
 * await init({ seed: 0 });
 * const augment = nn.transforms.RandomResizedCrop(24);
 * assertEquals(augment(rand([8, 3, 32, 32])).shape, [8, 3, 24, 24]);
 * ```
 */
export function RandomResizedCrop(
  size: Size,
  options: RandomResizedCropOptions = {},
): Transform {
  const [height, width] = pairOf(size, "crop");
  const {
    interpolation = "bilinear",
    scale = [0.08, 1],
    ratio = [3 / 4, 4 / 3],
  } = options;
  return (x) => {
    const sizes = sizeOfVisual(x);
    const box = (u: Float64Array): Box =>
      drawBox(
        sizes,
        { scale, ratio },
        u,
        (b) => b.height <= sizes[0] && b.width <= sizes[1],
      ) ?? middle(sizes, ratio);
    return either(
      x,
      (image) => {
        const { top, left, ...part } = box(boxRows(1)[0]);
        const place = [top, left, part.height, part.width] as const;
        return resizedCrop(image, place, [height, width], { interpolation });
      },
      (batch) => {
        if (interpolation === "bicubic") {
          throw new RangeError(
            'Cannot crop and resize a batch by "bicubic": expected "nearest" or "bilinear"',
          );
        }
        const boxes = boxRows(batch.shape[0]).map(box);
        const matrices = boxes.map((b): Matrix => [
          b.width / width,
          0,
          b.left,
          0,
          b.height / height,
          b.top,
        ]);
        const size = [height, width] as const;
        return sampleBatch(batch, matrices, { size, interpolation, boxes });
      },
    );
  };
}

/**
 * Mirrored left to right with probability `p`, each image by itself.
 *
 * @param p 0.5 unless given
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { init, nn, rand } from "@tessera/tessera";
 *
 * await init({ seed: 0 });
 * const augment = nn.transforms.RandomHorizontalFlip();
 * assertEquals(augment(rand([8, 3, 32, 32])).shape, [8, 3, 32, 32]);
 * ```
 */
export function RandomHorizontalFlip(p = 0.5): Transform {
  return randomFlip(p, hflip, ([, width]) => [-1, 0, width, 0, 1, 0]);
}

/**
 * Turned upside down, as in a mirror, with probability `p`, each image by itself.
 *
 * @param p 0.5 unless given
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { init, nn, rand } from "@tessera/tessera";
 *
 * await init({ seed: 0 });
 * const augment = nn.transforms.RandomVerticalFlip(0.2);
 * assertEquals(augment(rand([8, 3, 32, 32])).shape, [8, 3, 32, 32]);
 * ```
 */
export function RandomVerticalFlip(p = 0.5): Transform {
  return randomFlip(p, vflip, ([height]) => [1, 0, 0, 0, -1, height]);
}

function randomFlip(
  p: number,
  flip: Transform,
  matrixOf: (sizes: readonly [number, number]) => Matrix,
): Transform {
  probability(p, "flip");
  return (x) =>
    either(
      x,
      (image) => uniforms(1)[0] < p ? flip(image) : image,
      (batch) => {
        const size = sizeOfVisual(batch);
        const flipped = matrixOf(size);
        const matrices = rows(batch.shape[0], 1)
          .map(([u]): Matrix => u < p ? flipped : [1, 0, 0, 0, 1, 0]);
        return sampleBatch(batch, matrices, { size, interpolation: "nearest" });
      },
    );
}

/** Options of {@linkcode RandomRotation}. Of what is `expand`ed images would differ in size. */
export type RandomRotationOptions = WarpOptions;

/**
 * Turned by an angle of ±`degrees`, or of a range, counter-clockwise.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { init, nn, rand } from "@tessera/tessera";
 *
 * await init({ seed: 0 });
 * const augment = nn.transforms.RandomRotation(15, { interpolation: "bilinear" });
 * assertEquals(augment(rand([8, 3, 32, 32])).shape, [8, 3, 32, 32]);
 * ```
 */
export function RandomRotation(
  degrees: number | Range,
  options: RandomRotationOptions = {},
): Transform {
  const range = rangeOf(degrees, "rotate");
  return (x) =>
    either(
      x,
      (image) => rotate(image, within(range, uniforms(1)[0]), options),
      (batch) => {
        const center = { expand: false, center: options.center };
        const size = sizeOfVisual(batch);
        const matrices = rows(batch.shape[0], 1)
          .map(([u]) => rotation(size, within(range, u), center).matrix);
        return warp(batch, matrices, options);
      },
    );
}

/** Options of {@linkcode RandomAffine}. */
export interface RandomAffineOptions extends WarpOptions {
  /** Largest moves as shares of width and height, either way, in whole pixels. @default none */
  readonly translate?: readonly [x: number, y: number];
  /** Range of zooms. @default none */
  readonly scale?: Range;
  /** ± degrees or a range along x, or ranges along x and y as four numbers. @default none */
  readonly shear?: number | Range | readonly [number, number, number, number];
}

/**
 * Turned clockwise, moved, zoomed and sheared, each by a number of its range. `RandomAffine(0, { translate: [0.1, 0.1] })` only moves.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { init, nn, rand } from "@tessera/tessera";
 *
 * await init({ seed: 0 });
 * const augment = nn.transforms.RandomAffine(0, { translate: [0.1, 0.1] });
 * assertEquals(augment(rand([8, 3, 32, 32])).shape, [8, 3, 32, 32]);
 * ```
 */
export function RandomAffine(
  degrees: number | Range,
  options: RandomAffineOptions = {},
): Transform {
  const angles = rangeOf(degrees, "rotate");
  const { translate = [0, 0], scale = [1, 1], shear = 0 } = options;
  translate.forEach((share) => probability(share, "move by a share"));
  const [shearX, shearY]: Range[] =
    typeof shear === "object" && shear.length === 4
      ? [[shear[0], shear[1]], [shear[2], shear[3]]]
      : [rangeOf(shear, "shear"), [0, 0]];
  return (x) => {
    const [height, width] = sizeOfVisual(x);
    const draw = (u: Float64Array) => ({
      angle: within(angles, u[0]),
      translate: [[translate[0] * width, u[1]], [translate[1] * height, u[2]]]
        .map(([most, v]) => Math.round(within([-most, most], v))) as [
          number,
          number,
        ],
      scale: within(scale, u[3]),
      shear: [within(shearX, u[4]), within(shearY, u[5])] as [number, number],
      center: options.center ?? [width / 2, height / 2] as const,
    });
    return either(
      x,
      (image) => {
        const { interpolation, fill } = options;
        const how: AffineOptions = {
          interpolation,
          fill,
          ...draw(uniforms(6)),
        };
        return affine(image, how);
      },
      (batch) => {
        const drawn = rows(batch.shape[0], 6).map(draw);
        return warp(batch, drawn.map(inverseAffine), options);
      },
    );
  };
}

function warp(
  batch: Tensor,
  matrices: readonly Matrix[],
  { interpolation = "nearest", fill }: WarpOptions,
): Tensor {
  const size = sizeOfVisual(batch);
  return sampleBatch(batch, matrices, { size, interpolation, fill });
}
