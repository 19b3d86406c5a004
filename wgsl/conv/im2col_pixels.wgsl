// columns[g, q, t] = x[n, g, c, h, v], with q = (n, i, j), t = (c, r, s),
//   h = i * stride_h + r * dilation_h - padding_h and v likewise.
// x: [N, G * C, H, W] -> columns: [G, N * OH * OW, C * R * S]
//
// The sum: none. A weight gradient is then one product of matrices for each
// group, dy: [K, N * OH * OW] times these columns: what an output saw is a row
// of them.
//
// Tiling: one invocation owns the R * S elements of a channel that an output
// sees, and walks them in one loop; neighbours own neighbouring channels, and
// so neighbouring runs of a row. One read a write; most reads are of what
// another output has read.
//
// Edges: positions beside the plane read as 0. T, the element type, is appended
// by the launch plan.

struct Params {
  images: u32,
  groups: u32,
  channels: u32,
  // Outputs along each axis.
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
  // Elements to the next image, group or channel of x.
  x_image: u32,
  x_group: u32,
  x_channel: u32,
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
  let first = (group.y * groups.x + group.x) * 64 + lane;
  var at = first;
  let c = at % params.channels;
  at /= params.channels;
  let p = at % places;
  at /= places;
  let n = at % params.images;
  let g = at / params.images;
  if (g >= params.groups) {
    return;
  }
  // Below 0, positions wrap around to large numbers, beside the plane as well.
  let first_v = u32(params.origin_w) + p % params.columns * params.stride_w;
  var h = u32(params.origin_h) + p / params.columns * params.stride_h;
  var v = first_v;
  let plane = n * params.x_image + g * params.x_group + c * params.x_channel;
  let taps = params.tap_rows * params.tap_columns;
  // Rows follow each other as invocations do.
  let to = first * taps;
  var s = 0u;
  for (var tap = 0u; tap < taps; tap++) {
    let value = f32(x[plane + h * params.width + v]);
    let inside = h < params.height && v < params.width;
    columns[to + tap] = T(select(0.0, value, inside));
    s += 1;
    v += params.dilation_w;
    if (s == params.tap_columns) {
      s = 0;
      v = first_v;
      h += params.dilation_h;
    }
  }
}
