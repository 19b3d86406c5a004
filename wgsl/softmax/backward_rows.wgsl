// y, dy: [kept.., n] by strides -> dx: [kept.., n]
//
// s = sum(dy * y), dx = y * (dy - s) (softmax)
// s = sum(dy),     dx = dy - exp(y) * s (log-softmax)
//
// Sum: element i goes to accumulator i % 4; the four are added at the end.
//
// Tiling: one invocation owns one row and reads it twice, four elements a
// turn: for the sum, and to write.
//
// Edges: a last loop takes the up to three elements that don't fill a turn.
//
// Appended: alias T (elements), const KEPT_RANK and a backward_*.wgsl with
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

fn four_y(at: u32) -> vec4f {
  let step = params.y_step;
  return vec4f(
    f32(y[at]),
    f32(y[at + step]),
    f32(y[at + 2u * step]),
    f32(y[at + 3u * step]),
  );
}

fn four_dy(at: u32) -> vec4f {
  let step = params.dy_step;
  return vec4f(
    f32(dy[at]),
    f32(dy[at + step]),
    f32(dy[at + 2u * step]),
    f32(dy[at + 3u * step]),
  );
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
  var sums = vec4f(0.0);
  var i = 0u;
  for (; i + 3u < params.n; i += 4u) {
    let a = four_y(y_at + i * params.y_step);
    let b = four_dy(dy_at + i * params.dy_step);
    sums += vec4f(
      term(a.x, b.x),
      term(a.y, b.y),
      term(a.z, b.z),
      term(a.w, b.w),
    );
  }
  for (; i < params.n; i++) {
    sums.x += term(
      f32(y[y_at + i * params.y_step]),
      f32(dy[dy_at + i * params.dy_step]),
    );
  }
  let sum = (sums.x + sums.y) + (sums.z + sums.w);
  i = 0u;
  for (; i + 3u < params.n; i += 4u) {
    let a = four_y(y_at + i * params.y_step);
    let b = four_dy(dy_at + i * params.dy_step);
    let at = dx_at + i * params.dx_step;
    dx[at] = T(apply(a.x, b.x, sum));
    dx[at + params.dx_step] = T(apply(a.y, b.y, sum));
    dx[at + 2u * params.dx_step] = T(apply(a.z, b.z, sum));
    dx[at + 3u * params.dx_step] = T(apply(a.w, b.w, sum));
  }
  for (; i < params.n; i++) {
    dx[dx_at + i * params.dx_step] = T(apply(
      f32(y[y_at + i * params.y_step]),
      f32(dy[dy_at + i * params.dy_step]),
      sum,
    ));
  }
}
