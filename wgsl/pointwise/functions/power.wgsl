// a^b = 2^(b·log2 a), within 1 ULP. Needs: bits, arithmetic, exponential.
//
// b·log2 a reaches 128 with 24 bits still needed behind the point, so log2 a
// is kept as a sum of two floats, about 35 bits together:
// ln m = 2·artanh(s) with s = (m - 1) / (m + 1), and
// 3·artanh(s) / s = 3 + s² + s⁴·p(s²). Wherever a value is multiplied, its
// first 12 bits (high_half) are taken apart, so that their product is exact.

// 2 / (3 ln 2), in two parts and whole.
const TWO_THIRDS_LOG2_E_HIGH = 0.961669921875;
const TWO_THIRDS_LOG2_E_LOW = 0.00012677205;
const TWO_THIRDS_LOG2_E = 0.9617967;

struct Pair {
  high: f32,
  low: f32,
}

// log2 of a positive finite number; high has 12 bits.
fn log2_pair(x: f32) -> Pair {
  let p = parts(x);
  let m = 1.0 + p.f;
  let s = p.f / (m + 1.0);
  let s_high = high_half(s);
  let sum_high = high_half(m + 1.0);
  let sum_low = m - (sum_high - 1.0);
  let s_low = ((p.f - s_high * sum_high) - s_high * sum_low) / (m + 1.0);

  let s2 = s * s;
  var r = 0.29339194;
  r = r * s2 + 0.33269423;
  r = r * s2 + 0.4285796;
  r = r * s2 + 0.59999996;
  // 3 + s² + s⁴·r, where s² = s_high² + s_low·(s_high + s)
  let small = s2 * s2 * r + s_low * (s_high + s);
  let square_high = s_high * s_high;
  let w_high = high_half(3.0 + square_high + small);
  let w_low = small - ((w_high - 3.0) - square_high);

  let u = s_high * w_high;
  let v = s_low * w_high + w_low * s;
  let t_high = high_half(u + v);
  let t_low = v - (t_high - u);
  let y_high = TWO_THIRDS_LOG2_E_HIGH * t_high;
  let y_low = TWO_THIRDS_LOG2_E_LOW * t_high + TWO_THIRDS_LOG2_E * t_low;
  let high = high_half(p.k + (y_high + y_low));
  return Pair(high, y_low - ((high - p.k) - y_high));
}

// a^b for a positive and finite, b finite.
fn pow_positive(a: f32, b: f32) -> f32 {
  let l = log2_pair(a);
  // Far outside the range of exponents, so that no product overflows.
  let far = 4.0e38 * 0.5 / max(abs(l.high), 1.0);
  let e = clamp(b, -far, far);
  let e_high = high_half(e);
  let high = e_high * l.high;
  let low = (e - e_high) * l.high + e * l.low;
  let z = clamp(high + low, -200.0, 200.0);
  let n = round(z);
  let inside = abs(high + low) < 200.0;
  let r = select(0.0, (high - n) + low, inside);
  let y = 1.0 + expm1_reduced(r * 0.6931472);
  return scale(y, i32(n));
}

fn is_integer(x: f32) -> bool {
  return is_finite(x) && trunc(x) == x;
}

// From 2^24 on, all floats are even integers.
fn is_odd(x: f32) -> bool {
  let small = magnitude(x) < 0x4b800000u;
  let i = i32(select(0.0, x, small));
  return is_integer(x) && (i & 1) == 1;
}

// C's rules: a^0 and 1^b are 1, even for NaN.
fn pow_(a: f32, b: f32) -> f32 {
  let size = magnitude(a);
  let down = (bitcast<u32>(b) >> 31u) == 1u;
  // |a| is 0 or ∞: the result is again one of them.
  let endless = (size == 0u) == down;
  let extreme = select(0.0, infinity(), endless);
  // b is ±∞: it matters whether |a| is below or above 1.
  let growing = (size > 0x3f800000u) != down;
  let limit = select(0.0, infinity(), growing);

  let usable = size != 0u && size < 0x7f800000u && is_finite(b);
  let y = pow_positive(
    select(1.0, from_bits(size), usable),
    select(0.0, b, usable),
  );
  var result = select(y, extreme, size == 0u || size == 0x7f800000u);
  result = select(result, limit, is_inf(b));
  result = select(result, 1.0, is_inf(b) && size == 0x3f800000u);
  let negative = (bitcast<u32>(a) >> 31u) == 1u;
  result = select(result, -result, negative && is_odd(b));
  let root = negative && usable && !is_integer(b);
  result = select(result, not_a_number(), root || is_nan(a) || is_nan(b));
  let one = !truthy(b) || bitcast<u32>(a) == 0x3f800000u;
  return select(result, 1.0, one);
}
