// x: [kept.., n] by strides -> y: [kept.., n]
//
// m = max(x), s = sum(exp(x - m)), y = exp(x - m) / s (softmax)
//                                  y = x - m - log(s) (log-softmax)
//
// Sum: each invocation merges the pairs (m, s) of its elements in order; the
// pairs of a workgroup are merged as a tree.
//
// Tiling: one workgroup owns one row; its invocations read neighbouring
// elements, twice: for m and s together, and to write. WORKGROUP pairs are
// staged in workgroup memory.
//
// Edges: an invocation without elements has the pair of none, (LEAST, 0).
// Undefined rows are found as in row.wgsl.
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

var<workgroup> stage: array<vec2f, WORKGROUP>;

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let row = group.y * groups.x + group.x;
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
  var pair = vec2f(LEAST, 0.0);
  for (var i = lane; i < params.n; i += WORKGROUP) {
    pair = merge(pair, pair_of(f32(x[x_at + i * params.x_step])));
  }
  stage[lane] = pair;
  for (var half = WORKGROUP / 2u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (lane < half) {
      stage[lane] = merge(stage[lane], stage[lane + half]);
    }
  }
  workgroupBarrier();
  let stats = row_of(stage[0].x, stage[0].y, magnitude(stage[0].x));
  for (var i = lane; i < params.n; i += WORKGROUP) {
    let value = f32(x[x_at + i * params.x_step]);
    y[y_at + i * params.y_step] = T(apply(value, stats));
  }
}
