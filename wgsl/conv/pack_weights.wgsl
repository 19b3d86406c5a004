// packed[g, tile, c, r * S + s, e] = w[g, k, c, r, s], k = tile * 4 * QUADS + e
// w: [G, K, C, R, S] with its axes in any order -> packed: [G, tiles, C, R * S,
//   4 * QUADS] in f32, with 0 for the channels past K
//
// The sum: none.
//
// Tiling: one invocation owns the 4 * QUADS channels of one tap, and stores
// them as vectors. Neighbouring invocations own neighbouring taps.
//
// Edges: taps r, s stand at steps of w_row and w_column in w, which may be
// negative: the input gradient takes them backwards. T, the element type, is
// appended by the launch plan.

override QUADS: u32 = 4;

struct Params {
  groups: u32,
  tiles: u32,
  // Channels that tiles hold, and channels summed over.
  kept: u32,
  summed: u32,
  rows: u32,
  columns: u32,
  // Where w starts in its window, and elements to the next group, channel or
  // tap.
  w_base: u32,
  w_group: u32,
  w_kept: u32,
  w_summed: u32,
  w_row: i32,
  w_column: i32,
  // The same of packed, in vectors.
  packed_base: u32,
  packed_group: u32,
  packed_tile: u32,
}

@group(0) @binding(0) var<storage, read> w: array<T>;
@group(0) @binding(1) var<storage, read_write> packed: array<vec4f>;
@group(0) @binding(2) var<uniform> params: Params;

// The weight of channel k at an index, or 0 past the last channel.
fn weight(at: u32, k: u32) -> f32 {
  return select(0.0, f32(w[at + k * params.w_kept]), k < params.kept);
}

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let at = (group.y * groups.x + group.x) * 64 + lane;
  let column = at % params.columns;
  var rest = at / params.columns;
  let row = rest % params.rows;
  rest /= params.rows;
  let c = rest % params.summed;
  rest /= params.summed;
  let tile = rest % params.tiles;
  let g = rest / params.tiles;
  if (g >= params.groups) {
    return;
  }
  let source = params.w_base + g * params.w_group + c * params.w_summed +
    u32(i32(row) * params.w_row + i32(column) * params.w_column);
  let tap = (c * params.rows + row) * params.columns + column;
  let to = params.packed_base + g * params.packed_group +
    tile * params.packed_tile + tap * QUADS;
  for (var q = 0u; q < QUADS; q++) {
    let k = (tile * QUADS + q) * 4;
    packed[to + q] = vec4f(
      weight(source, k),
      weight(source, k + 1),
      weight(source, k + 2),
      weight(source, k + 3),
    );
  }
}
