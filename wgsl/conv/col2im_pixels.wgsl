// dx[n, g, c, h, v] = finish of the sum over taps t = (r, s) of
//   columns[g, c, t, n, i, j], with
//   h = i * stride_h + r * dilation_h - padding_h and v likewise
// columns: [G, C * R * S, N * OH * OW] -> dx: [N, G * C, H, W]
//
// The sum: over the taps that saw the position, in their order; columns are
// the products of the weights with the gradient of each output.
//
// Tiling: one invocation owns an element of dx. Each column is read once in
// all; neighbours read neighbours at stride 1.
//
// Edges: taps that miss every output are passed over. T, the element type, and
// the epilogue, channel_of and finish, are appended by the launch plan.

struct Params {
  images: u32,
  groups: u32,
  channels: u32,
  rows: u32,
  columns: u32,
  tap_rows: u32,
  tap_columns: u32,
  height: u32,
  width: u32,
  padding_h: u32,
  padding_w: u32,
  stride_h: u32,
  stride_w: u32,
  dilation_h: u32,
  dilation_w: u32,
  // Elements to the next image or channel of dx.
  dx_image: u32,
  dx_channel: u32,
}

@group(0) @binding(0) var<storage, read> columns: array<f32>;
@group(0) @binding(1) var<storage, read_write> dx: array<T>;
@group(0) @binding(2) var<uniform> params: Params;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  var at = (group.y * groups.x + group.x) * 64 + lane;
  let v = at % params.width;
  at /= params.width;
  let h = at % params.height;
  at /= params.height;
  // Channels of all groups.
  let channel = at % (params.groups * params.channels);
  let n = at / (params.groups * params.channels);
  if (n >= params.images) {
    return;
  }
  let plane = params.rows * params.columns;
  let places = params.images * plane;
  let taps = params.tap_rows * params.tap_columns;
  let start = channel * taps * places + n * plane;
  var sum = 0.0;
  var r = 0u;
  var s = 0u;
  for (var tap = 0u; tap < taps; tap++) {
    // Below 0, positions wrap around to large numbers, which no output has.
    let down = h + params.padding_h - r * params.dilation_h;
    let across = v + params.padding_w - s * params.dilation_w;
    let i = down / params.stride_h;
    let j = across / params.stride_w;
    let seen = i * params.stride_h == down && j * params.stride_w == across &&
      i < params.rows && j < params.columns;
    if (seen) {
      sum += columns[start + tap * places + i * params.columns + j];
    }
    s += 1;
    if (s == params.tap_columns) {
      s = 0;
      r += 1;
    }
  }
  let to = n * params.dx_image + channel * params.dx_channel +
    h * params.width + v;
  dx[to] = T(finish(sum, channel_of(channel), to));
}
