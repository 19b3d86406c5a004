// Matrix product with blocks staged in workgroup memory:
// c[b, m, n] = finish(a[b, m, k] · b[b, k, n])
//
//   c[i, j] = finish(Σ_k a[i, k] · b[k, j])
//
// `finish` is the epilogue, which the plan appends with `channel_of`.
//
// Tiling: a workgroup of 16×16 invocations owns 64×64 outputs, an invocation
// 4×4 of them. A trip of the loop stages 64×16 elements of a and 16×64 of b,
// one vec4 of each an invocation; then, for each of the 16 steps of k, an
// invocation reads four of a and four of b and adds 16 products.
//   reads per multiply-add  1/32 from storage, 1/2 from workgroup memory
//   workgroup bytes         8,192
//   registers               16 sums + 8 operands
// This is the form for GPUs, whose workgroup memory is as fast as a cache.
// Where it is emulated, each barrier costs more than the reads that it saves.
//
// Edges: what lies past the end of a or b is staged as zero, in both operands
// along k, and outputs past the end aren't stored.

override A_ALONG_K: bool = true; // a is contiguous along k, else along m
override B_ALONG_K: bool = false; // b is contiguous along k, else along n
override CHANNEL_ROWS: bool = false; // rows count channels, not columns

const SIDE = 16u; // invocations along each side of the workgroup
const BLOCK = 64u; // outputs along each side of the block
const DEPTH = 16u; // steps of k staged at once

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

// Four rows of a, or four columns of b, at each of the staged steps of k.
var<workgroup> a_staged: array<vec4f, 256>; // [DEPTH][BLOCK / 4]
var<workgroup> b_staged: array<vec4f, 256>; // [DEPTH][BLOCK / 4]

// Which vec4 an invocation stages: x is its place along the block in fours, y
// its step of k. Neighbouring invocations follow the contiguous axis.
fn staged_by(lane: u32, along_k: bool) -> vec2u {
  return select(
    vec2u(lane % SIDE, lane / SIDE),
    vec2u(lane / SIDE, lane % SIDE),
    along_k,
  );
}

fn a_at(base: u32, row: u32, k: u32, end: u32) -> f32 {
  if (row < params.m && k < end) {
    return f32(a[base + row * params.a_m + k * params.a_k]);
  }
  return 0.0;
}

fn b_at(base: u32, k: u32, end: u32, col: u32) -> f32 {
  if (k < end && col < params.n) {
    return f32(b[base + k * params.b_k + col * params.b_n]);
  }
  return 0.0;
}

fn store(base: u32, row: u32, col: u32, channel: u32, sum: f32) {
  if (row < params.m && col < params.n) {
    let at = base + row * params.c_m + col;
    let own = channel_of(channel + select(col, row, CHANNEL_ROWS));
    c[at] = C(finish(sum, own, at));
  }
}

fn store_four(base: u32, row: u32, col: u32, channel: u32, sum: vec4f) {
  store(base, row, col, channel, sum.x);
  store(base, row, col + 1, channel, sum.y);
  store(base, row, col + 2, channel, sum.z);
  store(base, row, col + 3, channel, sum.w);
}

@compute @workgroup_size(256)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  // Columns vary fastest, then rows, batches and pieces of k.
  let blocks_n = (params.n + BLOCK - 1) / BLOCK;
  let blocks_m = (params.m + BLOCK - 1) / BLOCK;
  var id = group.y * groups.x + group.x;
  let block_col = id % blocks_n * BLOCK;
  id /= blocks_n;
  let block_row = id % blocks_m * BLOCK;
  id /= blocks_m;
  let outer = id % params.batches / params.inner;
  let inner = id % params.inner;
  let piece = id / params.batches;
  if (piece >= params.pieces) {
    return;
  }
  let begin = piece * params.chunk;
  let end = min(begin + params.chunk, params.k);

  let a_base = params.a_base + outer * params.a_outer +
    inner * params.a_inner;
  let b_base = params.b_base + outer * params.b_outer +
    inner * params.b_inner;
  let a_own = staged_by(lane, A_ALONG_K);
  let b_own = staged_by(lane, B_ALONG_K);
  let x = lane % SIDE;
  let y = lane / SIDE;
  var c0 = vec4f();
  var c1 = vec4f();
  var c2 = vec4f();
  var c3 = vec4f();
  for (var k = begin; k < end; k += DEPTH) {
    let a_row = block_row + 4 * a_own.x;
    let a_k = k + a_own.y;
    a_staged[a_own.y * SIDE + a_own.x] = vec4f(
      a_at(a_base, a_row, a_k, end),
      a_at(a_base, a_row + 1, a_k, end),
      a_at(a_base, a_row + 2, a_k, end),
      a_at(a_base, a_row + 3, a_k, end),
    );
    let b_k = k + b_own.y;
    let b_col = block_col + 4 * b_own.x;
    b_staged[b_own.y * SIDE + b_own.x] = vec4f(
      b_at(b_base, b_k, end, b_col),
      b_at(b_base, b_k, end, b_col + 1),
      b_at(b_base, b_k, end, b_col + 2),
      b_at(b_base, b_k, end, b_col + 3),
    );
    workgroupBarrier();
    for (var d = 0u; d < DEPTH; d++) {
      let column = a_staged[d * SIDE + y];
      let row = b_staged[d * SIDE + x];
      c0 += column.x * row;
      c1 += column.y * row;
      c2 += column.z * row;
      c3 += column.w * row;
    }
    workgroupBarrier();
  }

  let c_base = params.c_base + piece * params.c_piece +
    outer * params.c_outer + inner * params.c_inner;
  let channel = params.channel_base + outer * params.channel_outer +
    inner * params.channel_inner;
  let row = block_row + 4 * y;
  let col = block_col + 4 * x;
  store_four(c_base, row, col, channel, c0);
  store_four(c_base, row + 1, col, channel, c1);
  store_four(c_base, row + 2, col, channel, c2);
  store_four(c_base, row + 3, col, channel, c3);
}
