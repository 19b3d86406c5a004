/** How far a float32 result may be from its float64 reference. */
import { AssertionError } from "@std/assert";
import { largestFinite, tolerance } from "../../core/tolerance.ts";
import type { HostArray } from "../../wgsl/op.ts";
import { formatShape, sameShape, sizeOf } from "../../wgsl/shape.ts";

export { EPSILON, tolerance } from "../../core/tolerance.ts";

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
