// index: [N] -> y: [N, classes]
//
// y[n, c] = 1 where index[n] = c, 0 elsewhere
//
// No sum.
//
// Tiling: one invocation owns one element of y. One read of index for each.
//
// Edges: a launch sees `width` of the classes, all of them unless y is too
// large for a binding. An index outside the classes gives a row of zeros.
//
// Appended: alias T (elements as bits), alias I (i32 or u32), and
// fn from_bits(bits: u32) -> T.

struct Params {
  count: u32,
  width: u32,
  first: u32,
  classes: u32,
  index_base: u32,
  y_base: u32,
  one: u32,
}

@group(0) @binding(0) var<storage, read> index: array<I>;
@group(0) @binding(1) var<storage, read_write> y: array<T>;
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
  let row = number / params.width;
  let column = number % params.width;
  let is_one = u32(index[params.index_base + row]) == params.first + column;
  y[params.y_base + row * params.classes + column] =
    from_bits(select(0u, params.one, is_one));
}
