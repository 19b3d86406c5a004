// y, dy: [kept.., n] by strides, sums: [kept..] -> dx: [kept.., n]
//
// s = sum(dy * y), dx = y * (dy - s) (softmax)
// s = sum(dy),     dx = dy - exp(y) * s (log-softmax)
// where the sums s come from an earlier launch
//
// No sum.
//
// Tiling: one invocation owns up to SPAN elements of one row, a stride of
// `shares` apart so that neighbours read neighbouring elements.
//
// Edges: invocations past rows * shares stop; elements past n are skipped.
//
// Appended: alias T (elements), const KEPT_RANK and a backward_*.wgsl with
// fn term(y: f32, dy: f32) -> f32 and fn apply(y: f32, dy: f32, s: f32) -> f32.

struct Params {
  rows: u32,
  n: u32,
  y_step: u32, // stride of the row's axis
  dy_step: u32,
  sums_step: u32, // 0
  dx_step: u32,
  y_base: u32,
  dy_base: u32,
  sums_base: u32,
  dx_base: u32,
  // Innermost axis last.
  kept_shape: array<vec4u, 2>,
  kept_y: array<vec4u, 2>,
  kept_dy: array<vec4u, 2>,
  kept_sums: array<vec4u, 2>,
  kept_dx: array<vec4u, 2>,
}

const WORKGROUP = 64u;
const SPAN = 16u;

@group(0) @binding(0) var<storage, read> y: array<T>;
@group(0) @binding(1) var<storage, read> dy: array<T>;
@group(0) @binding(2) var<storage, read> sums: array<f32>;
@group(0) @binding(3) var<storage, read_write> dx: array<T>;
@group(0) @binding(4) var<uniform> params: Params;

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
  var y_at = params.y_base;
  var dy_at = params.dy_base;
  var sums_at = params.sums_base;
  var dx_at = params.dx_base;
  var rest = id / shares;
  for (var k = 1u; k <= KEPT_RANK; k++) {
    let d = 8u - k;
    let size = params.kept_shape[d / 4u][d % 4u];
    y_at += (rest % size) * params.kept_y[d / 4u][d % 4u];
    dy_at += (rest % size) * params.kept_dy[d / 4u][d % 4u];
    sums_at += (rest % size) * params.kept_sums[d / 4u][d % 4u];
    dx_at += (rest % size) * params.kept_dx[d / 4u][d % 4u];
    rest /= size;
  }
  let sum = sums[sums_at];
  for (var i = id % shares; i < params.n; i += shares) {
    dx[dx_at + i * params.dx_step] = T(apply(
      f32(y[y_at + i * params.y_step]),
      f32(dy[dy_at + i * params.dy_step]),
      sum,
    ));
  }
}
