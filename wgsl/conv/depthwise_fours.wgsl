// y[n, g, k, i, j] = finish of the sum over r < 3, s < 3 of
//   w[g, k, r, s] * x[n, g, origin_h + i + r, j - 1 + s]
// x: [N, G, H, W], w: [G, K, ...] -> y: [N, G * K, rows, W], with W in fours
// The forward pass at stride 1 with a column of padding on either side is one
// such correlation, and so is its input gradient.
//
// The sum: over the 3 x 3 taps of one channel, written out.
//
// Tiling: one invocation owns 8 x 8 outputs of a plane. It walks down the rows
// of inputs with three of them in registers. A row is two vec4, and one number
// of the vec4 on either side. The weights are read once.
//   reads per multiply-add  109/576 = 0.19
//   workgroup bytes         0
//   registers               30 inputs + 9 weights + 8 sums
// Neighbouring invocations own neighbouring tiles of a row.
//
// Edges: inputs beside the plane read as 0; outputs past the last row or four
// aren't stored. T, the element type, and the epilogue, channel_of and finish,
// are appended by the plan.

struct Params {
  images: u32,
  groups: u32,
  // Output channels of a group.
  filters: u32,
  rows: u32,
  // Rows of inputs, and fours of columns of inputs and outputs.
  height: u32,
  fours: u32,
  origin_h: i32,
  // Where operands start in their windows, and elements to the next image,
  // group, channel or row; in x and y, fours of elements. Steps in w may be
  // negative.
  x_base: u32,
  x_image: u32,
  x_group: u32,
  w_base: u32,
  w_group: u32,
  w_filter: u32,
  w_row: i32,
  w_column: i32,
  y_base: u32,
  y_image: u32,
  y_group: u32,
  y_filter: u32,
  // Where channels start in the epilogue's operands, and those of the next
  // group.
  channel_base: u32,
  channel_group: u32,
}

@group(0) @binding(0) var<storage, read> x: array<vec4<T>>;
@group(0) @binding(1) var<storage, read> w: array<T>;
@group(0) @binding(2) var<storage, read_write> y: array<vec4<T>>;
@group(0) @binding(3) var<uniform> params: Params;

// Eight inputs of a row and their neighbours.
struct Row {
  before: f32,
  low: vec4f,
  high: vec4f,
  after: f32,
}

struct Eight {
  low: vec4f,
  high: vec4f,
}

// The row of inputs whose first four stands at an index, or 0 beside the plane.
fn read_row(at: u32, four: u32, inside: bool) -> Row {
  let more = inside && four + 1 < params.fours;
  let far = inside && four + 2 < params.fours;
  return Row(
    select(0.0, f32(x[at - 1].w), inside && four > 0),
    select(vec4f(), vec4f(x[at]), inside),
    select(vec4f(), vec4f(x[at + 1]), more),
    select(0.0, f32(x[at + 2].x), far),
  );
}

// A row of inputs times a row of weights.
fn taps(sum: Eight, row: Row, w: vec3f) -> Eight {
  return Eight(
    sum.low + w.x * vec4f(row.before, row.low.xyz) + w.y * row.low +
      w.z * vec4f(row.low.yzw, row.high.x),
    sum.high + w.x * vec4f(row.low.w, row.high.xyz) + w.y * row.high +
      w.z * vec4f(row.high.yzw, row.after),
  );
}

fn store(to: u32, channel: vec2f, sum: vec4f) {
  let at = 4 * to;
  y[to] = vec4<T>(vec4f(
    finish(sum.x, channel, at),
    finish(sum.y, channel, at + 1),
    finish(sum.z, channel, at + 2),
    finish(sum.w, channel, at + 3),
  ));
}

// The weights of a row of taps that starts at an index.
fn weight_row(at: u32) -> vec3f {
  let step = u32(params.w_column);
  return vec3f(f32(w[at]), f32(w[at + step]), f32(w[at + 2 * step]));
}

@compute @workgroup_size(32)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let across = (params.fours + 1) / 2;
  let down = (params.rows + 7) / 8;
  var id = (group.y * groups.x + group.x) * 32 + lane;
  let four = id % across * 2;
  id /= across;
  let first = id % down * 8;
  id /= down;
  let k = id % params.filters;
  id /= params.filters;
  let g = id % params.groups;
  let n = id / params.groups;
  if (n >= params.images) {
    return;
  }
  let w_at = params.w_base + g * params.w_group + k * params.w_filter;
  let w_row = u32(params.w_row);
  let channel = channel_of(params.channel_base + g * params.channel_group + k);
  let w0 = weight_row(w_at);
  let w1 = weight_row(w_at + w_row);
  let w2 = weight_row(w_at + 2 * w_row);
  // Above the plane, rows wrap around to large numbers, beside it as well.
  var h = u32(params.origin_h) + first;
  var x_at = params.x_base + n * params.x_image + g * params.x_group +
    h * params.fours + four;
  var y_at = params.y_base + n * params.y_image + g * params.y_group +
    k * params.y_filter + first * params.fours + four;
  var above = read_row(x_at, four, h < params.height);
  x_at += params.fours;
  h += 1;
  var middle = read_row(x_at, four, h < params.height);
  let end = min(first + 8, params.rows);
  for (var i = first; i < end; i++) {
    x_at += params.fours;
    h += 1;
    let below = read_row(x_at, four, h < params.height);
    let sum = taps(taps(taps(Eight(), above, w0), middle, w1), below, w2);
    store(y_at, channel, sum.low);
    if (four + 1 < params.fours) {
      store(y_at + 1, channel, sum.high);
    }
    y_at += params.fours;
    above = middle;
    middle = below;
  }
}
