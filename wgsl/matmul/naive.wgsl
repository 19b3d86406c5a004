// Matrix product, one output an invocation:
// c[b, m, n] = finish(a[b, m, k] · b[b, k, n])
//
//   c[i, j] = finish(Σ_k a[i, k] · b[k, j])
//
// `finish` is the epilogue, which the plan appends with `channel_of`.
//
// Tiling: none. Neighbouring invocations take neighbouring columns, so that
// reads of b and writes of c are contiguous. This is the form to read first,
// and the one that the faster kernels are checked against.
//   reads per multiply-add  2
//   workgroup bytes         0
//   registers               1 sum
// Operands have any strides, 0 included, so transposed ones cost no copy.
//
// Edges: invocations past the last output do nothing.

override WORKGROUP: u32 = 64;
override CHANNEL_ROWS: bool = false; // rows count channels, not columns

struct Params {
  m: u32,
  n: u32,
  k: u32,
  pieces: u32, // k is cut into this many pieces, each summed on its own
  chunk: u32, // steps of k in a piece
  batches: u32, // outer times inner
  inner: u32, // size of the inner of two batch axes
  // First element, and elements from one index to the next.
  a_base: u32,
  a_outer: u32,
  a_inner: u32,
  a_m: u32,
  a_k: u32,
  b_base: u32,
  b_outer: u32,
  b_inner: u32,
  b_k: u32,
  b_n: u32,
  c_base: u32,
  c_piece: u32,
  c_outer: u32,
  c_inner: u32,
  c_m: u32,
  // The first channel, and channels to the next matrix.
  channel_base: u32,
  channel_outer: u32,
  channel_inner: u32,
}

// A, B and C are the storage types: f32 or f16.
@group(0) @binding(0) var<storage, read> a: array<A>;
@group(0) @binding(1) var<storage, read> b: array<B>;
@group(0) @binding(2) var<storage, read_write> c: array<C>;
@group(0) @binding(3) var<uniform> params: Params;

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  // Columns vary fastest, then rows, batches and pieces of k.
  var id = (group.y * groups.x + group.x) * WORKGROUP + lane;
  let col = id % params.n;
  id /= params.n;
  let row = id % params.m;
  id /= params.m;
  let outer = id % params.batches / params.inner;
  let inner = id % params.inner;
  let piece = id / params.batches;
  if (piece >= params.pieces) {
    return;
  }
  let begin = piece * params.chunk;
  let end = min(begin + params.chunk, params.k);

  var i = params.a_base + outer * params.a_outer + inner * params.a_inner +
    row * params.a_m + begin * params.a_k;
  var j = params.b_base + outer * params.b_outer + inner * params.b_inner +
    col * params.b_n + begin * params.b_k;
  var sum = 0.0;
  for (var k = begin; k < end; k++) {
    sum += f32(a[i]) * f32(b[j]);
    i += params.a_k;
    j += params.b_k;
  }
  let at = params.c_base + piece * params.c_piece + outer * params.c_outer +
    inner * params.c_inner + row * params.c_m + col;
  let channel = channel_of(
    params.channel_base + outer * params.channel_outer +
      inner * params.channel_inner + select(col, row, CHANNEL_ROWS),
  );
  c[at] = C(finish(sum, channel, at));
}
