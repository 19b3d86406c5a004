// dy, x: [outer, means, length], weight: [groups * channels],
// stats: [means] of (mean, variance) -> dx: the same as x
//
// dx = r * (h - (sum(h) + xhat * sum(h * xhat)) / count), h = dy * weight,
// r = 1 / sqrt(variance + EPSILON), xhat = (x - mean) * r
// over the count = outer * length; without CENTERED sum(h) is left out
//
// Sum: one accumulator each, in order.
//
// Tiling: one invocation owns one mean and reads its elements twice.
//
// Edges: invocations past the means stop.
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

const WORKGROUP = 64u;

@group(0) @binding(0) var<storage, read> dy: array<T>;
@group(0) @binding(1) var<storage, read> x: array<T>;
@group(0) @binding(2) var<storage, read> weight: array<W>;
@group(0) @binding(3) var<storage, read> stats: array<vec2f>;
@group(0) @binding(4) var<storage, read_write> dx: array<T>;
@group(0) @binding(5) var<uniform> params: Params;

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
  let m = (group.y * groups.x + group.x) * WORKGROUP + lane;
  if (m >= params.means) {
    return;
  }
  let step = params.means * params.length;
  let divisor = f32(params.outer * params.length);
  let first = m * params.length;
  let mean = stats[m].x;
  let root = inverseSqrt(stats[m].y + EPSILON);
  var sums = vec2f(0.0);
  for (var o = 0u; o < params.outer; o++) {
    for (var l = 0u; l < params.length; l++) {
      let at = first + o * step + l;
      let h = weighed(at, m, l);
      sums += vec2f(h, h * ((f32(x[at]) - mean) * root));
    }
  }
  sums /= divisor;
  let through = select(0.0, sums.x, CENTERED);
  for (var o = 0u; o < params.outer; o++) {
    for (var l = 0u; l < params.length; l++) {
      let at = first + o * step + l;
      let xhat = (f32(x[at]) - mean) * root;
      dx[at] = T(root * (weighed(at, m, l) - (through + xhat * sums.y)));
    }
  }
}
