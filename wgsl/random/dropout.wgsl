// x, (key, counter) -> y: the same shape
//
// y[i] = x[i] * scale where bits of word i < threshold, x[i] * 0 elsewhere
//
// No sum.
//
// Tiling: one invocation owns PER elements, 4 or 1, and makes the block of
// four words that decides on them. One read of x for each element; no mask is
// kept, since the same key and counter make it again for the gradient.
//
// Edges: elements past `count` are skipped. A launch's counter is that of its
// first element, and the number of that is a multiple of 4. Elements that are
// dropped are multiplied by 0 instead of set to it, so that NaN stays NaN.
//
// Appended: alias T (elements) and philox.wgsl.

struct Params {
  key: vec2u,
  counter: vec2u,
  count: u32,
  threshold: u32,
  scale: f32,
}

override PER: u32 = 4u;

@group(0) @binding(0) var<storage, read> x: array<T>;
@group(0) @binding(1) var<storage, read_write> y: array<T>;
@group(0) @binding(2) var<uniform> params: Params;

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
  let factors = select(
    vec4f(0.0),
    vec4f(params.scale),
    (words >> vec4u(8u)) < vec4u(params.threshold),
  );
  for (var n = 0u; n < PER; n++) {
    let i = first + n;
    if (i < params.count) {
      y[i] = T(f32(x[i]) * factors[i % 4u]);
    }
  }
}
