// packed[g, tile, c, r * S + s, e] = w[g, k, c, tap], k = tile * TILE + e
// w: [G, K, C, kernel] in any order of its axes -> packed: [G, ceil(K / TILE),
//   C, R * S, TILE] in f32, with 0 for the channels past K
//
// The sum: none.
//
// Tiling: one invocation owns one element of packed; neighbours along it.
//
// Edges: taps r, s stand at steps of w_row and w_column in w, which may be
// negative: the input gradient takes them backwards. T, the element type, is
// appended by the launch plan.

override TILE: u32 = 16;

struct Params {
  groups: u32,
  tiles: u32,
  // Channels that tiles hold, and channels summed over.
  kept: u32,
  summed: u32,
  rows: u32,
  columns: u32,
  // Where operands start in their windows, and elements to the next group,
  // channel, tile or tap.
  w_base: u32,
  w_group: u32,
  w_kept: u32,
  w_summed: u32,
  w_row: i32,
  w_column: i32,
  packed_base: u32,
  packed_group: u32,
  packed_tile: u32,
}

@group(0) @binding(0) var<storage, read> w: array<T>;
@group(0) @binding(1) var<storage, read_write> packed: array<f32>;
@group(0) @binding(2) var<uniform> params: Params;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let at = (group.y * groups.x + group.x) * 64 + lane;
  let taps = params.rows * params.columns;
  let in_tile = params.summed * taps * TILE;
  let e = at % TILE;
  let tap = at / TILE % taps;
  let c = at / (TILE * taps) % params.summed;
  let tile = at / in_tile % params.tiles;
  let g = at / in_tile / params.tiles;
  if (g >= params.groups) {
    return;
  }
  let k = tile * TILE + e;
  let source = params.w_base + g * params.w_group + k * params.w_kept +
    c * params.w_summed +
    u32(i32(tap / params.columns) * params.w_row +
      i32(tap % params.columns) * params.w_column);
  let to = params.packed_base + g * params.packed_group +
    tile * params.packed_tile + at % in_tile;
  packed[to] = select(0.0, f32(w[source]), k < params.kept);
}
