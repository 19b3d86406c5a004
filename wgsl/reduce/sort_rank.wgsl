// x: [rows, n] -> pairs: [rows, n] of (key, place), sorted in blocks
//
// pairs[first of the block + rank of x[j] in its block] = (key of x[j], j)
//
// No sum: the rank is the count of elements that come before.
//
// Tiling: one invocation owns one element and reads its block of `block`
// elements. No staging.
//
// Edges: the last block of a row may be shorter. Equal elements stay in the
// order of their places.
//
// Appended: alias T (elements), fn key_of(value: T) -> i32 and
// before(a: vec2i, b: vec2i) -> bool.

struct Params {
  rows: u32,
  n: u32,
  block: u32,
  place: u32, // of the row's first element, for rows that are cut
  x_base: u32,
  pairs_base: u32,
}

const WORKGROUP = 64u;

@group(0) @binding(0) var<storage, read> x: array<T>;
@group(0) @binding(1) var<storage, read_write> pairs: array<vec2i>;
@group(0) @binding(2) var<uniform> params: Params;

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let id = (group.y * groups.x + group.x) * WORKGROUP + lane;
  if (id >= params.rows * params.n) {
    return;
  }
  let j = id % params.n;
  let row = id - j;
  let first = j - j % params.block;
  let end = min(params.n, first + params.block);
  let at = params.x_base + row;
  let own = vec2i(key_of(x[at + j]), i32(j));
  var rank = first;
  for (var i = first; i < end; i++) {
    rank += u32(before(vec2i(key_of(x[at + i]), i32(i)), own));
  }
  pairs[params.pairs_base + row + rank] =
    own + vec2i(0, i32(params.place));
}
