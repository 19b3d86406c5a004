// source, index: [.., I, ..] -> y: [.., A, ..], zeros before
//
// y[.., a, ..] = sum over i with index[.., i, ..] = a of source[.., i, ..]
//
// The sum runs over i in ascending order, as in scatter_add.wgsl, and gives
// the same bits.
//
// Tiling: one invocation owns one entry. It looks through all I entries of its
// line: if one before it names the same element, that one's invocation does
// the sum; otherwise it does it itself, so that each element is written by one
// invocation. I reads of index for each entry instead of for each element of
// y: better where y is longer than the index.
//
// Edges: an index outside the axis names no element and is left out.
//
// Appended: alias T (elements), alias C (what sums are kept in: f32, i32 or
// u32), alias I (i32 or u32).

struct Params {
  count: u32,
  source_base: u32,
  index_base: u32,
  y_base: u32,
  entries: u32,
  axis_size: u32,
  source_stride: u32,
  index_stride: u32,
  shape: array<vec4u, 2>,
  // Strides of a line's start: 0 on the axis of I.
  source_strides: array<vec4u, 2>,
  index_strides: array<vec4u, 2>,
  y_strides: array<vec4u, 2>,
  // 1 on the axis of I and 0 elsewhere: gives i.
  entry_strides: array<vec4u, 2>,
  y_stride: u32,
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
  var own = 0u;
  var rest = number;
  for (var axis = 0u; axis < RANK; axis++) {
    let d = 7u - axis;
    let size = params.shape[d / 4u][d % 4u];
    let place = rest % size;
    rest /= size;
    source_at += place * params.source_strides[d / 4u][d % 4u];
    index_at += place * params.index_strides[d / 4u][d % 4u];
    y_at += place * params.y_strides[d / 4u][d % 4u];
    own += place * params.entry_strides[d / 4u][d % 4u];
  }

  let named = u32(index[index_at + own * params.index_stride]);
  if (named >= params.axis_size) {
    return;
  }
  var sum = C();
  for (var i = 0u; i < params.entries; i++) {
    if (u32(index[index_at]) == named) {
      if (i < own) {
        return;
      }
      sum += C(source[source_at]);
    }
    index_at += params.index_stride;
    source_at += params.source_stride;
  }
  y[y_at + named * params.y_stride] = T(sum);
}
