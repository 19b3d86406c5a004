// What kernels share that sum in register tiles of channels by outputs of a
// row: where a tile stands, its sums, how a line of taps is added to them, and
// how they are stored. A kernel that this is appended to has params, w, packed
// weights as vectors, y, and appended to it too channel_of and store_four.

override QUADS: u32 = 4;
override WIDE: bool = false; // with at most 2 QUADS
override TAPS: u32 = 7; // of a line, at most 7
override SPACING: u32 = 1; // of a tile's outputs on their row
override PAIR: bool = false; // of rows of outputs, one below the other
override ADDS: bool = false; // to what y has
override LAST: u32 = 4; // channels of the last four, of a tile that has all

struct Params {
  // What this launch computes: images, groups, output channels of each.
  images: u32,
  groups: u32,
  filters: u32,
  rows: u32,
  columns: u32,
  // What it sums.
  channels: u32,
  tap_rows: u32,
  tap_columns: u32,
  height: u32,
  width: u32,
  origin_h: i32,
  origin_w: i32,
  stride_h: u32,
  stride_w: u32,
  dilation_h: u32,
  dilation_w: u32,
  // Where operands start in their windows (w in vectors), and elements to the
  // next image, group, tile of channels, channel, row or output.
  x_base: u32,
  x_image: u32,
  x_group: u32,
  x_channel: u32,
  w_base: u32,
  w_group: u32,
  w_tile: u32,
  y_base: u32,
  y_image: u32,
  y_group: u32,
  y_filter: u32,
  y_row: u32,
  y_column: u32,
  // Where channels start in the epilogue's operands, and those of the next
  // group.
  channel_base: u32,
  channel_group: u32,
}

// Which tile an invocation owns: its image, group, tile of channels, row, of a
// PAIR the upper one, and first output.
struct Place {
  n: u32,
  g: u32,
  tile: u32,
  i: u32,
  j: u32,
}

// Tiles are numbered along the row first, then rows, images, tiles of channels
// and groups.
fn place_of(index: u32) -> Place {
  let pixels = select(8u, 16u, WIDE);
  let across = ((params.columns + SPACING - 1) / SPACING + pixels - 1) /
    pixels * SPACING;
  var at = index;
  let across_at = at % across;
  at /= across;
  let height = select(1u, 2u, PAIR);
  let down = (params.rows + height - 1) / height;
  let i = at % down * height;
  at /= down;
  let n = at % params.images;
  at /= params.images;
  let tiles = (params.filters + 4 * QUADS - 1) / (4 * QUADS);
  let j = across_at / SPACING * pixels * SPACING + across_at % SPACING;
  return Place(n, at / tiles, at % tiles, i, j);
}

// Sums, low ones of outputs 0 to 3 and high ones of 4 to 7, a matrix for four
// channels. Of a WIDE one, 2 and 3 are those of outputs 8 to 15.
struct Tile {
  low_0: mat4x4f,
  low_1: mat4x4f,
  low_2: mat4x4f,
  low_3: mat4x4f,
  high_0: mat4x4f,
  high_1: mat4x4f,
  high_2: mat4x4f,
  high_3: mat4x4f,
}

// What each tap of a line has: inputs of four outputs, or weights of four
// channels.
struct Taps {
  at_0: vec4f,
  at_1: vec4f,
  at_2: vec4f,
  at_3: vec4f,
  at_4: vec4f,
  at_5: vec4f,
  at_6: vec4f,
}

// Weights of a line, of each four of a tile's channels.
struct Weights {
  quad_0: Taps,
  quad_1: Taps,
  quad_2: Taps,
  quad_3: Taps,
}

// Weights of the four channels that start at a vector.
fn quad_at(at: u32) -> Taps {
  var t: Taps;
  t.at_0 = w[at];
  if (TAPS > 1) {
    t.at_1 = w[at + QUADS];
  }
  if (TAPS > 2) {
    t.at_2 = w[at + 2 * QUADS];
  }
  if (TAPS > 3) {
    t.at_3 = w[at + 3 * QUADS];
  }
  if (TAPS > 4) {
    t.at_4 = w[at + 4 * QUADS];
  }
  if (TAPS > 5) {
    t.at_5 = w[at + 5 * QUADS];
  }
  if (TAPS > 6) {
    t.at_6 = w[at + 6 * QUADS];
  }
  return t;
}

// Weights of the line that starts at a vector.
fn weights_at(at: u32) -> Weights {
  var all: Weights;
  all.quad_0 = quad_at(at);
  if (QUADS > 1) {
    all.quad_1 = quad_at(at + 1);
  }
  if (QUADS > 2) {
    all.quad_2 = quad_at(at + 2);
  }
  if (QUADS > 3) {
    all.quad_3 = quad_at(at + 3);
  }
  return all;
}

