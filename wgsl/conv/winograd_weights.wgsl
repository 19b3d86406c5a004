// u[i, j, k, c] = sum over r < 3, s < 3 of G[i, r] * w[k, c, r, s] * G[j, s]
// w: [K, C, 3, 3] with its axes in any order -> u: [36, tiles, C / 4,
//   4 * QUADS, 4] or, ALONG_K, [36, tiles, C, QUADS, 4], 36 the 6 x 6 of
//   i, j, channels k in tiles of 4 * QUADS, c in fours, with 0 for channels
//   past K and C
//
//       [  1/4     0     0 ]
//       [ -1/6  -1/6  -1/6 ]
//   G = [ -1/6   1/6  -1/6 ]
//       [ 1/24  1/12   1/6 ]
//       [ 1/24 -1/12   1/6 ]
//       [    0     0     1 ]
//
// The sum: over the 3 x 3 taps, written out.
//
// Tiling: one invocation owns four channels c of one k, or ALONG_K four k of
// one c, as the elements of vectors: it reads 36 weights and stores 36
// vectors, row by row in loops, the others moving up: so the code for a row is
// compiled once. Neighbouring invocations store neighbouring vectors.
//   workgroup bytes         0
//   registers               36 weights + 48 for rows on their way
//
// Edges: taps stand at steps of w_row and w_column in w, which may be negative:
// the input gradient takes them backwards. T, the element type of w, is
// appended by the plan.

override QUADS: u32 = 4;
override ALONG_K: bool = false;

struct Params {
  kept: u32,
  summed: u32,
  // Tiles of kept channels, and fours of summed ones.
  tiles: u32,
  fours: u32,
  // Where w's first tap starts, and elements to the next channel or tap.
  w_base: u32,
  w_kept: u32,
  w_summed: u32,
  w_row: i32,
  w_column: i32,
}

@group(0) @binding(0) var<storage, read> w: array<T>;
@group(0) @binding(1) var<storage, read_write> u: array<vec4f>;
@group(0) @binding(2) var<uniform> params: Params;

// Four channels, of which `left` exist, as elements `step` apart.
struct Four {
  step: u32,
  left: u32,
}

// One tap of four channels, the first of which is at an index; 0 past the last.
fn tap(at: u32, four: Four) -> vec4f {
  let value = vec4f(
    f32(w[at]),
    f32(w[at + four.step]),
    f32(w[at + 2 * four.step]),
    f32(w[at + 3 * four.step]),
  );
  return select(vec4f(), value, vec4u(0, 1, 2, 3) < vec4u(four.left));
}

// Stores a row of six from a row of three, `step` vectors apart.
fn store_row(to: u32, step: u32, w: mat3x4f) {
  let a = w[0];
  let b = w[1];
  let c = w[2];
  let even = (a + c) / -6.0;
  let odd = b / 6.0;
  let far_even = a / 24.0 + c / 6.0;
  let far_odd = b / 12.0;
  u[to] = a / 4.0;
  u[to + step] = even - odd;
  u[to + 2 * step] = even + odd;
  u[to + 3 * step] = far_even + far_odd;
  u[to + 4 * step] = far_even - far_odd;
  u[to + 5 * step] = c;
}

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let at = (group.y * groups.x + group.x) * 64 + lane;
  let count = params.tiles * params.fours * 4 * QUADS;
  if (at >= count) {
    return;
  }
  // Channels past the last one of the other kind have none of this one.
  var k: u32;
  var c: u32;
  var four: Four;
  if (ALONG_K) {
    let rest = at / QUADS;
    c = rest % (4 * params.fours);
    k = 4 * (rest / (4 * params.fours) * QUADS + at % QUADS);
    let left = params.kept - min(k, params.kept);
    four = Four(params.w_kept, select(0u, left, c < params.summed));
  } else {
    let rest = at / (4 * QUADS);
    c = rest % params.fours * 4;
    k = rest / params.fours * 4 * QUADS + at % (4 * QUADS);
    let left = params.summed - min(c, params.summed);
    four = Four(params.w_summed, select(0u, left, k < params.kept));
  }
  let down = u32(params.w_row);
  let right = u32(params.w_column);
  var row = params.w_base + k * params.w_kept + c * params.w_summed;
  let row_end = row + 3 * down;
  var w0: mat3x4f;
  var w1: mat3x4f;
  var w2: mat3x4f;
  for (; row != row_end; row += down) {
    w0 = w1;
    w1 = w2;
    w2 = mat3x4f(
      tap(row, four),
      tap(row + right, four),
      tap(row + 2 * right, four),
    );
  }

  // Down the columns first, then along each row.
  let even = (w0 + w2) * (-1.0 / 6.0);
  let odd = w1 * (1.0 / 6.0);
  let far = w0 * (1.0 / 24.0) + w2 * (1.0 / 6.0);
  let near = w1 * (1.0 / 12.0);
  var u0 = w0 * 0.25;
  var u1 = even - odd;
  var u2 = even + odd;
  var u3 = far + near;
  var u4 = far - near;
  var to = at;
  let to_end = at + 36 * count;
  for (; to != to_end; to += 6 * count) {
    store_row(to, count, u0);
    u0 = u1;
    u1 = u2;
    u2 = u3;
    u3 = u4;
    u4 = w2;
  }
}
