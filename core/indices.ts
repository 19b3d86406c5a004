/** Checking indices on the host, where the values are known there. */
import type { View } from "../wgsl/op.ts";
import { isContiguous, sizeOf } from "../wgsl/shape.ts";
import { DTypeError } from "./errors.ts";
import type { Storage } from "./storage.ts";
import type { TensorBase } from "./tensor_base.ts";

/** Memory and a view of it. */
export interface Indices {
  readonly storage: Storage;
  readonly view: View;
}

/** An index that is out of range, and where it stands. */
export interface BadIndex {
  readonly value: number;
  readonly position: number;
}

/**
 * The first index outside 0 … `size` - 1, or undefined. Indices that were computed on the device aren't known here: kernels give NaN for them
 * (0 for integers) instead of another element.
 */
export function findBadIndex(
  { storage: { host }, view }: Indices,
  size: number,
): BadIndex | undefined {
  if (!host || !isContiguous(view)) return undefined;
  const count = sizeOf(view.shape);
  for (let i = 0; i < count; i++) {
    const value = host[view.offset + i];
    if (value < 0 || value >= size) return { value, position: i };
  }
  return undefined;
}

/** Throws unless a tensor holds integers, and those that are known on the host are in range. */
export function checkIndices(
  what: string,
  index: TensorBase,
  size: number,
): void {
  if (index.dtype !== "i32" && index.dtype !== "u32") {
    throw new DTypeError(
      `Cannot ${what}: expected indices of i32 or u32 but found ${index.dtype}`,
      [index.dtype],
    );
  }
  checkKnown(index, (given) => requireRange(what, given, size));
}

/** Runs a check of what is known on the host. Where a function is compiled, it is run again on what the function is given. */
export function checkKnown(
  index: Indices,
  check: (given: Indices) => void,
): void {
  index.storage.backend.noteCheck?.(index, check);
  check(index);
}

function requireRange(what: string, index: Indices, size: number): void {
  const bad = findBadIndex(index, size);
  if (bad) {
    throw new RangeError(
      `Cannot ${what}: index ${bad.value} at position ${bad.position} is out of range, expected 0 to ${
        size - 1
      }`,
    );
  }
}
