// x: [kept.., n] by strides, pairs: [kept..] -> y: [kept.., n]
//
// y = exp(x - m) / s (softmax), y = x - m - log(s) (log-softmax) where the
// pairs (m, s) come from an earlier launch
//
// No sum.
//
// Tiling: one invocation owns up to SPAN elements of one row, a stride of
// `shares` apart so that neighbours read neighbouring elements.
//
// Edges: invocations past rows * shares stop; elements past n are skipped.
// Undefined rows are found as in row.wgsl.
//
// Appended: alias T (elements), const KEPT_RANK, pair.wgsl, row.wgsl and a
// row_*.wgsl.

struct Params {
  rows: u32,
  n: u32,
  x_step: u32, // stride of the row's axis
  pairs_step: u32, // 0
  y_step: u32,
  x_base: u32,
  pairs_base: u32,
  y_base: u32,
  // Innermost axis last.
  kept_shape: array<vec4u, 2>,
  kept_x: array<vec4u, 2>,
  kept_pairs: array<vec4u, 2>,
  kept_y: array<vec4u, 2>,
}

const WORKGROUP = 64u;
const SPAN = 16u;

@group(0) @binding(0) var<storage, read> x: array<T>;
@group(0) @binding(1) var<storage, read> pairs: array<vec2f>;
@group(0) @binding(2) var<storage, read_write> y: array<T>;
@group(0) @binding(3) var<uniform> params: Params;

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
  var pairs_at = params.pairs_base;
  var y_at = params.y_base;
  var rest = id / shares;
  for (var k = 1u; k <= KEPT_RANK; k++) {
    let d = 8u - k;
    let size = params.kept_shape[d / 4u][d % 4u];
    x_at += (rest % size) * params.kept_x[d / 4u][d % 4u];
    pairs_at += (rest % size) * params.kept_pairs[d / 4u][d % 4u];
    y_at += (rest % size) * params.kept_y[d / 4u][d % 4u];
    rest /= size;
  }
  let pair = pairs[pairs_at];
  let stats = row_of(pair.x, pair.y, magnitude(pair.x));
  for (var i = id % shares; i < params.n; i += shares) {
    let value = f32(x[x_at + i * params.x_step]);
    y[y_at + i * params.y_step] = T(apply(value, stats));
  }
}
