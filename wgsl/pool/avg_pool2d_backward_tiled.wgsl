// dx[n, c, h, w] = sum over the windows (oh, ow) that cover (h, w) of
//   dy[n, c, oh, ow] / divisor(oh, ow).
// dy: [N, C, OH, OW], dx: [N, C, H, W]
//
// Row r < STRIDE_H of block b is h = b * STRIDE_H + r - PADDING_H. It is row
// r + d * STRIDE_H of window oh = b - d, for each d that keeps this below
// KERNEL_H: the windows that cover a block are the last WINDOWS_H =
// ceil(KERNEL_H / STRIDE_H) up to b. Likewise along W. The divisor is that of
// the forward kernel.
//
// Tiling: one invocation owns STRIDE_H rows of COLUMNS = TILE * STRIDE_W
// positions, AREA sums in registers, and reads each of the windows that cover
// them, WINDOWS_H rows of REACH = TILE + WINDOWS_W - 1, once. It adds in order
// of oh, then ow: no atomics, the same bits each time. With a 2 x 2 window and
// stride 2, a quarter read per position. Neighbouring invocations own
// neighbouring tiles.
// Edges: windows that don't exist are read as 0; positions beside the plane are
// summed and not stored.

struct Params {
  count: u32,
  dy_base: u32,
  dx_base: u32,
  height: u32,
  width: u32,
  out_height: u32,
  out_width: u32,
  blocks: u32,
  tiles: u32,
}

@group(0) @binding(0) var<storage, read> dy: array<T>;
@group(0) @binding(1) var<storage, read_write> dx: array<T>;
@group(0) @binding(2) var<uniform> params: Params;

override KERNEL_H: u32;
override KERNEL_W: u32;
override STRIDE_H: u32;
override STRIDE_W: u32;
override PADDING_H: u32;
override PADDING_W: u32;
override WINDOWS_H: u32;
override WINDOWS_W: u32;
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
  let tile = at - line * params.tiles;
  let plane = line / params.blocks;
  let block = line - plane * params.blocks;
  let width = i32(params.width);
  let top = i32(block * STRIDE_H) - i32(PADDING_H);
  let left = i32(tile * COLUMNS) - i32(PADDING_W);
  let first_ow = i32(tile * TILE) - i32(WINDOWS_W - 1u);

  var sums: array<f32, AREA>;
  for (var k = 0u; k < AREA; k++) {
    sums[k] = 0.0;
  }
  for (var d = i32(WINDOWS_H) - 1; d >= 0; d--) {
    let oh = i32(block) - d;
    if (oh < 0 || oh >= i32(params.out_height)) {
      continue;
    }
    let window = i32((plane * params.out_height + u32(oh)) * params.out_width) +
      i32(params.dy_base) + first_ow;
    var grad: array<f32, REACH>;
    for (var s = 0; s < i32(REACH); s++) {
      // A read beside the row gives some neighbour, which is thrown away.
      let g = f32(dy[window + s]);
      let ow = first_ow + s;
      let exists = ow >= 0 && ow < i32(params.out_width);
      grad[s] = select(0.0, g / divisor(u32(oh), u32(ow)), exists);
    }
    for (var r = 0u; r < STRIDE_H; r++) {
      if (r + u32(d) * STRIDE_H < KERNEL_H) {
        for (var c = 0u; c < COLUMNS; c++) {
          for (var e = 0u; e < WINDOWS_W; e++) {
            let column = c % STRIDE_W + (WINDOWS_W - 1u - e) * STRIDE_W;
            if (column < KERNEL_W) {
              sums[r * COLUMNS + c] += grad[c / STRIDE_W + e];
            }
          }
        }
      }
    }
  }
  for (var r = 0u; r < STRIDE_H; r++) {
    let h = top + i32(r);
    if (h < 0 || h >= i32(params.height)) {
      continue;
    }
    let out = i32(params.dx_base) +
      (i32(plane * params.height) + h) * width + left;
    for (var c = 0u; c < COLUMNS; c++) {
      let w = left + i32(c);
      if (w >= 0 && w < width) {
        dx[out + i32(c)] = T(sums[r * COLUMNS + c]);
      }
    }
  }
}
