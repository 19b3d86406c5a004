// The last step of a matrix product whose k was cut into pieces:
// c[b, m, n] = finish(Σ_p pieces[p, b, m, n])
//
//   c[i, j] = finish(Σ_p pieces[p, i, j])
//
// `finish` is the epilogue, which the plan appends with `channel_of`.
//
// Tiling: one output an invocation, neighbouring invocations on neighbouring
// columns. Pieces are added in their order, so that the same call gives the
// same bits. With one piece this is a conversion of the element type, and with
// none it finishes the product over an empty k: zero.
//   reads per addition  1
//   workgroup bytes     0
//   registers           1 sum
//
// Edges: invocations past the last output do nothing.

override WORKGROUP: u32 = 64;
override CHANNEL_ROWS: bool = false; // rows count channels, not columns

struct Params {
  m: u32,
  n: u32,
  pieces: u32,
  batches: u32, // outer times inner
  inner: u32, // size of the inner of two batch axes
  // First element, and elements from one index to the next.
  p_base: u32,
  p_piece: u32,
  p_outer: u32,
  p_inner: u32,
  p_m: u32,
  c_base: u32,
  c_outer: u32,
  c_inner: u32,
  c_m: u32,
  // The first channel, and channels to the next matrix.
  channel_base: u32,
  channel_outer: u32,
  channel_inner: u32,
}

// T is the storage type: f32 or f16. Pieces are always f32.
@group(0) @binding(0) var<storage, read> sums: array<f32>;
@group(0) @binding(1) var<storage, read_write> c: array<T>;
@group(0) @binding(2) var<uniform> params: Params;

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  // Columns vary fastest, then rows and batches.
  var id = (group.y * groups.x + group.x) * WORKGROUP + lane;
  let col = id % params.n;
  id /= params.n;
  let row = id % params.m;
  let batch = id / params.m;
  if (batch >= params.batches) {
    return;
  }
  let outer = batch / params.inner;
  let inner = batch % params.inner;

  var i = params.p_base + outer * params.p_outer + inner * params.p_inner +
    row * params.p_m + col;
  var sum = 0.0;
  for (var piece = 0u; piece < params.pieces; piece++) {
    sum += sums[i];
    i += params.p_piece;
  }
  let at = params.c_base + outer * params.c_outer +
    inner * params.c_inner + row * params.c_m + col;
  let channel = channel_of(
    params.channel_base + outer * params.channel_outer +
      inner * params.channel_inner + select(col, row, CHANNEL_ROWS),
  );
  c[at] = T(finish(sum, channel, at));
}
