// m[p, k, t] = sum over c of u[p, k, c] * v[p, c, t], for each p < P, 36 or 16
// u: [P, tiles of K, C, 32], v: [P, T / 16, C, 16] -> m: [P, K, T], with K in
//   tiles of 32 and T in sixteens
//
// The sum: over channels, one a turn of the loop.
//
// Tiling: one invocation owns 32 channels k of 16 columns t at one p and adds
// their outer product at each channel c: 8 vectors of u and 4 of v make 512
// multiply-adds.
//   reads per multiply-add  3/32
//   workgroup bytes         0
//   registers               512 sums + 20 operands
// That is far more than a GPU has: this form is for processors that run
// invocations as lanes of vectors, where reads are what counts. A short loop
// stays in their nearest cache. Operands lie as they are read. Neighbouring
// invocations own neighbouring columns.
//
// Edges: none, all operands are padded. Columns of v past the last tile hold
// anything, and so do those of m.

struct Params {
  // Products, tiles of K in each, channels C, sixteens of T.
  planes: u32,
  tiles: u32,
  channels: u32,
  sixteens: u32,
}

@group(0) @binding(0) var<storage, read> u: array<vec4f>;
@group(0) @binding(1) var<storage, read> v: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> m: array<vec4f>;
@group(0) @binding(3) var<uniform> params: Params;

// Sums of four channels k and 16 columns, as blocks whose columns hold their k.
struct Strip {
  t0: mat4x4f,
  t1: mat4x4f,
  t2: mat4x4f,
  t3: mat4x4f,
}

fn outer_product(x: vec4f, y: vec4f) -> mat4x4f {
  return mat4x4f(x.x * y, x.y * y, x.z * y, x.w * y);
}

// Adds the products of four channels k with 16 columns at a channel c.
fn add_step(sums: Strip, x: vec4f, y: mat4x4f) -> Strip {
  return Strip(
    sums.t0 + outer_product(x, y[0]),
    sums.t1 + outer_product(x, y[1]),
    sums.t2 + outer_product(x, y[2]),
    sums.t3 + outer_product(x, y[3]),
  );
}

// A row of m.
fn store_row(to: u32, t0: vec4f, t1: vec4f, t2: vec4f, t3: vec4f) {
  m[to] = t0;
  m[to + 1] = t1;
  m[to + 2] = t2;
  m[to + 3] = t3;
}

// Four rows of m.
fn store_strip(to: u32, step: u32, k: Strip) {
  store_row(to, k.t0[0], k.t1[0], k.t2[0], k.t3[0]);
  store_row(to + step, k.t0[1], k.t1[1], k.t2[1], k.t3[1]);
  store_row(to + 2 * step, k.t0[2], k.t1[2], k.t2[2], k.t3[2]);
  store_row(to + 3 * step, k.t0[3], k.t1[3], k.t2[3], k.t3[3]);
}

@compute @workgroup_size(8)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let at = (group.y * groups.x + group.x) * 8 + lane;
  let sixteen = at % params.sixteens;
  let rest = at / params.sixteens;
  let tile = rest % params.tiles;
  let plane = rest / params.tiles;
  if (plane >= params.planes) {
    return;
  }
  let step = 4 * params.sixteens;
  var u_at = (plane * params.tiles + tile) * params.channels * 8;
  var v_at = 4 * params.channels * (plane * params.sixteens + sixteen);
  var k0 = Strip();
  var k1 = Strip();
  var k2 = Strip();
  var k3 = Strip();
  var k4 = Strip();
  var k5 = Strip();
  var k6 = Strip();
  var k7 = Strip();
  for (var c = 0u; c < params.channels; c++) {
    let y = mat4x4f(v[v_at], v[v_at + 1], v[v_at + 2], v[v_at + 3]);
    k0 = add_step(k0, u[u_at], y);
    k1 = add_step(k1, u[u_at + 1], y);
    k2 = add_step(k2, u[u_at + 2], y);
    k3 = add_step(k3, u[u_at + 3], y);
    k4 = add_step(k4, u[u_at + 4], y);
    k5 = add_step(k5, u[u_at + 5], y);
    k6 = add_step(k6, u[u_at + 6], y);
    k7 = add_step(k7, u[u_at + 7], y);
    u_at += 8;
    v_at += 4;
  }

  // Stored four rows at a time, the others moving up: so the code for it is
  // compiled once.
  let first = (plane * params.tiles + tile) * 32;
  for (var row = first; row < first + 32; row += 4) {
    store_strip(row * step + 4 * sixteen, step, k0);
    k0 = k1;
    k1 = k2;
    k2 = k3;
    k3 = k4;
    k4 = k5;
    k5 = k6;
    k6 = k7;
  }
}
