// y[n, g, k, i, j] = finish of the sum over c < C, r < R, s < TAPS of
//   w[g, k, c, r, s] * x[n, g, c, h, v], with
//   h = origin_h + i * stride_h + r * dilation_h and
//   v = origin_w + j * STRIDE + s.
// x: [N, G * C, H, W] as vectors, w: packed [G, tiles, C, R, TAPS, 4 * QUADS]
//   -> outputs i < rows, j < columns of each plane of y: [N, G * K, ...]
// The forward pass is one such correlation, the input gradient one or more.
//
// The sum: over channels and rows of taps. A launch may hold a part of them
// only, and then ADDS to what y has.
//
// Tiling: one invocation owns 4 * QUADS channels of 8 outputs of a row, 16 when
// WIDE, in registers: a matrix for each four of both, a column a channel. The
// inputs under a row of taps are read as the vectors in which they lie, moved
// into place, and for STRIDE 2 parted into those of even and of odd taps. All
// taps of a row are added to a sum while it is at hand. A PAIR of rows of
// outputs, one below the other, share what is read: a row of inputs is under
// the upper one's r-th line of taps and the lower one's line before it. For
// this, rows of outputs must be as far apart as lines of taps.
//   reads per multiply-add  for 8 channels of 16 outputs and 5 taps 0.025: 6
//                           vectors of x and 10 of w for 640; for 7 taps at
//                           STRIDE 2 11 and 14 for 896, 0.028; of a PAIR and
//                           5 x 5 taps 0.013: 6 * 6 and 5 * 10 for 6400
//   workgroup bytes         0
//   registers               32 * QUADS sums, WIDE twice that, a PAIR twice
//                           that, + 68 operands, of a PAIR 4 * QUADS * TAPS
//                           more
// Neighbouring invocations own neighbouring tiles.
//
// Edges: inputs beside the plane are 0; outputs past the end are computed and
// not stored, and so are channels where there are several tiles of them.
// register_tile.wgsl, T, the element type, the epilogue, channel_of and finish,
// and how outputs are stored, Y and store_four, are appended by the plan.

override STRIDE: u32 = 1; // at most 2

@group(0) @binding(0) var<storage, read> x: array<vec4<T>>;
@group(0) @binding(1) var<storage, read> w: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> y: array<Y>;
@group(0) @binding(3) var<uniform> params: Params;

// Inputs in their order. Of STRIDE 2, even holds those of taps 0, 2, 4 and 6,
// and odd those of the others; of STRIDE 1, even holds all.
struct Inputs {
  even_0: vec4f,
  even_1: vec4f,
  even_2: vec4f,
  even_3: vec4f,
  even_4: vec4f,
  even_5: vec4f,
  odd_0: vec4f,
  odd_1: vec4f,
  odd_2: vec4f,
  odd_3: vec4f,
  odd_4: vec4f,
}

// What four outputs see of the inputs: at STRIDE 1 those from a on, at STRIDE 2
// the even ones from a on and the odd ones.
fn taps_of(a: vec4f, b: vec4f, c: vec4f, odd_a: vec4f, odd_b: vec4f) -> Taps {
  let one = vec4f(a.yzw, b.x);
  let two = vec4f(a.zw, b.xy);
  let three = vec4f(a.w, b.xyz);
  if (STRIDE == 1) {
    return Taps(a, one, two, three, b, vec4f(b.yzw, c.x), vec4f(b.zw, c.xy));
  }
  let odd_one = vec4f(odd_a.yzw, odd_b.x);
  let odd_two = vec4f(odd_a.zw, odd_b.xy);
  return Taps(a, odd_a, one, odd_one, two, odd_two, three);
}

// A row of inputs: the element under the first tap of the first output, its
// column, the width of the plane, and whether the row is on it; and the vector
// that was read last.
struct Row {
  at: u32,
  v: u32,
  width: u32,
  inside: bool,
  last: vec4f,
}

// The vector in which an element lies. Elements before the first stay so.
fn x_vector(at: u32) -> vec4f {
  return vec4f(x[u32(i32(at) >> 2)]);
}

// Four of two vectors' elements, from one of the first's on.
fn between(a: vec4f, b: vec4f, first: u32) -> vec4f {
  let two = (first & 2) != 0;
  let low = select(a, vec4f(a.zw, b.xy), two);
  let next = select(b.x, b.z, two);
  return select(low, vec4f(low.yzw, next), (first & 1) != 0);
}

// The four inputs from one of them on, 0 beside the plane, where they are
// needed.
fn inputs_from(row: ptr<function, Row>, first: u32) -> vec4f {
  let count = STRIDE * select(7u, 15u, WIDE) + TAPS;
  if (first >= count) {
    return vec4f();
  }
  var next = (*row).last;
  if (first + 1 < count) {
    next = x_vector((*row).at + first + 4);
  }
  let values = between((*row).last, next, (*row).at & 3);
  (*row).last = next;
  let v = vec4u((*row).v + first) + vec4u(0, 1, 2, 3);
  let inside = v < vec4u((*row).width);
  return select(vec4f(), values, inside & vec4<bool>((*row).inside));
}

