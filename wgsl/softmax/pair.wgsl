// The maximum of elements and the sum of their exponentials relative to it,
// as a pair that two halves of a row can be merged by: Milakov and
// Gimelshein, "Online normalizer calculation for softmax" (2018), section 3.1.
//
// WGSL may take NaN and the infinities for absent: max drops NaN, x - x may
// be folded to 0. So NaN enters as +inf, which makes a maximum of +inf, and
// -inf as a sum of 0; row.wgsl knows the undefined rows by these.

// The lowest finite float. Standing in for the maximum of no elements, it
// gives exp(-inf - LEAST) = 0 where -inf - -inf would give NaN.
const LEAST = -0x1.fffffep+127f;
const INFINITY_BITS = 0x7f800000u;

fn magnitude(x: f32) -> u32 {
  return bitcast<u32>(x) & 0x7fffffffu;
}

fn pair_of(x: f32) -> vec2f {
  let bits = bitcast<u32>(x);
  let positive = bitcast<f32>(bits & INFINITY_BITS);
  let value = select(x, positive, magnitude(x) > INFINITY_BITS);
  return select(
    vec2f(value, 1.0),
    vec2f(LEAST, 0.0),
    bits == (INFINITY_BITS | 0x80000000u),
  );
}

fn merge(a: vec2f, b: vec2f) -> vec2f {
  let highest = max(a.x, b.x);
  return vec2f(
    highest,
    a.y * exp(a.x - highest) + b.y * exp(b.x - highest),
  );
}
