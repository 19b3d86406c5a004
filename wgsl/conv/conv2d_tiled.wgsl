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
// Tiling: one invocation owns 4 * QUADS channels of 8 outputs of a row, 16 when
// WIDE, in registers: a matrix for each four of both, a column a channel. A
// row of taps is walked in LINES of TAPS taps, written out: all of a line are
// added to a sum while it is at hand. Each tap sees inputs one place further.
// For this, outputs stand `spacing` apart, and taps PHASES:
//   spacing = dilation_w / d, PHASES = stride_w / d, d their common divisor,
// so that `spacing` outputs are as far as PHASES taps.
//   reads per multiply-add  1/8 + 1/(32 * QUADS), and 7 inputs more a line:
//                           0.15 for 16 channels and lines of 3 taps; WIDE
//                           1/16 + 1/(64 * QUADS), and 15: 0.09 for 8 and 5
//   workgroup bytes         0
//   registers               32 * QUADS sums, WIDE twice that, + 40 operands
// Neighbouring invocations own neighbouring tiles.
//
// Edges: inputs beside the plane read as 0, and so do those of taps past the
// last one, whose packed weights are 0; outputs and channels past the end are
// computed and not stored. tile_sums.wgsl, T, the element type, and the
// epilogue, channel_of and finish, are appended by the plan.

override PHASES: u32 = 1;
override LINES: u32 = 1;
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

// Inputs, from those under the first tap and the ones after them; 0 for taps
// past the last, if the first is in column s.
fn taps_of(a: vec4f, b: vec4f, c: vec4f, s: u32) -> Taps {
  let v = Taps(
    a,
    vec4f(a.yzw, b.x),
    vec4f(a.zw, b.xy),
    vec4f(a.w, b.xyz),
    b,
    vec4f(b.yzw, c.x),
    vec4f(b.zw, c.xy),
  );
  if (LINES == 1) {
    return v;
  }
  let columns = params.tap_columns;
  return Taps(
    select(vec4f(), v.at_0, s < columns),
    select(vec4f(), v.at_1, s + PHASES < columns),
    select(vec4f(), v.at_2, s + 2 * PHASES < columns),
    select(vec4f(), v.at_3, s + 3 * PHASES < columns),
    select(vec4f(), v.at_4, s + 4 * PHASES < columns),
    select(vec4f(), v.at_5, s + 5 * PHASES < columns),
    select(vec4f(), v.at_6, s + 6 * PHASES < columns),
  );
}

// A row of inputs: where the next one is, and its column; from one to the next,
// the width of the plane, and whether the row is on it.
struct Row {
  at: u32,
  v: u32,
  hop: u32,
  width: u32,
  inside: bool,
}

// The next input along a row, or 0 where it is beside the row or plane.
fn next_input(row: ptr<function, Row>) -> f32 {
  let value = f32(x[(*row).at]);
  let inside = (*row).inside && (*row).v < (*row).width;
  (*row).at += (*row).hop;
  (*row).v += (*row).hop;
  return select(0.0, value, inside);
}

// The next four inputs of a line, or fewer where it has no more.
fn next_inputs(row: ptr<function, Row>, first: u32) -> vec4f {
  let count = select(7u, 15u, WIDE) + TAPS;
  var some: vec4f;
  if (first < count) {
    some.x = next_input(row);
  }
  if (first + 1 < count) {
    some.y = next_input(row);
  }
  if (first + 2 < count) {
    some.z = next_input(row);
  }
  if (first + 3 < count) {
    some.w = next_input(row);
  }
  return some;
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
  let pixels = select(8u, 16u, WIDE);
  let across = ((params.columns + spacing - 1) / spacing + pixels - 1) /
    pixels * spacing;
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
  let j = across_at / spacing * pixels * spacing + across_at % spacing;

  // What the loop needs, read once.
  let lines = params.channels * params.tap_rows * LINES;
  let rows = params.tap_rows;
  let height = params.height;
  let area = height * params.width;
  let down = params.dilation_h;
  let right = params.dilation_w;
  var row: Row;
  row.hop = spacing * params.stride_w;
  row.width = params.width;
  // Below 0, positions wrap around to large numbers, beside the plane as well.
  let first_h = u32(params.origin_h) + i * params.stride_h;
  let first_v = u32(params.origin_w) + j * params.stride_w;
  var plane = params.x_base + n * params.x_image + g * params.x_group + first_v;
  var h = first_h;
  var r = 0u;
  var l = 0u;

  var t: Tile;
  var w_at = params.w_base + g * params.w_group + tile * params.w_tile;
  for (var line = 0u; line < lines; line++) {
    let s = l / PHASES * PHASES * TAPS + l % PHASES;
    row.v = first_v + s * right;
    row.at = plane + h * row.width + s * right;
    row.inside = h < height;
    let a = next_inputs(&row, 0);
    let b = next_inputs(&row, 4);
    let c = next_inputs(&row, 8);
    let d = next_inputs(&row, 12);
    let low = taps_of(a, b, c, s);
    let high = taps_of(b, c, d, s);
    let weights_0 = weights_at(w_at);
    t.low_0 = add_line(t.low_0, weights_0, low, 0);
    t.high_0 = add_line(t.high_0, weights_0, high, 0);
    var weights_1: Taps;
    if (QUADS > 1) {
      weights_1 = weights_at(w_at + 1);
      t.low_1 = add_line(t.low_1, weights_1, low, 1);
      t.high_1 = add_line(t.high_1, weights_1, high, 1);
    }
    if (WIDE) {
      let e = next_inputs(&row, 16);
      let f = next_inputs(&row, 20);
      let far_low = taps_of(c, d, e, s);
      let far_high = taps_of(d, e, f, s);
      t.low_2 = add_line(t.low_2, weights_0, far_low, 0);
      t.high_2 = add_line(t.high_2, weights_0, far_high, 0);
      if (QUADS > 1) {
        t.low_3 = add_line(t.low_3, weights_1, far_low, 1);
        t.high_3 = add_line(t.high_3, weights_1, far_high, 1);
      }
    }
    if (QUADS > 2) {
      let weights_2 = weights_at(w_at + 2);
      t.low_2 = add_line(t.low_2, weights_2, low, 2);
      t.high_2 = add_line(t.high_2, weights_2, high, 2);
    }
    if (QUADS > 3) {
      let weights_3 = weights_at(w_at + 3);
      t.low_3 = add_line(t.low_3, weights_3, low, 3);
      t.high_3 = add_line(t.high_3, weights_3, high, 3);
    }
    w_at += TAPS * QUADS;
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
  if (WIDE) {
    if (left > 8) {
      let far = to + 8 * spacing * params.y_column;
      store_quad(far, g, k, left - 8, t.low_2, t.high_2);
      if (QUADS > 1) {
        store_quad(far, g, k + 4, left - 8, t.low_3, t.high_3);
      }
    }
    return;
  }
  if (QUADS > 2) {
    store_quad(to, g, k + 8, left, t.low_2, t.high_2);
  }
  if (QUADS > 3) {
    store_quad(to, g, k + 12, left, t.low_3, t.high_3);
  }
}
