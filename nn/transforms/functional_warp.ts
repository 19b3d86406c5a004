/** Mirror images, turns and affine maps with given numbers, of a picture on the host or of pictures on the device. */
import type { Tensor } from "../../core/tensor.ts";
import { sampleBatch } from "./batch.ts";
import {
  type Fill,
  flipImage,
  inverseAffine,
  type Matrix,
  rotation,
  transformImage,
} from "./geometry.ts";
import { either, sizeOfVisual, type Visual } from "./visual.ts";

/**
 * Columns in reverse: left becomes right.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { nn } from "@tessera/tessera";
 *
 * const row = { width: 3, height: 1, data: Uint8Array.of(1, 2, 3) };
 * assertEquals([...nn.transforms.hflip(row).data], [3, 2, 1]);
 * ```
 */
export function hflip<T extends Visual>(x: T): T {
  return either(
    x,
    (image) => flipImage(image, true, false),
    (batch) => flipBatch(batch, [-1, 0, batch.shape[3], 0, 1, 0]),
  );
}

/**
 * Rows in reverse: up becomes down.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { init, nn, tensor } from "@tessera/tessera";
 *
 * await init();
 * const y = nn.transforms.vflip(tensor([[[1], [2]]]));
 * assertEquals(await y.array(), [[[2], [1]]]);
 * ```
 */
export function vflip<T extends Visual>(x: T): T {
  return either(
    x,
    (image) => flipImage(image, false, true),
    (batch) => flipBatch(batch, [1, 0, 0, 0, -1, batch.shape[2]]),
  );
}

function flipBatch(x: Tensor, matrix: Matrix): Tensor {
  return warpBatch(x, matrix, [x.shape[2], x.shape[3]], "nearest", 0);
}

/** All images through one matrix. */
function warpBatch(
  x: Tensor,
  matrix: Matrix,
  size: readonly [number, number],
  interpolation: "nearest" | "bilinear",
  fill: Fill,
): Tensor {
  const matrices = new Array<Matrix>(x.shape[0]).fill(matrix);
  return sampleBatch(x, matrices, { size, interpolation, fill });
}

/** Options that {@linkcode rotate} and {@linkcode affine} share. */
export interface WarpOptions {
  /** @default "nearest" */
  readonly interpolation?: "nearest" | "bilinear";
  /** Value beyond the picture. @default 0 */
  readonly fill?: Fill;
  /** [x, y] of what stays where it is, in pixels from the upper left corner. @default the middle */
  readonly center?: readonly [x: number, y: number];
}

/** Options of {@linkcode rotate}. */
export interface RotateOptions extends WarpOptions {
  /** Whether the result grows to hold all of the picture, turned around its middle. @default false */
  readonly expand?: boolean;
}

/**
 * Turns counter-clockwise by `angle` degrees. `[N, C, H, W] → [N, C, H, W]`, or larger with `expand`
 *
 * A picture gets Pillow's bytes. At the edges a batch differs from it, as it does with torchvision: the bilinear mean counts pixels beyond the edge as
 * the fill. (Where torchvision 0.14 is given a fill, it weighs the picture twice there; here each pixel counts once.)
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { init, nn, tensor } from "@tessera/tessera";
 *
 * await init();
 * const x = tensor([[[1, 2], [3, 4]]]);
 * const left = nn.transforms.rotate(x, 90);
 * assertEquals(await left.array(), [[[2, 4], [1, 3]]]);
 * ```
 */
export function rotate<T extends Visual>(
  x: T,
  angle: number,
  options: RotateOptions = {},
): T {
  const { interpolation = "nearest", fill = 0, expand = false, center } =
    options;
  const { matrix, size } = rotation(sizeOfVisual(x), angle, { expand, center });
  return either(
    x,
    (image) => transformImage(image, size, matrix, { interpolation, fill }),
    (batch) => warpBatch(batch, matrix, size, interpolation, fill),
  );
}

/** What {@linkcode affine} does, besides {@linkcode WarpOptions}. */
export interface AffineOptions extends WarpOptions {
  /** Degrees, clockwise. @default 0 */
  readonly angle?: number;
  /** Pixels to the right and down. @default [0, 0] */
  readonly translate?: readonly [x: number, y: number];
  /** @default 1 */
  readonly scale?: number;
  /** Degrees along x and y. @default [0, 0] */
  readonly shear?: readonly [x: number, y: number];
}

/**
 * Turned clockwise, moved, zoomed and sheared around a centre, at the same size. See {@linkcode rotate} for edges.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { nn } from "@tessera/tessera";
 *
 * const row = { width: 3, height: 1, data: Uint8Array.of(1, 2, 3) };
 * const { data } = nn.transforms.affine(row, { translate: [1, 0] });
 * assertEquals([...data], [0, 1, 2]);
 * ```
 */
export function affine<T extends Visual>(x: T, options: AffineOptions): T {
  const { interpolation = "nearest", fill = 0 } = options;
  const [height, width] = sizeOfVisual(x);
  const matrix = inverseAffine({
    angle: options.angle ?? 0,
    translate: options.translate ?? [0, 0],
    scale: options.scale ?? 1,
    shear: options.shear ?? [0, 0],
    center: options.center ?? [width / 2, height / 2],
  });
  const size = [height, width] as const;
  return either(
    x,
    (image) => transformImage(image, size, matrix, { interpolation, fill }),
    (batch) => warpBatch(batch, matrix, size, interpolation, fill),
  );
}
