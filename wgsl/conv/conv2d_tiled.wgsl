// y[n, g, k, i, j] = finish of the sum over c < C, r < R, s < S of
//   w[g, k, c, r, s] * x[n, g, c, h, v], with
//   h = origin_h + i * stride_h + r * dilation_h and v likewise.
// x: [N, G * C, H, W], w: packed [G, tiles, C, R, LINES, TAPS, 4 * QUADS]
//   -> outputs i < rows, j < columns of each plane of y: [N, G * K, ...]
// The forward pass is one such correlation, the input gradient one or more.
//
// The sum: over channels, rows and columns of taps. A launch may hold a part of
// them only, and then ADDS to what y has.
//
// Tiling: one invocation owns 4 * QUADS channels of 8 outputs of a row, 16 when
// WIDE, in registers: a matrix for each four of both, a column a channel. A
// row of taps is walked in LINES of TAPS taps, written out: all of a line are
// added to a sum while it is at hand. Each tap sees inputs one place further.
// For this, outputs stand SPACING apart, and taps PHASES:
//   SPACING = dilation_w / d, PHASES = stride_w / d, d their common divisor,
// so that SPACING outputs are as far as PHASES taps.
//   reads per multiply-add  1/8 + 1/(32 * QUADS), and 7 inputs more a line:
//                           0.15 for 16 channels and lines of 3 taps; WIDE
//                           1/16 + 1/(64 * QUADS), and 15: 0.09 for 8 and 5
//   workgroup bytes         0
//   registers               32 * QUADS sums, WIDE twice that, + 40 operands
// Neighbouring invocations own neighbouring tiles.
//
// Edges: inputs beside the plane read as 0, and so do those of taps past the
// last one, whose packed weights are 0; outputs past the end are computed and
// not stored, and so are channels where there are several tiles of them.
// register_tile.wgsl, T, the element type, the epilogue, channel_of and finish,
// and how outputs are stored, Y and store_four, are appended by the plan.

override PHASES: u32 = 1;
override LINES: u32 = 1;

@group(0) @binding(0) var<storage, read> x: array<T>;
@group(0) @binding(1) var<storage, read> w: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> y: array<Y>;
@group(0) @binding(3) var<uniform> params: Params;

// Inputs, from those under the first tap and the ones after them; 0 for taps
// past the last, if the first is in column s.
fn taps_of(a: vec4f, b: vec4f, c: vec4f, s: u32) -> Taps {
  let v = Taps(
    a,
    vec4f(a.yzw, b.x),
    vec4f(a.zw, b.xy),
    vec4f(a.w, b.xyz),
    b,
    vec4f(b.yzw, c.x),
    vec4f(b.zw, c.xy),
  );
  if (LINES == 1) {
    return v;
  }
  let columns = params.tap_columns;
  return Taps(
    select(vec4f(), v.at_0, s < columns),
    select(vec4f(), v.at_1, s + PHASES < columns),
    select(vec4f(), v.at_2, s + 2 * PHASES < columns),
    select(vec4f(), v.at_3, s + 3 * PHASES < columns),
    select(vec4f(), v.at_4, s + 4 * PHASES < columns),
    select(vec4f(), v.at_5, s + 5 * PHASES < columns),
    select(vec4f(), v.at_6, s + 6 * PHASES < columns),
  );
}

// A row of inputs: where the next one is, and its column; from one to the next,
// the width of the plane, and whether the row is on it.
struct Row {
  at: u32,
  v: u32,
  hop: u32,
  width: u32,
  inside: bool,
}

// The next input along a row, or 0 where it is beside the row or plane.
fn next_input(row: ptr<function, Row>) -> f32 {
  let value = f32(x[(*row).at]);
  let inside = (*row).inside && (*row).v < (*row).width;
  (*row).at += (*row).hop;
  (*row).v += (*row).hop;
  return select(0.0, value, inside);
}

// The next four inputs of a line, or fewer where it has no more.
fn next_inputs(row: ptr<function, Row>, first: u32) -> vec4f {
  let count = select(7u, 15u, WIDE) + TAPS;
  var some: vec4f;
  if (first < count) {
    some.x = next_input(row);
  }
  if (first + 1 < count) {
    some.y = next_input(row);
  }
  if (first + 2 < count) {
    some.z = next_input(row);
  }
  if (first + 3 < count) {
    some.w = next_input(row);
  }
  return some;
}

@compute @workgroup_size(32)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let p = place_of((group.y * groups.x + group.x) * 32 + lane);
  if (p.g >= params.groups) {
    return;
  }

  // What the loop needs, read once.
  let lines = params.channels * params.tap_rows * LINES;
  let rows = params.tap_rows;
  let height = params.height;
  let down = params.dilation_h;
  let right = params.dilation_w;
  var row: Row;
  row.hop = SPACING * params.stride_w;
  row.width = params.width;
  // Below 0, positions wrap around to large numbers, beside the plane as well.
  let first_h = u32(params.origin_h) + p.i * params.stride_h;
  let first_v = u32(params.origin_w) + p.j * params.stride_w;
  var plane = params.x_base + p.n * params.x_image + p.g * params.x_group +
    first_v;
  var h = first_h;
  var r = 0u;
  var l = 0u;

  var t: Tile;
  var w_at = params.w_base + p.g * params.w_group + p.tile * params.w_tile;
  for (var line = 0u; line < lines; line++) {
    let s = l / PHASES * PHASES * TAPS + l % PHASES;
    row.v = first_v + s * right;
    row.at = plane + h * row.width + s * right;
    row.inside = h < height;
    let a = next_inputs(&row, 0);
    let b = next_inputs(&row, 4);
    let c = next_inputs(&row, 8);
    let d = next_inputs(&row, 12);
    let e = next_inputs(&row, 16);
    let f = next_inputs(&row, 20);
    add_taps(
      &t,
      weights_at(w_at),
      taps_of(a, b, c, s),
      taps_of(b, c, d, s),
      taps_of(c, d, e, s),
      taps_of(d, e, f, s),
    );
    w_at += TAPS * QUADS;
    l += 1;
    if (l == LINES) {
      l = 0;
      r += 1;
      h += down;
    }
    if (r == rows) {
      r = 0;
      h = first_h;
      plane += params.x_channel;
    }
  }

  store_tile(p, t);
}
