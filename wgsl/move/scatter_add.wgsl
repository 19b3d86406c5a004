// source, index: [.., I, ..] -> y: [.., A, ..]
//
// y[.., a, ..] = sum over i with index[.., i, ..] = a of source[.., i, ..]
//
// The sum runs over i in ascending order, so the result is the same each
// time, without atomics.
//
// Tiling: one invocation owns one element of y and looks through all I
// entries of the index for those that name it: I reads of index for each
// element of y, and one of source for each addition.
//
// Edges: a launch sees `entries` of the axis of I, all of them unless they
// pass the limit on loop trips or on the size of a binding. The first launch
// starts from zero; those after it add to what is there, in T. An index
// outside the axis names no element and is left out.
//
// Appended: alias T (elements), alias C (what sums are kept in: f32, i32 or
// u32), alias I (i32 or u32).

struct Params {
  count: u32,
  source_base: u32,
  index_base: u32,
  y_base: u32,
  entry_base: u32,
  entries: u32,
  source_stride: u32,
  index_stride: u32,
  shape: array<vec4u, 2>,
  source_strides: array<vec4u, 2>,
  index_strides: array<vec4u, 2>,
  y_strides: array<vec4u, 2>,
  // 1 on the axis of A and 0 elsewhere: gives a.
  entry_strides: array<vec4u, 2>,
  adds: u32,
}

// Axes in use: the last RANK of the eight that Params has room for.
override RANK: u32 = 8u;

@group(0) @binding(0) var<storage, read> source: array<T>;
@group(0) @binding(1) var<storage, read> index: array<I>;
@group(0) @binding(2) var<storage, read_write> y: array<T>;
@group(0) @binding(3) var<uniform> params: Params;

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
  var source_at = params.source_base;
  var index_at = params.index_base;
  var y_at = params.y_base;
  var entry = params.entry_base;
  var rest = number;
  for (var axis = 0u; axis < RANK; axis++) {
    let d = 7u - axis;
    let size = params.shape[d / 4u][d % 4u];
    let place = rest % size;
    rest /= size;
    source_at += place * params.source_strides[d / 4u][d % 4u];
    index_at += place * params.index_strides[d / 4u][d % 4u];
    y_at += place * params.y_strides[d / 4u][d % 4u];
    entry += place * params.entry_strides[d / 4u][d % 4u];
  }

  var sum = C();
  if (params.adds == 1u) {
    sum = C(y[y_at]);
  }
  for (var i = 0u; i < params.entries; i++) {
    if (u32(index[index_at]) == entry) {
      sum += C(source[source_at]);
    }
    index_at += params.index_stride;
    source_at += params.source_stride;
  }
  y[y_at] = T(sum);
}
