// x: [.., A, ..], index: [.., I, ..] -> y: [.., I, ..]
//
// y[.., i, ..] = x[.., index[.., i, ..], ..]
//
// No sum: every element of y is one element of x, moved as its bits.
//
// Tiling: one invocation owns one element of y. It splits its number into
// coordinates, last axis first, and takes the place in x, index and y from
// strides, so that any view will do; a stride of 0 repeats. One read of index
// and one of x for each element.
//
// Edges: a launch sees the entries [first, first + length) of the axis of x,
// the whole axis unless x is too large for a binding; other entries are left
// to the other launches. An index outside the axis gives `outside`: NaN, or 0
// for integers. A negative i32 counts as outside too.
//
// Appended: alias T (elements as bits), alias I (i32 or u32), and
// fn from_bits(bits: u32) -> T.

struct Params {
  count: u32,
  x_base: u32,
  index_base: u32,
  y_base: u32,
  axis_stride: u32,
  first: u32,
  length: u32,
  axis_size: u32,
  shape: array<vec4u, 2>,
  x_strides: array<vec4u, 2>,
  index_strides: array<vec4u, 2>,
  y_strides: array<vec4u, 2>,
  outside: u32,
}

// Axes in use: the last RANK of the eight that Params has room for.
override RANK: u32 = 8u;

@group(0) @binding(0) var<storage, read> x: array<T>;
@group(0) @binding(1) var<storage, read> index: array<I>;
@group(0) @binding(2) var<storage, read_write> y: array<T>;
@group(0) @binding(3) var<uniform> params: Params;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let i = (group.y * groups.x + group.x) * 64u + lane;
  if (i >= params.count) {
    return;
  }
  var x_at = params.x_base;
  var index_at = params.index_base;
  var y_at = params.y_base;
  var rest = i;
  for (var axis = 0u; axis < RANK; axis++) {
    let d = 7u - axis;
    let size = params.shape[d / 4u][d % 4u];
    let place = rest % size;
    rest /= size;
    x_at += place * params.x_strides[d / 4u][d % 4u];
    index_at += place * params.index_strides[d / 4u][d % 4u];
    y_at += place * params.y_strides[d / 4u][d % 4u];
  }

  let entry = u32(index[index_at]);
  if (entry >= params.axis_size) {
    y[y_at] = from_bits(params.outside);
  } else if (entry >= params.first && entry - params.first < params.length) {
    y[y_at] = x[x_at + (entry - params.first) * params.axis_stride];
  }
}
