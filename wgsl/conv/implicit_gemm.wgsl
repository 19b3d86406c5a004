// y[n, g, k, i, j] = finish of the sum over q < C * R * S of
//   w[g, k, q] * columns[q, p], with p = (n, i, j), q = (c, r, s) and
//   columns[q, p] = x[n, g, c, h, v],
//   h = origin_h + i * stride_h + r * dilation_h and v likewise.
// x: [N, G * C, H, W], w: packed [G, tiles, C * R * S, 4 * QUADS]
//   -> outputs i < rows, j < columns of each plane of y: [N, G * K, ...]
// The forward pass is one such correlation, the input gradient one or more.
//
// The sum: a row of the matrix w times a column of the matrix that im2col would
// write out, and that is never stored. A launch may hold a part of the sum
// only, and then ADDS to what y has.
//
// Tiling: one invocation owns 4 * QUADS channels of 8 outputs, in registers: a
// matrix for each four of both, a column a channel. Outputs are numbered
// through images, rows and columns, so that tiles are full whatever the planes'
// width. An output is known by where its first tap stands; a tap moves all
// eight by the same offset, which the loop carries along by addition. A tap
// reads 8 inputs and QUADS vectors of weights for 32 * QUADS multiply-adds.
// Nothing is staged and there is no barrier.
//   reads per multiply-add  1/(4 * QUADS) of x, 1/32 vectors of w
//   workgroup bytes         0
//   registers               32 * QUADS sums, 8 inputs, 24 places
//
// Edges: inputs beside the plane read as 0; outputs and channels past the end
// are computed and not stored. T, the element type, channel_of and finish are
// appended by the plan.

override QUADS: u32 = 4; // 1 to 4
override ADDS: bool = false; // to what y has

struct Params {
  // What this launch computes: images, groups, output channels of each.
  images: u32,
  groups: u32,
  filters: u32,
  rows: u32,
  columns: u32,
  // What it sums: from tap number `first` on, `length` of them.
  tap_rows: u32,
  tap_columns: u32,
  first: u32,
  length: u32,
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
  w_base: u32,
  w_group: u32,
  w_tile: u32,
}

@group(0) @binding(0) var<storage, read> x: array<T>;
@group(0) @binding(1) var<storage, read> w: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> y: array<T>;
@group(0) @binding(3) var<uniform> params: Params;

// Four outputs: where their first tap stands on the plane and in x.
struct Places {
  h: vec4u,
  v: vec4u,
  at: vec4u,
}

// A tap: how far it lies from the first, down, right and in x.
struct Tap {
  down: u32,
  right: u32,
  offset: u32,
}

fn places_of(p: vec4u, plane: u32) -> Places {
  let area = params.rows * params.columns;
  // Past the last output, images that aren't there: never stored.
  let n = p / area;
  let i = p / params.columns % params.rows;
  let j = p % params.columns;
  // Below 0, positions wrap around to large numbers, beside the plane as well.
  let h = u32(params.origin_h) + i * params.stride_h;
  let v = u32(params.origin_w) + j * params.stride_w;
  return Places(h, v, plane + n * params.x_image + h * params.width + v);
}

