// x: [kept.., n], weight, bias, stats: the same by strides -> y: [kept.., n]
//
// y = (x - mean) / sqrt(variance + EPSILON) * weight + bias
//
// No sum: the statistics come from an earlier launch.
//
// Tiling: one invocation owns up to SPAN elements of one row, a stride of
// `shares` apart so that neighbours read neighbouring elements. Statistics and
// parameters are read once where they are the same all along the row.
//
// Edges: invocations past rows * shares stop; elements past n are skipped.
//
// Appended: alias T (elements) and W (parameters), const KEPT_RANK, SPAN,
// EPSILON, HAS_WEIGHT, HAS_BIAS, STATS_VARY and PARAMETERS_VARY (whether a row
// has several of them).

struct Params {
  rows: u32,
  n: u32,
  x_step: u32, // stride of the row's axis
  weight_step: u32,
  bias_step: u32,
  stats_step: u32,
  y_step: u32,
  x_base: u32,
  weight_base: u32,
  bias_base: u32,
  stats_base: u32,
  y_base: u32,
  // Innermost axis last.
  kept_shape: array<vec4u, 2>,
  kept_x: array<vec4u, 2>,
  kept_weight: array<vec4u, 2>,
  kept_bias: array<vec4u, 2>,
  kept_stats: array<vec4u, 2>,
  kept_y: array<vec4u, 2>,
}

const WORKGROUP = 64u;

@group(0) @binding(0) var<storage, read> x: array<T>;
@group(0) @binding(1) var<storage, read> weight: array<W>;
@group(0) @binding(2) var<storage, read> bias: array<W>;
@group(0) @binding(3) var<storage, read> stats: array<vec2f>;
@group(0) @binding(4) var<storage, read_write> y: array<T>;
@group(0) @binding(5) var<uniform> params: Params;

// Mean, and 1 / root of the variance.
fn stats_of(at: u32) -> vec2f {
  let s = stats[at];
  return vec2f(s.x, inverseSqrt(s.y + EPSILON));
}

// Factor and summand.
fn parameters_of(weight_at: u32, bias_at: u32) -> vec2f {
  var p = vec2f(1.0, 0.0);
  if (HAS_WEIGHT) {
    p.x = f32(weight[weight_at]);
  }
  if (HAS_BIAS) {
    p.y = f32(bias[bias_at]);
  }
  return p;
}

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let id = (group.y * groups.x + group.x) * WORKGROUP + lane;
  let shares = (params.n + SPAN - 1u) / SPAN;
  if (id >= params.rows * shares) {
    return;
  }
  var x_at = params.x_base;
  var weight_at = params.weight_base;
  var bias_at = params.bias_base;
  var stats_at = params.stats_base;
  var y_at = params.y_base;
  var rest = id / shares;
  for (var k = 1u; k <= KEPT_RANK; k++) {
    let d = 8u - k;
    let size = params.kept_shape[d / 4u][d % 4u];
    x_at += (rest % size) * params.kept_x[d / 4u][d % 4u];
    weight_at += (rest % size) * params.kept_weight[d / 4u][d % 4u];
    bias_at += (rest % size) * params.kept_bias[d / 4u][d % 4u];
    stats_at += (rest % size) * params.kept_stats[d / 4u][d % 4u];
    y_at += (rest % size) * params.kept_y[d / 4u][d % 4u];
    rest /= size;
  }
  var s = stats_of(stats_at);
  var p = parameters_of(weight_at, bias_at);
  for (var i = id % shares; i < params.n; i += shares) {
    if (STATS_VARY) {
      s = stats_of(stats_at + i * params.stats_step);
    }
    if (PARAMETERS_VARY) {
      p = parameters_of(
        weight_at + i * params.weight_step,
        bias_at + i * params.bias_step,
      );
    }
    let xhat = (f32(x[x_at + i * params.x_step]) - s.x) * s.y;
    y[y_at + i * params.y_step] = T(xhat * p.x + p.y);
  }
}
