// x: [outer, means, length], weight, bias: [groups * channels]
// -> y: the same as x, stats: [means] of (mean, variance)
//
// y = finish((x - mean) / sqrt(variance + EPSILON) * weight + bias)
// mean = sum(x) / count, variance = sum((x - mean)^2) / count over the
// count = outer * length; without CENTERED the mean is 0
//
// Sum: one accumulator each, in order. The mean is taken of differences from
// the first element, so that a mean far from 0 costs no digits.
//
// Tiling: one invocation owns one mean and reads its elements three times.
//
// Edges: invocations past the means stop.
//
// Appended: alias T (elements) and W (parameters), const EPSILON, CENTERED,
// HAS_WEIGHT and HAS_BIAS, fn finish (../epilogue.ts).

struct Params {
  means: u32, // samples * groups
  outer: u32,
  length: u32, // channels of a group * space
  groups: u32,
  channels: u32, // of a group
  space: u32,
}

const WORKGROUP = 64u;

@group(0) @binding(0) var<storage, read> x: array<T>;
@group(0) @binding(1) var<storage, read> weight: array<W>;
@group(0) @binding(2) var<storage, read> bias: array<W>;
@group(0) @binding(3) var<storage, read_write> y: array<T>;
@group(0) @binding(4) var<storage, read_write> stats: array<vec2f>;
@group(0) @binding(5) var<uniform> params: Params;

fn channel_at(mean: u32, l: u32) -> u32 {
  return (mean % params.groups) * params.channels + l / params.space;
}

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let m = (group.y * groups.x + group.x) * WORKGROUP + lane;
  if (m >= params.means) {
    return;
  }
  let step = params.means * params.length;
  let divisor = f32(params.outer * params.length);
  let first = m * params.length;
  var mean = 0.0;
  if (CENTERED) {
    let pivot = f32(x[first]);
    for (var o = 0u; o < params.outer; o++) {
      for (var l = 0u; l < params.length; l++) {
        mean += f32(x[first + o * step + l]) - pivot;
      }
    }
    mean = pivot + mean / divisor;
  }
  var squares = 0.0;
  for (var o = 0u; o < params.outer; o++) {
    for (var l = 0u; l < params.length; l++) {
      let difference = f32(x[first + o * step + l]) - mean;
      squares += difference * difference;
    }
  }
  let variance = squares / divisor;
  stats[m] = vec2f(mean, variance);
  let root = inverseSqrt(variance + EPSILON);
  for (var o = 0u; o < params.outer; o++) {
    for (var l = 0u; l < params.length; l++) {
      let at = first + o * step + l;
      let c = channel_at(m, l);
      var value = (f32(x[at]) - mean) * root;
      if (HAS_WEIGHT) {
        value *= f32(weight[c]);
      }
      if (HAS_BIAS) {
        value += f32(bias[c]);
      }
      y[at] = T(finish(value, vec2f(1.0, 0.0), at));
    }
  }
}
