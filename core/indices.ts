/** Checking indices on the host, where the values are known there. */
import { isContiguous } from "../wgsl/shape.ts";
import { DTypeError } from "./errors.ts";
import type { TensorBase } from "./tensor_base.ts";

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
  { storage, view, size: count }: TensorBase,
  size: number,
): BadIndex | undefined {
  const { host } = storage;
  if (!host || !isContiguous(view)) return undefined;
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
  index.storage.backend.noteIndices?.(index.storage, what, size);
  const bad = findBadIndex(index, size);
  if (bad) {
    throw new RangeError(
      `Cannot ${what}: index ${bad.value} at position ${bad.position} is out of range, expected 0 to ${
        size - 1
      }`,
    );
  }
}
