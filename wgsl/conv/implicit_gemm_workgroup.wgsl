// y[n, g, k, i, j] = finish of the sum over q < C * R * S of
//   w[g, k, q] * columns[q, p], with p = (n, i, j), q = (c, r, s) and
//   columns[q, p] = x[n, g, c, h, v],
//   h = origin_h + i * stride_h + r * dilation_h and v likewise.
// x: [N, G * C, H, W], w: [G, K, C, R, S] with its axes in any order
//   -> outputs i < rows, j < columns of each plane of y: [N, G * K, ...]
// The forward pass is one such correlation, the input gradient one or more.
//
// The sum: a row of the matrix w times a column of the matrix that im2col would
// write out, of which only blocks exist, in workgroup memory. A launch may hold
// a part of the sum only, and then ADDS to what y has.
//
// Tiling: a workgroup of 16×16 invocations owns 64 channels of 64 outputs, an
// invocation 4 of each. A trip of the loop stages 64×16 weights and 16×64
// inputs, one vec4 of each an invocation; then, for each of the 16 taps, an
// invocation reads a vec4 of both and adds 16 products.
//   reads per multiply-add  1/32 from storage, 1/2 from workgroup memory
//                           (a vec4 for 8)
//   workgroup bytes         8,448
//   registers               16 sums, 8 operands, 12 places, about 10 more
// With 48 registers, five workgroups (1,280 invocations) share 65,536 of them
// and 42,240 bytes of workgroup memory.
//
// Which addresses neighbours touch: a vec4 of inputs holds outputs x, x + 16,
// x + 32 and x + 48 of the block, so that 16 neighbouring invocations read 16
// neighbouring inputs, and store 16 neighbouring outputs. Weights are read
// along q, in which they lie together in the forward pass, and so staged down
// a column: rows of 17 vec4 instead of 16 put eight neighbours, 68 words apart,
// into different ones of 32 banks. In the inner loop, invocations of a row read
// the same weights (one read for all) and neighbouring inputs.
//
// Edges: inputs beside the plane and all past the end are staged as zero;
// outputs past the end aren't stored. T, the element type, channel_of and
// finish are appended by the plan.

override ADDS: bool = false; // to what y has

const SIDE = 16u; // invocations along each side of the workgroup
const BLOCK = 64u; // channels, and outputs, of the block
const DEPTH = 16u; // taps staged at once
const PITCH = 17u; // vec4 from one tap's weights to the next one's

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
  // Where operands start in their windows, and elements to the next image,
  // group, channel, row, output or tap. Steps from tap to tap may be negative.
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
  w_filter: u32,
  w_summed: u32,
  w_row: i32,
  w_column: i32,
}

@group(0) @binding(0) var<storage, read> x: array<T>;
@group(0) @binding(1) var<storage, read> w: array<T>;
@group(0) @binding(2) var<storage, read_write> y: array<T>;
@group(0) @binding(3) var<uniform> params: Params;

// Four channels, or four outputs, at each of the staged taps.
var<workgroup> w_staged: array<vec4f, 272>; // [DEPTH][PITCH]
var<workgroup> x_staged: array<vec4f, 256>; // [DEPTH][SIDE]

// Four outputs: where their first tap stands on the plane and in x.
struct Places {
  h: vec4u,
  v: vec4u,
  at: vec4u,
}

// A tap: its channel, row and column.
struct Tap {
  c: u32,
  r: u32,
  s: u32,
}

fn tap_of(q: u32) -> Tap {
  let columns = max(params.tap_columns, 1u);
  let taps = max(params.tap_rows * columns, 1u);
  return Tap(q / taps, q % taps / columns, q % columns);
}

fn places_of(p: vec4u, plane: u32) -> Places {
  let n = p / (params.rows * params.columns);
  let i = p / params.columns % params.rows;
  let j = p % params.columns;
  // Below 0, positions wrap around to large numbers, beside the plane as well.
  let h = u32(params.origin_h) + i * params.stride_h;
  let v = u32(params.origin_w) + j * params.stride_w;
  let at = plane + n * params.x_image + h * params.width + v;
  return Places(h, v, at);
}

