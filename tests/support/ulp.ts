/** Errors in units in the last place of a float32. */

/** The distance between the float32 numbers around `x`. */
export function ulpOf(x: number): number {
  const size = Math.abs(x);
  if (!(size >= 2 ** -126)) return 2 ** -149;
  let exponent = Math.floor(Math.log2(size));
  if (2 ** exponent > size) exponent--;
  if (2 ** (exponent + 1) <= size) exponent++;
  return 2 ** (exponent - 23);
}

/** How many ULP of `unit` lie between a result and the true value. Infinite where just one of them is NaN or infinite in float32, or where the signs of zeros differ. */
export function ulpsBetween(
  got: number,
  want: number,
  unit: number = want,
): number {
  if (Object.is(got, Math.fround(want))) return 0;
  // What rounds to infinity may also end just below it.
  const limit = 2 ** 128;
  if (Number.isNaN(got) || Number.isNaN(want)) return Infinity;
  if (got === 0 && want === 0) return Infinity;
  if (Math.abs(got) === Infinity || Math.abs(want) === Infinity) {
    const a = Math.sign(got) * Math.min(Math.abs(got), limit);
    const b = Math.sign(want) * Math.min(Math.abs(want), limit);
    return Math.abs(a - b) <= 4 * 2 ** 104 ? 1 : Infinity;
  }
  return Math.abs(got - want) / ulpOf(unit);
}
