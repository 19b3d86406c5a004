// y[n, c, oh, ow] = sum over i < KERNEL_H, j < KERNEL_W of x[n, c, h, w]
//   / divisor, with h = oh * STRIDE_H - PADDING_H + i, and w likewise.
// x: [N, C, H, W], y: [N, C, OH, OW]
//
// The divisor: DIVISOR where it isn't 0; else the elements of the window that
// lie on the plane and, if COUNT_PADDING is 1, on the padding around it. What a
// last window in ceil mode covers beyond the padding never counts.
//
// Tiling: one invocation owns TILE outputs that are neighbours along OW. They
// share SPAN = (TILE - 1) * STRIDE_W + KERNEL_W columns of x, each of which it
// reads and sums down the window once, in registers; then each output adds its
// KERNEL_W columns. A 3 x 3 window with stride 1 and 8 outputs takes 3.75
// reads and 6.75 additions an output, not 9 and 9. Neighbouring invocations
// own neighbouring tiles.
// Edges: elements in the padding are read as 0; what lies beyond OW is computed
// and not stored.

struct Params {
  count: u32,
  x_base: u32,
  y_base: u32,
  height: u32,
  width: u32,
  out_height: u32,
  out_width: u32,
  tiles: u32,
}

@group(0) @binding(0) var<storage, read> x: array<T>;
@group(0) @binding(1) var<storage, read_write> y: array<T>;
@group(0) @binding(2) var<uniform> params: Params;

override KERNEL_H: u32;
override KERNEL_W: u32;
override STRIDE_H: u32;
override STRIDE_W: u32;
override PADDING_H: u32;
override PADDING_W: u32;
override COUNT_PADDING: u32;
override DIVISOR: f32;

// Elements that count along one axis of a window that starts at `start`,
// counted from the outer edge of the padding.
fn counted(start: u32, kernel: u32, size: u32, padding: u32) -> u32 {
  if (COUNT_PADDING == 1u) {
    return min(start + kernel, size + 2u * padding) - start;
  }
  return min(start + kernel, size + padding) - max(start, padding);
}

fn divisor(oh: u32, ow: u32) -> f32 {
  if (DIVISOR != 0.0) {
    return DIVISOR;
  }
  let rows = counted(oh * STRIDE_H, KERNEL_H, params.height, PADDING_H);
  let columns = counted(ow * STRIDE_W, KERNEL_W, params.width, PADDING_W);
  return f32(rows * columns);
}

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let at = (group.y * groups.x + group.x) * 64u + lane;
  if (at >= params.count) {
    return;
  }
  let line = at / params.tiles;
  let ow = (at - line * params.tiles) * TILE;
  let plane = line / params.out_height;
  let oh = line - plane * params.out_height;
  let width = i32(params.width);
  let plane_base = i32(params.x_base + plane * params.height * params.width);
  let top = i32(oh * STRIDE_H) - i32(PADDING_H);
  let left = i32(ow * STRIDE_W) - i32(PADDING_W);

  var columns: array<f32, SPAN>;
  for (var s = 0u; s < SPAN; s++) {
    columns[s] = 0.0;
  }
  for (var i = 0; i < i32(KERNEL_H); i++) {
    let h = top + i;
    if (h < 0 || h >= i32(params.height)) {
      continue;
    }
    let row = plane_base + h * width + left;
    for (var s = 0u; s < SPAN; s++) {
      // A read beside the row gives some neighbour, which is thrown away.
      let v = f32(x[row + i32(s)]);
      let w = left + i32(s);
      columns[s] += select(0.0, v, w >= 0 && w < width);
    }
  }
  let out = params.y_base + line * params.out_width + ow;
  for (var t = 0u; t < TILE; t++) {
    var sum = 0.0;
    for (var j = 0u; j < KERNEL_W; j++) {
      sum += columns[t * STRIDE_W + j];
    }
    if (ow + t < params.out_width) {
      y[out + t] = T(sum / divisor(oh, ow + t));
    }
  }
}
