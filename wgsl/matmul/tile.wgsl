// Matrix product in register tiles:
// c[b, m, n] = finish(a[b, m, k] · b[b, k, n])
//
//   c[i, j] = finish(Σ_k a[i, k] · b[k, j])
//
// `finish` is the epilogue, which the plan appends with `channel_of`.
//
// Tiling: an invocation owns 4·ROWS × 4·COLS outputs and keeps their sums in
// registers as blocks of 4×4. A turn of the loop takes four steps of k: it
// loads a 4×4 block of a for each block row, one of b for each block column,
// and multiplies them as matrices. Nothing is staged and there is no barrier.
// Neighbouring invocations take neighbouring columns.
//                           4×8    8×8    16×8
//   reads per multiply-add  3/8    1/4    3/16   1/rows + 1/columns
//   workgroup bytes         0      0      0
//   registers for sums      32     64     128    16·ROWS·COLS
//   and for operands        48     48     48     16·(COLS + 1)
// An operand is read as vec4 where four neighbours along one of its axes are
// contiguous and aligned (A_VEC4, B_VEC4): nearly twice as fast as element by
// element, which takes any strides. So transposed operands cost no copy.
//
// Edges: rows and columns past the end read the last one and aren't stored.
// Where k isn't a multiple of four (K_TAIL), what is past its end becomes zero
// in both operands: zero in one would still make NaN of an infinity in the
// other.

override ROWS: u32 = 4; // block rows of a tile: 1, 2 or 4
override COLS: u32 = 2; // block columns of a tile: 1 or 2
override WORKGROUP: u32 = 32;
override A_VEC4: bool = false; // a is bound as vec4
override A_ALONG_K: bool = true; // the four of a load lie along k, not m
override B_VEC4: bool = false; // b is bound as vec4
override B_ALONG_K: bool = true; // the four of a load lie along k, not n
override K_TAIL: bool = true; // k isn't a multiple of four

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

// A, B and C are f32 or f16, or vec4 of these where the overrides say so.
// `wide_a` and `wide_b` make a vec4f of an element, with a
// single number as its x, and `narrow` the reverse for C.
// `store_block`, `channels` and `Store` are in store.wgsl.
@group(0) @binding(0) var<storage, read> a: array<A>;
@group(0) @binding(1) var<storage, read> b: array<B>;
@group(0) @binding(2) var<storage, read_write> c: array<C>;
@group(0) @binding(3) var<uniform> params: Params;

// Four elements of a from `at` on, `steps` apart.
fn a_four(at: u32, steps: vec4u) -> vec4f {
  if (A_VEC4) {
    return wide_a(a[at / 4]);
  }
  let i = at + steps;
  return vec4f(
    wide_a(a[i.x]).x,
    wide_a(a[i.y]).x,
    wide_a(a[i.z]).x,
    wide_a(a[i.w]).x,
  );
}

fn b_four(at: u32, steps: vec4u) -> vec4f {
  if (B_VEC4) {
    return wide_b(b[at / 4]);
  }
  let i = at + steps;
  return vec4f(
    wide_b(b[i.x]).x,
    wide_b(b[i.y]).x,
    wide_b(b[i.z]).x,
    wide_b(b[i.w]).x,
  );
}

// Blocks are matrices whose columns hold the rows of the block, so that the
// product of blocks x · y is written y * x.

// Four rows of a that start at `at`, and in them the four steps of k that stand
// `steps` further on, without those that aren't to be kept.
fn a_block(at: vec4u, steps: vec4u, keep: vec4<bool>) -> mat4x4f {
  // A load holds four steps of one row, or four rows at one step.
  let i = select(at + steps, at, A_ALONG_K);
  var x = mat4x4f(
    a_four(i.x, steps),
    a_four(i.y, steps),
    a_four(i.z, steps),
    a_four(i.w, steps),
  );
  if (!A_ALONG_K) {
    x = transpose(x);
  }
  if (K_TAIL) {
    x = mat4x4f(
      select(vec4f(), x[0], keep),
      select(vec4f(), x[1], keep),
      select(vec4f(), x[2], keep),
      select(vec4f(), x[3], keep),
    );
  }
  return x;
}

// Four columns of b that start at `at`, and in them four steps of k: the rows
// of the block.
fn b_block(at: vec4u, steps: vec4u, keep: vec4<bool>) -> mat4x4f {
  // A load holds four steps of one column, or four columns at one step.
  let i = select(at + steps, at, B_ALONG_K);
  var x = mat4x4f(
    b_four(i.x, steps),
    b_four(i.y, steps),
    b_four(i.z, steps),
    b_four(i.w, steps),
  );
  if (B_ALONG_K) {
    x = transpose(x);
  }
  if (K_TAIL) {
    x = mat4x4f(
      select(vec4f(), x[0], keep.x),
      select(vec4f(), x[1], keep.y),
      select(vec4f(), x[2], keep.z),
      select(vec4f(), x[3], keep.w),
    );
  }
  return x;
}

