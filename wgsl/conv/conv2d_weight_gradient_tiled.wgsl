// partial[q, g, k, t] = sum over the outputs n, i, j of part q of
//   dy[n, g, k, i, j] * x[n, g, c, h, v] for each tap t = (c, r, s), with
//   h = i * stride_h + r * dilation_h - top and v likewise along the width.
// x: [N, G * C, H, W], dy: packed [G, tiles, N * OH * OW, 4 * QUADS]
//   -> partial: [parts, G, K, C * R * S] in f32
//
// The sum: outputs are numbered through images, rows and columns; part q takes
// `length` of them from first + q * length on, in order. sum_parts.wgsl adds
// the parts up. ADDS where partial already holds earlier outputs.
//
// Tiling: one invocation owns 4 * QUADS output channels of 8 taps, in
// registers: a matrix for each four of both, a column a channel. An output
// costs 8 reads of x and QUADS vectors of dy for 32 * QUADS multiply-adds. It
// walks its part of the outputs in one loop, moving offsets on by addition.
//   reads per multiply-add  1/8 + 1/(4 * QUADS): 3/16 for 16 channels
//   workgroup bytes         0
//   registers               32 * QUADS sums + 12 operands + 8 offsets
// Neighbouring invocations own neighbouring taps and read the same dy.
//
// Edges: inputs beside the planes read as 0; taps and channels past the end are
// computed and not stored. T, the element type, is appended by the plan.

override QUADS: u32 = 4;
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
  // Where x starts in its window, elements to the next image, group or
  // channel, and vectors of dy to the next tile of channels.
  x_base: u32,
  x_image: u32,
  x_group: u32,
  x_channel: u32,
  dy_tile: u32,
}

@group(0) @binding(0) var<storage, read> x: array<T>;
@group(0) @binding(1) var<storage, read> dy: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> partial: array<f32>;
@group(0) @binding(3) var<uniform> params: Params;

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
  let c = tap / taps;
  let r = tap / params.columns % params.rows;
  let s = tap % params.columns;
  let down = r * params.dilation_h;
  let right = s * params.dilation_w;
  let offset = c * params.x_channel + down * params.width + right;
  return Taps(down, right, offset);
}

// The inputs that four taps see, 0 beside the planes.
fn inputs(taps: Taps, at: u32, h: u32, v: u32) -> vec4f {
  let i = taps.offset + at;
  let values = vec4f(f32(x[i.x]), f32(x[i.y]), f32(x[i.z]), f32(x[i.w]));
  let on_row = taps.down + h < vec4u(params.height);
  let inside = on_row & (taps.right + v < vec4u(params.width));
  return select(vec4f(), values, inside);
}

// Products of 4 gradients and 4 inputs: a column a gradient.
fn outer(gradients: vec4f, inputs: vec4f) -> mat4x4f {
  return mat4x4f(
    gradients.x * inputs,
    gradients.y * inputs,
    gradients.z * inputs,
    gradients.w * inputs,
  );
}

fn store_one(at: u32, value: f32, kept: bool) {
  if (kept) {
    if (ADDS) {
      partial[at] += value;
    } else {
      partial[at] = value;
    }
  }
}

// Stores 8 taps of one channel k, of which `left` exist.
fn store(at: u32, k: u32, run: u32, left: u32, low: vec4f, high: vec4f) {
  if (k >= params.filters) {
    return;
  }
  let to = at + k * run;
  store_one(to, low.x, left > 0);
  store_one(to + 1, low.y, left > 1);
  store_one(to + 2, low.z, left > 2);
  store_one(to + 3, low.w, left > 3);
  store_one(to + 4, high.x, left > 4);
  store_one(to + 5, high.y, left > 5);
  store_one(to + 6, high.z, left > 6);
  store_one(to + 7, high.w, left > 7);
}

