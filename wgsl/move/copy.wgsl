// x: any shape and strides -> y: the same shape, any strides
//
// y[p] = convert(x[p])
//
// No sum.
//
// Tiling: one invocation owns one element. It splits its number into
// coordinates, last axis first, and takes the places in x and y from strides.
// Neighbouring invocations write neighbouring elements of y; what they read
// is as far apart as the last stride of x.
//
// Edges: elements past `count` are skipped.
//
// Appended: alias S (elements of x), alias D (elements of y) and
// fn convert(value: S) -> D.

struct Params {
  count: u32,
  x_base: u32,
  y_base: u32,
  shape: array<vec4u, 2>,
  x_strides: array<vec4u, 2>,
  y_strides: array<vec4u, 2>,
}

// Axes in use: the last RANK of the eight that Params has room for.
override RANK: u32 = 8u;

@group(0) @binding(0) var<storage, read> x: array<S>;
@group(0) @binding(1) var<storage, read_write> y: array<D>;
@group(0) @binding(2) var<uniform> params: Params;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let number = (group.y * groups.x + group.x) * 64u + lane;
  if (number >= params.count) {
    return;
  }
  var x_at = params.x_base;
  var y_at = params.y_base;
  var rest = number;
  for (var axis = 0u; axis < RANK; axis++) {
    let d = 7u - axis;
    let size = params.shape[d / 4u][d % 4u];
    let place = rest % size;
    rest /= size;
    x_at += place * params.x_strides[d / 4u][d % 4u];
    y_at += place * params.y_strides[d / 4u][d % 4u];
  }
  y[y_at] = convert(x[x_at]);
}
