// y[n, g, k, i, j] = finish of the sum over c < C, r < R, s < S of
//   w[g, k, c, r, s] * x[n, g, c, h, v], with
//   h = i * stride_h + r * dilation_h - top and v likewise along the width.
// x: [N, G * C, H, W], w: [G * K, C, R, S] -> y: [N, G * K, OH, OW]
//
// The sum: over channels, rows and columns of taps, in that order. A launch
// may hold a part of them only, and then adds to what y has.
//
// Tiling: one invocation owns one output, neighbours along the output's width.
//   reads per multiply-add  2
//   workgroup bytes         0
//   registers               1 sum
// It is the plain statement that the other kernels are checked against.
//
// Edges: positions beside the plane read as 0. T, the element type, and the
// epilogue, channel_of and finish, are appended by the launch plan.

struct Params {
  // What this launch computes: images, groups, output channels of each.
  images: u32,
  groups: u32,
  filters: u32,
  // What it sums: input channels, and taps from first_row, first_column on.
  channels: u32,
  first_row: u32,
  rows: u32,
  first_column: u32,
  columns: u32,
  height: u32,
  width: u32,
  out_height: u32,
  out_width: u32,
  stride_h: u32,
  stride_w: u32,
  dilation_h: u32,
  dilation_w: u32,
  top: u32,
  left: u32,
  // Where operands start in their windows, and elements to the next image,
  // group, channel or row.
  x_base: u32,
  x_image: u32,
  x_group: u32,
  x_channel: u32,
  w_base: u32,
  w_group: u32,
  w_filter: u32,
  w_channel: u32,
  w_row: u32,
  y_base: u32,
  y_image: u32,
  y_group: u32,
  y_filter: u32,
  // 1: add to what y has.
  adds: u32,
  // Where channels start in the epilogue's operands, and those of the next
  // group.
  channel_base: u32,
  channel_group: u32,
}

@group(0) @binding(0) var<storage, read> x: array<T>;
@group(0) @binding(1) var<storage, read> w: array<T>;
@group(0) @binding(2) var<storage, read_write> y: array<T>;
@group(0) @binding(3) var<uniform> params: Params;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let at = (group.y * groups.x + group.x) * 64u + lane;
  let area = params.out_height * params.out_width;
  let i = at / params.out_width % params.out_height;
  let j = at % params.out_width;
  let k = at / area % params.filters;
  let g = at / (area * params.filters) % params.groups;
  let n = at / (area * params.filters * params.groups);
  if (n >= params.images) {
    return;
  }
  let to = params.y_base + n * params.y_image + g * params.y_group +
    k * params.y_filter + i * params.out_width + j;
  var sum = select(0.0, f32(y[to]), params.adds == 1u);

  var x_plane = params.x_base + n * params.x_image + g * params.x_group;
  var w_at = params.w_base + g * params.w_group + k * params.w_filter;
  let first_h = i32(i * params.stride_h + params.first_row * params.dilation_h)
    - i32(params.top);
  let first_v =
    i32(j * params.stride_w + params.first_column * params.dilation_w)
    - i32(params.left);
  for (var c = 0u; c < params.channels; c++) {
    for (var r = 0u; r < params.rows; r++) {
      // Below 0 wraps around to a large number, beside the plane as well.
      let h = u32(first_h + i32(r * params.dilation_h));
      for (var s = 0u; s < params.columns; s++) {
        let v = u32(first_v + i32(s * params.dilation_w));
        let inside = h < params.height && v < params.width;
        let value = f32(x[x_plane + h * params.width + v]);
        sum += select(0.0, value, inside) *
          f32(w[w_at + r * params.w_row + s]);
      }
    }
    x_plane += params.x_channel;
    w_at += params.w_channel;
  }
  let channel = params.channel_base + g * params.channel_group + k;
  y[to] = T(finish(sum, channel_of(channel), to));
}
