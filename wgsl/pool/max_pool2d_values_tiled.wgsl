// y[n, c, oh, ow] = max over i < KERNEL_H, j < KERNEL_W of x[n, c, h, w]
//   with h = oh * STRIDE_H - PADDING_H + i, and w likewise.
// x: [N, C, H, W], y: [N, C, OH, OW]
//
// The maximum: NaN is larger than everything, and the last NaN counts; among
// equals the first counts.
//
// Tiling: one invocation owns TILE outputs that are neighbours along OW, kept
// in registers. Of each row of the window it reads the SPAN =
// (TILE - 1) * STRIDE_W + KERNEL_W elements that they share, once: with a 3 x 3
// window and stride 2, 2.25 reads for 3 comparisons. Neighbouring invocations
// own neighbouring tiles.
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

  var best: array<f32, TILE>;
  for (var t = 0u; t < TILE; t++) {
    best[t] = lowest;
  }
  for (var i = 0; i < i32(KERNEL_H); i++) {
    let h = top + i;
    if (h < 0 || h >= i32(params.height)) {
      continue;
    }
    let row_base = plane_base + h * width + left;
    var row: array<f32, SPAN>;
    for (var s = 0u; s < SPAN; s++) {
      // A read beside the row gives some neighbour, which is thrown away.
      let v = f32(x[row_base + i32(s)]);
      let w = left + i32(s);
      row[s] = select(lowest, v, w >= 0 && w < width);
    }
    for (var t = 0u; t < TILE; t++) {
      for (var j = 0u; j < KERNEL_W; j++) {
        let v = row[t * STRIDE_W + j];
        if (is_nan(v) || (v > best[t] && !is_nan(best[t]))) {
          best[t] = v;
        }
      }
    }
  }
  let out = params.y_base + line * params.out_width + ow;
  for (var t = 0u; t < TILE; t++) {
    if (ow + t < params.out_width) {
      y[out + t] = T(best[t]);
    }
  }
}
