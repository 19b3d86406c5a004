/**
 * Cutting a convolution's sums and operands: what one invocation may sum under the loop limit, and boxes of images, groups and channels whose
 * operands fit a binding.
 */
import {
  ALIGN,
  type Box,
  splitBox,
  type Walk,
  type Window,
  windowOf,
} from "../launch.ts";
import type { DType, Limits } from "../op.ts";
import type { Pair } from "./geometry.ts";

/** A part of a kernel: its first row and column, and how many of each. */
export interface TapRange {
  readonly first: Pair;
  readonly size: Pair;
}

/** What one launch may sum: parts of the kernel, in order, and how many channels of each. */
export interface SumCut {
  readonly ranges: readonly TapRange[];
  readonly channels: number;
}

/** Loop trips of summing over channels and taps [rows, columns]; in proportion to the channels. */
export type Trips = (channels: number, taps: Pair) => number;

/** Cuts a sum so that one invocation stays below the loop limit: one range and all channels, where that is possible. */
export function cutSum(
  [rows, columns]: Pair,
  tripsOf: Trips,
  { maxLoopTrips }: Limits,
): SumCut {
  if (rows * columns === 0) {
    const none: TapRange = { first: [0, 0], size: [0, 0] };
    return { ranges: [none], channels: maxLoopTrips };
  }
  const fits = (...taps: Pair) => tripsOf(1, taps) <= maxLoopTrips;
  let [height, width] = [rows, columns];
  while (height > 1 && !fits(height, width)) height = Math.ceil(height / 2);
  while (width > 1 && !fits(height, width)) width = Math.ceil(width / 2);
  const ranges: TapRange[] = [];
  for (let r = 0; r < rows; r += height) {
    for (let s = 0; s < columns; s += width) {
      ranges.push({
        first: [r, s],
        size: [Math.min(height, rows - r), Math.min(width, columns - s)],
      });
    }
  }
  const most = Math.floor(maxLoopTrips / tripsOf(1, [height, width]));
  return { ranges, channels: Math.max(1, most) };
}

/** Start and length along one axis. */
export interface Range {
  readonly start: number;
  readonly size: number;
}

/** What one launch computes: some images, groups, channels kept in the result, and channels summed over, both counted in a group. */
export interface SumBox {
  readonly images: Range;
  readonly groups: Range;
  readonly kept: Range;
  /** The kept channels in tiles, counted from the group's first. */
  readonly tiles: Range;
  readonly summed: Range;
}

/** How an operand lies in memory: elements from one image, group, kept channel or tile of them, or summed channel to the next. 0 where it has none. */
export interface Layout {
  readonly dtype: DType;
  readonly image?: number;
  readonly group?: number;
  readonly kept?: number;
  readonly tile?: number;
  readonly summed?: number;
  /** Elements that belong together: a plane, or the taps of a channel. */
  readonly block: number;
}

/** Sizes of the space that boxes are cut from; `tile` kept channels make a tile. */
export interface SumSpace {
  readonly images: number;
  readonly groups: number;
  readonly kept: number;
  readonly summed: number;
  readonly tile: number;
}

/** Cuts a space into boxes in which each operand fits a binding and at most `most` channels are summed. Along summed channels they come in order. */
export function sumBoxes(
  space: SumSpace,
  layouts: readonly Layout[],
  most: number,
  limits: Limits,
): SumBox[] {
  const { images, groups, kept, summed, tile } = space;
  if (images * groups * kept === 0) return [];
  const shape = [images, groups, Math.ceil(kept / tile), summed];
  // A tile takes its channels together.
  const among = Math.min(tile, kept) - 1;
  const blocks = layouts.map((l) => l.block + among * (l.kept ?? 0));
  const walks = layouts.map((l, i) => ({
    strides: [
      l.image ?? 0,
      l.group ?? 0,
      (l.kept ?? 0) * tile + (l.tile ?? 0),
      l.summed ?? 0,
      ...blocks.map((_, j) => i === j ? 1 : 0),
    ],
    offset: 0,
    dtype: l.dtype,
  }));
  const whole = blocks.map((_, i) => 4 + i);
  const boxes = splitBox([...shape, ...blocks], walks, limits, whole);
  return boxes.flatMap((box) => cutBox(box, space, most));
}

function cutBox(
  { start, size }: Box,
  { kept, tile }: SumSpace,
  most: number,
): SumBox[] {
  const range = (d: number): Range => ({ start: start[d], size: size[d] });
  const first = start[2] * tile;
  const box = {
    images: range(0),
    groups: range(1),
    tiles: range(2),
    kept: { start: first, size: Math.min(size[2] * tile, kept - first) },
  };
  const boxes: SumBox[] = [];
  for (let c = 0; c < size[3]; c += most) {
    const summed = { start: start[3] + c, size: Math.min(most, size[3] - c) };
    boxes.push({ ...box, summed });
  }
  return boxes;
}

/** The window of an operand that a box needs. */
export function windowIn(box: SumBox, layout: Layout): Window {
  return windowOf(walkOf(layout), boxOf(box, layout.block));
}

/** A layout as a walk over images, groups, kept channels, tiles of them, summed channels and a block. */
export function walkOf(
  { dtype, image = 0, group = 0, kept = 0, tile = 0, summed = 0, block }:
    Layout,
): Walk {
  // An operand of one element is the same all over another's block.
  const step = block > 1 ? 1 : 0;
  return {
    strides: [image, group, kept, tile, summed, step],
    offset: 0,
    dtype,
  };
}

/** A box in the axes of {@linkcode walkOf}. */
export function boxOf(
  { images, groups, kept, tiles, summed }: SumBox,
  block: number,
): Box {
  const ranges = [images, groups, kept, tiles, summed];
  return {
    start: [...ranges.map(({ start }) => start), 0],
    size: [...ranges.map(({ size }) => size), block],
  };
}

/** Whether the smallest box of a space, one tile of one image, fits the bindings. */
export function fitsTile(
  { tile }: SumSpace,
  layouts: readonly Layout[],
  limits: Limits,
): boolean {
  const one = { start: 0, size: 1 };
  const box = {
    images: one,
    groups: one,
    kept: { start: 0, size: tile },
    tiles: one,
    summed: one,
  };
  return layouts.every((layout) =>
    windowIn(box, layout).size + ALIGN <= limits.maxStorageBufferBindingSize
  );
}
