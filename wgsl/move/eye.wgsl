// -> y: [rows, columns]
//
// y[r, c] = 1 where r = c, 0 elsewhere
//
// No sum.
//
// Tiling: one invocation owns one element. The ones stand columns + 1
// elements apart, so the row-major number of an element tells without
// splitting it into r and c.
//
// Edges: elements past `count` are skipped; `first` is the number of the
// element at the start of the window. Rows below the last column hold no one.
//
// Appended: alias T (elements as bits) and fn from_bits(bits: u32) -> T.

struct Params {
  count: u32,
  first: u32,
  columns: u32,
  one: u32,
}

@group(0) @binding(0) var<storage, read_write> y: array<T>;
@group(0) @binding(1) var<uniform> params: Params;

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
  let i = params.first + number;
  let apart = params.columns + 1u;
  let is_one = i % apart == 0u && i / apart < params.columns;
  y[number] = from_bits(select(0u, params.one, is_one));
}
