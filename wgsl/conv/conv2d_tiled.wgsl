// y[n, g, k, i, j] = finish of the sum over c < C, r < R, s < S of
//   w[g, k, c, r, s] * x[n, g, c, h, v], with
//   h = origin_h + i * stride_h + r * dilation_h and v likewise.
// x: [N, G * C, H, W], w: packed [G, tiles, C, R, LINES, TAPS, 4 * QUADS]
//   -> outputs i < rows, j < columns of each plane of y: [N, G * K, ...]
// The forward pass is one such correlation, the input gradient one or more.
//
// The sum: over channels, rows and columns of taps. A launch may hold a part of
// them only, and then ADDS to what y has.
//
// Tiling: one invocation owns 4 * QUADS channels of 8 outputs of a row, in
// registers: a matrix for each four of both, a column a channel. The 8
// inputs that a tap needs stand in registers too, and the next tap needs the
// same ones moved by one place: so a tap reads one input and QUADS vectors of
// weights for 32 * QUADS multiply-adds. For this the outputs stand `spacing`
// apart, and columns of taps are taken in PHASES, every PHASES-th one:
//   spacing = dilation_w / d, PHASES = stride_w / d, d their common divisor,
// so that `spacing` outputs are as far as PHASES taps. A row of taps is walked
// in LINES of TAPS taps; these are written out, as loops cost more than taps.
//   reads per multiply-add  1/8 + 1/(32 * QUADS), and 7 inputs more a line:
//                           0.15 for 16 channels and lines of 3 taps
//   workgroup bytes         0
//   registers               32 * QUADS sums + 12 operands
// Neighbouring invocations own neighbouring tiles.
//
// Edges: inputs beside the plane read as 0, and so do those of taps past the
// last one, whose packed weights are 0; outputs and channels past the end are
// computed and not stored. T, the element type, and the epilogue, channel_of
// and finish, are appended by the plan.

override QUADS: u32 = 4;
override PHASES: u32 = 1;
override LINES: u32 = 1;
override TAPS: u32 = 7; // at most 7
override ADDS: bool = false; // to what y has

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
  spacing: u32,
  // Where operands start in their windows (w in vectors), and elements to the
  // next image, group, tile of channels, channel, row or output.
  x_base: u32,
  x_image: u32,
  x_group: u32,
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

@group(0) @binding(0) var<storage, read> x: array<T>;
@group(0) @binding(1) var<storage, read> w: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> y: array<T>;
@group(0) @binding(3) var<uniform> params: Params;

// What an invocation holds: its sums, low ones of outputs 0 to 3 and high ones
// of 4 to 7; the inputs under them; and where the next tap's weights, last
// input and column are.
struct Tile {
  low_0: mat4x4f,
  low_1: mat4x4f,
  low_2: mat4x4f,
  low_3: mat4x4f,
  high_0: mat4x4f,
  high_1: mat4x4f,
  high_2: mat4x4f,
  high_3: mat4x4f,
  low: vec4f,
  high: vec4f,
  w_at: u32,
  x_at: u32,
  v: u32,
  s: u32,
}

// What all taps share: from one output to the next, columns of taps, the width
// of the plane, and whether the row is on it.
struct Row {
  hop: u32,
  columns: u32,
  width: u32,
  inside: bool,
}

// The next input along a row, or 0 where it is beside the row or plane.
fn next_input(t: ptr<function, Tile>, row: Row) -> f32 {
  let value = f32(x[(*t).x_at]);
  let inside = row.inside && (*t).v < row.width;
  (*t).x_at += row.hop;
  (*t).v += row.hop;
  return select(0.0, value, inside);
}

// Products of 4 weights and 4 inputs: a column a weight.
fn outer(weights: vec4f, inputs: vec4f) -> mat4x4f {
  return mat4x4f(
    weights.x * inputs,
    weights.y * inputs,
    weights.z * inputs,
    weights.w * inputs,
  );
}

// Moves the inputs by one place and adds one tap.
fn add_tap(t: ptr<function, Tile>, row: Row) {
  let last = next_input(t, row);
  (*t).low = vec4f((*t).low.yzw, (*t).high.x);
  (*t).high = vec4f((*t).high.yzw, last);
  let used = (*t).s < row.columns;
  let low = select(vec4f(), (*t).low, used);
  let high = select(vec4f(), (*t).high, used);
  let w_0 = w[(*t).w_at];
  (*t).low_0 += outer(w_0, low);
  (*t).high_0 += outer(w_0, high);
  if (QUADS > 1) {
    let w_1 = w[(*t).w_at + 1];
    (*t).low_1 += outer(w_1, low);
    (*t).high_1 += outer(w_1, high);
  }
  if (QUADS > 2) {
    let w_2 = w[(*t).w_at + 2];
    (*t).low_2 += outer(w_2, low);
    (*t).high_2 += outer(w_2, high);
  }
  if (QUADS > 3) {
    let w_3 = w[(*t).w_at + 3];
    (*t).low_3 += outer(w_3, low);
    (*t).high_3 += outer(w_3, high);
  }
  (*t).w_at += QUADS;
  (*t).s += PHASES;
}

