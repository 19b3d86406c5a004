// Matrix product of packed operands:
// c[b, m, n] = finish(a[b, m, k] · b[b, k, n])
//
//   c[i, j] = finish(Σ_k a[i, k] · b[k, j])
//
// `finish` is the epilogue, which the plan appends with `channel_of`.
//
// Tiling: pack.wgsl has laid out a in panels of 32 rows and b in panels of 16
// columns, step after step of k; b may also be as it was given, with its
// columns side by side. An invocation owns the 32×16 outputs of one
// panel of each and adds their outer product at each step: it reads on from
// where it is, 8 vec4 of a and 4 of b. Neighbouring invocations take
// neighbouring columns.
//   reads per multiply-add  3/32
//   workgroup bytes         0
//   registers               512 sums + 20 operands
// That is far more than a GPU has: this form is for processors that run
// invocations as lanes of vectors. There, what counts is that the loop has few
// reads, which are done lane by lane, and that its code is short enough for
// the nearest cache: four steps in a turn are a quarter slower than one. Sums
// beyond the processor's registers are kept in its nearest cache as well.
// The epilogue in 512 places would take seconds to compile, and so would a loop
// over sums that are still in registers: picked by number on llvmpipe, moving
// along on SwiftShader. So an invocation stores them as they are, then reads
// them again, which its nearest cache holds, and finishes them
// row by row.
//
// Edges: panels are filled up with zeros, and past the columns of a given b
// anything may stand; neither is stored. Rows of c are whole fours.

override WORKGROUP: u32 = 8;
override FINISHES: bool = false; // there is an epilogue; c is in f32
override CHANNEL_ROWS: bool = false; // rows count channels, not columns

struct Params {
  m: u32,
  n: u32,
  k: u32,
  batches: u32, // outer times inner
  inner: u32, // size of the inner of two batch axes
  // Fours from one matrix to the next.
  a_outer: u32,
  a_inner: u32,
  // The first four of b, and fours to the next matrix, panel and step of k.
  b_base: u32,
  b_outer: u32,
  b_inner: u32,
  b_panel: u32,
  b_k: u32,
  // First element, and elements from one index to the next.
  c_base: u32,
  c_outer: u32,
  c_inner: u32,
  c_m: u32,
  // The first channel, and channels to the next matrix.
  channel_base: u32,
  channel_outer: u32,
  channel_inner: u32,
}

// C is a vec4 of T, which is f32 or f16; `narrow` makes one of a vec4f.
@group(0) @binding(0) var<storage, read> a: array<vec4f>;
@group(0) @binding(1) var<storage, read> b: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> c: array<C>;
@group(0) @binding(3) var<uniform> params: Params;

// Sums of four rows and 16 columns, as blocks whose columns hold their rows.
struct Strip {
  c0: mat4x4f,
  c1: mat4x4f,
  c2: mat4x4f,
  c3: mat4x4f,
}

fn outer_product(x: vec4f, y: vec4f) -> mat4x4f {
  return mat4x4f(x.x * y, x.y * y, x.z * y, x.w * y);
}

// Adds the products of four rows at a step of k with 16 columns.
fn add_step(sums: Strip, x: vec4f, y: mat4x4f) -> Strip {
  return Strip(
    sums.c0 + outer_product(x, y[0]),
    sums.c1 + outer_product(x, y[1]),
    sums.c2 + outer_product(x, y[2]),
    sums.c3 + outer_product(x, y[3]),
  );
}

fn store_four(base: u32, row: u32, col: u32, sum: vec4f) {
  if (row < params.m && col < params.n) {
    c[(base + row * params.c_m + col) / 4] = narrow(sum);
  }
}

fn store_block(base: u32, row: u32, col: u32, sum: mat4x4f) {
  store_four(base, row, col, sum[0]);
  store_four(base, row + 1, col, sum[1]);
  store_four(base, row + 2, col, sum[2]);
  store_four(base, row + 3, col, sum[3]);
}

