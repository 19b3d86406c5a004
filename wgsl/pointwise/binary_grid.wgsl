// y[i] = op(a[i], b[i]) for operands of any strides, in tiles
//
// a, b: [n0, ..., nk] seen through strides and a first element -> y: the
// same shape, of at least three axes (1s in front). A, B, X and Y (element
// types as stored, computed and written) and op are appended by the launch
// plan. Operands that broadcast have strides of 0.
//
// The sum: none; op is applied once an element.
//
// Tiling: a workgroup owns a tile of 256 / width rows by width * PER columns
// of the last two axes, an invocation PER elements of a row, width apart, so
// that neighbouring invocations touch neighbouring words. Workgroups along x
// and y walk the last two axes without a division, along z all others.
// Nothing is staged; two reads an element, or one and a quarter where B_STILL
// says that b repeats along the rows.
//
// Edges: a tile may be cut by the end of either axis. The last RANK words of
// sizes and strides count.

override RANK: u32 = 3u;
override B_STILL: u32 = 0u;

const PER = 4u;

struct Params {
  args: vec4u, // numbers for op
  sizes: array<vec4u, 2>,
  a_strides: array<vec4u, 2>,
  b_strides: array<vec4u, 2>,
  y_strides: array<vec4u, 2>,
  a_first: u32,
  b_first: u32,
  y_first: u32,
  width_log2: u32,
}

@group(0) @binding(0) var<storage, read> a: array<A>;
@group(0) @binding(1) var<storage, read> b: array<B>;
@group(0) @binding(2) var<storage, read_write> y: array<Y>;
@group(0) @binding(3) var<uniform> params: Params;

@compute @workgroup_size(256)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let width = 1u << params.width_log2;
  let row = group.y * (256u >> params.width_log2) +
    (lane >> params.width_log2);
  if (row >= params.sizes[1].z) {
    return;
  }
  var a_at = params.a_first + row * params.a_strides[1].z;
  var b_at = params.b_first + row * params.b_strides[1].z;
  var y_at = params.y_first + row * params.y_strides[1].z;
  var rest = group.z;
  for (var d = 5u; d > 8u - RANK; d -= 1u) {
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
  let first = group.x * width * PER + (lane & (width - 1u));
  var b_value = X(b[b_at]);
  for (var k = 0u; k < PER; k += 1u) {
    let i = first + k * width;
    if (i < params.sizes[1].w) {
      let a_value = X(a[a_at + i * params.a_strides[1].w]);
      if (B_STILL == 0u) {
        b_value = X(b[b_at + i * params.b_strides[1].w]);
      }
      y[y_at + i * params.y_strides[1].w] = Y(op(a_value, b_value));
    }
  }
}
