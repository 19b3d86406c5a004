/** Cutting an iteration space that axes are reduced over: operands that may be scratch memory, and parts in which each fits a binding. */
import { LimitError } from "../errors.ts";
import { ALIGN, type Box, collapse, MAX_RANK, type Window } from "../launch.ts";
import type { Binding, Limits, Slot, View } from "../op.ts";
import { itemBytes } from "../shape.ts";

/** A buffer and how it is walked along the axes of an iteration space. */
export interface Operand {
  readonly slot: Slot;
  readonly index: number;
  /** Bytes of one element, which may be a pair of words. */
  readonly bytes: number;
  /** In elements, one per axis; 0 where the operand doesn't have the axis. */
  readonly strides: readonly number[];
  /** Of the first element, in elements. */
  readonly offset: number;
}

/** A view as an operand whose axes stand in the given order. */
export function operandOf(
  slot: Slot,
  index: number,
  { strides, offset, dtype }: View,
  axes: readonly number[] = strides.map((_, d) => d),
): Operand {
  const bytes = itemBytes(dtype);
  return { slot, index, bytes, strides: axes.map((d) => strides[d]), offset };
}

/** The aligned window of an operand that a box touches. */
export function windowIn(operand: Operand, { start, size }: Box): Window {
  const { strides, bytes } = operand;
  let first = operand.offset;
  let span = 1;
  for (let d = 0; d < size.length; d++) {
    first += start[d] * strides[d];
    span += (size[d] - 1) * strides[d];
  }
  const offset = Math.floor((first * bytes) / ALIGN) * ALIGN;
  const end = Math.ceil(((first + span) * bytes) / 4) * 4;
  return { offset, size: end - offset, base: first - offset / bytes };
}

/** The binding of a window of an operand. */
export function bindIn(
  { slot, index }: Operand,
  access: "read" | "write",
  { offset, size }: Window,
): Binding {
  return { slot, index, access, offset, size };
}

/** Bytes that must be bound for a part of an operand, wherever the part starts. */
function partBytes({ strides, bytes }: Operand, part: readonly number[]) {
  let span = 1;
  part.forEach((n, d) => span += (n - 1) * strides[d]);
  return span * bytes + ALIGN;
}

/** Most elements of a part: kernels number them in 32 bits. */
const MOST_ELEMENTS = 2 ** 31;

/**
 * Sizes of the parts into which an iteration space is cut so that every operand's share of a part fits a binding.
 *
 * The axis that spans most of an operand that doesn't fit is halved until it does. Axes in `whole` are not cut: the result is then
 * undefined where that doesn't suffice.
 */
export function cut(
  shape: readonly number[],
  operands: readonly Operand[],
  limits: Limits,
  whole: readonly number[] = [],
): number[] | undefined {
  const limit = limits.maxStorageBufferBindingSize;
  const part = [...shape];
  const halve = (weight: (d: number) => number): boolean => {
    let axis = -1;
    let most = 0;
    for (let d = 0; d < part.length; d++) {
      if (!whole.includes(d) && part[d] > 1 && weight(d) > most) {
        [axis, most] = [d, weight(d)];
      }
    }
    if (axis < 0) return false;
    part[axis] = Math.ceil(part[axis] / 2);
    return true;
  };
  for (;;) {
    const wide = operands.find((x) => partBytes(x, part) > limit);
    if (wide) {
      if (!halve((d) => (part[d] - 1) * wide.strides[d])) return undefined;
    } else if (part.reduce((a, b) => a * b, 1) > MOST_ELEMENTS) {
      if (!halve((d) => part[d])) return undefined;
    } else return part;
  }
}

/** The parts of a space, row by row; those at the ends may be smaller. */
export function* boxesOf(
  shape: readonly number[],
  part: readonly number[],
): Generator<Box> {
  const start = shape.map(() => 0);
  for (;;) {
    yield {
      start: [...start],
      size: part.map((n, d) => Math.min(n, shape[d] - start[d])),
    };
    let d = shape.length - 1;
    for (; d >= 0; d--) {
      start[d] += part[d];
      if (start[d] < shape[d]) break;
      start[d] = 0;
    }
    if (d < 0) return;
  }
}

/** Merges axes as `collapse` does, and refuses more than kernels walk. */
export function merge(
  shape: readonly number[],
  strides: readonly (readonly number[])[],
): { shape: number[]; strides: number[][] } {
  const merged = collapse(shape, strides);
  if (merged.shape.length > MAX_RANK) {
    throw new LimitError(
      `Cannot walk ${merged.shape.length} axes that don't merge: strided kernels walk at most ${MAX_RANK}`,
      merged.shape.length,
      MAX_RANK,
    );
  }
  return merged;
}
