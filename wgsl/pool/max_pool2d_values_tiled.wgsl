// y[n, c, oh, ow] = max over i < KERNEL_H, j < KERNEL_W of x[n, c, h, w]
//   with h = oh * STRIDE_H - PADDING_H + i, and w likewise.
// x: [N, C, H, W], y: [N, C, OH, OW]
//
// The maximum: NaN is larger than everything. Of -0 and +0, which are equal,
// the first counts, going down the columns one after the other.
//
// Tiling: one invocation owns TILE outputs that are neighbours along OW. They
// share SPAN = (TILE - 1) * STRIDE_W + KERNEL_W columns of x, each of which it
// reads once and takes the maximum of down the window, in registers; then each
// output compares its KERNEL_W columns. A 3 x 3 window with stride 1 and 8
// outputs takes 3.75 reads and 6.75 comparisons an output, not 9 and 9.
// Neighbouring invocations own neighbouring tiles. The kernel that gives
// indices can't go by columns: its first of equals is the first by rows.
// Edges: elements in the padding are read as -inf, which never beats the
// maximum so far; what lies beyond OW is computed and not stored.

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

fn is_nan(v: f32) -> bool {
  return (bitcast<u32>(v) & 0x7fffffffu) > 0x7f800000u;
}

fn larger(a: f32, b: f32) -> f32 {
  return select(a, b, is_nan(b) || (b > a && !is_nan(a)));
}

// From a variable, because WGSL refuses an infinity that it can foresee.
fn minus_infinity() -> f32 {
  var bits = 0xff800000u;
  return bitcast<f32>(bits);
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
  let lowest = minus_infinity();

  var columns: array<f32, SPAN>;
  for (var s = 0u; s < SPAN; s++) {
    columns[s] = lowest;
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
      columns[s] = larger(columns[s], select(lowest, v, w >= 0 && w < width));
    }
  }
  let out = params.y_base + line * params.out_width + ow;
  for (var t = 0u; t < TILE; t++) {
    var best = lowest;
    for (var j = 0u; j < KERNEL_W; j++) {
      best = larger(best, columns[t * STRIDE_W + j]);
    }
    if (ow + t < params.out_width) {
      y[out + t] = T(best);
    }
  }
}
