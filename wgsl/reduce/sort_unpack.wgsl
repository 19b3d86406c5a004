// pairs: [n] of (key, place) -> values: [n], indices: [n]
//
// values = value of the key, indices = place
//
// No sum.
//
// Tiling: one invocation owns one pair.
//
// Edges: invocations past the number of pairs stop.
//
// Appended: alias T (elements) and fn value_of(key: i32) -> T.

struct Params {
  n: u32,
  pairs_base: u32,
  values_base: u32,
  indices_base: u32,
}

const WORKGROUP = 64u;

@group(0) @binding(0) var<storage, read> pairs: array<vec2i>;
@group(0) @binding(1) var<storage, read_write> values: array<T>;
@group(0) @binding(2) var<storage, read_write> indices: array<i32>;
@group(0) @binding(3) var<uniform> params: Params;

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let i = (group.y * groups.x + group.x) * WORKGROUP + lane;
  if (i >= params.n) {
    return;
  }
  let pair = pairs[params.pairs_base + i];
  values[params.values_base + i] = value_of(pair.x);
  indices[params.indices_base + i] = pair.y;
}
