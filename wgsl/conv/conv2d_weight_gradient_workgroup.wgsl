// partial[q, g, k, t] = sum over the outputs p = (n, i, j) of part q of
//   dy[g, k, p] * columns[t, p], with t = (c, r, s) and
//   columns[t, p] = x[n, g, c, h, v],
//   h = i * stride_h + r * dilation_h - top and v likewise along the width.
// x: [N, G * C, H, W], dy: [N, G * K, OH, OW]
//   -> partial: [parts, G, K, C * R * S] in f32
//
// The sum: the matrix dy times the transpose of the one that im2col would write
// out, of which only blocks exist, in workgroup memory. Outputs are numbered
// through images, rows and columns; part q takes `length` of them from
// first + q * length on, in order. sum_parts.wgsl adds the parts up. ADDS where
// partial already holds earlier outputs.
//
// Tiling: a workgroup of 16×16 invocations owns 64 channels of 64 taps, an
// invocation 4 of each. A trip of the loop stages both operands at 16 outputs,
// one vec4 of each an invocation; then, for each of the 16, an invocation reads
// a vec4 of both and adds 16 products.
//   reads per multiply-add  1/32 from storage, 1/2 from workgroup memory
//                           (a vec4 for 8)
//   workgroup bytes         8,704
//   registers               16 sums, 8 operands, 12 for taps, about 10 more
//
// Which addresses neighbours touch: 16 neighbouring invocations stage 16
// neighbouring outputs, which lie together in dy, and in x at stride 1. They
// are staged down columns, whose elements are 17 vec4 apart instead of 16: so
// eight neighbours, 68 words apart, are in different ones of 32 banks. A vec4
// of inputs holds taps t, t + 16, t + 32 and t + 48, so that neighbours store
// neighbouring sums.
//
// Edges: inputs beside the planes and all past the end are staged as zero, sums
// past the end aren't stored. T, the element type, is appended by the plan.

override ADDS: bool = false;

const SIDE = 16u; // invocations along each side of the workgroup
const BLOCK = 64u; // channels, and taps, of the block
const DEPTH = 16u; // outputs staged at once
const PITCH = 17u; // vec4 from one output's operands to the next one's

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

// Four channels, or four taps, at each of the staged outputs.
var<workgroup> dy_staged: array<vec4f, 272>; // [DEPTH][PITCH]
var<workgroup> x_staged: array<vec4f, 272>; // [DEPTH][PITCH]

// Four taps: how far each lies from an output's first, down, right and in x.
struct Taps {
  down: vec4u,
  right: vec4u,
  offset: vec4u,
}

fn taps_at(t: vec4u) -> Taps {
  let taps = params.rows * params.columns;
  let last = params.channels * taps - 1;
  let tap = min(t, vec4u(last));
  let down = tap / params.columns % params.rows * params.dilation_h;
  let right = tap % params.columns * params.dilation_w;
  let offset = tap / taps * params.x_channel + down * params.width + right;
  return Taps(down, right, offset);
}

// The inputs that four taps see from output p, 0 beside the planes.
fn inputs(taps: Taps, group: u32, p: u32, used: bool) -> vec4f {
  let area = params.out_height * params.out_width;
  // Below 0, positions wrap around to large numbers, beside the plane as well.
  let h = p % area / params.out_width * params.stride_h - params.top;
  let v = p % params.out_width * params.stride_w - params.left;
  let at = group + p / area * params.x_image + h * params.width + v;
  let i = taps.offset + at;
  let values = vec4f(f32(x[i.x]), f32(x[i.y]), f32(x[i.z]), f32(x[i.w]));
  let on_plane = taps.down + h < vec4u(params.height);
  let inside = on_plane & (taps.right + v < vec4u(params.width));
  return select(vec4f(), values, inside & vec4<bool>(used));
}

// dy of channel k at an index, 0 past the last.
fn gradient(at: u32, k: u32, used: bool) -> f32 {
  if (used && k < params.filters) {
    return f32(dy[at + k * params.dy_filter]);
  }
  return 0.0;
}

fn gradients(group: u32, k: u32, p: u32, used: bool) -> vec4f {
  let area = params.out_height * params.out_width;
  let at = group + p / area * params.dy_image + p % area;
  return vec4f(
    gradient(at, k, used),
    gradient(at, k + 1, used),
    gradient(at, k + 2, used),
    gradient(at, k + 3, used),
  );
}

fn store_one(at: u32, sum: f32, kept: bool) {
  if (kept) {
    if (ADDS) {
      partial[at] += sum;
    } else {
      partial[at] = sum;
    }
  }
}

// Stores four taps of channel k.
fn store(to: u32, k: u32, t: vec4u, run: u32, sums: vec4f) {
  if (k >= params.filters) {
    return;
  }
  let at = to + k * run + t;
  store_one(at.x, sums.x, t.x < run);
  store_one(at.y, sums.y, t.y < run);
  store_one(at.z, sums.z, t.z < run);
  store_one(at.w, sums.w, t.w < run);
}

@compute @workgroup_size(256)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  // Taps vary fastest, then blocks of channels, groups and parts.
  let run = params.channels * params.rows * params.columns;
  let across = (run + BLOCK - 1) / BLOCK;
  let down = (params.filters + BLOCK - 1) / BLOCK;
  var id = group.y * groups.x + group.x;
  let block_t = id % across * BLOCK;
  id /= across;
  let block_k = id % down * BLOCK;
  id /= down;
  let g = id % params.groups;
  let part = id / params.groups;
  if (part >= params.parts) {
    return;
  }

  let lane_x = lane % SIDE;
  let lane_y = lane / SIDE;
  // What this invocation stages: these taps and channels of output p + lane_x.
  let own = taps_at(block_t + lane_y + SIDE * vec4u(0, 1, 2, 3));
  let own_k = block_k + 4 * lane_y;
  let x_group = params.x_base + g * params.x_group;
  let dy_group = params.dy_base + g * params.dy_group;
  let begin = params.first + part * params.length;
  let end = min(begin + params.length, params.last);
  var sums_0 = vec4f();
  var sums_1 = vec4f();
  var sums_2 = vec4f();
  var sums_3 = vec4f();
  for (var first = begin; first < end; first += DEPTH) {
    let p = first + lane_x;
    x_staged[lane_x * PITCH + lane_y] = inputs(own, x_group, p, p < end);
    dy_staged[lane_x * PITCH + lane_y] =
      gradients(dy_group, own_k, p, p < end);
    workgroupBarrier();
    for (var d = 0u; d < DEPTH; d++) {
      let four = dy_staged[d * PITCH + lane_y];
      let row = x_staged[d * PITCH + lane_x];
      sums_0 += four.x * row;
      sums_1 += four.y * row;
      sums_2 += four.z * row;
      sums_3 += four.w * row;
    }
    workgroupBarrier();
  }

  let to = (part * params.groups + g) * params.filters * run;
  let t = block_t + lane_x + SIDE * vec4u(0, 1, 2, 3);
  store(to, own_k, t, run, sums_0);
  store(to, own_k + 1, t, run, sums_1);
  store(to, own_k + 2, t, run, sums_2);
  store(to, own_k + 3, t, run, sums_3);
}
