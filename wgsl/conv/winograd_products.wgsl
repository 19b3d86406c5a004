// m[p, k, t] = sum over c of u[p, k, c] * v[p, c, t], for each p < P, 36 or 16
// u: [P, tiles of K, C / 4, 4 * QUADS, 4], v: [P, C, T] -> m: [P, K, T],
//   with K in whole tiles of 4 * QUADS, C in fours and T in eights
//
// The sum: over channels, four a turn of the loop.
//
// Tiling: one invocation owns 4 * QUADS channels k of 8 columns t at one p, in
// registers, as blocks of 4 x 4. A turn multiplies blocks as matrices: 8
// vectors of v and 4 * QUADS of u make 128 * QUADS multiply-adds.
//   reads per multiply-add  1/8 + 1/(4 * QUADS): 3/16 for 16 x 8
//   workgroup bytes         0
//   registers               32 * QUADS sums + 48 operands
// Neighbouring invocations own neighbouring columns.
//
// What bounds it on llvmpipe: the reads. A vector is gathered lane by lane and
// costs 8 invocations as much as 10 to 30 of their vector multiply-adds, also
// where all read the same one. winograd_products_wide.wgsl halves them. Tried
// there: u staged in workgroup memory a turn at a time, where constant indices
// are cheap to read, took 2 to 25 times as long because of the barriers.
//
// Edges: none, all operands are padded. Columns of v past the last tile hold
// anything, and so do those of m.

override QUADS: u32 = 4;

struct Params {
  // Products, tiles of K in each, fours of C, eights of T.
  planes: u32,
  tiles: u32,
  fours: u32,
  eights: u32,
}

@group(0) @binding(0) var<storage, read> u: array<vec4f>;
@group(0) @binding(1) var<storage, read> v: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> m: array<vec4f>;
@group(0) @binding(3) var<uniform> params: Params;

// Four channels c of four columns, of which `step` vectors make a channel.
fn v_block(at: u32, step: u32) -> mat4x4f {
  return mat4x4f(v[at], v[at + step], v[at + 2 * step], v[at + 3 * step]);
}

// Four channels k, each with four channels c.
fn u_block(at: u32) -> mat4x4f {
  return mat4x4f(u[at], u[at + 1], u[at + 2], u[at + 3]);
}

// Four rows of m.
fn store(to: u32, step: u32, low: mat4x4f, high: mat4x4f) {
  m[to] = low[0];
  m[to + 1] = high[0];
  m[to + step] = low[1];
  m[to + step + 1] = high[1];
  m[to + 2 * step] = low[2];
  m[to + 2 * step + 1] = high[2];
  m[to + 3 * step] = low[3];
  m[to + 3 * step + 1] = high[3];
}

@compute @workgroup_size(32)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let at = (group.y * groups.x + group.x) * 32 + lane;
  let eight = at % params.eights;
  let rest = at / params.eights;
  let tile = rest % params.tiles;
  let plane = rest / params.tiles;
  if (plane >= params.planes) {
    return;
  }
  let step = 2 * params.eights;
  let fours = params.fours;
  var v_at = plane * fours * 4 * step + 2 * eight;
  var u_at = (plane * params.tiles + tile) * fours * 4 * QUADS;
  var low_0 = mat4x4f();
  var low_1 = mat4x4f();
  var low_2 = mat4x4f();
  var low_3 = mat4x4f();
  var high_0 = mat4x4f();
  var high_1 = mat4x4f();
  var high_2 = mat4x4f();
  var high_3 = mat4x4f();
  for (var four = 0u; four < fours; four++) {
    let low = v_block(v_at, step);
    let high = v_block(v_at + 1, step);
    v_at += 4 * step;
    let u_0 = u_block(u_at);
    low_0 += low * u_0;
    high_0 += high * u_0;
    if (QUADS > 1) {
      let u_1 = u_block(u_at + 4);
      low_1 += low * u_1;
      high_1 += high * u_1;
    }
    if (QUADS > 2) {
      let u_2 = u_block(u_at + 8);
      low_2 += low * u_2;
      high_2 += high * u_2;
    }
    if (QUADS > 3) {
      let u_3 = u_block(u_at + 12);
      low_3 += low * u_3;
      high_3 += high * u_3;
    }
    u_at += 4 * QUADS;
  }

  let row = (plane * params.tiles + tile) * 4 * QUADS;
  let to = row * step + 2 * eight;
  store(to, step, low_0, high_0);
  if (QUADS > 1) {
    store(to + 4 * step, step, low_1, high_1);
  }
  if (QUADS > 2) {
    store(to + 8 * step, step, low_2, high_2);
  }
  if (QUADS > 3) {
    store(to + 12 * step, step, low_3, high_3);
  }
}
