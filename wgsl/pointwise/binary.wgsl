// y[i] = op(a[i], b[i]) for operands of any strides
//
// a, b: [n0, ..., nk] seen through strides and a first element -> y: the
// same shape. A, B, X and Y (element types as stored, computed and written)
// and op are appended by the launch plan. Operands that broadcast have strides
// of 0.
//
// The sum: none; op is applied once an element.
//
// Tiling: an invocation owns one element. Nothing is staged; two reads and
// RANK - 1 divisions an element.
//
// Edges: invocations past the last element stop. The last RANK words of sizes
// and strides count.

override RANK: u32 = 1u;

struct Params {
  args: vec4u, // numbers for op
  sizes: array<vec4u, 2>,
  a_strides: array<vec4u, 2>,
  b_strides: array<vec4u, 2>,
  y_strides: array<vec4u, 2>,
  a_first: u32,
  b_first: u32,
  y_first: u32,
  count: u32,
}

@group(0) @binding(0) var<storage, read> a: array<A>;
@group(0) @binding(1) var<storage, read> b: array<B>;
@group(0) @binding(2) var<storage, read_write> y: array<Y>;
@group(0) @binding(3) var<uniform> params: Params;

@compute @workgroup_size(256)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let i = (group.y * groups.x + group.x) * 256u + lane;
  if (i >= params.count) {
    return;
  }
  var rest = i;
  var a_at = params.a_first;
  var b_at = params.b_first;
  var y_at = params.y_first;
  for (var d = 7u; d > 8u - RANK; d -= 1u) {
    let n = params.sizes[d >> 2u][d & 3u];
    let at = rest % n;
    rest /= n;
    a_at += at * params.a_strides[d >> 2u][d & 3u];
    b_at += at * params.b_strides[d >> 2u][d & 3u];
    y_at += at * params.y_strides[d >> 2u][d & 3u];
  }
  let d = 8u - RANK;
  a_at += rest * params.a_strides[d >> 2u][d & 3u];
  b_at += rest * params.b_strides[d >> 2u][d & 3u];
  y_at += rest * params.y_strides[d >> 2u][d & 3u];
  y[y_at] = Y(op(X(a[a_at]), X(b[b_at])));
}
