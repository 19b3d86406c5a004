// dx[n, g, c, h, v] = finish of the sum over k < K, r < R, s < S of
//   w[g, k, c, r, s] * dy[n, g, k, i, j], over the taps for which
//   i = (h + top - r * dilation_h) / stride_h is whole, and j likewise.
// dy: [N, G * K, OH, OW], w: [G * K, C, R, S] -> dx: [N, G * C, H, W]
//
// The sum: over output channels, rows and columns of taps, in that order. A
// launch may hold a part of them only, and then adds to what dx has.
//
// Tiling: one invocation owns one position of the input, and takes
// stride_h * stride_w turns for each multiply-add that counts.
//   reads per multiply-add  2
//   workgroup bytes         0
//   registers               1 sum
//
// Edges: positions beside dy's plane read as 0. T, the element type, and the
// epilogue, channel_of and finish, are appended by the launch plan.

struct Params {
  // What this launch computes: images, groups, input channels of each.
  images: u32,
  groups: u32,
  channels: u32,
  // What it sums: output channels, and taps from first_row, first_column on.
  filters: u32,
  first_row: u32,
  rows: u32,
  first_column: u32,
  columns: u32,
  out_height: u32,
  out_width: u32,
  height: u32,
  width: u32,
  stride_h: u32,
  stride_w: u32,
  dilation_h: u32,
  dilation_w: u32,
  top: u32,
  left: u32,
  // Where operands start in their windows, and elements to the next image,
  // group, channel or row.
  dy_base: u32,
  dy_image: u32,
  dy_group: u32,
  dy_filter: u32,
  w_base: u32,
  w_group: u32,
  w_channel: u32,
  w_filter: u32,
  w_row: u32,
  dx_base: u32,
  dx_image: u32,
  dx_group: u32,
  dx_channel: u32,
  // 1: add to what dx has.
  adds: u32,
  // Where channels start in the epilogue's operands, and those of the next
  // group.
  channel_base: u32,
  channel_group: u32,
}

@group(0) @binding(0) var<storage, read> dy: array<T>;
@group(0) @binding(1) var<storage, read> w: array<T>;
@group(0) @binding(2) var<storage, read_write> dx: array<T>;
@group(0) @binding(3) var<uniform> params: Params;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let at = (group.y * groups.x + group.x) * 64u + lane;
  let area = params.height * params.width;
  let h = at / params.width % params.height;
  let v = at % params.width;
  let c = at / area % params.channels;
  let g = at / (area * params.channels) % params.groups;
  let n = at / (area * params.channels * params.groups);
  if (n >= params.images) {
    return;
  }
  let to = params.dx_base + n * params.dx_image + g * params.dx_group +
    c * params.dx_channel + h * params.width + v;
  var sum = select(0.0, f32(dx[to]), params.adds == 1u);

  var dy_plane = params.dy_base + n * params.dy_image + g * params.dy_group;
  var w_at = params.w_base + g * params.w_group + c * params.w_channel;
  for (var k = 0u; k < params.filters; k++) {
    for (var r = 0u; r < params.rows; r++) {
      // Below 0 wraps around to a large number, beside the plane as well.
      let down = h + params.top - (params.first_row + r) * params.dilation_h;
      let i = down / params.stride_h;
      let on_row = i * params.stride_h == down && i < params.out_height;
      for (var s = 0u; s < params.columns; s++) {
        let right =
          v + params.left - (params.first_column + s) * params.dilation_w;
        let j = right / params.stride_w;
        if (on_row && j * params.stride_w == right && j < params.out_width) {
          sum += f32(dy[dy_plane + i * params.out_width + j]) *
            f32(w[w_at + r * params.w_row + s]);
        }
      }
    }
    dy_plane += params.dy_filter;
    w_at += params.w_filter;
  }
  let channel = params.channel_base + g * params.channel_group + c;
  dx[to] = T(finish(sum, channel_of(channel), to));
}
