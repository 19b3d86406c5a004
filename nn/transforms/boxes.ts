/** Boxes of random area, shape and place, which crops and erasing share. */
import type { Box } from "./batch.ts";
import { below, type Range, rows, within } from "./draws.ts";

/** Boxes that are tried before the middle is taken. */
const ATTEMPTS = 10;
/** Numbers that an attempt draws. */
const EACH = 4;

/**
 * A box whose area and shape are drawn from ranges, or undefined where none of ten fits. The logarithm of the shape is uniform. `u` has forty numbers.
 */
export function drawBox(
  [height, width]: readonly [number, number],
  { scale, ratio }: { readonly scale: Range; readonly ratio: Range },
  u: Float64Array,
  fits: (box: { readonly height: number; readonly width: number }) => boolean,
): Box | undefined {
  const logs: Range = [Math.log(ratio[0]), Math.log(ratio[1])];
  for (let k = 0; k < ATTEMPTS * EACH; k += EACH) {
    const area = height * width * within(scale, u[k]);
    const shape = Math.exp(within(logs, u[k + 1]));
    const box = {
      height: Math.round(Math.sqrt(area / shape)),
      width: Math.round(Math.sqrt(area * shape)),
    };
    if (box.height < 1 || box.width < 1 || !fits(box)) continue;
    return {
      ...box,
      top: below(height - box.height + 1, u[k + 2]),
      left: below(width - box.width + 1, u[k + 3]),
    };
  }
}

/** A row of numbers for {@linkcode drawBox}, for each image. */
export function boxRows(images: number): Float64Array[] {
  return rows(images, ATTEMPTS * EACH);
}

/** The middle of a picture, cut to a shape within the range. */
export function middle(
  [height, width]: readonly [number, number],
  ratio: Range,
): Box {
  const shape = width / height;
  const box = shape < ratio[0]
    ? { width, height: Math.round(width / ratio[0]) }
    : shape > ratio[1]
    ? { width: Math.round(height * ratio[1]), height }
    : { width, height };
  return {
    ...box,
    top: Math.floor((height - box.height) / 2),
    left: Math.floor((width - box.width) / 2),
  };
}
