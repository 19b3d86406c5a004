// Arithmetic, comparison and rounding of floats.
//
// NaN wins over a number in maximum and minimum (WGSL's max and min drop it),
// and -0 lies below 0. Comparisons go by the bits, so that NaN is unequal to
// itself and subnormal numbers are themselves.

fn neg(x: f32) -> f32 {
  return from_bits(bitcast<u32>(x) ^ 0x80000000u);
}

fn abs_(x: f32) -> f32 {
  return from_bits(magnitude(x));
}

// 0 for NaN, as PyTorch has it.
fn sign_(x: f32) -> f32 {
  let size = magnitude(x);
  let one = with_sign(1.0, x);
  return select(one, 0.0, size == 0u || size > 0x7f800000u);
}

fn square(x: f32) -> f32 {
  return x * x;
}

fn reciprocal(x: f32) -> f32 {
  return 1.0 / x;
}

fn sqrt_(x: f32) -> f32 {
  return sqrt(x);
}

fn rsqrt(x: f32) -> f32 {
  return 1.0 / sqrt(x);
}

fn add(a: f32, b: f32) -> f32 {
  return a + b;
}

fn sub(a: f32, b: f32) -> f32 {
  return a - b;
}

fn mul(a: f32, b: f32) -> f32 {
  return a * b;
}

fn div(a: f32, b: f32) -> f32 {
  return a / b;
}

fn maximum(a: f32, b: f32) -> f32 {
  let larger = select(a, b, order(b) > order(a));
  return select(larger, not_a_number(), is_nan(a) || is_nan(b));
}

fn minimum(a: f32, b: f32) -> f32 {
  let smaller = select(a, b, order(b) < order(a));
  return select(smaller, not_a_number(), is_nan(a) || is_nan(b));
}

// A bound that is NaN bounds nothing; where the bounds cross, the upper wins.
fn clamp_low(x: f32, low: f32) -> f32 {
  let below = less(x, low);
  return select(x, low, below);
}

fn clamp_high(x: f32, high: f32) -> f32 {
  let above = less(high, x);
  return select(x, high, above);
}

fn clamp_both(x: f32, low: f32, high: f32) -> f32 {
  return clamp_high(clamp_low(x, low), high);
}

fn eq(a: f32, b: f32) -> bool {
  let same = bitcast<u32>(a) == bitcast<u32>(b);
  let zeros = (magnitude(a) | magnitude(b)) == 0u;
  return (same && !is_nan(a)) || zeros;
}

fn less(a: f32, b: f32) -> bool {
  let zeros = (magnitude(a) | magnitude(b)) == 0u;
  return order(a) < order(b) && !(is_nan(a) || is_nan(b) || zeros);
}

fn ne(a: f32, b: f32) -> bool {
  return !eq(a, b);
}

fn lt(a: f32, b: f32) -> bool {
  return less(a, b);
}

fn le(a: f32, b: f32) -> bool {
  return less(a, b) || eq(a, b);
}

fn gt(a: f32, b: f32) -> bool {
  return less(b, a);
}

fn ge(a: f32, b: f32) -> bool {
  return less(b, a) || eq(a, b);
}

fn floor_(x: f32) -> f32 {
  return floor(x);
}

fn ceil_(x: f32) -> f32 {
  return ceil(x);
}

// Halves go to the even neighbour.
fn round_(x: f32) -> f32 {
  return round(x);
}

fn trunc_(x: f32) -> f32 {
  return trunc(x);
}
