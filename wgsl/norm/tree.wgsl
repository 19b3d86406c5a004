// x: [outer, means, length], weight, bias: [groups * channels]
// -> y: the same as x, stats: [means] of (mean, variance)
//
// y = finish((x - mean) / sqrt(variance + EPSILON) * weight + bias)
// mean = sum(x) / count, variance = sum((x - mean)^2) / count over the
// count = outer * length; without CENTERED the mean is 0
//
// Sum: each lane adds its elements in order, the lanes' sums are added as a
// tree. The mean is taken of differences from the first element, so that a
// mean far from 0 costs no digits.
//
// Tiling: one workgroup owns one mean; its lanes read neighbouring elements,
// three times in all. WORKGROUP floats are staged in workgroup memory.
//
// Edges: workgroups past the means stop; a lane without elements adds 0.
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

const WORKGROUP = 256u;

@group(0) @binding(0) var<storage, read> x: array<T>;
@group(0) @binding(1) var<storage, read> weight: array<W>;
@group(0) @binding(2) var<storage, read> bias: array<W>;
@group(0) @binding(3) var<storage, read_write> y: array<T>;
@group(0) @binding(4) var<storage, read_write> stats: array<vec2f>;
@group(0) @binding(5) var<uniform> params: Params;

var<workgroup> stage: array<f32, WORKGROUP>;

// The sum of the lanes' values, the same in each of them.
fn total(value: f32, lane: u32) -> f32 {
  workgroupBarrier();
  stage[lane] = value;
  for (var half = WORKGROUP / 2u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (lane < half) {
      stage[lane] += stage[lane + half];
    }
  }
  workgroupBarrier();
  return stage[0];
}

fn channel_at(mean: u32, l: u32) -> u32 {
  return (mean % params.groups) * params.channels + l / params.space;
}

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let m = group.y * groups.x + group.x;
  if (m >= params.means) {
    return;
  }
  let count = params.outer * params.length;
  let divisor = f32(count);
  let pivot = f32(x[m * params.length]);
  var sum = 0.0;
  for (var e = lane; e < count; e += WORKGROUP) {
    let at = (e / params.length * params.means + m) * params.length +
      e % params.length;
    sum += f32(x[at]) - pivot;
  }
  let mean = select(0.0, pivot + total(sum, lane) / divisor, CENTERED);
  var squares = 0.0;
  for (var e = lane; e < count; e += WORKGROUP) {
    let at = (e / params.length * params.means + m) * params.length +
      e % params.length;
    let difference = f32(x[at]) - mean;
    squares += difference * difference;
  }
  let variance = total(squares, lane) / divisor;
  if (lane == 0u) {
    stats[m] = vec2f(mean, variance);
  }
  let root = inverseSqrt(variance + EPSILON);
  for (var e = lane; e < count; e += WORKGROUP) {
    let at = (e / params.length * params.means + m) * params.length +
      e % params.length;
    let c = channel_at(m, e % params.length);
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
