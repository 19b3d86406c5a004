// y[n, g, k, first + i * step, ...] = finish of the sum over r < TAP_ROWS,
//   s < TAP_COLUMNS of w[g, k, r, s] * x[n, g, h, v], with
//   h = origin_h + i * STRIDE_H + r and v likewise.
// x: [N, G, H, W], w: [G, K, ...] -> outputs i < rows, j < columns of each
//   plane of y: [N, G * K, ...]
// The forward pass is one such correlation, the input gradient one or more.
//
// The sum: over the taps of one channel, at most 3 x 3, written out.
//
// Tiling: one invocation owns 4 x 4 outputs of a plane. It walks down the rows
// of inputs with three of them in registers, of which each is read once and
// serves up to three rows of outputs. A row is kept as the inputs under the
// four outputs for each tap. The weights are read once.
//   reads per multiply-add  45/144 = 0.31 at stride 1, 99/144 = 0.69 at 2
//   workgroup bytes         0
//   registers               36 inputs + 9 weights + 4 sums
// Neighbouring invocations own neighbouring tiles of a row. At such rates reads
// and stores bound it, not the arithmetic: on llvmpipe, tiles of 8 rows and
// fewer divisions for a tile's place took 0.9 to 1.1 of the time.
//
// Edges: inputs beside the plane read as 0; outputs past the last row or column
// aren't stored. T, the element type, depthwise_rows.wgsl and the epilogue,
// channel_of and finish, are appended by the plan.

override STRIDE_H: u32 = 1; // 1 or 2
override TAP_ROWS: u32 = 3; // at most 3, and 0 for inputs that no output saw

struct Params {
  images: u32,
  groups: u32,
  // Output channels of a group.
  filters: u32,
  rows: u32,
  columns: u32,
  height: u32,
  width: u32,
  origin_h: i32,
  origin_w: i32,
  // Where operands start in their windows, and elements to the next image,
  // group, channel, row or output. Steps in w may be negative.
  x_base: u32,
  x_image: u32,
  x_group: u32,
  w_base: u32,
  w_group: u32,
  w_filter: u32,
  w_row: i32,
  w_column: i32,
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
@group(0) @binding(1) var<storage, read> w: array<T>;
@group(0) @binding(2) var<storage, read_write> y: array<T>;
@group(0) @binding(3) var<uniform> params: Params;

// Where the next row of inputs and of outputs is, and what is held of them.
struct Walk {
  above: Row,
  middle: Row,
  h: u32,
  x_at: u32,
  i: u32,
  y_at: u32,
}

// What an invocation needs for each row: its weights, the column of its first
// input, the outputs that are on the row, and the channel's part of the
// epilogue.
struct Tile {
  w0: vec3f,
  w1: vec3f,
  w2: vec3f,
  v: u32,
  left: u32,
  channel: vec2f,
}

// Reads the next row of inputs.
fn next_row(walk: ptr<function, Walk>, v: u32) -> Row {
  let row = read_row((*walk).x_at, v, (*walk).h < params.height);
  (*walk).h += 1;
  (*walk).x_at += params.width;
  return row;
}

// A row of inputs times a row of weights.
fn taps(row: Row, weights: vec3f) -> vec4f {
  var sum = weights.x * row.first;
  if (TAP_COLUMNS > 1) {
    sum += weights.y * row.second;
  }
  if (TAP_COLUMNS > 2) {
    sum += weights.z * row.third;
  }
  return sum;
}

// Computes and stores the next row of outputs.
fn next_outputs(walk: ptr<function, Walk>, tile: Tile) {
  let below = next_row(walk, tile.v);
  var sum = vec4f();
  if (TAP_ROWS > 0 && TAP_COLUMNS > 0) {
    sum += taps((*walk).above, tile.w0);
    if (TAP_ROWS > 1) {
      sum += taps((*walk).middle, tile.w1);
    }
    if (TAP_ROWS > 2) {
      sum += taps(below, tile.w2);
    }
  }
  if (STRIDE_H == 1) {
    (*walk).above = (*walk).middle;
    (*walk).middle = below;
  } else {
    (*walk).above = below;
    (*walk).middle = next_row(walk, tile.v);
  }
  let step = params.y_column;
  let to = (*walk).y_at;
  let left = select(0u, tile.left, (*walk).i < params.rows);
  (*walk).y_at += params.y_row;
  (*walk).i += 1;
  if (left > 0) {
    y[to] = T(finish(sum.x, tile.channel, to));
  }
  if (left > 1) {
    y[to + step] = T(finish(sum.y, tile.channel, to + step));
  }
  if (left > 2) {
    y[to + 2 * step] = T(finish(sum.z, tile.channel, to + 2 * step));
  }
  if (left > 3) {
    y[to + 3 * step] = T(finish(sum.w, tile.channel, to + 3 * step));
  }
}

// The weights of a row of taps that starts at an index.
fn weight_row(at: u32) -> vec3f {
  let step = u32(params.w_column);
  var row = vec3f();
  row.x = f32(w[at]);
  if (TAP_COLUMNS > 1) {
    row.y = f32(w[at + step]);
  }
  if (TAP_COLUMNS > 2) {
    row.z = f32(w[at + 2 * step]);
  }
  return row;
}

@compute @workgroup_size(32)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let across = (params.columns + 3) / 4;
  let down = (params.rows + 3) / 4;
  var at = (group.y * groups.x + group.x) * 32 + lane;
  let j = at % across * 4;
  at /= across;
  let i = at % down * 4;
  at /= down;
  let k = at % params.filters;
  at /= params.filters;
  let g = at % params.groups;
  let n = at / params.groups;
  if (n >= params.images) {
    return;
  }
  // Below 0, positions wrap around to large numbers, beside the plane as well.
  let h = u32(params.origin_h) + i * STRIDE_H;
  let w_at = params.w_base + g * params.w_group + k * params.w_filter;
  var tile: Tile;
  tile.v = u32(params.origin_w) + j * STRIDE_W;
  tile.left = params.columns - j;
  tile.w0 = weight_row(w_at);
  if (TAP_ROWS > 1) {
    tile.w1 = weight_row(w_at + u32(params.w_row));
  }
  if (TAP_ROWS > 2) {
    tile.w2 = weight_row(w_at + 2 * u32(params.w_row));
  }
  tile.channel =
    channel_of(params.channel_base + g * params.channel_group + k);
  var walk: Walk;
  walk.h = h;
  walk.x_at = params.x_base + n * params.x_image + g * params.x_group +
    h * params.width + tile.v;
  walk.i = i;
  walk.y_at = params.y_base + n * params.y_image + g * params.y_group +
    k * params.y_filter + i * params.y_row + j * params.y_column;
  walk.above = next_row(&walk, tile.v);
  walk.middle = next_row(&walk, tile.v);
  next_outputs(&walk, tile);
  next_outputs(&walk, tile);
  next_outputs(&walk, tile);
  next_outputs(&walk, tile);
}
