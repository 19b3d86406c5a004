// v[i, j, c, t] = sum over h < 4, l < 4 of B[h, i] * d[h, l] * B[l, j], where d
//   is the 4 x 4 of inputs under tile t, which start at
//   origin + 2 * (row and column of t) and overlap by 2
// x: [N, C, H, W] -> v: [16, C up to fours, tiles up to eights], with 0 for
//   channels past C
//
//           [ 1   0  -1   0 ]
//   B^T =   [ 0   1   1   0 ]
//           [ 0  -1   1   0 ]
//           [ 0   1   0  -1 ]
//
// The sum: over the 4 x 4 inputs, first down the columns, then along the rows,
// each written out.
//
// Tiling: one invocation owns a channel of a tile: it reads 16 inputs and
// stores 16 numbers. Neighbouring invocations own neighbouring tiles, so that
// each store of theirs is one line of v.
//   workgroup bytes         0
//   registers               16 inputs + 8 on their way
//
// Edges: inputs beside the plane read as 0. Tiles past the last one aren't
// stored: what stands there only reaches outputs that nobody reads. T, the
// element type of x, is appended by the plan.

// Whether tiles are in panels of 16, channel after channel in each:
// v is [planes, T / 16, C, 16].
override PANELS: bool = false;

struct Params {
  channels: u32,
  channels_padded: u32,
  height: u32,
  width: u32,
  // Where the first tile starts on the plane; may lie beside it.
  origin_h: i32,
  origin_w: i32,
  // Tiles of a plane, the first one of this launch and how many there are.
  tile_rows: u32,
  tile_columns: u32,
  first: u32,
  count: u32,
  // Elements from one channel of v to the next.
  v_channel: u32,
  x_base: u32,
  x_image: u32,
  x_channel: u32,
}

@group(0) @binding(0) var<storage, read> x: array<T>;
@group(0) @binding(1) var<storage, read_write> v: array<f32>;
@group(0) @binding(2) var<uniform> params: Params;

// The input at an index in column `column`, or 0 beside the plane.
fn input(at: u32, column: u32, inside: bool) -> f32 {
  return select(0.0, f32(x[at]), inside && column < params.width);
}

fn input_row(at: u32, column: u32, inside: bool) -> vec4f {
  return vec4f(
    input(at, column, inside),
    input(at + 1, column + 1, inside),
    input(at + 2, column + 2, inside),
    input(at + 3, column + 3, inside),
  );
}

// Stores a row, transformed along its length, `step` elements apart.
fn store_row(to: u32, step: u32, d: vec4f) {
  v[to] = d.x - d.z;
  v[to + step] = d.y + d.z;
  v[to + 2 * step] = d.z - d.y;
  v[to + 3 * step] = d.y - d.w;
}

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let at = (group.y * groups.x + group.x) * 64 + lane;
  let t = at % params.count;
  let c = at / params.count;
  if (c >= params.channels_padded) {
    return;
  }
  let tile = params.first + t;
  let across = tile % params.tile_columns;
  let rest = tile / params.tile_columns;
  let down = rest % params.tile_rows;
  let n = rest / params.tile_rows;
  // Below 0, positions wrap around to large numbers, beside the plane as well.
  let row = u32(params.origin_h) + 2 * down;
  let column = u32(params.origin_w) + 2 * across;
  let height = params.height;
  let width = params.width;
  // Channels past the last one are beside the plane everywhere.
  let used = c < params.channels;
  var source = params.x_base + n * params.x_image +
    c * params.x_channel + row * width + column;
  let d0 = input_row(source, column, used && row < height);
  source += width;
  let d1 = input_row(source, column, used && row + 1 < height);
  source += width;
  let d2 = input_row(source, column, used && row + 2 < height);
  source += width;
  let d3 = input_row(source, column, used && row + 3 < height);

  let step = params.channels_padded * params.v_channel;
  var to = c * params.v_channel + t;
  if (PANELS) {
    to = (t / 16 * params.channels_padded + c) * 16 + t % 16;
  }
  store_row(to, step, d0 - d2);
  store_row(to + 4 * step, step, d1 + d2);
  store_row(to + 8 * step, step, d2 - d1);
  store_row(to + 12 * step, step, d1 - d3);
}
