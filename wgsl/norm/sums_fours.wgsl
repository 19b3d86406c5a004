// dy, x: [kept.., n] in vectors of four, weight, stats: [kept.., n] with one
// value a vector, all by strides -> sums: [kept..]
//
// sums = (sum(h), sum(h * xhat)), h = dy * weight,
// xhat = (x - mean) / sqrt(variance + EPSILON)
//
// Sum: an accumulator a component and sum, combined pairwise; pieces are
// short, and a reduction adds them up.
//
// Tiling: one invocation owns one piece of a run and reads it once, four
// elements a read. Statistics and weight are read once where they are the same
// all along the run. Workgroup memory: none. Registers: two vectors of sums,
// two of values.
//
// Edges: invocations past the rows stop. Runs that no fours make up take
// sums.wgsl.
//
// Appended: alias T (elements), W (weight) and R (results), const KEPT_RANK,
// EPSILON, HAS_WEIGHT, STATS_VARY and WEIGHT_VARIES (whether a run has several
// of them), fn store(a: vec2f) -> R.

struct Params {
  rows: u32,
  n: u32, // in vectors, like all that follows of dy and x
  dy_step: u32, // stride along a piece
  x_step: u32,
  weight_step: u32,
  stats_step: u32,
  y_step: u32, // 0
  dy_base: u32,
  x_base: u32,
  weight_base: u32,
  stats_base: u32,
  y_base: u32,
  // Innermost axis last.
  kept_shape: array<vec4u, 2>,
  kept_dy: array<vec4u, 2>,
  kept_x: array<vec4u, 2>,
  kept_weight: array<vec4u, 2>,
  kept_stats: array<vec4u, 2>,
  kept_y: array<vec4u, 2>,
}

const WORKGROUP = 64u;

@group(0) @binding(0) var<storage, read> dy: array<vec4<T>>;
@group(0) @binding(1) var<storage, read> x: array<vec4<T>>;
@group(0) @binding(2) var<storage, read> weight: array<W>;
@group(0) @binding(3) var<storage, read> stats: array<vec2f>;
@group(0) @binding(4) var<storage, read_write> y: array<R>;
@group(0) @binding(5) var<uniform> params: Params;

// Mean, and 1 / root of the variance.
fn stats_of(at: u32) -> vec2f {
  let s = stats[at];
  return vec2f(s.x, inverseSqrt(s.y + EPSILON));
}

fn weight_of(at: u32) -> f32 {
  if (HAS_WEIGHT) {
    return f32(weight[at]);
  }
  return 1.0;
}

fn total(v: vec4f) -> f32 {
  return (v.x + v.y) + (v.z + v.w);
}

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let row = (group.y * groups.x + group.x) * WORKGROUP + lane;
  if (row >= params.rows) {
    return;
  }
  var dy_at = params.dy_base;
  var x_at = params.x_base;
  var weight_at = params.weight_base;
  var stats_at = params.stats_base;
  var y_at = params.y_base;
  var rest = row;
  for (var k = 1u; k <= KEPT_RANK; k++) {
    let d = 8u - k;
    let size = params.kept_shape[d / 4u][d % 4u];
    dy_at += (rest % size) * params.kept_dy[d / 4u][d % 4u];
    x_at += (rest % size) * params.kept_x[d / 4u][d % 4u];
    weight_at += (rest % size) * params.kept_weight[d / 4u][d % 4u];
    stats_at += (rest % size) * params.kept_stats[d / 4u][d % 4u];
    y_at += (rest % size) * params.kept_y[d / 4u][d % 4u];
    rest /= size;
  }
  var s = stats_of(stats_at);
  var factor = weight_of(weight_at);
  var sum = vec4f(0.0);
  var product = vec4f(0.0);
  for (var i = 0u; i < params.n; i++) {
    if (STATS_VARY) {
      s = stats_of(stats_at + i * params.stats_step);
    }
    if (WEIGHT_VARIES) {
      factor = weight_of(weight_at + i * params.weight_step);
    }
    let h = vec4f(dy[dy_at]) * factor;
    sum += h;
    product += h * ((vec4f(x[x_at]) - s.x) * s.y);
    dy_at += params.dy_step;
    x_at += params.x_step;
  }
  y[y_at] = store(vec2f(total(sum), total(product)));
}
