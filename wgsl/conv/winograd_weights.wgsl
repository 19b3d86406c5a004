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
// vectors. Neighbouring invocations store neighbouring vectors.
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
fn store_row(to: u32, step: u32, a: vec4f, b: vec4f, c: vec4f) {
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
  let row_0 =
    params.w_base + k * params.w_kept + c * params.w_summed;
  let row_1 = row_0 + down;
  let row_2 = row_1 + down;
  let a0 = tap(row_0, four);
  let b0 = tap(row_0 + right, four);
  let c0 = tap(row_0 + 2 * right, four);
  let a1 = tap(row_1, four);
  let b1 = tap(row_1 + right, four);
  let c1 = tap(row_1 + 2 * right, four);
  let a2 = tap(row_2, four);
  let b2 = tap(row_2 + right, four);
  let c2 = tap(row_2 + 2 * right, four);

  // Down the columns first, then along each row.
  let line = 6 * count;
  store_row(at, count, a0 / 4.0, b0 / 4.0, c0 / 4.0);
  let a_even = (a0 + a2) / -6.0;
  let b_even = (b0 + b2) / -6.0;
  let c_even = (c0 + c2) / -6.0;
  let a_odd = a1 / 6.0;
  let b_odd = b1 / 6.0;
  let c_odd = c1 / 6.0;
  store_row(at + line, count, a_even - a_odd, b_even - b_odd, c_even - c_odd);
  store_row(
    at + 2 * line,
    count,
    a_even + a_odd,
    b_even + b_odd,
    c_even + c_odd,
  );
  let a_far = a0 / 24.0 + a2 / 6.0;
  let b_far = b0 / 24.0 + b2 / 6.0;
  let c_far = c0 / 24.0 + c2 / 6.0;
  let a_near = a1 / 12.0;
  let b_near = b1 / 12.0;
  let c_near = c1 / 12.0;
  store_row(
    at + 3 * line,
    count,
    a_far + a_near,
    b_far + b_near,
    c_far + c_near,
  );
  store_row(
    at + 4 * line,
    count,
    a_far - a_near,
    b_far - b_near,
    c_far - c_near,
  );
  store_row(at + 5 * line, count, a2, b2, c2);
}
