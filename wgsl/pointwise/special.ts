/** Functions that JavaScript lacks, in float64, for the references. */

/**
 * The error function, 2/√π·∫₀ˣ exp(-t²) dt, by the series x·exp(-x²)·2/√π·Σ (2x²)ⁿ / (1·3·5···(2n + 1)).
 *
 * All its terms have one sign, so nothing cancels. From 6 on the result is 1 in float64.
 */
export function erf(x: number): number {
  if (Number.isNaN(x)) return x;
  if (Math.abs(x) > 6) return Math.sign(x);
  let term = x;
  let sum = x;
  for (let n = 1; Math.abs(term) > Math.abs(sum) * 1e-17; n++) {
    term *= 2 * x * x / (2 * n + 1);
    sum += term;
  }
  return 2 / Math.sqrt(Math.PI) * Math.exp(-x * x) * sum;
}

/** The nearest integer; halves go to the even one. */
export function roundHalfEven(x: number): number {
  const below = Math.floor(x);
  const up = x - below > 0.5 || (x - below === 0.5 && below % 2 !== 0);
  const nearest = up ? below + 1 : below;
  return nearest === 0 && isNegative(x) ? -0 : nearest;
}

/** Whether the sign is minus: of -0 too. */
function isNegative(x: number): boolean {
  return x < 0 || Object.is(x, -0);
}

/** C's pow: unlike JavaScript's, a⁰ and 1ᵇ are 1 even for NaN, and (-1)^±∞ is 1. */
export function power(a: number, b: number): number {
  const one = a === 1 || b === 0 || (a === -1 && Math.abs(b) === Infinity);
  return one ? 1 : a ** b;
}

/** Remainder with the sign of the divisor. */
export function remainder(a: number, b: number): number {
  const rest = a % b;
  return rest !== 0 && rest < 0 !== b < 0 ? rest + b : rest;
}

/** Quotient rounded towards minus infinity. */
export function floorDivide(a: number, b: number): number {
  if (b === 0) return a / b;
  const rest = a % b;
  const quotient = (a - rest) / b - Number(rest !== 0 && rest < 0 !== b < 0);
  if (quotient === 0) return isNegative(a / b) ? -0 : 0;
  const below = Math.floor(quotient);
  // The division may have rounded to just below an integer.
  return quotient - below > 0.5 ? below + 1 : below;
}

/** Power of integers modulo 2^32, by squaring. A negative exponent gives the reciprocal cut to an integer, as C does. */
export function integerPower(a: number, b: number): number {
  if (b < 0) return a === 1 ? 1 : a === -1 ? (b % 2 === 0 ? 1 : -1) : 0;
  let result = 1;
  let base = a;
  for (let bits = b; bits > 0; bits = Math.floor(bits / 2)) {
    if (bits % 2 === 1) result = Math.imul(result, base);
    base = Math.imul(base, base);
  }
  return result;
}

/** Quotient of integers rounded towards minus infinity; 0 for a divisor of 0. */
export function integerFloorDivide(a: number, b: number): number {
  return b === 0 ? 0 : Math.floor(a / b);
}

/** Remainder of integers with the sign of the divisor; 0 for a divisor of 0. */
export function integerRemainder(a: number, b: number): number {
  return b === 0 ? 0 : remainder(a, b);
}
