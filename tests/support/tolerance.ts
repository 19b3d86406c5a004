/** How far a float32 result may be from its float64 reference. */
import { AssertionError } from "@std/assert";
import type { HostArray, HostData } from "../../wgsl/op.ts";
import { formatShape, sameShape, sizeOf } from "../../wgsl/shape.ts";

/** Spacing of the floats just above 1. */
export const EPSILON = { f32: 2 ** -23, f16: 2 ** -10, f64: 2 ** -52 };

/**
 * Largest absolute error that is allowed for sums of `length` products whose largest reference value is `scale`.
 *
 * Rounding errors of ordered sums grow like the square root of their length; the factor 8 covers kernels that
 * multiply, add and evaluate functions of a few ULP.
 */
export function tolerance(
  length: number,
  scale: number,
  dtype: "f32" | "f16" | "f64" = "f32",
): number {
  return 8 * EPSILON[dtype] * Math.sqrt(Math.max(length, 1)) * scale;
}

/**
 * What Winograd's F(4×4, 3×3) may err more than the sum that it stands for: its transforms multiply by up to 8 and cancel again. Measured errors
 * are 3 to 23 times (mostly 4 to 8) those of direct sums, which stay well below their tolerance.
 */
export const WINOGRAD_FACTOR = 4;

/** Asserts that arrays have the same shape and dtype, and values within `factor` times the tolerance; integers exactly. NaN equals NaN and nothing else. */
export function assertClose(
  got: HostArray,
  want: HostArray,
  length = 1,
  what = "values",
  factor = 1,
): void {
  if (!sameShape(got.shape, want.shape) || got.dtype !== want.dtype) {
    throw new AssertionError(
      `Expected ${what} of ${want.dtype}${
        formatShape(want.shape)
      } but found ${got.dtype}${formatShape(got.shape)}`,
    );
  }
  if (got.data.length !== want.data.length) {
    throw new AssertionError(
      `Expected ${want.data.length} ${what} but found ${got.data.length}`,
    );
  }
  const dtype = want.dtype;
  const float = dtype === "f32" || dtype === "f16" || dtype === "f64";
  const allowed = float
    ? factor * tolerance(length, largestFinite(want.data), dtype)
    : 0;
  for (let i = 0; i < sizeOf(want.shape); i++) {
    const a = got.data[i];
    const b = want.data[i];
    if (Number.isNaN(a) && Number.isNaN(b)) continue;
    if (a === b || Math.abs(a - b) <= allowed) continue;
    throw new AssertionError(
      `Expected ${what} element ${i} of ${
        formatShape(want.shape)
      } to be ${b} but found ${a} (allowed error ${allowed})`,
    );
  }
}

function largestFinite(data: HostData): number {
  let most = 0;
  for (const value of data) {
    const size = Math.abs(value);
    if (size > most && size < Infinity) most = size;
  }
  return most;
}