// Stores four channels from k on.
fn store_quad(
  at: u32,
  k: u32,
  run: u32,
  left: u32,
  low: mat4x4f,
  high: mat4x4f,
) {
  store(at, k, run, left, low[0], high[0]);
  store(at, k + 1, run, left, low[1], high[1]);
  store(at, k + 2, run, left, low[2], high[2]);
  store(at, k + 3, run, left, low[3], high[3]);
}

@compute @workgroup_size(32)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  // Which tile this is: along taps first, then channels, groups and parts.
  let run = params.channels * params.rows * params.columns;
  let across = (run + 7) / 8;
  let tiles = (params.filters + 4 * QUADS - 1) / (4 * QUADS);
  let at = (group.y * groups.x + group.x) * 32 + lane;
  let t = at % across * 8;
  let tile = at / across % tiles;
  let g = at / (across * tiles) % params.groups;
  let part = at / (across * tiles * params.groups);
  if (part >= params.parts) {
    return;
  }
  let low_taps = taps_at(t + vec4u(0, 1, 2, 3));
  let high_taps = taps_at(t + vec4u(4, 5, 6, 7));

  // The output that the part starts with. Below 0, positions wrap around to
  // large numbers, beside the plane as well.
  let begin = params.first + part * params.length;
  let end = min(begin + params.length, params.last);
  var j = begin % params.out_width;
  var i = begin / params.out_width % params.out_height;
  let n = begin / (params.out_width * params.out_height);
  var h = i * params.stride_h - params.top;
  var v = j * params.stride_w - params.left;
  var x_at = params.x_base + n * params.x_image + g * params.x_group +
    h * params.width + v;
  var dy_at = (g * tiles + tile) * params.dy_tile + begin * QUADS;
  // What x_at moves by from the end of a row or plane to the next one's start.
  let next_row =
    params.stride_h * params.width - params.out_width * params.stride_w;
  let next_plane =
    params.x_image - params.out_height * params.stride_h * params.width;

  var low_0 = mat4x4f();
  var low_1 = mat4x4f();
  var low_2 = mat4x4f();
  var low_3 = mat4x4f();
  var high_0 = mat4x4f();
  var high_1 = mat4x4f();
  var high_2 = mat4x4f();
  var high_3 = mat4x4f();
  for (var p = begin; p < end; p++) {
    let low = inputs(low_taps, x_at, h, v);
    let high = inputs(high_taps, x_at, h, v);
    let dy_0 = dy[dy_at];
    low_0 += outer(dy_0, low);
    high_0 += outer(dy_0, high);
    if (QUADS > 1) {
      let dy_1 = dy[dy_at + 1];
      low_1 += outer(dy_1, low);
      high_1 += outer(dy_1, high);
    }
    if (QUADS > 2) {
      let dy_2 = dy[dy_at + 2];
      low_2 += outer(dy_2, low);
      high_2 += outer(dy_2, high);
    }
    if (QUADS > 3) {
      let dy_3 = dy[dy_at + 3];
      low_3 += outer(dy_3, low);
      high_3 += outer(dy_3, high);
    }
    dy_at += QUADS;
    x_at += params.stride_w;
    v += params.stride_w;
    j += 1;
    if (j == params.out_width) {
      j = 0;
      v = 0 - params.left;
      i += 1;
      h += params.stride_h;
      x_at += next_row;
    }
    if (i == params.out_height) {
      i = 0;
      h = 0 - params.top;
      x_at += next_plane;
    }
  }

  let k = tile * 4 * QUADS;
  let to = (part * params.groups + g) * params.filters * run + t;
  let left = run - t;
  store_quad(to, k, run, left, low_0, high_0);
  if (QUADS > 1) {
    store_quad(to, k + 4, run, left, low_1, high_1);
  }
  if (QUADS > 2) {
    store_quad(to, k + 8, run, left, low_2, high_2);
  }
  if (QUADS > 3) {
    store_quad(to, k + 12, run, left, low_3, high_3);
  }
}