fn inputs_of(row: ptr<function, Row>) -> Inputs {
  (*row).last = x_vector((*row).at);
  let a = inputs_from(row, 0);
  let b = inputs_from(row, 4);
  let c = inputs_from(row, 8);
  let d = inputs_from(row, 12);
  let e = inputs_from(row, 16);
  let f = inputs_from(row, 20);
  if (STRIDE == 1) {
    let no = vec4f();
    return Inputs(a, b, c, d, e, f, no, no, no, no, no);
  }
  let g = inputs_from(row, 24);
  let h = inputs_from(row, 28);
  let i = inputs_from(row, 32);
  let j = inputs_from(row, 36);
  return Inputs(
    vec4f(a.xz, b.xz),
    vec4f(c.xz, d.xz),
    vec4f(e.xz, f.xz),
    vec4f(g.xz, h.xz),
    vec4f(i.xz, j.xz),
    vec4f(),
    vec4f(a.yw, b.yw),
    vec4f(c.yw, d.yw),
    vec4f(e.yw, f.yw),
    vec4f(g.yw, h.yw),
    vec4f(i.yw, j.yw),
  );
}

// Inputs where they are wanted, else 0.
fn only(wanted: bool, v: Inputs) -> Inputs {
  return Inputs(
    select(vec4f(), v.even_0, wanted),
    select(vec4f(), v.even_1, wanted),
    select(vec4f(), v.even_2, wanted),
    select(vec4f(), v.even_3, wanted),
    select(vec4f(), v.even_4, wanted),
    select(vec4f(), v.even_5, wanted),
    select(vec4f(), v.odd_0, wanted),
    select(vec4f(), v.odd_1, wanted),
    select(vec4f(), v.odd_2, wanted),
    select(vec4f(), v.odd_3, wanted),
    select(vec4f(), v.odd_4, wanted),
  );
}

// Weights of a line where they are wanted, else 0.
fn weights_if(wanted: bool, at: u32) -> Weights {
  let all = weights_at(at);
  return Weights(
    taps_if(wanted, all.quad_0),
    taps_if(wanted, all.quad_1),
    taps_if(wanted, all.quad_2),
    taps_if(wanted, all.quad_3),
  );
}

fn taps_if(wanted: bool, t: Taps) -> Taps {
  return Taps(
    select(vec4f(), t.at_0, wanted),
    select(vec4f(), t.at_1, wanted),
    select(vec4f(), t.at_2, wanted),
    select(vec4f(), t.at_3, wanted),
    select(vec4f(), t.at_4, wanted),
    select(vec4f(), t.at_5, wanted),
    select(vec4f(), t.at_6, wanted),
  );
}

fn add_inputs(t: ptr<function, Tile>, w: Weights, v: Inputs) {
  add_taps(
    t,
    w,
    taps_of(v.even_0, v.even_1, v.even_2, v.odd_0, v.odd_1),
    taps_of(v.even_1, v.even_2, v.even_3, v.odd_1, v.odd_2),
    taps_of(v.even_2, v.even_3, v.even_4, v.odd_2, v.odd_3),
    taps_of(v.even_3, v.even_4, v.even_5, v.odd_3, v.odd_4),
  );
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

  // What the loop needs, read once. A pair's lower row sees a row of inputs
  // with the line of taps before that with which the upper one sees it.
  let rows = params.tap_rows;
  let steps = rows + select(0u, 1u, PAIR);
  let lines = params.channels * steps;
  let height = params.height;
  let down = params.dilation_h;
  // Below 0, positions wrap around to large numbers, beside the plane as well.
  let first_h = u32(params.origin_h) + p.i * params.stride_h;
  var row: Row;
  row.width = params.width;
  row.v = u32(params.origin_w) + p.j * STRIDE;
  var plane = params.x_base + p.n * params.x_image + p.g * params.x_group +
    row.v;
  var h = first_h;
  var r = 0u;

  var t: Tile;
  var lower: Tile;
  var weights: Weights;
  var w_at = params.w_base + p.g * params.w_group + p.tile * params.w_tile;
  for (var line = 0u; line < lines; line++) {
    row.at = plane + h * row.width;
    row.inside = h < height;
    let v = inputs_of(&row);
    if (PAIR) {
      // Before a channel's first line there are weights of 0.
      add_inputs(&lower, weights, only(r > 0, v));
      weights = weights_if(r < rows, w_at);
      add_inputs(&t, weights, only(r < rows, v));
    } else {
      add_inputs(&t, weights_at(w_at), v);
    }
    w_at += select(0u, TAPS * QUADS, r < rows);
    r += 1;
    h += down;
    if (r == steps) {
      r = 0;
      h = first_h;
      plane += params.x_channel;
    }
  }

  store_tile(p, t);
  if (PAIR && p.i + 1 < params.rows) {
    store_tile(Place(p.n, p.g, p.tile, p.i + 1, p.j), lower);
  }
}
