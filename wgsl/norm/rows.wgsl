// x: [rows, length], weight, bias: [length]
// -> y: the same as x, stats: [rows] of (mean, variance)
//
// y = finish((x - mean) / sqrt(variance + EPSILON) * weight + bias)
// mean = sum(x) / length, variance = sum((x - mean)^2) / length; without
// CENTERED the mean is 0
//
// Sum: two passes over each BLOCK values, which are held in registers, then
// the block's moments are merged into those of the blocks before.
//
// Tiling: one invocation owns one row and reads it twice, the second time from
// the cache; BLOCK is a constant so that its loops unroll. No other launch.
//
// Edges: invocations past the rows stop; the rest that fills no block is
// merged value by value.
//
// Appended: alias T (elements) and W (parameters), const EPSILON, CENTERED,
// HAS_WEIGHT and HAS_BIAS, merge.wgsl, fn finish (../epilogue.ts).

struct Params {
  means: u32, // rows
  outer: u32, // 1
  length: u32,
  groups: u32, // 1
  channels: u32, // length
  space: u32, // 1
}

const WORKGROUP = 64u;
const BLOCK = 16u;

@group(0) @binding(0) var<storage, read> x: array<T>;
@group(0) @binding(1) var<storage, read> weight: array<W>;
@group(0) @binding(2) var<storage, read> bias: array<W>;
@group(0) @binding(3) var<storage, read_write> y: array<T>;
@group(0) @binding(4) var<storage, read_write> stats: array<vec2f>;
@group(0) @binding(5) var<uniform> params: Params;

fn scaled(xhat: f32, c: u32) -> f32 {
  var value = xhat;
  if (HAS_WEIGHT) {
    value *= f32(weight[c]);
  }
  if (HAS_BIAS) {
    value += f32(bias[c]);
  }
  return value;
}

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let row = (group.y * groups.x + group.x) * WORKGROUP + lane;
  if (row >= params.means) {
    return;
  }
  let n = params.length;
  let first = row * n;
  let whole = n / BLOCK * BLOCK;
  var moments = vec3f(0.0);
  for (var l = 0u; l < whole; l += BLOCK) {
    var values: array<f32, BLOCK>;
    var sum = 0.0;
    for (var i = 0u; i < BLOCK; i++) {
      values[i] = f32(x[first + l + i]);
      sum += values[i];
    }
    let mean = select(0.0, sum / f32(BLOCK), CENTERED);
    var squares = 0.0;
    for (var i = 0u; i < BLOCK; i++) {
      let difference = values[i] - mean;
      squares += difference * difference;
    }
    moments = merge(moments, vec3f(f32(BLOCK), mean, squares));
  }
  for (var l = whole; l < n; l++) {
    let value = f32(x[first + l]);
    let own = select(
      vec3f(1.0, 0.0, value * value),
      vec3f(1.0, value, 0.0),
      CENTERED,
    );
    moments = merge(moments, own);
  }
  let mean = moments.y;
  let variance = moments.z / f32(n);
  stats[row] = vec2f(mean, variance);
  let root = inverseSqrt(variance + EPSILON);
  for (var l = 0u; l < whole; l += BLOCK) {
    for (var i = 0u; i < BLOCK; i++) {
      let at = first + l + i;
      let value = scaled((f32(x[at]) - mean) * root, l + i);
      y[at] = T(finish(value, vec2f(1.0, 0.0), at));
    }
  }
  for (var l = whole; l < n; l++) {
    let at = first + l;
    let value = scaled((f32(x[at]) - mean) * root, l);
    y[at] = T(finish(value, vec2f(1.0, 0.0), at));
  }
}
