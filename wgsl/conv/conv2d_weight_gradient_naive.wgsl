// partial[q, g, k, c, r, s] = sum over the outputs n, i, j of part q of
//   dy[n, g, k, i, j] * x[n, g, c, h, v], with
//   h = i * stride_h + r * dilation_h - top and v likewise along the width.
// x: [N, G * C, H, W], dy: [N, G * K, OH, OW]
//   -> partial: [parts, G, K, C, R, S] in f32
//
// The sum: outputs are numbered through images, rows and columns; part q takes
// `length` of them from first + q * length on, in order. sum_parts.wgsl adds
// the parts up. ADDS where partial already holds earlier outputs.
//
// Tiling: one invocation owns one element of partial.
//   reads per multiply-add  2
//   workgroup bytes         0
//   registers               1 sum
// It is the plain statement that the other kernels are checked against.
//
// Edges: positions beside x's planes read as 0. T, the element type, is
// appended by the launch plan.

override ADDS: bool = false;

struct Params {
  // What this launch computes.
  parts: u32,
  groups: u32,
  filters: u32,
  channels: u32,
  rows: u32,
  columns: u32,
  // Which outputs it sums over: from first up to last, in parts.
  first: u32,
  last: u32,
  length: u32,
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
  // group or channel.
  x_base: u32,
  x_image: u32,
  x_group: u32,
  x_channel: u32,
  dy_base: u32,
  dy_image: u32,
  dy_group: u32,
  dy_filter: u32,
}

@group(0) @binding(0) var<storage, read> x: array<T>;
@group(0) @binding(1) var<storage, read> dy: array<T>;
@group(0) @binding(2) var<storage, read_write> partial: array<f32>;
@group(0) @binding(3) var<uniform> params: Params;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let at = (group.y * groups.x + group.x) * 64 + lane;
  let s = at % params.columns;
  var rest = at / params.columns;
  let r = rest % params.rows;
  rest /= params.rows;
  let c = rest % params.channels;
  rest /= params.channels;
  let k = rest % params.filters;
  rest /= params.filters;
  let g = rest % params.groups;
  let part = rest / params.groups;
  if (part >= params.parts) {
    return;
  }
  let area = params.out_height * params.out_width;
  let x_plane = params.x_base + g * params.x_group +
    c * params.x_channel;
  let dy_plane = params.dy_base + g * params.dy_group + k * params.dy_filter;
  let begin = params.first + part * params.length;
  let end = min(begin + params.length, params.last);
  var sum = 0.0;
  for (var p = begin; p < end; p++) {
    let n = p / area;
    let i = p % area / params.out_width;
    let j = p % area % params.out_width;
    // Below 0 wraps around to a large number, beside the plane as well.
    let h = i * params.stride_h + r * params.dilation_h - params.top;
    let v = j * params.stride_w + s * params.dilation_w - params.left;
    let inside = h < params.height && v < params.width;
    let value = f32(x[x_plane + n * params.x_image + h * params.width + v]);
    sum += select(0.0, value, inside) *
      f32(dy[dy_plane + n * params.dy_image + p % area]);
  }
  if (ADDS) {
    sum += partial[at];
  }
  partial[at] = sum;
}