// Where the rows of a block of a start.
fn a_start(base: u32, row: u32) -> vec4u {
  if (A_ALONG_K) {
    return base + min(row + FOUR, vec4u(params.m - 1)) * params.a_m;
  }
  return vec4u(base + min(row, params.m - 4));
}

// Where the columns of a block of b start.
fn b_start(base: u32, col: u32) -> vec4u {
  if (B_ALONG_K) {
    return base + min(col + FOUR, vec4u(params.n - 1)) * params.b_n;
  }
  return vec4u(base + min(col, params.n - 4));
}

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  // Columns vary fastest, then rows, batches and pieces of k.
  let tiles_n = (params.n + 4 * COLS - 1) / (4 * COLS);
  let tiles_m = (params.m + 4 * ROWS - 1) / (4 * ROWS);
  var id = (group.y * groups.x + group.x) * WORKGROUP + lane;
  let col = id % tiles_n * (4 * COLS);
  id /= tiles_n;
  let row = id % tiles_m * (4 * ROWS);
  id /= tiles_m;
  let outer = id % params.batches / params.inner;
  let inner = id % params.inner;
  let piece = id / params.batches;
  if (piece >= params.pieces) {
    return;
  }
  let begin = piece * params.chunk;
  let end = min(begin + params.chunk, params.k);

  let a_base = params.a_base + outer * params.a_outer +
    inner * params.a_inner + begin * params.a_k;
  let b_base = params.b_base + outer * params.b_outer +
    inner * params.b_inner + begin * params.b_k;
  var a0 = a_start(a_base, row);
  var a1 = a_start(a_base, row + 4);
  var a2 = a_start(a_base, row + 8);
  var a3 = a_start(a_base, row + 12);
  var b0 = b_start(b_base, col);
  var b1 = b_start(b_base, col + 4);
  var a_steps = FOUR * params.a_k;
  var b_steps = FOUR * params.b_k;
  var keep = vec4<bool>(true);

  var c00 = mat4x4f();
  var c01 = mat4x4f();
  var c10 = mat4x4f();
  var c11 = mat4x4f();
  var c20 = mat4x4f();
  var c21 = mat4x4f();
  var c30 = mat4x4f();
  var c31 = mat4x4f();
  for (var k = begin; k < end; k += 4) {
    if (K_TAIL) {
      let last = end - k - 1;
      keep = FOUR <= vec4u(last);
      a_steps = min(FOUR, vec4u(last)) * params.a_k;
      b_steps = min(FOUR, vec4u(last)) * params.b_k;
    }
    let y0 = b_block(b0, b_steps, keep);
    b0 += 4 * params.b_k;
    var y1 = mat4x4f();
    if (COLS > 1) {
      y1 = b_block(b1, b_steps, keep);
      b1 += 4 * params.b_k;
    }
    let x0 = a_block(a0, a_steps, keep);
    a0 += 4 * params.a_k;
    c00 += y0 * x0;
    if (COLS > 1) {
      c01 += y1 * x0;
    }
    if (ROWS > 1) {
      let x1 = a_block(a1, a_steps, keep);
      a1 += 4 * params.a_k;
      c10 += y0 * x1;
      if (COLS > 1) {
        c11 += y1 * x1;
      }
    }
    if (ROWS > 2) {
      let x2 = a_block(a2, a_steps, keep);
      a2 += 4 * params.a_k;
      c20 += y0 * x2;
      let x3 = a_block(a3, a_steps, keep);
      a3 += 4 * params.a_k;
      c30 += y0 * x3;
      if (COLS > 1) {
        c21 += y1 * x2;
        c31 += y1 * x3;
      }
    }
  }

  let base = Store(
    params.c_base + piece * params.c_piece + outer * params.c_outer +
      inner * params.c_inner,
    params.channel_base + outer * params.channel_outer +
      inner * params.channel_inner,
  );
  // Stored four rows at a time, the others moving up: so the code that finishes
  // and stores is compiled once, not for each of many sums.
  let columns_0 = channels(base.channel, col);
  let columns_1 = channels(base.channel, col + 4);
  let rows_end = min(row + 4 * ROWS, params.m);
  for (var i = row; i < rows_end; i += 4) {
    store_block(base, i, col, columns_0, c00);
    if (COLS > 1) {
      store_block(base, i, col + 4, columns_1, c01);
    }
    c00 = c10;
    c10 = c20;
    c20 = c30;
    c01 = c11;
    c11 = c21;
    c21 = c31;
  }
}
