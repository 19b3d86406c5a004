// x: [kept.., n] by strides -> sums: [kept.., blocks]
//
// sums[b] = sum of x over the b-th `block` elements along the row
//
// Sum: four accumulators in turn, added at the end.
//
// Tiling: one invocation owns one block of one row and reads it once.
//
// Edges: invocations past rows * blocks stop; the last block may be shorter;
// a last loop takes the up to three elements that don't fill a turn.
//
// Appended: alias T (elements) and A (accumulators); const KEPT_RANK.

struct Params {
  rows: u32,
  n: u32,
  block: u32,
  x_step: u32,
  x_base: u32,
  sums_base: u32,
  // Innermost axis last.
  kept_shape: array<vec4u, 2>,
  kept_x: array<vec4u, 2>,
  kept_sums: array<vec4u, 2>,
}

const WORKGROUP = 64u;

@group(0) @binding(0) var<storage, read> x: array<T>;
@group(0) @binding(1) var<storage, read_write> sums: array<A>;
@group(0) @binding(2) var<uniform> params: Params;

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let id = (group.y * groups.x + group.x) * WORKGROUP + lane;
  let blocks = (params.n + params.block - 1u) / params.block;
  if (id >= params.rows * blocks) {
    return;
  }
  let b = id % blocks;
  var x_at = params.x_base;
  var sums_at = params.sums_base;
  var rest = id / blocks;
  for (var k = 1u; k <= KEPT_RANK; k++) {
    let d = 8u - k;
    let size = params.kept_shape[d / 4u][d % 4u];
    x_at += (rest % size) * params.kept_x[d / 4u][d % 4u];
    sums_at += (rest % size) * params.kept_sums[d / 4u][d % 4u];
    rest /= size;
  }
  let end = min(params.n, (b + 1u) * params.block);
  let step = params.x_step;
  var sum = vec4<A>(0);
  var j = b * params.block;
  for (; j + 3u < end; j += 4u) {
    let at = x_at + j * step;
    sum.x += A(x[at]);
    sum.y += A(x[at + step]);
    sum.z += A(x[at + 2u * step]);
    sum.w += A(x[at + 3u * step]);
  }
  for (; j < end; j++) {
    sum.x += A(x[x_at + j * step]);
  }
  sums[sums_at + b] = (sum.x + sum.y) + (sum.z + sum.w);
}
