/** What the kernels that move elements share: their workgroups, and the words that describe a strided walk. */
import { LimitError } from "../errors.ts";
import { ALIGN, bind, collapse, MAX_RANK, rankWords } from "../launch.ts";
import type { Walk } from "../launch.ts";
import type { Binding, Limits, Shape, Slot, View } from "../op.ts";
import { itemBytes, sizeOf } from "../shape.ts";

/** Invocations of a workgroup. */
export const WORKGROUP = 64;

/** A view as a walk over its own shape. */
export function walkOf({ strides, offset, dtype }: View): Walk {
  return { strides, offset, dtype };
}

/** Throws a LimitError for more axes than a kernel's parameters have room for. */
export function checkRank(rank: number): void {
  if (rank <= MAX_RANK) return;
  throw new LimitError(
    `Cannot walk ${rank} axes that don't merge: strided kernels walk at most ${MAX_RANK}`,
    rank,
    MAX_RANK,
  );
}

/** A box's sizes and the strides of each walk through it, in as few axes as possible, as words of a `params` uniform. */
export interface BoxWords {
  readonly rank: number;
  readonly count: number;
  readonly shape: readonly number[];
  readonly strides: readonly (readonly number[])[];
  /** Sizes, then each walk's strides, MAX_RANK words each. */
  readonly words: readonly number[];
}

/** Describes a box to a kernel. Axes of the strides beyond the box's rank are ignored. */
export function boxWords(
  size: readonly number[],
  walks: readonly (readonly number[])[],
): BoxWords {
  const merged = collapse(size, walks);
  const rank = merged.shape.length;
  checkRank(rank);
  return {
    rank,
    count: merged.shape.reduce((a, b) => a * b, 1),
    shape: merged.shape,
    strides: merged.strides,
    words: [
      ...rankWords(merged.shape, 1),
      ...merged.strides.flatMap((strides) => rankWords(strides, 0)),
    ],
  };
}

/** Calls `visit` with the coordinates and the row-major number of each element. The coordinates are one array, changed from call to call. */
export function eachPlace(
  shape: Shape,
  visit: (place: readonly number[], i: number) => void,
): void {
  const size = sizeOf(shape);
  const place = new Array<number>(shape.length).fill(0);
  for (let i = 0; i < size; i++) {
    visit(place, i);
    for (let d = shape.length - 1; d >= 0; d--) {
      if (++place[d] < shape[d]) break;
      place[d] = 0;
    }
  }
}

/** The coordinates of the element with a row-major number. */
export function placeOf(i: number, shape: Shape): number[] {
  const place = new Array<number>(shape.length);
  for (let d = shape.length - 1; d >= 0; d--) {
    place[d] = i % shape[d];
    i = Math.floor(i / shape[d]);
  }
  return place;
}

/** A run of elements of contiguous operands. */
export interface Run {
  readonly start: number;
  readonly count: number;
}

/**
 * Cuts `size` elements of contiguous operands into runs that fit a binding, each starting at a multiple of 256 elements and so at an
 * aligned offset whatever the element type. `bytes` is the size of the widest element.
 */
export function runsOf(size: number, bytes: number, limits: Limits): Run[] {
  const most = Math.floor(limits.maxStorageBufferBindingSize / bytes / ALIGN) *
    ALIGN;
  const runs: Run[] = [];
  for (let start = 0; start < size; start += most) {
    runs.push({ start, count: Math.min(most, size - start) });
  }
  return runs;
}

/** The binding of a run of a contiguous operand whose offset is a multiple of 256 bytes. */
export function bindRun(
  slot: Slot,
  index: number,
  access: "read" | "write",
  { dtype, offset }: View,
  { start, count }: Run,
): Binding {
  const bytes = itemBytes(dtype);
  return bind(slot, index, access, {
    offset: (offset + start) * bytes,
    size: Math.ceil(count * bytes / 4) * 4,
  });
}
