// mean, variance: [channels], stats: [channels] of (mean, variance)
// -> mean, variance in place
//
// mean = (1 - momentum) * mean + momentum * stats.mean
// variance = (1 - momentum) * variance + momentum * unbiased * stats.variance
//
// No sum.
//
// Tiling: one invocation owns one channel.
//
// Edges: invocations past the channels stop.
//
// Appended: alias T (running statistics).

struct Params {
  channels: u32,
  mean_base: u32,
  variance_base: u32,
  stats_base: u32,
  momentum: f32,
  unbiased: f32, // n / (n - 1)
}

const WORKGROUP = 64u;

@group(0) @binding(0) var<storage, read_write> mean: array<T>;
@group(0) @binding(1) var<storage, read_write> variance: array<T>;
@group(0) @binding(2) var<storage, read> stats: array<vec2f>;
@group(0) @binding(3) var<uniform> params: Params;

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let c = (group.y * groups.x + group.x) * WORKGROUP + lane;
  if (c >= params.channels) {
    return;
  }
  let own = stats[params.stats_base + c];
  let keep = 1.0 - params.momentum;
  let m = params.mean_base + c;
  mean[m] = T(keep * f32(mean[m]) + params.momentum * own.x);
  let v = params.variance_base + c;
  variance[v] =
    T(keep * f32(variance[v]) + params.momentum * params.unbiased * own.y);
}