// The inputs that four outputs see through a tap, 0 beside the plane.
fn inputs(places: Places, tap: Tap, used: bool) -> vec4f {
  let down = tap.r * params.dilation_h;
  let right = tap.s * params.dilation_w;
  let plane = tap.c * params.x_channel;
  let i = places.at + plane + down * params.width + right;
  let values = vec4f(f32(x[i.x]), f32(x[i.y]), f32(x[i.z]), f32(x[i.w]));
  let on_plane = places.h + down < vec4u(params.height);
  let inside = on_plane & (places.v + right < vec4u(params.width));
  return select(vec4f(), values, inside & vec4<bool>(used));
}

// The weight of channel k at a tap that stands at an index, 0 past the last.
fn weight(at: u32, k: u32, used: bool) -> f32 {
  if (used && k < params.filters) {
    return f32(w[at + k * params.w_filter]);
  }
  return 0.0;
}

fn weights(group: u32, k: u32, tap: Tap, used: bool) -> vec4f {
  let at = group + tap.c * params.w_summed +
    u32(i32(tap.r) * params.w_row + i32(tap.s) * params.w_column);
  return vec4f(
    weight(at, k, used),
    weight(at, k + 1, used),
    weight(at, k + 2, used),
    weight(at, k + 3, used),
  );
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

// Stores channel k of four outputs.
fn store(to: vec4u, kept: vec4<bool>, g: u32, k: u32, sums: vec4f) {
  if (k >= params.filters) {
    return;
  }
  let channel =
    channel_of(params.channel_base + g * params.channel_group + k);
  let at = to + k * params.y_filter;
  store_one(at.x, sums.x, channel, kept.x);
  store_one(at.y, sums.y, channel, kept.y);
  store_one(at.z, sums.z, channel, kept.z);
  store_one(at.w, sums.w, channel, kept.w);
}

@compute @workgroup_size(256)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  // Outputs vary fastest, then blocks of channels and groups.
  let outputs = params.images * params.rows * params.columns;
  let across = (outputs + BLOCK - 1) / BLOCK;
  let down = (params.filters + BLOCK - 1) / BLOCK;
  var id = group.y * groups.x + group.x;
  let block_p = id % across * BLOCK;
  id /= across;
  let block_k = id % down * BLOCK;
  let g = id / down;
  if (g >= params.groups) {
    return;
  }

  let lane_x = lane % SIDE;
  let lane_y = lane / SIDE;
  let p = block_p + lane_x + SIDE * vec4u(0, 1, 2, 3);
  let places = places_of(p, params.x_base + g * params.x_group);
  let w_group = params.w_base + g * params.w_group;
  let end = params.first + params.length;
  var sums_0 = vec4f();
  var sums_1 = vec4f();
  var sums_2 = vec4f();
  var sums_3 = vec4f();
  for (var q = params.first; q < end; q += DEPTH) {
    // Inputs are staged row by row, weights column by column.
    let q_x = q + lane_y;
    x_staged[lane] = inputs(places, tap_of(q_x), q_x < end);
    let q_w = q + lane_x;
    w_staged[lane_x * PITCH + lane_y] =
      weights(w_group, block_k + 4 * lane_y, tap_of(q_w), q_w < end);
    workgroupBarrier();
    for (var d = 0u; d < DEPTH; d++) {
      let four = w_staged[d * PITCH + lane_y];
      let row = x_staged[d * SIDE + lane_x];
      sums_0 += four.x * row;
      sums_1 += four.y * row;
      sums_2 += four.z * row;
      sums_3 += four.w * row;
    }
    workgroupBarrier();
  }

  let n = p / (params.rows * params.columns);
  let i = p / params.columns % params.rows;
  let j = p % params.columns;
  let to = params.y_base + g * params.y_group + n * params.y_image +
    i * params.y_row + j * params.y_column;
  let kept = p < vec4u(outputs);
  let k = block_k + 4 * lane_y;
  store(to, kept, g, k, sums_0);
  store(to, kept, g, k + 1, sums_1);
  store(to, kept, g, k + 2, sums_2);
  store(to, kept, g, k + 3, sums_3);
}
