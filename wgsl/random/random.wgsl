// (key, counter) -> y: [size]
//
// y[4 b + j] = draw(words of block counter + b)[j], j = 0 .. 3
//
// No sum.
//
// Tiling: one invocation makes PER elements, 4 or 1, from a block of four
// words. With 4 no word is made twice; with 1 each block is made four times.
// What an element is depends on its place only, not on the launch.
//
// Edges: elements past `count` are skipped. A launch's counter is that of its
// first element, and the number of that is a multiple of 4.
//
// Appended: alias T (elements), philox.wgsl, and fn draw(words: vec4u) ->
// vec4<T>, which calls one of the distributions below.

struct Params {
  key: vec2u,
  counter: vec2u,
  count: u32,
  // What they mean is up to the distribution.
  a: u32,
  b: u32,
  c: u32,
}

override PER: u32 = 4u;

@group(0) @binding(0) var<storage, read_write> y: array<T>;
@group(0) @binding(1) var<uniform> params: Params;

// [low, high) in steps of (high - low) / 2^24. Rounding could give `high`
// itself: c is the greatest number below it.
fn uniform4(words: vec4u) -> vec4f {
  let unit = vec4f(words >> vec4u(8u)) * 0x1p-24;
  let value = bitcast<f32>(params.a) + bitcast<f32>(params.b) * unit;
  return min(value, vec4f(bitcast<f32>(params.c)));
}

// Box and Muller (1958): two uniform numbers are the radius and the angle of
// a point whose coordinates are normal and independent.
fn normal4(words: vec4u) -> vec4f {
  let unit = vec4f(point(words.xy), point(words.zw));
  return bitcast<f32>(params.a) + bitcast<f32>(params.b) * unit;
}

fn point(words: vec2u) -> vec2f {
  let radius = sqrt(-2.0 * log_unit((words.x >> 8u) + 1u));
  return radius * direction(words.y);
}

// The natural logarithm of n / 2^24, n = 1 .. 2^24, to a few units in the last
// place. The built-in log may be off by more than the result near 1.
fn log_unit(n: u32) -> f32 {
  // n / 2^24 = mantissa * 2^exponent with a mantissa from 0.71 to 1.41.
  let bits = bitcast<u32>(f32(n)) - 0x3f3504f3u;
  let exponent = f32(bitcast<i32>(bits) >> 23u) - 24.0;
  let mantissa = bitcast<f32>((bits & 0x7fffffu) + 0x3f3504f3u);
  // log m = 2 artanh((m - 1) / (m + 1))
  let s = (mantissa - 1.0) / (mantissa + 1.0);
  let q = s * s;
  let series = 1.0 + q * (1.0 / 3.0 + q * (0.2 + q * (1.0 / 7.0 + q / 9.0)));
  return exponent * 0.6931471805599453 + 2.0 * s * series;
}

// (cos, sin) of an angle that takes 2^24 values around the circle. The top
// two bits are the quadrant, the others go from -pi/4 to pi/4 in it, where
// Taylor series are exact to the last place; the built-in sine may be off by
// 2^-11.
fn direction(word: u32) -> vec2f {
  let part = f32((word >> 8u) & 0x3fffffu) * 0x1p-22 - 0.5;
  let t = part * 1.5707963267948966;
  let q = t * t;
  let sine = t * (1.0 - q * (1.0 / 6.0 - q * (1.0 / 120.0 -
    q * (1.0 / 5040.0 - q / 362880.0))));
  let cosine = 1.0 - q * (0.5 - q * (1.0 / 24.0 - q * (1.0 / 720.0 -
    q * (1.0 / 40320.0 - q / 3628800.0))));
  let turned = select(
    vec2f(cosine, sine),
    vec2f(-sine, cosine),
    (word & 0x40000000u) != 0u,
  );
  return select(turned, -turned, (word & 0x80000000u) != 0u);
}

// low + floor(word * span / 2^32); a span of 2^32 comes as 0.
fn integer4(words: vec4u) -> vec4u {
  return params.a + vec4u(
    scaled(words.x),
    scaled(words.y),
    scaled(words.z),
    scaled(words.w),
  );
}

fn scaled(word: u32) -> u32 {
  return select(multiply_wide(word, params.b).y, word, params.b == 0u);
}

// 1 with probability a / 2^24.
fn bernoulli4(words: vec4u) -> vec4u {
  return select(
    vec4u(0u),
    vec4u(1u),
    (words >> vec4u(8u)) < vec4u(params.a),
  );
}

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let first = ((group.y * groups.x + group.x) * 64u + lane) * PER;
  if (first >= params.count) {
    return;
  }
  let words = philox_block(params.counter, first / 4u, params.key);
  let values = draw(words);
  for (var n = 0u; n < PER; n++) {
    if (first + n < params.count) {
      y[first + n] = values[(first + n) % 4u];
    }
  }
}
