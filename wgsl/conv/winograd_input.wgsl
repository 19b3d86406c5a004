// v[i, j, c, t] = sum over h < 6, l < 6 of B[h, i] * d[h, l] * B[l, j], where d
//   is the 6 x 6 of inputs under tile t, which start at
//   origin + 4 * (row and column of t) and overlap by 2
// x: [N, C, H, W] -> v: [36, C up to fours, tiles up to eights], with 0 for
//   channels past C
//
//           [ 4   0  -5   0   1   0 ]
//           [ 0  -4  -4   1   1   0 ]
//   B^T =   [ 0   4  -4  -1   1   0 ]
//           [ 0  -2  -1   2   1   0 ]
//           [ 0   2  -1  -2   1   0 ]
//           [ 0   4   0  -5   0   1 ]
//
// The sum: over the 6 x 6 inputs, first down the columns, then along the rows,
// each written out.
//
// Tiling: one invocation owns a channel of a tile: it reads 36 inputs and
// stores 36 numbers. A row of six is a matrix of two columns. Neighbouring
// invocations own neighbouring tiles, so that each store of theirs is one line
// of v.
//   workgroup bytes         0
//   registers               36 inputs + 18 on their way
//
// Tried on llvmpipe: rows of six from the two or three vectors in which they
// lie took as long as one by one; rows read and stored in loops compile faster,
// and took 1.1 to 1.2 times as long.
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

fn input_row(at: u32, column: u32, inside: bool) -> mat2x3f {
  return mat2x3f(
    input(at, column, inside),
    input(at + 1, column + 1, inside),
    input(at + 2, column + 2, inside),
    input(at + 3, column + 3, inside),
    input(at + 4, column + 4, inside),
    input(at + 5, column + 5, inside),
  );
}

// Stores a row, transformed along its length, `step` elements apart.
fn store_row(to: u32, step: u32, d: mat2x3f) {
  let a = d[0].x;
  let b = d[0].y;
  let c = d[0].z;
  let e = d[1].x;
  let f = d[1].y;
  let g = d[1].z;
  let near = f - 4.0 * c;
  let near_odd = e - 4.0 * b;
  let far = f - c;
  let far_odd = 2.0 * (e - b);
  v[to] = 4.0 * a - 5.0 * c + f;
  v[to + step] = near + near_odd;
  v[to + 2 * step] = near - near_odd;
  v[to + 3 * step] = far + far_odd;
  v[to + 4 * step] = far - far_odd;
  v[to + 5 * step] = 4.0 * b - 5.0 * e + g;
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
  let row = u32(params.origin_h) + 4 * down;
  let column = u32(params.origin_w) + 4 * across;
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
  source += width;
  let d4 = input_row(source, column, used && row + 4 < height);
  source += width;
  let d5 = input_row(source, column, used && row + 5 < height);

  let step = params.channels_padded * params.v_channel;
  var to = c * params.v_channel + t;
  if (PANELS) {
    to = (t / 16 * params.channels_padded + c) * 16 + t % 16;
  }
  let near = d4 - 4.0 * d2;
  let near_odd = d3 - 4.0 * d1;
  let far = d4 - d2;
  let far_odd = 2.0 * (d3 - d1);
  store_row(to, step, 4.0 * d0 - 5.0 * d2 + d4);
  to += 6 * step;
  store_row(to, step, near + near_odd);
  to += 6 * step;
  store_row(to, step, near - near_odd);
  to += 6 * step;
  store_row(to, step, far + far_odd);
  to += 6 * step;
  store_row(to, step, far - far_odd);
  to += 6 * step;
  store_row(to, step, 4.0 * d1 - 5.0 * d3 + d5);
}
