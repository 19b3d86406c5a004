// y, dy: [kept.., n] by strides -> dx: [kept.., n], n small
//
// s = sum(dy * y), dx = y * (dy - s) (softmax)
// s = sum(dy),     dx = dy - exp(y) * s (log-softmax)
//
// Sum: one accumulator, in order of the row.
//
// Tiling: one invocation owns one row, reads it once and holds it in
// registers. N is a constant so that the loops unroll.
//
// Edges: invocations past the number of rows stop.
//
// Appended: alias T (elements), const KEPT_RANK and N, a backward_*.wgsl with
// fn term(y: f32, dy: f32) -> f32 and fn apply(y: f32, dy: f32, s: f32) -> f32.

struct Params {
  rows: u32,
  n: u32,
  y_step: u32, // stride of the row's axis
  dy_step: u32,
  dx_step: u32,
  y_base: u32,
  dy_base: u32,
  dx_base: u32,
  // Innermost axis last.
  kept_shape: array<vec4u, 2>,
  kept_y: array<vec4u, 2>,
  kept_dy: array<vec4u, 2>,
  kept_dx: array<vec4u, 2>,
}

const WORKGROUP = 64u;

@group(0) @binding(0) var<storage, read> y: array<T>;
@group(0) @binding(1) var<storage, read> dy: array<T>;
@group(0) @binding(2) var<storage, read_write> dx: array<T>;
@group(0) @binding(3) var<uniform> params: Params;

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
  var y_at = params.y_base;
  var dy_at = params.dy_base;
  var dx_at = params.dx_base;
  var rest = row;
  for (var k = 1u; k <= KEPT_RANK; k++) {
    let d = 8u - k;
    let size = params.kept_shape[d / 4u][d % 4u];
    y_at += (rest % size) * params.kept_y[d / 4u][d % 4u];
    dy_at += (rest % size) * params.kept_dy[d / 4u][d % 4u];
    dx_at += (rest % size) * params.kept_dx[d / 4u][d % 4u];
    rest /= size;
  }
  var ys: array<f32, N>;
  var dys: array<f32, N>;
  var sum = 0.0;
  for (var i = 0u; i < N; i++) {
    ys[i] = f32(y[y_at + i * params.y_step]);
    dys[i] = f32(dy[dy_at + i * params.dy_step]);
    sum += term(ys[i], dys[i]);
  }
  for (var i = 0u; i < N; i++) {
    dx[dx_at + i * params.dx_step] = T(apply(ys[i], dys[i], sum));
  }
}
