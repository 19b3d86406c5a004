// x: [kept.., n] by strides -> y: [kept.., n]
//
// m = max(x), s = sum(exp(x - m)), y = exp(x - m) / s (softmax)
//                                  y = x - m - log(s) (log-softmax)
//
// Sum: online. Four elements at a time raise the maximum m; the four sums
// are scaled by exp(m before - m after) and take one element each.
//
// Tiling: one invocation owns one row and reads it twice: for maximum and
// sum together, and to write. Four sums hide the latency of exp, and the
// scaling costs one exp for four elements.
//
// Edges: a last loop takes the up to three elements that don't fill the four
// sums. Undefined rows are found as in row.wgsl.
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

fn four(at: u32) -> vec4f {
  let step = params.x_step;
  return vec4f(
    f32(x[at]),
    f32(x[at + step]),
    f32(x[at + 2u * step]),
    f32(x[at + 3u * step]),
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
  var sums = vec4f(0.0);
  var worst = vec4u(0u);
  var at = x_at;
  var i = 0u;
  for (; i + 3u < params.n; i += 4u) {
    let values = four(at);
    let pairs = max(values.xy, values.zw);
    let raised = max(highest, max(pairs.x, pairs.y));
    sums = sums * exp(highest - raised) + exp(values - raised);
    worst = max(worst, bitcast<vec4u>(values) & vec4u(0x7fffffffu));
    highest = raised;
    at += 4u * params.x_step;
  }
  for (; i < params.n; i++) {
    let value = f32(x[at]);
    let raised = max(highest, value);
    sums *= exp(highest - raised);
    sums.x += exp(value - raised);
    worst.x = max(worst.x, magnitude(value));
    highest = raised;
    at += params.x_step;
  }
  let stats = row_of(
    highest,
    (sums.x + sums.y) + (sums.z + sums.w),
    max(max(worst.x, worst.y), max(worst.z, worst.w)),
  );
  at = x_at;
  i = 0u;
  for (; i + 3u < params.n; i += 4u) {
    let values = four(at);
    y[y_at] = T(apply(values.x, stats));
    y[y_at + params.y_step] = T(apply(values.y, stats));
    y[y_at + 2u * params.y_step] = T(apply(values.z, stats));
    y[y_at + 3u * params.y_step] = T(apply(values.w, stats));
    at += 4u * params.x_step;
    y_at += 4u * params.y_step;
  }
  for (; i < params.n; i++) {
    y[y_at] = T(apply(f32(x[at]), stats));
    at += params.x_step;
    y_at += params.y_step;
  }
}