// Adds a line of taps to four outputs of one channel e.
fn line_of(start: vec4f, t: Taps, e: u32, v: Taps) -> vec4f {
  var sum = start + t.at_0[e] * v.at_0;
  if (TAPS > 1) {
    sum += t.at_1[e] * v.at_1;
  }
  if (TAPS > 2) {
    sum += t.at_2[e] * v.at_2;
  }
  if (TAPS > 3) {
    sum += t.at_3[e] * v.at_3;
  }
  if (TAPS > 4) {
    sum += t.at_4[e] * v.at_4;
  }
  if (TAPS > 5) {
    sum += t.at_5[e] * v.at_5;
  }
  if (TAPS > 6) {
    sum += t.at_6[e] * v.at_6;
  }
  return sum;
}

// The same for those of a quad's four channels that there are.
fn add_line(start: mat4x4f, t: Taps, v: Taps, quad: u32) -> mat4x4f {
  let count = select(4u, LAST, quad + 1 == QUADS);
  var sum = start;
  sum[0] = line_of(sum[0], t, 0, v);
  if (count > 1) {
    sum[1] = line_of(sum[1], t, 1, v);
  }
  if (count > 2) {
    sum[2] = line_of(sum[2], t, 2, v);
  }
  if (count > 3) {
    sum[3] = line_of(sum[3], t, 3, v);
  }
  return sum;
}

// Adds a line of taps to all sums of a tile: `low` and `high` are what outputs
// 0 to 3 and 4 to 7 see, the far ones, of a WIDE tile, what the next eight do.
fn add_taps(
  t: ptr<function, Tile>,
  w: Weights,
  low: Taps,
  high: Taps,
  far_low: Taps,
  far_high: Taps,
) {
  (*t).low_0 = add_line((*t).low_0, w.quad_0, low, 0);
  (*t).high_0 = add_line((*t).high_0, w.quad_0, high, 0);
  if (QUADS > 1) {
    (*t).low_1 = add_line((*t).low_1, w.quad_1, low, 1);
    (*t).high_1 = add_line((*t).high_1, w.quad_1, high, 1);
  }
  if (WIDE) {
    (*t).low_2 = add_line((*t).low_2, w.quad_0, far_low, 0);
    (*t).high_2 = add_line((*t).high_2, w.quad_0, far_high, 0);
    if (QUADS > 1) {
      (*t).low_3 = add_line((*t).low_3, w.quad_1, far_low, 1);
      (*t).high_3 = add_line((*t).high_3, w.quad_1, far_high, 1);
    }
  }
  if (QUADS > 2) {
    (*t).low_2 = add_line((*t).low_2, w.quad_2, low, 2);
    (*t).high_2 = add_line((*t).high_2, w.quad_2, high, 2);
  }
  if (QUADS > 3) {
    (*t).low_3 = add_line((*t).low_3, w.quad_3, low, 3);
    (*t).high_3 = add_line((*t).high_3, w.quad_3, high, 3);
  }
}

// The columns from the second on, and the first of those that follow.
fn moved_up(a: mat4x4f, next: mat4x4f) -> mat4x4f {
  return mat4x4f(a[1], a[2], a[3], next[0]);
}

// Stores a tile channel by channel, the others moving up: so the code that
// finishes and stores is compiled once, not for each of many sums.
fn store_tile(p: Place, tile: Tile) {
  let first = p.tile * 4 * QUADS;
  let step = SPACING * params.y_column;
  var to = params.y_base + p.n * params.y_image + p.g * params.y_group +
    p.i * params.y_row + p.j * params.y_column + first * params.y_filter;
  // Outputs of the tile that are on the row, when SPACING apart.
  let left = (params.columns - p.j + SPACING - 1) / SPACING;
  var t = tile;
  let end = min(first + 4 * QUADS, params.filters);
  for (var k = first; k < end; k++) {
    let channel =
      channel_of(params.channel_base + p.g * params.channel_group + k);
    store_four(to, step, left, t.low_0[0], channel);
    store_four(to + 4 * step, step, max(left, 4) - 4, t.high_0[0], channel);
    if (WIDE) {
      let far = to + 8 * step;
      store_four(far, step, max(left, 8) - 8, t.low_2[0], channel);
      let last = t.high_2[0];
      store_four(far + 4 * step, step, max(left, 12) - 12, last, channel);
    }
    to += params.y_filter;
    t = Tile(
      moved_up(t.low_0, t.low_1),
      moved_up(t.low_1, t.low_2),
      moved_up(t.low_2, t.low_3),
      moved_up(t.low_3, t.low_3),
      moved_up(t.high_0, t.high_1),
      moved_up(t.high_1, t.high_2),
      moved_up(t.high_2, t.high_3),
      moved_up(t.high_3, t.high_3),
    );
  }
}
