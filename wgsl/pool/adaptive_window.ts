/**
 * The windows of adaptive pooling: as many as the output is long, whatever the input's length.
 *
 * Along one axis of H positions, window `o` of O covers those from ⌊o·H/O⌋ to below ⌈(o + 1)·H/O⌉. Windows differ in length by one at most, and
 * neighbours overlap in one position where O doesn't divide H. The windows that cover position `h` are those from ⌊h·O/H⌋ to below
 * ⌈(h + 1)·O/H⌉: the same formula with the lengths exchanged.
 */
import { LimitError, ShapeError } from "../errors.ts";
import type { Shape } from "../op.ts";
import type { MaxPool2dAttrs } from "./max_pool2d.ts";
import { expectExtent, expectPlanes, type Pair } from "./window.ts";

/** Attributes of adaptive pooling. */
export interface AdaptiveAttrs {
  /** Height and width of the output. */
  readonly size: Pair;
}

/** Attributes of adaptive pooling's gradients: the height and width of the forward op's input. */
export interface AdaptiveBackwardAttrs {
  readonly inputSize: Pair;
}

/** Positions from `start` to below `end`. */
export interface Range {
  readonly start: number;
  readonly end: number;
}

/** Products of a place and a length are computed in u32. */
const MOST_PRODUCT = 2 ** 32 - 1;

/**
 * The shape `[N, C, OH, OW]` of an adaptive pooling.
 *
 * @throws {ShapeError} when the input isn't of rank 4 or has empty planes, or the size isn't two positive integers
 */
export function adaptiveShape(shape: Shape, { size }: AdaptiveAttrs): number[] {
  expectPlanes(shape);
  if (size.some((n) => !Number.isInteger(n) || n < 1)) {
    throw new ShapeError(
      `Cannot pool to [${size.join(", ")}]: expected two positive integers`,
    );
  }
  expectExtent(shape, 0, "height");
  expectExtent(shape, 1, "width");
  size.forEach((n, axis) => {
    const product = (n + 1) * (shape[axis + 2] + 1);
    if (product <= MOST_PRODUCT) return;
    throw new LimitError(
      `Cannot pool ${
        shape[axis + 2]
      } positions to ${n}: their product must stay below ${MOST_PRODUCT}`,
      product,
      MOST_PRODUCT,
    );
  });
  return [shape[0], shape[1], ...size];
}

/** The windows over an axis of `length` positions. */
export function adaptiveWindows(length: number, windows: number): Range[] {
  return Array.from({ length: windows }, (_, o) => ({
    start: Math.floor(o * length / windows),
    end: Math.ceil((o + 1) * length / windows),
  }));
}

/** Most positions that one window covers. */
export function longestWindow(length: number, windows: number): number {
  const longest = Math.ceil(length / windows);
  return Math.min(longest + Number(length % windows !== 0), length);
}

/** The windows as a plain pooling's, where they are all of one length and don't overlap. */
export function evenWindow(
  input: Shape,
  output: Shape,
): MaxPool2dAttrs | null {
  const lengths = input.slice(2);
  const windows = output.slice(2);
  if (windows.some((n, axis) => lengths[axis] % n !== 0)) {
    return null;
  }
  const kernel: Pair = [lengths[0] / windows[0], lengths[1] / windows[1]];
  return {
    kernel,
    stride: kernel,
    padding: [0, 0],
    dilation: [1, 1],
    ceilMode: false,
  };
}
