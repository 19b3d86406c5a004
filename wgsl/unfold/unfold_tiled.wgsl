// y[n, (c * KERNEL_H + i) * KERNEL_W + j, oh * OW + ow] = x[n, c, h, w]
//   with h = oh * STRIDE_H - PADDING_H + i * DILATION_H, and w likewise;
//   0 where that is in the padding.
// x: [N, C, H, W], y: [N, C * KERNEL_H * KERNEL_W, OH * OW]
//
// Tiling: one invocation owns TILE elements of y that are neighbours along OW,
// so that the divisions that find its place are shared; one read each.
// Neighbouring invocations own neighbouring tiles.
// Edges: for positions in the padding some other element is read and thrown
// away; what lies beyond OW is not stored.

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
override DILATION_H: u32;
override DILATION_W: u32;

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
  let row = line / params.out_height;
  let oh = line - row * params.out_height;
  let plane = row / (KERNEL_H * KERNEL_W);
  let tap = row - plane * (KERNEL_H * KERNEL_W);
  let i = tap / KERNEL_W;
  let j = tap - i * KERNEL_W;
  // Before the plane, the subtractions wrap round to huge numbers.
  let h = oh * STRIDE_H + i * DILATION_H - PADDING_H;
  let left = ow * STRIDE_W + j * DILATION_W - PADDING_W;
  let row_base = params.x_base + (plane * params.height + h) * params.width;
  let out = params.y_base + line * params.out_width + ow;
  let inside = h < params.height;
  for (var t = 0u; t < TILE; t++) {
    let w = left + t * STRIDE_W;
    let v = x[select(params.x_base, row_base + w, inside && w < params.width)];
    if (ow + t < params.out_width) {
      y[out + t] = select(T(0.0), v, inside && w < params.width);
    }
  }
}