// The inputs that four outputs see through a tap, 0 beside the plane.
fn inputs(places: Places, tap: Tap) -> vec4f {
  let i = places.at + tap.offset;
  let values = vec4f(f32(x[i.x]), f32(x[i.y]), f32(x[i.z]), f32(x[i.w]));
  let on_plane = places.h + tap.down < vec4u(params.height);
  let inside = on_plane & (places.v + tap.right < vec4u(params.width));
  return select(vec4f(), values, inside);
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

// Where outputs start in y.
fn stored_at(p: vec4u, group: u32) -> vec4u {
  let n = p / (params.rows * params.columns);
  let i = p / params.columns % params.rows;
  let j = p % params.columns;
  return group + n * params.y_image + i * params.y_row + j * params.y_column;
}

fn store_one(at: u32, sum: f32, channel: vec2f, kept: bool) {
  if (kept) {
    var value = sum;
    if (ADDS) {
      value += f32(y[at]);
    }
    y[at] = T(finish(value, channel, at));
  }
}

// Stores channel k of four outputs, of which `left` exist.
fn store(to: vec4u, g: u32, k: u32, left: u32, sums: vec4f) {
  if (k >= params.filters) {
    return;
  }
  let channel =
    channel_of(params.channel_base + g * params.channel_group + k);
  let at = to + k * params.y_filter;
  store_one(at.x, sums.x, channel, left > 0);
  store_one(at.y, sums.y, channel, left > 1);
  store_one(at.z, sums.z, channel, left > 2);
  store_one(at.w, sums.w, channel, left > 3);
}

// Stores four channels from k on.
fn store_quad(to: vec4u, g: u32, k: u32, left: u32, sums: mat4x4f) {
  store(to, g, k, left, sums[0]);
  store(to, g, k + 1, left, sums[1]);
  store(to, g, k + 2, left, sums[2]);
  store(to, g, k + 3, left, sums[3]);
}

@compute @workgroup_size(32)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  // Which tile this is: outputs vary fastest, then tiles of channels, groups.
  let outputs = params.images * params.rows * params.columns;
  let across = (outputs + 7) / 8;
  let tiles = (params.filters + 4 * QUADS - 1) / (4 * QUADS);
  var at = (group.y * groups.x + group.x) * 32 + lane;
  let p = at % across * 8;
  at /= across;
  let tile = at % tiles;
  let g = at / tiles;
  if (g >= params.groups) {
    return;
  }
  let low_p = p + vec4u(0, 1, 2, 3);
  let high_p = low_p + 4;

  // The first tap of this launch.
  let area = params.x_channel;
  let columns = params.tap_columns;
  let taps = max(params.tap_rows * columns, 1u);
  var s = params.first % max(columns, 1u);
  var r = params.first % taps / max(columns, 1u);
  var tap: Tap;
  tap.down = r * params.dilation_h;
  tap.right = s * params.dilation_w;
  var plane = params.first / taps * area;

  let plane_0 = params.x_base + g * params.x_group;
  let low = places_of(low_p, plane_0);
  let high = places_of(high_p, plane_0);
  var w_at = params.w_base + g * params.w_group + tile * params.w_tile +
    params.first * QUADS;
  var low_0: mat4x4f;
  var low_1: mat4x4f;
  var low_2: mat4x4f;
  var low_3: mat4x4f;
  var high_0: mat4x4f;
  var high_1: mat4x4f;
  var high_2: mat4x4f;
  var high_3: mat4x4f;
  for (var q = 0u; q < params.length; q++) {
    tap.offset = plane + tap.down * params.width + tap.right;
    let a = inputs(low, tap);
    let b = inputs(high, tap);
    let w_0 = w[w_at];
    low_0 += outer(w_0, a);
    high_0 += outer(w_0, b);
    if (QUADS > 1) {
      let w_1 = w[w_at + 1];
      low_1 += outer(w_1, a);
      high_1 += outer(w_1, b);
    }
    if (QUADS > 2) {
      let w_2 = w[w_at + 2];
      low_2 += outer(w_2, a);
      high_2 += outer(w_2, b);
    }
    if (QUADS > 3) {
      let w_3 = w[w_at + 3];
      low_3 += outer(w_3, a);
      high_3 += outer(w_3, b);
    }
    w_at += QUADS;
    // On to the next column of taps, or row, or channel.
    s += 1;
    tap.right += params.dilation_w;
    if (s == columns) {
      s = 0;
      tap.right = 0;
      r += 1;
      tap.down += params.dilation_h;
    }
    if (r == params.tap_rows) {
      r = 0;
      tap.down = 0;
      plane += area;
    }
  }

  let k = tile * 4 * QUADS;
  let to = params.y_base + g * params.y_group;
  let low_to = stored_at(low_p, to);
  let high_to = stored_at(high_p, to);
  let left = outputs - p;
  let rest = max(left, 4u) - 4;
  store_quad(low_to, g, k, left, low_0);
  store_quad(high_to, g, k, rest, high_0);
  if (QUADS > 1) {
    store_quad(low_to, g, k + 4, left, low_1);
    store_quad(high_to, g, k + 4, rest, high_1);
  }
  if (QUADS > 2) {
    store_quad(low_to, g, k + 8, left, low_2);
    store_quad(high_to, g, k + 8, rest, high_2);
  }
  if (QUADS > 3) {
    store_quad(low_to, g, k + 12, left, low_3);
    store_quad(high_to, g, k + 12, rest, high_3);
  }
}
