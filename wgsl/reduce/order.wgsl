// Order of floats as integers. WGSL may take NaN for absent, so floats are
// compared by their bits: with the magnitude of negative ones flipped, the
// bits of two floats compare as integers just as the floats do.

const LOWEST = -2147483647i - 1i;
const HIGHEST = 2147483647i;
const NEGATIVE_INFINITY = -2139095041i; // flip of the bits of -inf
const POSITIVE_INFINITY = 0x7f800000i;

fn flip(bits: i32) -> i32 {
  return bits ^ ((bits >> 31u) & 0x7fffffff);
}

fn is_nan_key(key: i32) -> bool {
  return key < NEGATIVE_INFINITY || key > POSITIVE_INFINITY;
}

// NaN is above everything.
fn key_nan_high(x: f32) -> i32 {
  let key = flip(bitcast<i32>(x));
  return select(key, HIGHEST, is_nan_key(key));
}

// NaN is below everything.
fn key_nan_low(x: f32) -> i32 {
  let key = flip(bitcast<i32>(x));
  return select(key, LOWEST, is_nan_key(key));
}

// The float of a key. HIGHEST and LOWEST become NaN.
fn from_key(key: i32) -> f32 {
  return bitcast<f32>(flip(key));
}

// -0, whose key is -1, stands level with 0.
fn level_zeros(key: i32) -> i32 {
  return select(key, 0i, key == -1i);
}
