// Questions about a float that WGSL's operators may answer wrongly.
//
// Implementations may assume that NaN and infinity don't occur, and may take
// subnormal numbers for zero. Integers are exempt from both, so whatever
// depends on them is asked of the bits: sign (1), exponent (8), fraction (23).

// A runtime value of any bits: WGSL has no literal for NaN or infinity, and
// refuses constant expressions that give one.
fn from_bits(bits: u32) -> f32 {
  return bitcast<f32>(bits);
}

fn infinity() -> f32 {
  return from_bits(0x7f800000u);
}

fn not_a_number() -> f32 {
  return from_bits(0x7fc00000u);
}

// The bits of |x|: they order as the numbers do, with NaN above infinity.
fn magnitude(x: f32) -> u32 {
  return bitcast<u32>(x) & 0x7fffffffu;
}

fn is_nan(x: f32) -> bool {
  return magnitude(x) > 0x7f800000u;
}

fn is_inf(x: f32) -> bool {
  return magnitude(x) == 0x7f800000u;
}

fn is_finite(x: f32) -> bool {
  return magnitude(x) < 0x7f800000u;
}

// Whether x stands for true: all but 0 and -0 do, NaN too.
fn truthy(x: f32) -> bool {
  return magnitude(x) != 0u;
}

// The size of one number with the sign of another, x.
fn with_sign(size: f32, x: f32) -> f32 {
  return from_bits(magnitude(size) | (bitcast<u32>(x) & 0x80000000u));
}

// An integer that orders as the numbers do, with -0 just below 0.
fn order(x: f32) -> i32 {
  let i = bitcast<i32>(x);
  return select(i, i ^ 0x7fffffff, i < 0);
}

// Its first 12 significant bits: the product of two such is exact. Cutting
// bits off is also what compilers can't see through, so that x - high_half(x)
// is computed as written.
fn high_half(x: f32) -> f32 {
  return from_bits(bitcast<u32>(x) & 0xfffff000u);
}

// 2^n for n from -126 to 127.
fn power_of_two(n: i32) -> f32 {
  return from_bits(u32(n + 127) << 23u);
}

// x·2^n for n from -252 to 254. In two steps, so that a factor stays in range
// where the result still does; only the second rounds.
fn scale(x: f32, n: i32) -> f32 {
  let half = n >> 1u;
  return (x * power_of_two(half)) * power_of_two(n - half);
}
