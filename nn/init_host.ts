/** What initialisation computes on the host, in float64: the normal distribution's inverse, and orthonormal rows. */

/**
 * The inverse of the standard normal distribution's function between two bounds: of u in (0, 1), the number that a share u of the distribution between
 * them lies below.
 *
 * Acklam's rational approximation, which has a relative error of 1.15e-9, and one step of Halley's method.
 */
export function standardNormalQuantile(
  low: number,
  high: number,
): (u: number) => number {
  // Of a range above the mean, the mirrored one is taken: below, shares keep their digits.
  if (low > 0) {
    const mirrored = standardNormalQuantile(-high, -low);
    return (u) => -mirrored(1 - u);
  }
  const from = normalShare(low);
  const span = normalShare(high) - from;
  return (u) => quantile(from + u * span);
}

const NUMERATOR = [
  -3.969683028665376e1,
  2.209460984245205e2,
  -2.759285104469687e2,
  1.38357751867269e2,
  -3.066479806614716e1,
  2.506628277459239,
];
const DENOMINATOR = [
  -5.447609879822406e1,
  1.615858368580409e2,
  -1.556989798598866e2,
  6.680131188771972e1,
  -1.328068155288572e1,
  1,
];
const TAIL_NUMERATOR = [
  -7.784894002430293e-3,
  -3.223964580411365e-1,
  -2.400758277161838,
  -2.549732539343734,
  4.374664141464968,
  2.938163982698783,
];
const TAIL_DENOMINATOR = [
  7.784695709041462e-3,
  3.224671290700398e-1,
  2.445134137142996,
  3.754408661907416,
  1,
];

/** Shares below this lie in the tail. */
const TAIL = 0.02425;

function polynomial(coefficients: readonly number[], x: number): number {
  return coefficients.reduce((sum, c) => sum * x + c, 0);
}

function quantile(share: number): number {
  if (share > 0.5) return -quantile(1 - share);
  if (share <= 0) return -Infinity;
  let x: number;
  if (share < TAIL) {
    const q = Math.sqrt(-2 * Math.log(share));
    x = polynomial(TAIL_NUMERATOR, q) / polynomial(TAIL_DENOMINATOR, q);
  } else {
    const q = share - 0.5;
    x = q * polynomial(NUMERATOR, q * q) / polynomial(DENOMINATOR, q * q);
  }
  const error = (normalShare(x) - share) * Math.sqrt(2 * Math.PI) *
    Math.exp(x * x / 2);
  return x - error / (1 + x * error / 2);
}

/** The share of the standard normal distribution below x. */
function normalShare(x: number): number {
  if (x === -Infinity) return 0;
  if (x === Infinity) return 1;
  return x > 0 ? 1 - tail(x) : tail(-x);
}

/** The share above x ≥ 0: a series near 0, and a continued fraction beyond (Abramowitz and Stegun 1964, 26.2.10 and 26.2.14). */
function tail(x: number): number {
  const density = Math.exp(-x * x / 2) / Math.sqrt(2 * Math.PI);
  if (x < 3) {
    let term = x;
    let sum = x;
    for (let n = 3; Math.abs(term) > 1e-17 * Math.abs(sum); n += 2) {
      term *= x * x / n;
      sum += term;
    }
    return 0.5 - density * sum;
  }
  let fraction = 0;
  for (let n = 200; n > 0; n--) fraction = n / (x + fraction);
  return density / (x + fraction);
}

/**
 * Orthonormal rows from random ones `[rows, columns]`, in place, by Gram and Schmidt's method, run twice for accuracy. Normal numbers give all
 * directions alike.
 */
export function orthogonalRows(
  values: Float64Array<ArrayBuffer>,
  rows: number,
  columns: number,
): Float64Array<ArrayBuffer> {
  const rowAt = (i: number) => values.subarray(i * columns, (i + 1) * columns);
  for (let i = 0; i < rows; i++) {
    const row = rowAt(i);
    for (let pass = 0; pass < 2; pass++) {
      for (let j = 0; j < i; j++) {
        const other = rowAt(j);
        let product = 0;
        for (let k = 0; k < columns; k++) product += row[k] * other[k];
        for (let k = 0; k < columns; k++) row[k] -= product * other[k];
      }
      let square = 0;
      for (const value of row) square += value * value;
      const length = Math.sqrt(square);
      for (let k = 0; k < columns; k++) row[k] /= length;
    }
  }
  return values;
}
