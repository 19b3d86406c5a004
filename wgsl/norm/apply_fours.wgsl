// x: [kept.., n] in vectors of four, weight, bias, stats: [kept..], all by
// strides -> y: [kept.., n] in vectors of four
//
// y = finish((x - mean) / sqrt(variance + EPSILON) * weight + bias)
//
// No sum: the statistics come from an earlier launch.
//
// Tiling: one invocation owns SPAN consecutive vectors of one row, all of one
// mean and one channel, so that a full span is straight-line code: a read and
// a write for four elements. Workgroup memory: none. Registers: a vector, a
// factor and a summand.
//
// Edges: invocations past rows * shares stop; a span that hangs over the row's
// end goes vector by vector. Rows that no fours make up, and rows of several
// means or channels, take apply.wgsl.
//
// Appended: alias T (elements) and W (parameters), const KEPT_RANK, SPAN,
// EPSILON, HAS_WEIGHT and HAS_BIAS, fn finish (../epilogue.ts).

struct Params {
  rows: u32,
  n: u32, // in vectors, like all that follows of x and y
  x_step: u32, // stride of the row's axis: 1, unless the row has one vector
  weight_step: u32, // 0, like the next two
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

@group(0) @binding(0) var<storage, read> x: array<vec4<T>>;
@group(0) @binding(1) var<storage, read> weight: array<W>;
@group(0) @binding(2) var<storage, read> bias: array<W>;
@group(0) @binding(3) var<storage, read> stats: array<vec2f>;
@group(0) @binding(4) var<storage, read_write> y: array<vec4<T>>;
@group(0) @binding(5) var<uniform> params: Params;

// One vector: number `to` of y, of x's number `source`.
fn apply(source: u32, to: u32, mean: f32, factor: f32, summand: f32) {
  let value = (vec4f(x[source]) - mean) * factor + summand;
  let plain = vec2f(1.0, 0.0);
  y[to] = vec4<T>(
    T(finish(value.x, plain, 4u * to)),
    T(finish(value.y, plain, 4u * to + 1u)),
    T(finish(value.z, plain, 4u * to + 2u)),
    T(finish(value.w, plain, 4u * to + 3u)),
  );
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
  let s = stats[stats_at];
  var factor = inverseSqrt(s.y + EPSILON);
  if (HAS_WEIGHT) {
    factor *= f32(weight[weight_at]);
  }
  var summand = 0.0;
  if (HAS_BIAS) {
    summand = f32(bias[bias_at]);
  }
  let first = id % shares * SPAN;
  if (first + SPAN <= params.n) {
    for (var i = 0u; i < SPAN; i++) {
      apply(x_at + first + i, y_at + first + i, s.x, factor, summand);
    }
  } else {
    for (var i = first; i < params.n; i++) {
      apply(x_at + i, y_at + i, s.x, factor, summand);
    }
  }
}
