// y[n, g, k, first + i * step, ...] = finish of the sum over r < TAP_ROWS,
//   s < TAP_COLUMNS of w[g, k, r, s] * x[n, g, h, v], with
//   h = origin_h + i * STRIDE_H + r * DILATION_H and v likewise.
// x: [N, G, H, W], w: [G, K, ...] -> outputs i < rows, j < columns of each
//   plane of y: [N, G * K, ...]
// The forward pass is one such correlation, the input gradient one or more.
//
// The sum: over the taps of one channel.
//
// Tiling: a workgroup of 8×8 invocations owns 8×8 outputs of a plane, an
// invocation one. They stage the inputs under all of them, STAGED_ROWS by
// STAGED_COLUMNS of them, and then read those through each tap.
//   reads per multiply-add  100/576, or 0.17, of x for 3 × 3 taps at stride 1;
//                           1 from workgroup memory; 1 of w, the same for all
//                           64 invocations, which a GPU reads once
//   workgroup bytes         4 * STAGED_ROWS * PITCH: 960 there
//   registers               1 sum, about 16 more
//
// Which addresses neighbours touch: 8 neighbours stand in a row, and rows are
// PITCH apart, 8 or 24 modulo 32 (8 more than a multiple of 16), so that 32
// neighbours at stride 1 read from 32 banks. At stride 2, two share a bank.
//
// Edges: inputs beside the plane are staged as 0; outputs past the last row or
// column aren't stored. T, the element type, and the epilogue, channel_of and
// finish, are appended by the plan.

override STRIDE_H: u32 = 1;
override STRIDE_W: u32 = 1;
override DILATION_H: u32 = 1;
override DILATION_W: u32 = 1;
override TAP_ROWS: u32 = 3; // 0 for inputs that no output saw
override TAP_COLUMNS: u32 = 3;
override STAGED_ROWS: u32 = 10;
override STAGED_COLUMNS: u32 = 10;
override PITCH: u32 = 24; // words from one staged row to the next
override STAGED: u32 = 240; // words in all

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

var<workgroup> staged: array<f32, STAGED>; // [STAGED_ROWS][PITCH]

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  // Which 8×8 outputs: along the row first, then rows, channels, images.
  let across = (params.columns + 7) / 8;
  let down = (params.rows + 7) / 8;
  var at = group.y * groups.x + group.x;
  let first_j = at % across * 8;
  at /= across;
  let first_i = at % down * 8;
  at /= down;
  let k = at % params.filters;
  at /= params.filters;
  let g = at % params.groups;
  let n = at / params.groups;
  if (n >= params.images) {
    return;
  }

  // Below 0, positions wrap around to large numbers, beside the plane as well.
  let first_h = u32(params.origin_h) + first_i * STRIDE_H;
  let first_v = u32(params.origin_w) + first_j * STRIDE_W;
  let plane = params.x_base + n * params.x_image + g * params.x_group;
  for (var e = lane; e < STAGED_ROWS * STAGED_COLUMNS; e += 64) {
    let row = e / STAGED_COLUMNS;
    let column = e % STAGED_COLUMNS;
    let h = first_h + row;
    let v = first_v + column;
    let value = f32(x[plane + h * params.width + v]);
    let inside = h < params.height && v < params.width;
    staged[row * PITCH + column] = select(0.0, value, inside);
  }
  workgroupBarrier();

  let i = lane / 8;
  let j = lane % 8;
  let own = i * STRIDE_H * PITCH + j * STRIDE_W;
  let weights = params.w_base + g * params.w_group + k * params.w_filter;
  var sum = 0.0;
  for (var r = 0u; r < TAP_ROWS; r++) {
    for (var s = 0u; s < TAP_COLUMNS; s++) {
      let tap = u32(i32(r) * params.w_row + i32(s) * params.w_column);
      sum += f32(w[weights + tap]) *
        staged[own + r * DILATION_H * PITCH + s * DILATION_W];
    }
  }
  if (first_i + i < params.rows && first_j + j < params.columns) {
    let channel =
      channel_of(params.channel_base + g * params.channel_group + k);
    let to = params.y_base + n * params.y_image + g * params.y_group +
      k * params.y_filter + (first_i + i) * params.y_row +
      (first_j + j) * params.y_column;
    y[to] = T(finish(sum, channel, to));
  }
}
