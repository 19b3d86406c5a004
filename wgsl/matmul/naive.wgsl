// Matrix product, one output an invocation:
// c[b, m, n] = a[b, m, k] · b[b, k, n] + bias[n]
//
//   c[i, j] = bias[j] + Σ_k a[i, k] · b[k, j]
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
override BIAS: bool = false; // whether there is a bias

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
  bias_base: u32,
  bias_n: u32,
  c_base: u32,
  c_piece: u32,
  c_outer: u32,
  c_inner: u32,
  c_m: u32,
}

// A, B, Bias and C are the storage types: f32 or f16.
@group(0) @binding(0) var<storage, read> a: array<A>;
@group(0) @binding(1) var<storage, read> b: array<B>;
@group(0) @binding(2) var<storage, read> bias: array<Bias>;
@group(0) @binding(3) var<storage, read_write> c: array<C>;
@group(0) @binding(4) var<uniform> params: Params;

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
  if (BIAS) {
    sum += f32(bias[params.bias_base + col * params.bias_n]);
  }
  let at = params.c_base + piece * params.c_piece + outer * params.c_outer +
    inner * params.c_inner + row * params.c_m + col;
  c[at] = C(sum);
}
