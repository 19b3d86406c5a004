// Exponential and logarithm, in all their forms.
//
// e^x = 2^n·e^r with n = round(x / ln 2) and |r| ≤ ln 2 / 2. n·ln 2 is taken
// off in two pieces: n·LN2_HIGH is exact (15 + 9 bits), so r keeps its digits
// (Cody and Waite, Software Manual for the Elementary Functions, chapter 6).
// ln x = k·ln 2 + ln(1 + f) with 1 + f between √½ and √2.
// Both remaining functions are polynomials, fitted for least relative error
// (2^-31 and 2^-30).

const LN2_HIGH = 0.693145751953125;
const LN2_LOW = 1.428606765330187e-6;
const LOG2_E = 1.4426950408889634;
const LOG10_E = 0.4342944819032518;
const LOG10_2_HIGH = 0.301025390625;
const LOG10_2_LOW = 4.605039066518657e-6;

// e^r - 1 for |r| ≤ ln 2 / 2.
fn expm1_reduced(r: f32) -> f32 {
  var p = 0.00019763413;
  p = p * r + 0.0013932341;
  p = p * r + 0.008333544;
  p = p * r + 0.041666493;
  p = p * r + 0.16666666;
  p = p * r + 0.5;
  return r + r * r * p;
}

// e^x·2^k for |k| ≤ 1, which is in range for some x where e^x is not.
fn exp_scaled(x: f32, k: i32) -> f32 {
  let t = clamp(x, -150.0, 128.0);
  let n = round(t * LOG2_E);
  let r = (t - n * LN2_HIGH) - n * LN2_LOW;
  let y = scale(1.0 + expm1_reduced(r), i32(n) + k);
  return select(y, x, is_nan(x));
}

fn exp_(x: f32) -> f32 {
  return exp_scaled(x, 0);
}

// 2^n·e^r - 1 = 2^n·(e^r - 1) + (2^n - 1), whose second term is exact.
fn expm1_(x: f32) -> f32 {
  let t = clamp(x, -30.0, 128.0);
  let n = round(t * LOG2_E);
  let r = (t - n * LN2_HIGH) - n * LN2_LOW;
  let q = expm1_reduced(r);
  let whole = i32(n);
  let s = power_of_two(min(whole, 24));
  let y = select(s * q + (s - 1.0), scale(1.0 + q, whole), whole > 24);
  let tiny = magnitude(x) < 0x33000000u; // 2^-25
  return select(y, x, tiny || is_nan(x));
}

// x = 2^k·(1 + f).
struct Parts {
  k: f32,
  f: f32,
}

// The parts of a positive number. A subnormal one is a small integer times
// 2^-149, and converting that integer makes it normal.
fn parts(x: f32) -> Parts {
  let given = bitcast<u32>(x);
  let subnormal = given < 0x00800000u;
  let bits = select(given, bitcast<u32>(f32(given)), subnormal);
  // Fractions from √2 up count to the next exponent.
  let raised = bits + (0x3f800000u - 0x3f3504f3u);
  let exponent = i32(raised >> 23u) - select(127, 276, subnormal);
  let m = from_bits((raised & 0x007fffffu) + 0x3f3504f3u);
  return Parts(f32(exponent), m - 1.0);
}

// ln(1 + f) - f for 1 + f between √½ and √2.
fn log1p_tail(f: f32) -> f32 {
  var p = 0.06749129;
  p = p * f - 0.11672435;
  p = p * f + 0.11884766;
  p = p * f - 0.12406004;
  p = p * f + 0.14220208;
  p = p * f - 0.16667993;
  p = p * f + 0.20002076;
  p = p * f - 0.2500001;
  p = p * f + 0.33333313;
  return f * f * (f * p - 0.5);
}

// What a logarithm is where it isn't y: -∞ at 0, NaN below, ∞ and NaN kept.
fn log_cases(x: f32, y: f32) -> f32 {
  let other = select(not_a_number(), x, bitcast<u32>(x) == 0x7f800000u);
  let outside = bitcast<u32>(x) >= 0x7f800000u;
  return select(select(y, other, outside), -infinity(), !truthy(x));
}

fn log_(x: f32) -> f32 {
  let p = parts(x);
  let tail = log1p_tail(p.f) + p.k * LN2_LOW;
  return log_cases(x, p.k * LN2_HIGH + (p.f + tail));
}

// Powers of two give integers: f is 0.
fn log2_(x: f32) -> f32 {
  let p = parts(x);
  let y = p.f + log1p_tail(p.f);
  return log_cases(x, p.k + (y + y * (LOG2_E - 1.0)));
}

fn log10(x: f32) -> f32 {
  let p = parts(x);
  let y = p.f + log1p_tail(p.f);
  return log_cases(x, p.k * LOG10_2_HIGH + (y * LOG10_E + p.k * LOG10_2_LOW));
}

// 1 + x = 2^k·(1 + f) with f = 2^-k·x + (2^-k - 1): both terms are exact, so
// the digits of x that 1 + x would round away stay in f.
fn log1p(x: f32) -> f32 {
  let u = 1.0 + x;
  let p = parts(u);
  let s = power_of_two(-i32(min(p.k, 126.0)));
  let f = select(s * x + (s - 1.0), p.f, p.k > 24.0);
  let tail = log1p_tail(f) + p.k * LN2_LOW;
  let y = log_cases(u, p.k * LN2_HIGH + (f + tail));
  let tiny = magnitude(x) < 0x33000000u; // 2^-25
  return select(y, x, tiny);
}
