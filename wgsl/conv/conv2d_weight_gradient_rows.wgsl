// partial[q, g, k, c, r, s] = sum over the output rows n, i of part q, and over
//   their outputs j, of dy[n, g, k, i, j] * x[n, g, c, h, v], with
//   h = i * stride_h + r * dilation_h - top and v = j + s - left.
// x: [N, G * C, H, W], dy: [N, G * K, OH, OW], both as vectors ->
//   partial: [parts, G, K, C, R, S] in f32
//
// The sum: rows of outputs are numbered through the images; part q takes those
// of `length` outputs from first + q * length on, in order. sum_parts.wgsl adds
// the parts up. ADDS where partial already holds earlier outputs.
//
// Tiling: one invocation owns 4 * QUADS output channels of the ROWS x TAPS taps
// of one input channel, in registers, four channels a vector. It takes four
// outputs of a row at a time: the inputs under them serve all taps of a row of
// the kernel, and those after them the next four outputs as well. Operands are
// read as the vectors in which they lie and moved into place, so that four
// outputs cost ROWS vectors of x and 4 * QUADS of dy, for
// 16 * QUADS * ROWS * TAPS multiply-adds.
//   reads per multiply-add  1/(4 * QUADS * TAPS) + 1/(ROWS * TAPS): 0.065 for 8
//                           channels and 5 x 5 taps; a row costs as much again
//   workgroup bytes         0
//   registers               4 * QUADS * ROWS * TAPS sums,
//                           8 * ROWS + 32 * QUADS operands
// Neighbouring invocations own neighbouring input channels and read one dy.
//
// Edges: inputs beside the planes, and all that outputs past a row's end would
// read, are 0; channels past the end are computed and not stored. T, the type
// of elements, is appended by the plan.

override QUADS: u32 = 2; // at most 2
override ROWS: u32 = 5; // at most 5
override TAPS: u32 = 5; // at most 5
override ADDS: bool = false;

