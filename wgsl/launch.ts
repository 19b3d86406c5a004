/** What launch plans share: parameter words, grids, element types, and the split of work into windows that fit a binding. */
import { LimitError } from "./errors.ts";
import type { Binding, DType, Limits, Slot, View } from "./op.ts";
import { itemBytes } from "./shape.ts";

/** Storage-buffer offsets are aligned to this on every adapter. */
export const ALIGN = 256;

/** Most axes that a strided kernel walks, after merging those that lie together. */
export const MAX_RANK = 8;

/** Words of a `params` uniform: numbers as u32; wrap floats in `f32`. Padded to a multiple of 16 bytes. */
export function words(
  ...values: readonly (number | Float)[]
): Uint32Array<ArrayBuffer> {
  const out = new Uint32Array(Math.ceil(values.length / 4) * 4);
  const floats = new Float32Array(out.buffer);
  values.forEach((value, i) => {
    if (typeof value === "number") out[i] = value;
    else floats[i] = value.f32;
  });
  return out;
}

/** A parameter word that holds a float. */
export interface Float {
  readonly f32: number;
}

/** Marks a parameter as a float. */
export function f32(value: number): Float {
  return { f32: value };
}

/** Pads a list of sizes or strides in front to MAX_RANK words, for an `array<vec4u, 2>` field. */
export function rankWords(values: readonly number[], fill: number): number[] {
  return [...new Array<number>(MAX_RANK - values.length).fill(fill), ...values];
}

/** The WGSL type that stores a dtype. `bool` is a word that is 0 or 1. */
export function storageType(dtype: DType): string {
  return dtype === "bool" ? "u32" : dtype;
}

/** The WGSL type that a dtype is computed in: f16 is widened. */
export function computeType(dtype: DType): string {
  return dtype === "f16" ? "f32" : storageType(dtype);
}

/**
 * Workgroups that give at least `invocations` along one line, folded into two dimensions where one doesn't hold them.
 *
 * The kernel recovers its place as `(wid.y * groups.x + wid.x) * workgroup + lid` and must check it against the count.
 */
export function linearGrid(
  invocations: number,
  workgroup: number,
  limits: Limits,
): [number, number, number] {
  const groups = Math.max(1, Math.ceil(invocations / workgroup));
  const most = limits.maxComputeWorkgroupsPerDimension;
  if (groups <= most) return [groups, 1, 1];
  const y = Math.ceil(groups / most);
  if (y > most) {
    throw new LimitError(
      `Cannot launch ${groups} workgroups: the device allows ${most} a dimension, ${
        most * most
      } in two`,
      groups,
      most * most,
    );
  }
  return [Math.ceil(groups / y), y, 1];
}

/** A part of an iteration space: where it starts and how far it goes along each axis. */
export interface Box {
  readonly start: readonly number[];
  readonly size: readonly number[];
}

/** How an operand walks an iteration space: strides and offset in elements. */
export interface Walk {
  readonly strides: readonly number[];
  readonly offset: number;
  readonly dtype: DType;
}

/** The elements that a walk touches in a box, as an aligned window of bytes. */
export interface Window {
  /** Start in bytes, a multiple of ALIGN. */
  readonly offset: number;
  /** Length in bytes, a multiple of 4. */
  readonly size: number;
  /** Element index, inside the window, of the box's first element. */
  readonly base: number;
}

/** The window that a walk needs for a box. */
export function windowOf(walk: Walk, box: Box): Window {
  const bytes = itemBytes(walk.dtype);
  let first = walk.offset;
  let span = 1;
  for (let d = 0; d < box.size.length; d++) {
    first += box.start[d] * walk.strides[d];
    span += (box.size[d] - 1) * walk.strides[d];
  }
  const offset = Math.floor((first * bytes) / ALIGN) * ALIGN;
  const end = Math.ceil(((first + Math.max(span, 1)) * bytes) / 4) * 4;
  return { offset, size: end - offset, base: first - offset / bytes };
}

/**
 * Cuts an iteration space into boxes in which every walk fits a binding. One box when all fit, as they nearly always do.
 *
 * The box is halved along the axis that spans most of the operand that doesn't fit; `whole` axes are never cut.
 */
export function splitBox(
  shape: readonly number[],
  walks: readonly Walk[],
  limits: Limits,
  whole: readonly number[] = [],
): Box[] {
  const limit = limits.maxStorageBufferBindingSize;
  const boxes: Box[] = [];
  const pending: Box[] = [{ start: shape.map(() => 0), size: [...shape] }];
  for (let box = pending.pop(); box; box = pending.pop()) {
    const wide = walks.find((walk) => windowOf(walk, box!).size > limit);
    if (!wide) {
      boxes.push(box);
      continue;
    }
    let axis = -1;
    let most = 0;
    for (let d = 0; d < box.size.length; d++) {
      const span = (box.size[d] - 1) * wide.strides[d];
      if (span > most && !whole.includes(d)) [axis, most] = [d, span];
    }
    if (axis < 0) {
      const asked = windowOf(wide, box).size;
      throw new LimitError(
        `Cannot bind ${asked} bytes at once: the device's maxStorageBufferBindingSize is ${limit} and this operand can't be cut further`,
        asked,
        limit,
      );
    }
    const half = Math.ceil(box.size[axis] / 2);
    const start = [...box.start];
    start[axis] += half;
    pending.push(
      { start, size: box.size.map((n, d) => d === axis ? n - half : n) },
      { start: box.start, size: box.size.map((n, d) => d === axis ? half : n) },
    );
  }
  return boxes;
}

/** A window of contiguous elements, as far as the vector of four goes in which the last one lies. */
export function wholeVectors(window: Window, dtype: DType): Window {
  const vector = 4 * itemBytes(dtype);
  return { ...window, size: Math.ceil(window.size / vector) * vector };
}

/** A binding of a window. */
export function bind(
  slot: Slot,
  index: number,
  access: "read" | "write",
  window: { readonly offset: number; readonly size: number },
): Binding {
  return { slot, index, access, offset: window.offset, size: window.size };
}

/** A binding of the whole of a contiguous, 256-byte-aligned operand. */
export function bindWhole(
  slot: Slot,
  index: number,
  access: "read" | "write",
  view: View,
): Binding {
  const walk = {
    strides: view.strides,
    offset: view.offset,
    dtype: view.dtype,
  };
  const window = windowOf(walk, {
    start: view.shape.map(() => 0),
    size: view.shape,
  });
  return bind(slot, index, access, window);
}

/**
 * Merges neighbouring axes that every walk steps through as one, and drops axes of size 1.
 *
 * A contiguous tensor of any rank becomes one axis; the result has at least one.
 */
export function collapse(
  shape: readonly number[],
  walks: readonly (readonly number[])[],
): { shape: number[]; strides: number[][] } {
  const sizes: number[] = [];
  const strides: number[][] = walks.map(() => []);
  for (let d = 0; d < shape.length; d++) {
    if (shape[d] === 1) continue;
    const last = sizes.length - 1;
    const joins = last >= 0 &&
      walks.every((walk, w) => strides[w][last] === walk[d] * shape[d]);
    if (joins) {
      sizes[last] *= shape[d];
      walks.forEach((walk, w) => strides[w][last] = walk[d]);
    } else {
      sizes.push(shape[d]);
      walks.forEach((walk, w) => strides[w].push(walk[d]));
    }
  }
  if (sizes.length === 0) return { shape: [1], strides: walks.map(() => [0]) };
  return { shape: sizes, strides };
}
