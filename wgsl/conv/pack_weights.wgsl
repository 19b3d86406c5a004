// packed[g, tile, c, r, piece, phase, u, e] = w[g, k, c, r, s], with
//   k = tile * 4 * QUADS + e, s = (piece * taps + u) * phases + phase
// w: [G, K, C, R, S] with its axes in any order -> packed: [G, tiles, C, R,
//   lines = pieces * phases, taps, 4 * QUADS] in f32, with 0 for channels past
//   K and taps past S
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
  // A row of taps is walked in lines of so many taps, `phases` apart.
  lines: u32,
  taps: u32,
  phases: u32,
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

// The weight of channel k at an index, or 0 past the last channel or column.
fn weight(at: u32, k: u32, used: bool) -> f32 {
  let value = f32(w[at + k * params.w_kept]);
  return select(0.0, value, used && k < params.kept);
}

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let at = (group.y * groups.x + group.x) * 64 + lane;
  let width = params.lines * params.taps;
  let place = at % width;
  let line = place / params.taps;
  let tap_in_phase = line / params.phases * params.taps + place % params.taps;
  let column = tap_in_phase * params.phases + line % params.phases;
  let used = column < params.columns;
  var rest = at / width;
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
  let tap = (c * params.rows + row) * width + place;
  let to = params.packed_base + g * params.packed_group +
    tile * params.packed_tile + tap * QUADS;
  for (var q = 0u; q < QUADS; q++) {
    let k = (tile * QUADS + q) * 4;
    packed[to + q] = vec4f(
      weight(source, k, used),
      weight(source, k + 1, used),
      weight(source, k + 2, used),
      weight(source, k + 3, used),
    );
  }
}
