/** How far a float32 result may be from its float64 reference. */

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

/** The largest size of a finite number among values. */
export function largestFinite(values: ArrayLike<number>): number {
  let most = 0;
  for (let i = 0; i < values.length; i++) {
    const size = Math.abs(values[i]);
    if (size > most && size < Infinity) most = size;
  }
  return most;
}
