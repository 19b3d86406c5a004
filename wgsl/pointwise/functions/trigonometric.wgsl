// Sine, cosine and tangent of any finite number. Needs: bits.
//
// x = n·π/2 + r with |r| ≤ π/4; n mod 4 says which of ±sin r, ±cos r it is.
// Up to 12,867 (n < 2^13), n·π/2 is taken off in four pieces of which the
// first three have 11 bits, so that their products are exact (Cody and
// Waite). Beyond, x·2/π is computed with as many of the digits of 2/π as can
// matter, in integers (Payne and Hanek, "Radian reduction for trigonometric
// functions", 1983).

const HALF_PI_1 = 1.5703125;
const HALF_PI_2 = 4.837512969970703e-4;
const HALF_PI_3 = 7.549533620476723e-8;
const HALF_PI_4 = 2.5633440682570896e-12;

struct Turn {
  quarters: u32,
  r: f32,
}

// The high word of a 64-bit product.
fn multiply_high(a: u32, b: u32) -> u32 {
  let a_low = a & 0xffffu;
  let a_high = a >> 16u;
  let b_low = b & 0xffffu;
  let b_high = b >> 16u;
  let t = a_high * b_low + ((a_low * b_low) >> 16u);
  let u = a_low * b_high + (t & 0xffffu);
  return a_high * b_high + (t >> 16u) + (u >> 16u);
}

// For 2^13 ≤ |x| < ∞. x·2/π = m·2^e·2/π with m of 24 bits: the digits of
// 2/π whose product with m·2^e is a multiple of 4 don't matter, and of those
// that follow, 96 are enough.
fn reduce_large(x: f32) -> Turn {
  let bits = magnitude(x);
  let m = (bits & 0x7fffffu) | 0x800000u;
  // Digits of 2/π as a binary fraction, from 32 places before the point on.
  // place says with which to begin: whole words are skipped first.
  let place = (bits >> 23u) - 120u;
  let early = vec4u(0u, 0xa2f9836eu, 0x4e441529u, 0xfc2757d1u);
  let late = vec4u(0xf534ddc0u, 0xdb629599u, 0x3c439041u, 0xfe5163abu);
  let by_four = select(early, late, (place & 128u) != 0u);
  let skip_two = (place & 64u) != 0u;
  let by_two = select(by_four, vec4u(by_four.zw, late.xy), skip_two);
  let next = select(0xf534ddc0u, 0x3c439041u, skip_two);
  let skip_one = (place & 32u) != 0u;
  let w = select(by_two, vec4u(by_two.yzw, next), skip_one);
  let shift = place & 31u;
  let d0 = (w.x << shift) | ((w.y >> 1u) >> (31u - shift));
  let d1 = (w.y << shift) | ((w.z >> 1u) >> (31u - shift));
  let d2 = (w.z << shift) | ((w.w >> 1u) >> (31u - shift));
  // The upper 64 of the 96 bits of m·d: two before the point.
  let c = multiply_high(m, d2);
  let low = m * d1 + c;
  let carry = select(0u, 1u, low < c);
  let high = m * d0 + multiply_high(m, d1) + carry;

  let n = (high + 0x20000000u) >> 30u;
  // What is left, from -½ to ½: a 64-bit integer with its sign taken off.
  let signed_high = high - (n << 30u);
  let minus = (signed_high >> 31u) == 1u;
  let rest_low = select(low, 0u - low, minus);
  let borrow = select(0u, 1u, low != 0u);
  let rest_high = select(signed_high, 0u - signed_high - borrow, minus);
  // Its first 32 bits from the first one on.
  let zeros = countLeadingZeros(rest_high);
  let zeros_low = countLeadingZeros(rest_low);
  let up = min(zeros, 31u);
  let near = (rest_high << up) | ((rest_low >> 1u) >> (31u - up));
  let lead = select(near, rest_low << min(zeros_low, 31u), zeros == 32u);
  let skipped = select(zeros, 32u + zeros_low, zeros == 32u);
  let size = f32(lead) * power_of_two(-30 - i32(min(skipped, 64u)));
  let r = size * 1.5707964;
  let negative = minus != (bitcast<u32>(x) >> 31u == 1u);
  let quarters = select(n, 0u - n, bitcast<u32>(x) >> 31u == 1u);
  return Turn(quarters & 3u, select(r, -r, negative));
}

fn reduce(x: f32) -> Turn {
  let t = select(0.0, x, magnitude(x) < 0x46490e00u); // 12,867.5
  let n = round(t * 0.63661975);
  var r = t - n * HALF_PI_1;
  r = r - n * HALF_PI_2;
  r = r - n * HALF_PI_3;
  r = r - n * HALF_PI_4;
  if (magnitude(x) >= 0x46490e00u) {
    return reduce_large(x);
  }
  return Turn(bitcast<u32>(i32(n)) & 3u, r);
}

// For |r| ≤ π/4.
fn sin_reduced(r: f32) -> f32 {
  let r2 = r * r;
  var p = -0.00019507883;
  p = p * r2 + 0.008332106;
  p = p * r2 - 0.16666654;
  return r + r * r2 * p;
}

fn cos_reduced(r: f32) -> f32 {
  let r2 = r * r;
  var p = 2.4430086e-5;
  p = p * r2 - 0.0013887298;
  p = p * r2 + 0.041666646;
  return 1.0 - (0.5 * r2 - r2 * r2 * p);
}

// The tiny keep their sign and last digit; infinity and NaN have no angle.
fn angle_cases(x: f32, y: f32) -> f32 {
  let tiny = magnitude(x) < 0x39000000u; // 2^-13
  return select(select(y, x, tiny), not_a_number(), !is_finite(x));
}

fn sin_(x: f32) -> f32 {
  let t = reduce(x);
  let odd = (t.quarters & 1u) == 1u;
  let y = select(sin_reduced(t.r), cos_reduced(t.r), odd);
  return angle_cases(x, select(y, -y, t.quarters >= 2u));
}

fn cos_(x: f32) -> f32 {
  let t = reduce(x);
  let odd = (t.quarters & 1u) == 1u;
  let y = select(cos_reduced(t.r), sin_reduced(t.r), odd);
  let minus = t.quarters == 1u || t.quarters == 2u;
  return select(select(y, -y, minus), not_a_number(), !is_finite(x));
}

fn tan_(x: f32) -> f32 {
  let t = reduce(x);
  let s = sin_reduced(t.r);
  let c = cos_reduced(t.r);
  let odd = (t.quarters & 1u) == 1u;
  return angle_cases(x, select(s, -c, odd) / select(c, s, odd));
}
