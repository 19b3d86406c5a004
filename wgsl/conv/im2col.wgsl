// columns[n, g, q, p] = x[n, g, c, h, v], with q = (c, r, s), p = (i, j),
//   h = origin_h + i * stride_h + r * dilation_h and v likewise.
// x: [N, G * C, H, W] -> columns: [N, G, C * R * S, rows * columns], all of it
//   or some images and channels
//
// The sum: none. A convolution is then a product of matrices for each image
// and group, w: [K, C * R * S] times these columns.
//
// Tiling: one invocation owns the R * S elements of a channel that an output
// sees, and walks them in one loop. Neighbours own neighbouring outputs, so
// that they read and write neighbouring elements. One read a write; most reads
// are of what a neighbour or an earlier turn has read.
//
// Edges: positions beside the plane read as 0. T, the element type, is appended
// by the launch plan.

struct Params {
  images: u32,
  groups: u32,
  channels: u32,
  // Outputs that have columns, along each axis.
  rows: u32,
  columns: u32,
  tap_rows: u32,
  tap_columns: u32,
  height: u32,
  width: u32,
  origin_h: i32,
  origin_w: i32,
  stride_h: u32,
  stride_w: u32,
  dilation_h: u32,
  dilation_w: u32,
  // Where operands start in their windows, and elements to the next image or
  // group.
  x_base: u32,
  x_image: u32,
  x_group: u32,
  x_channel: u32,
  to_base: u32,
  to_image: u32,
  to_group: u32,
}

@group(0) @binding(0) var<storage, read> x: array<T>;
@group(0) @binding(1) var<storage, read_write> columns: array<T>;
@group(0) @binding(2) var<uniform> params: Params;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let places = params.rows * params.columns;
  var at = (group.y * groups.x + group.x) * 64 + lane;
  let p = at % places;
  at /= places;
  let c = at % params.channels;
  at /= params.channels;
  let g = at % params.groups;
  let n = at / params.groups;
  if (n >= params.images) {
    return;
  }
  // Below 0, positions wrap around to large numbers, beside the plane as well.
  let first_v = u32(params.origin_w) + p % params.columns * params.stride_w;
  var h = u32(params.origin_h) + p / params.columns * params.stride_h;
  var v = first_v;
  let plane = params.x_base + n * params.x_image + g * params.x_group +
    c * params.x_channel;
  let taps = params.tap_rows * params.tap_columns;
  var to = params.to_base + n * params.to_image + g * params.to_group +
    c * taps * places + p;
  var s = 0u;
  for (var tap = 0u; tap < taps; tap++) {
    let value = f32(x[plane + h * params.width + v]);
    let inside = h < params.height && v < params.width;
    columns[to] = T(select(0.0, value, inside));
    to += places;
    s += 1;
    v += params.dilation_w;
    if (s == params.tap_columns) {
      s = 0;
      v = first_v;
      h += params.dilation_h;
    }
  }
}
