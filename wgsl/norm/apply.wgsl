// x: [kept.., n], weight, bias, stats: the same by strides -> y: [kept.., n]
//
// y = finish((x - mean) / sqrt(variance + EPSILON) * weight + bias)
//
// No sum: the statistics come from an earlier launch.
//
// Tiling: one invocation owns SPAN consecutive elements of one row, so that a
// full span is straight-line code. Statistics and parameters are read once
// where they are the same all along the row.
//
// Edges: invocations past rows * shares stop; a span that hangs over the row's
// end goes element by element.
//
// Appended: alias T (elements) and W (parameters), const KEPT_RANK, SPAN,
// EPSILON, HAS_WEIGHT, HAS_BIAS, STATS_VARY and PARAMETERS_VARY (whether a row
// has several of them), fn finish (../epilogue.ts).

struct Params {
  rows: u32,
  n: u32,
  x_step: u32, // stride of the row's axis: 1, unless the row has one element
  weight_step: u32, // 1 or 0
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

// Where an operand's row begins.
struct Places {
  x: u32,
  weight: u32,
  bias: u32,
  stats: u32,
  y: u32,
}

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

// One element. `s` and `p` are what holds where they don't vary.
fn apply(at: Places, i: u32, s: vec2f, p: vec2f) {
  var own = s;
  if (STATS_VARY) {
    own = stats_of(at.stats + i);
  }
  var q = p;
  if (PARAMETERS_VARY) {
    q = parameters_of(
      at.weight + i * params.weight_step,
      at.bias + i * params.bias_step,
    );
  }
  let value = (f32(x[at.x + i]) - own.x) * own.y * q.x + q.y;
  y[at.y + i] = T(finish(value, vec2f(1.0, 0.0), at.y + i));
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
  var at = Places(
    params.x_base,
    params.weight_base,
    params.bias_base,
    params.stats_base,
    params.y_base,
  );
  var rest = id / shares;
  for (var k = 1u; k <= KEPT_RANK; k++) {
    let d = 8u - k;
    let size = params.kept_shape[d / 4u][d % 4u];
    at.x += (rest % size) * params.kept_x[d / 4u][d % 4u];
    at.weight += (rest % size) * params.kept_weight[d / 4u][d % 4u];
    at.bias += (rest % size) * params.kept_bias[d / 4u][d % 4u];
    at.stats += (rest % size) * params.kept_stats[d / 4u][d % 4u];
    at.y += (rest % size) * params.kept_y[d / 4u][d % 4u];
    rest /= size;
  }
  let s = stats_of(at.stats);
  let p = parameters_of(at.weight, at.bias);
  let first = id % shares * SPAN;
  if (first + SPAN <= params.n) {
    for (var i = 0u; i < SPAN; i++) {
      apply(at, first + i, s, p);
    }
  } else {
    for (var i = first; i < params.n; i++) {
      apply(at, i, s, p);
    }
  }
}
