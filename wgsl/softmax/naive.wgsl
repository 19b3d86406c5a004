// x: [kept.., n] by strides -> y: [kept.., n]
//
// m = max(x), s = sum(exp(x - m)), y = exp(x - m) / s (softmax)
//                                  y = x - m - log(s) (log-softmax)
//
// Sum: one accumulator, in order of the row.
//
// Tiling: one invocation owns one row and reads it three times: for the
// maximum, for the sum, and to write.
//
// Edges: a row with NaN or +inf, or of -inf only, is NaN throughout, as in
// PyTorch. None of these can be left to float arithmetic: see row.wgsl.
//
// Appended: alias T (elements), const KEPT_RANK, pair.wgsl, row.wgsl and a
// row_*.wgsl.

struct Params {
  rows: u32,
  n: u32,
  x_step: u32, // stride of the row's axis
  y_step: u32,
  x_base: u32,
  y_base: u32,
  // Innermost axis last.
  kept_shape: array<vec4u, 2>,
  kept_x: array<vec4u, 2>,
  kept_y: array<vec4u, 2>,
}

const WORKGROUP = 64u;

@group(0) @binding(0) var<storage, read> x: array<T>;
@group(0) @binding(1) var<storage, read_write> y: array<T>;
@group(0) @binding(2) var<uniform> params: Params;

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
  var x_at = params.x_base;
  var y_at = params.y_base;
  var rest = row;
  for (var k = 1u; k <= KEPT_RANK; k++) {
    let d = 8u - k;
    let size = params.kept_shape[d / 4u][d % 4u];
    x_at += (rest % size) * params.kept_x[d / 4u][d % 4u];
    y_at += (rest % size) * params.kept_y[d / 4u][d % 4u];
    rest /= size;
  }
  var highest = LEAST;
  var worst = 0u;
  for (var i = 0u; i < params.n; i++) {
    let value = f32(x[x_at + i * params.x_step]);
    highest = max(highest, value);
    worst = max(worst, magnitude(value));
  }
  var sum = 0.0;
  for (var i = 0u; i < params.n; i++) {
    sum += exp(f32(x[x_at + i * params.x_step]) - highest);
  }
  let stats = row_of(highest, sum, worst);
  for (var i = 0u; i < params.n; i++) {
    let value = f32(x[x_at + i * params.x_step]);
    y[y_at + i * params.y_step] = T(apply(value, stats));
  }
}