fn store_strip(base: u32, row: u32, col: u32, sums: Strip) {
  store_block(base, row, col, sums.c0);
  store_block(base, row, col + 4, sums.c1);
  store_block(base, row, col + 8, sums.c2);
  store_block(base, row, col + 12, sums.c3);
}

// What `finish` takes for the columns of a four.
fn channels(first: u32) -> mat4x2f {
  return mat4x2f(
    channel_of(first),
    channel_of(first + 1),
    channel_of(first + 2),
    channel_of(first + 3),
  );
}

fn finish_four(at: u32, channel: mat4x2f) {
  let sum = vec4f(c[at / 4]);
  c[at / 4] = narrow(vec4f(
    finish(sum.x, channel[0], at),
    finish(sum.y, channel[1], at + 1),
    finish(sum.z, channel[2], at + 2),
    finish(sum.w, channel[3], at + 3),
  ));
}

// Finishes four columns of a panel.
fn finish_columns(base: u32, row: u32, col: u32, channel: u32) {
  var of_columns = mat4x2f();
  if (!CHANNEL_ROWS) {
    of_columns = channels(channel + col);
  }
  let end = min(row + 32, params.m);
  for (var i = row; i < end; i++) {
    let at = base + i * params.c_m + col;
    if (CHANNEL_ROWS) {
      let of_row = channel_of(channel + i);
      finish_four(at, mat4x2f(of_row, of_row, of_row, of_row));
    } else {
      finish_four(at, of_columns);
    }
  }
}

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  // Columns vary fastest, then rows and batches.
  let panels_n = (params.n + 15) / 16;
  let panels_m = (params.m + 31) / 32;
  var id = (group.y * groups.x + group.x) * WORKGROUP + lane;
  let panel_n = id % panels_n;
  id /= panels_n;
  let panel_m = id % panels_m;
  let batch = id / panels_m;
  if (batch >= params.batches) {
    return;
  }
  let outer = batch / params.inner;
  let inner = batch % params.inner;
  var a_at = outer * params.a_outer + inner * params.a_inner +
    8 * params.k * panel_m;
  var b_at = params.b_base + outer * params.b_outer + inner * params.b_inner +
    params.b_panel * panel_n;

  var c0 = Strip();
  var c1 = Strip();
  var c2 = Strip();
  var c3 = Strip();
  var c4 = Strip();
  var c5 = Strip();
  var c6 = Strip();
  var c7 = Strip();
  for (var k = 0u; k < params.k; k++) {
    let y = mat4x4f(b[b_at], b[b_at + 1], b[b_at + 2], b[b_at + 3]);
    c0 = add_step(c0, a[a_at], y);
    c1 = add_step(c1, a[a_at + 1], y);
    c2 = add_step(c2, a[a_at + 2], y);
    c3 = add_step(c3, a[a_at + 3], y);
    c4 = add_step(c4, a[a_at + 4], y);
    c5 = add_step(c5, a[a_at + 5], y);
    c6 = add_step(c6, a[a_at + 6], y);
    c7 = add_step(c7, a[a_at + 7], y);
    a_at += 8;
    b_at += params.b_k;
  }

  let base = params.c_base + outer * params.c_outer + inner * params.c_inner;
  let row = 32 * panel_m;
  let col = 16 * panel_n;
  store_strip(base, row, col, c0);
  store_strip(base, row + 4, col, c1);
  store_strip(base, row + 8, col, c2);
  store_strip(base, row + 12, col, c3);
  store_strip(base, row + 16, col, c4);
  store_strip(base, row + 20, col, c5);
  store_strip(base, row + 24, col, c6);
  store_strip(base, row + 28, col, c7);
  if (FINISHES) {
    let channel = params.channel_base + outer * params.channel_outer +
      inner * params.channel_inner;
    for (var j = col; j < min(col + 16, params.n); j += 4) {
      finish_columns(base, row, j, channel);
    }
  }
}