struct Params {
  // What this launch computes.
  parts: u32,
  groups: u32,
  filters: u32,
  channels: u32,
  rows: u32,
  columns: u32,
  // Which outputs it sums over: from first up to last, in parts. Whole rows.
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

@group(0) @binding(0) var<storage, read> x: array<vec4<T>>;
@group(0) @binding(1) var<storage, read> dy: array<vec4<T>>;
@group(0) @binding(2) var<storage, read_write> partial: array<f32>;
@group(0) @binding(3) var<uniform> params: Params;

// Sums of a row of taps, of four channels each.
struct Sums {
  of_0: vec4f,
  of_1: vec4f,
  of_2: vec4f,
  of_3: vec4f,
  of_4: vec4f,
}

// A row of the kernel: the vector of x that was read last, the inputs under its
// first tap and four outputs, and the sums of low and high channels.
struct Row {
  last: vec4f,
  near: vec4f,
  low: Sums,
  high: Sums,
}

// The vectors of dy that were read last, of four channels.
struct Last {
  of_0: vec4f,
  of_1: vec4f,
  of_2: vec4f,
  of_3: vec4f,
}

// Four of two vectors' elements, from one of the first's on.
fn between(a: vec4f, b: vec4f, first: u32) -> vec4f {
  let two = (first & 2) != 0;
  let low = select(a, vec4f(a.zw, b.xy), two);
  let next = select(b.x, b.z, two);
  return select(low, vec4f(low.yzw, next), (first & 1) != 0);
}

// The vector of x in which an element lies. Elements before the first stay so.
fn x_vector(at: u32) -> vec4f {
  return vec4f(x[u32(i32(at) >> 2)]);
}

// The next four inputs along row h, from column v on, 0 beside the plane.
fn next_inputs(row: ptr<function, Row>, at: u32, h: u32, v: u32) -> vec4f {
  let next = x_vector(at + 4);
  let values = between((*row).last, next, at & 3);
  (*row).last = next;
  let on_row = v + vec4u(0, 1, 2, 3) < vec4u(params.width);
  return select(vec4f(), values, on_row & vec4<bool>(h < params.height));
}

fn start_row(row: ptr<function, Row>, at: u32, h: u32, v: u32) {
  (*row).last = x_vector(at);
  (*row).near = next_inputs(row, at, h, v);
}

// The vectors of four channels, `step` apart, in which an element lies.
fn dy_vectors(at: u32, step: u32) -> Last {
  return Last(
    vec4f(dy[at >> 2]),
    vec4f(dy[(at + step) >> 2]),
    vec4f(dy[(at + 2 * step) >> 2]),
    vec4f(dy[(at + 3 * step) >> 2]),
  );
}

// The gradients of four channels, from the vectors that they lie in: a column
// an output, 0 from the output `left` on.
fn gradients(a: Last, b: Last, at: u32, step: u32, left: u32) -> mat4x4f {
  let g = transpose(mat4x4f(
    between(a.of_0, b.of_0, at & 3),
    between(a.of_1, b.of_1, (at + step) & 3),
    between(a.of_2, b.of_2, (at + 2 * step) & 3),
    between(a.of_3, b.of_3, (at + 3 * step) & 3),
  ));
  return mat4x4f(
    g[0],
    select(vec4f(), g[1], left > 1),
    select(vec4f(), g[2], left > 2),
    select(vec4f(), g[3], left > 3),
  );
}

// The inputs under four outputs by tap, 0 for outputs past the row's end.
struct Taps {
  of_0: vec4f,
  of_1: vec4f,
  of_2: vec4f,
  of_3: vec4f,
  of_4: vec4f,
}

// They come from the inputs under the first tap and the four after those.
fn taps_of(near: vec4f, far: vec4f, left: u32) -> Taps {
  let used = vec4u(0, 1, 2, 3) < vec4u(left);
  return Taps(
    select(vec4f(), near, used),
    select(vec4f(), vec4f(near.yzw, far.x), used),
    select(vec4f(), vec4f(near.zw, far.xy), used),
    select(vec4f(), vec4f(near.w, far.xyz), used),
    select(vec4f(), far, used),
  );
}

// Adds four outputs.
fn added(start: Sums, g: mat4x4f, taps: Taps) -> Sums {
  var sums = start;
  sums.of_0 += g * taps.of_0;
  if (TAPS > 1) {
    sums.of_1 += g * taps.of_1;
  }
  if (TAPS > 2) {
    sums.of_2 += g * taps.of_2;
  }
  if (TAPS > 3) {
    sums.of_3 += g * taps.of_3;
  }
  if (TAPS > 4) {
    sums.of_4 += g * taps.of_4;
  }
  return sums;
}

fn add_row(
  row: ptr<function, Row>,
  far: vec4f,
  low: mat4x4f,
  high: mat4x4f,
  left: u32,
) {
  let taps = taps_of((*row).near, far, left);
  (*row).near = far;
  (*row).low = added((*row).low, low, taps);
  if (QUADS > 1) {
    (*row).high = added((*row).high, high, taps);
  }
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

// Stores one tap of four channels, of which `left` exist.
fn store_tap(at: u32, left: u32, sum: vec4f) {
  let run = params.channels * ROWS * TAPS;
  store_one(at, sum.x, left > 0);
  store_one(at + run, sum.y, left > 1);
  store_one(at + 2 * run, sum.z, left > 2);
  store_one(at + 3 * run, sum.w, left > 3);
}

fn store_taps(at: u32, left: u32, sums: Sums) {
  store_tap(at, left, sums.of_0);
  if (TAPS > 1) {
    store_tap(at + 1, left, sums.of_1);
  }
  if (TAPS > 2) {
    store_tap(at + 2, left, sums.of_2);
  }
  if (TAPS > 3) {
    store_tap(at + 3, left, sums.of_3);
  }
  if (TAPS > 4) {
    store_tap(at + 4, left, sums.of_4);
  }
}

// Stores a row of taps of the tile's channels, of which `left` exist.
fn store_row(at: u32, left: u32, row: Row) {
  store_taps(at, left, row.low);
  if (QUADS > 1 && left > 4) {
    let next = 4 * params.channels * ROWS * TAPS;
    store_taps(at + next, left - 4, row.high);
  }
}

@compute @workgroup_size(32)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  // Which tile this is: along input channels first, then output channels,
  // groups and parts.
  let tiles = (params.filters + 4 * QUADS - 1) / (4 * QUADS);
  var at = (group.y * groups.x + group.x) * 32 + lane;
  let c = at % params.channels;
  at /= params.channels;
  let tile = at % tiles;
  at /= tiles;
  let g = at % params.groups;
  let part = at / params.groups;
  if (part >= params.parts) {
    return;
  }

  // What the loops need, read once.
  let columns = params.out_width;
  let out_height = params.out_height;
  let width = params.width;
  let dilation = params.dilation_h;
  let down = dilation * width;
  let step = params.dy_filter;
  let k = tile * 4 * QUADS;
  let channel = params.dy_base + g * params.dy_group + k * step;
  let plane = params.x_base + g * params.x_group + c * params.x_channel;

  let begin = (params.first + part * params.length) / columns;
  let end = min(begin + params.length / columns, params.last / columns);
  var row_0: Row;
  var row_1: Row;
  var row_2: Row;
  var row_3: Row;
  var row_4: Row;
  for (var row = begin; row < end; row++) {
    // Below 0, positions wrap around to large numbers, beside the plane as
    // well.
    let n = row / out_height;
    let i = row % out_height;
    let h = i * params.stride_h - params.top;
    var v = 0 - params.left;
    var x_at = plane + n * params.x_image + h * width + v;
    var dy_at = channel + n * params.dy_image + i * columns;
    var last_low = dy_vectors(dy_at, step);
    var last_high: Last;
    if (QUADS > 1) {
      last_high = dy_vectors(dy_at + 4 * step, step);
    }
    start_row(&row_0, x_at, h, v);
    if (ROWS > 1) {
      start_row(&row_1, x_at + down, h + dilation, v);
    }
    if (ROWS > 2) {
      start_row(&row_2, x_at + 2 * down, h + 2 * dilation, v);
    }
    if (ROWS > 3) {
      start_row(&row_3, x_at + 3 * down, h + 3 * dilation, v);
    }
    if (ROWS > 4) {
      start_row(&row_4, x_at + 4 * down, h + 4 * dilation, v);
    }
    for (var j = 0u; j < columns; j += 4) {
      // From here to the row's end.
      let left = columns - j;
      let next_low = dy_vectors(dy_at + 4, step);
      let low = gradients(last_low, next_low, dy_at, step, left);
      last_low = next_low;
      var high: mat4x4f;
      if (QUADS > 1) {
        let high_at = dy_at + 4 * step;
        let next_high = dy_vectors(high_at + 4, step);
        high = gradients(last_high, next_high, high_at, step, left);
        last_high = next_high;
      }
      dy_at += 4;
      x_at += 4;
      v += 4;
      let far_0 = next_inputs(&row_0, x_at, h, v);
      add_row(&row_0, far_0, low, high, left);
      if (ROWS > 1) {
        let far =
          next_inputs(&row_1, x_at + down, h + dilation, v);
        add_row(&row_1, far, low, high, left);
      }
      if (ROWS > 2) {
        let far =
          next_inputs(&row_2, x_at + 2 * down, h + 2 * dilation, v);
        add_row(&row_2, far, low, high, left);
      }
      if (ROWS > 3) {
        let far =
          next_inputs(&row_3, x_at + 3 * down, h + 3 * dilation, v);
        add_row(&row_3, far, low, high, left);
      }
      if (ROWS > 4) {
        let far =
          next_inputs(&row_4, x_at + 4 * down, h + 4 * dilation, v);
        add_row(&row_4, far, low, high, left);
      }
    }
  }

  let filters = params.filters - k;
  let to = (((part * params.groups + g) * params.filters + k) *
    params.channels + c) * ROWS * TAPS;
  store_row(to, filters, row_0);
  if (ROWS > 1) {
    store_row(to + TAPS, filters, row_1);
  }
  if (ROWS > 2) {
    store_row(to + 2 * TAPS, filters, row_2);
  }
  if (ROWS > 3) {
    store_row(to + 3 * TAPS, filters, row_3);
  }
  if (ROWS > 4) {
    store_row(to + 4 * TAPS, filters, row_4);
  }
}