fn store_one(at: u32, value: f32, channel: vec2f, kept: bool) {
  if (kept) {
    var sum = value;
    if (ADDS) {
      sum += f32(y[at]);
    }
    y[at] = T(finish(sum, channel, at));
  }
}

// Stores one channel k of 8 outputs, of which `left` are on the row.
fn store(at: u32, g: u32, k: u32, left: u32, low: vec4f, high: vec4f) {
  if (k >= params.filters) {
    return;
  }
  let channel =
    channel_of(params.channel_base + g * params.channel_group + k);
  let to = at + k * params.y_filter;
  let step = params.spacing * params.y_column;
  store_one(to, low.x, channel, left > 0);
  store_one(to + step, low.y, channel, left > 1);
  store_one(to + 2 * step, low.z, channel, left > 2);
  store_one(to + 3 * step, low.w, channel, left > 3);
  store_one(to + 4 * step, high.x, channel, left > 4);
  store_one(to + 5 * step, high.y, channel, left > 5);
  store_one(to + 6 * step, high.z, channel, left > 6);
  store_one(to + 7 * step, high.w, channel, left > 7);
}

// Stores four channels from k on.
fn store_quad(at: u32, g: u32, k: u32, left: u32, low: mat4x4f, high: mat4x4f) {
  store(at, g, k, left, low[0], high[0]);
  store(at, g, k + 1, left, low[1], high[1]);
  store(at, g, k + 2, left, low[2], high[2]);
  store(at, g, k + 3, left, low[3], high[3]);
}

@compute @workgroup_size(32)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  // Which tile this is: along the row first, then rows, images, tiles of
  // channels and groups.
  let spacing = params.spacing;
  let across = ((params.columns + spacing - 1) / spacing + 7) / 8 * spacing;
  var at = (group.y * groups.x + group.x) * 32 + lane;
  let across_at = at % across;
  at /= across;
  let i = at % params.rows;
  at /= params.rows;
  let n = at % params.images;
  at /= params.images;
  let tiles = (params.filters + 4 * QUADS - 1) / (4 * QUADS);
  let tile = at % tiles;
  let g = at / tiles;
  if (g >= params.groups) {
    return;
  }
  let j = across_at / spacing * 8 * spacing + across_at % spacing;

  // What the loop needs, read once.
  let lines = params.channels * params.tap_rows * LINES;
  let rows = params.tap_rows;
  let height = params.height;
  let area = height * params.width;
  let down = params.dilation_h;
  let right = params.dilation_w;
  var row = Row(
    spacing * params.stride_w,
    params.tap_columns,
    params.width,
    false,
  );
  // Below 0, positions wrap around to large numbers, beside the plane as well.
  let first_h = u32(params.origin_h) + i * params.stride_h;
  let first_v = u32(params.origin_w) + j * params.stride_w;
  var plane = params.x_base + n * params.x_image + g * params.x_group + first_v;
  var h = first_h;
  var r = 0u;
  var l = 0u;

  var t: Tile;
  t.w_at = params.w_base + g * params.w_group + tile * params.w_tile;
  for (var line = 0u; line < lines; line++) {
    t.s = l / PHASES * PHASES * TAPS + l % PHASES;
    t.v = first_v + t.s * right;
    t.x_at = plane + h * row.width + t.s * right;
    row.inside = h < height;
    // The first tap moves these by one place.
    t.low.y = next_input(&t, row);
    t.low.z = next_input(&t, row);
    t.low.w = next_input(&t, row);
    t.high.x = next_input(&t, row);
    t.high.y = next_input(&t, row);
    t.high.z = next_input(&t, row);
    t.high.w = next_input(&t, row);
    add_tap(&t, row);
    if (TAPS > 1) {
      add_tap(&t, row);
    }
    if (TAPS > 2) {
      add_tap(&t, row);
    }
    if (TAPS > 3) {
      add_tap(&t, row);
    }
    if (TAPS > 4) {
      add_tap(&t, row);
    }
    if (TAPS > 5) {
      add_tap(&t, row);
    }
    if (TAPS > 6) {
      add_tap(&t, row);
    }
    l += 1;
    if (l == LINES) {
      l = 0;
      r += 1;
      h += down;
    }
    if (r == rows) {
      r = 0;
      h = first_h;
      plane += area;
    }
  }

  let k = tile * 4 * QUADS;
  let to = params.y_base + n * params.y_image + g * params.y_group +
    i * params.y_row + j * params.y_column;
  // Outputs of the tile that are on the row, when `spacing` apart.
  let left = (params.columns - j + spacing - 1) / spacing;
  store_quad(to, g, k, left, t.low_0, t.high_0);
  if (QUADS > 1) {
    store_quad(to, g, k + 4, left, t.low_1, t.high_1);
  }
  if (QUADS > 2) {
    store_quad(to, g, k + 8, left, t.low_2, t.high_2);
  }
  if (QUADS > 3) {
    store_quad(to, g, k + 12, left, t.low_3, t.high_3);
  }
}
