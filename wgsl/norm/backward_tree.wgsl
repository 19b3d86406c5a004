// dy, x: [outer, means, length], weight: [groups * channels],
// stats: [means] of (mean, variance) -> dx: the same as x
//
// dx = r * (h - (sum(h) + xhat * sum(h * xhat)) / count), h = dy * weight,
// r = 1 / sqrt(variance + EPSILON), xhat = (x - mean) * r
// over the count = outer * length; without CENTERED sum(h) is left out
//
// Sum: each lane adds its elements in order, the lanes' sums are added as a
// tree.
//
// Tiling: one workgroup owns one mean; its lanes read neighbouring elements,
// twice in all. WORKGROUP pairs of floats are staged in workgroup memory.
//
// Edges: workgroups past the means stop; a lane without elements adds 0.
//
// Appended: alias T (elements) and W (weight), const EPSILON, CENTERED and
// HAS_WEIGHT.

struct Params {
  means: u32, // samples * groups
  outer: u32,
  length: u32, // channels of a group * space
  groups: u32,
  channels: u32, // of a group
  space: u32,
}

const WORKGROUP = 256u;

@group(0) @binding(0) var<storage, read> dy: array<T>;
@group(0) @binding(1) var<storage, read> x: array<T>;
@group(0) @binding(2) var<storage, read> weight: array<W>;
@group(0) @binding(3) var<storage, read> stats: array<vec2f>;
@group(0) @binding(4) var<storage, read_write> dx: array<T>;
@group(0) @binding(5) var<uniform> params: Params;

var<workgroup> stage: array<vec2f, WORKGROUP>;

// The sum of the lanes' values, the same in each of them.
fn total(value: vec2f, lane: u32) -> vec2f {
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

fn channel_of(mean: u32, l: u32) -> u32 {
  return (mean % params.groups) * params.channels + l / params.space;
}

// dy times the weight.
fn weighed(at: u32, m: u32, l: u32) -> f32 {
  let h = f32(dy[at]);
  if (HAS_WEIGHT) {
    return h * f32(weight[channel_of(m, l)]);
  }
  return h;
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
  let mean = stats[m].x;
  let root = inverseSqrt(stats[m].y + EPSILON);
  var own = vec2f(0.0);
  for (var e = lane; e < count; e += WORKGROUP) {
    let at = (e / params.length * params.means + m) * params.length +
      e % params.length;
    let h = weighed(at, m, e % params.length);
    own += vec2f(h, h * ((f32(x[at]) - mean) * root));
  }
  let sums = total(own, lane) / divisor;
  let through = select(0.0, sums.x, CENTERED);
  for (var e = lane; e < count; e += WORKGROUP) {
    let at = (e / params.length * params.means + m) * params.length +
      e % params.length;
    let h = weighed(at, m, e % params.length);
    let xhat = (f32(x[at]) - mean) * root;
    dx[at] = T(root * (h - (through + xhat * sums.y)));
  }
}
