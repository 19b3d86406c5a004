// dy, x: [kept.., n], weight, stats, sums: the same by strides
// -> dx: [kept.., n]
//
// dx = r * (dy * weight - (sums.x + xhat * sums.y) / COUNT)
// r = 1 / sqrt(variance + EPSILON), xhat = (x - mean) * r
//
// No sum: statistics and sums come from earlier launches. Where a group is one
// channel the sums are taken without weight (WEIGHT_LAST) and it multiplies
// the whole; without CENTERED no gradient flows through the mean.
//
// Tiling: one invocation owns up to SPAN elements of one row, a stride of
// `shares` apart so that neighbours read neighbouring elements. What is the
// same all along the row is read once.
//
// Edges: invocations past rows * shares stop; elements past n are skipped.
//
// Appended: alias T (elements) and W (weight), const KEPT_RANK, SPAN,
// EPSILON, COUNT, HAS_WEIGHT, WEIGHT_LAST, CENTERED, STATS_VARY and
// WEIGHT_VARIES (whether a row has several of them).

struct Params {
  rows: u32,
  n: u32,
  dy_step: u32, // stride of the row's axis
  x_step: u32,
  weight_step: u32,
  stats_step: u32,
  sums_step: u32,
  dx_step: u32,
  dy_base: u32,
  x_base: u32,
  weight_base: u32,
  stats_base: u32,
  sums_base: u32,
  dx_base: u32,
  // Innermost axis last.
  kept_shape: array<vec4u, 2>,
  kept_dy: array<vec4u, 2>,
  kept_x: array<vec4u, 2>,
  kept_weight: array<vec4u, 2>,
  kept_stats: array<vec4u, 2>,
  kept_sums: array<vec4u, 2>,
  kept_dx: array<vec4u, 2>,
}

const WORKGROUP = 64u;

@group(0) @binding(0) var<storage, read> dy: array<T>;
@group(0) @binding(1) var<storage, read> x: array<T>;
@group(0) @binding(2) var<storage, read> weight: array<W>;
@group(0) @binding(3) var<storage, read> stats: array<vec2f>;
@group(0) @binding(4) var<storage, read> sums: array<vec2f>;
@group(0) @binding(5) var<storage, read_write> dx: array<T>;
@group(0) @binding(6) var<uniform> params: Params;

struct Means {
  mean: f32, // of x
  root: f32, // 1 / root of the variance
  first: f32, // mean of h
  second: f32, // mean of h * xhat
}

fn means_of(stats_at: u32, sums_at: u32) -> Means {
  let s = stats[stats_at];
  let h = sums[sums_at] / COUNT;
  let first = select(0.0, h.x, CENTERED);
  return Means(s.x, inverseSqrt(s.y + EPSILON), first, h.y);
}

fn weight_of(at: u32) -> f32 {
  if (HAS_WEIGHT) {
    return f32(weight[at]);
  }
  return 1.0;
}

fn gradient(dy: f32, x: f32, m: Means, factor: f32) -> f32 {
  let xhat = (x - m.mean) * m.root;
  let through = m.first + xhat * m.second;
  if (WEIGHT_LAST) {
    return m.root * factor * (dy - through);
  }
  return m.root * (dy * factor - through);
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
  var dy_at = params.dy_base;
  var x_at = params.x_base;
  var weight_at = params.weight_base;
  var stats_at = params.stats_base;
  var sums_at = params.sums_base;
  var dx_at = params.dx_base;
  var rest = id / shares;
  for (var k = 1u; k <= KEPT_RANK; k++) {
    let d = 8u - k;
    let size = params.kept_shape[d / 4u][d % 4u];
    dy_at += (rest % size) * params.kept_dy[d / 4u][d % 4u];
    x_at += (rest % size) * params.kept_x[d / 4u][d % 4u];
    weight_at += (rest % size) * params.kept_weight[d / 4u][d % 4u];
    stats_at += (rest % size) * params.kept_stats[d / 4u][d % 4u];
    sums_at += (rest % size) * params.kept_sums[d / 4u][d % 4u];
    dx_at += (rest % size) * params.kept_dx[d / 4u][d % 4u];
    rest /= size;
  }
  var m = means_of(stats_at, sums_at);
  var factor = weight_of(weight_at);
  for (var i = id % shares; i < params.n; i += shares) {
    if (STATS_VARY) {
      m = means_of(
        stats_at + i * params.stats_step,
        sums_at + i * params.sums_step,
      );
    }
    if (WEIGHT_VARIES) {
      factor = weight_of(weight_at + i * params.weight_step);
    }
    dx[dx_at + i * params.dx_step] = T(gradient(
      f32(dy[dy_at + i * params.dy_step]),
      f32(x[x_at + i * params.x_step]),
      m,
      factor,
    ));
  }
}
