// x: [kept.., n] by strides, carries: [kept.., blocks] -> y: [kept.., n]
//
// y[j] = carry of the block before + x[first of the block] + .. + x[j]
//
// Sum: one accumulator, in order from the first element of the block; the
// carry, the running sum of the blocks before, is added at the store.
//
// Tiling: one invocation owns one block of one row, reads each element once
// and writes the running sum.
//
// Edges: invocations past rows * blocks stop; the last block may be shorter;
// the first block of a row, of which `lag` is 1, has no carry.
//
// Appended: alias T (elements), A (accumulators) and R (results);
// const KEPT_RANK.

struct Params {
  rows: u32,
  n: u32,
  block: u32,
  lag: u32, // 1 if this launch begins with the first block, else 0
  x_step: u32,
  y_step: u32,
  x_base: u32,
  carries_base: u32,
  y_base: u32,
  // Innermost axis last.
  kept_shape: array<vec4u, 2>,
  kept_x: array<vec4u, 2>,
  kept_carries: array<vec4u, 2>,
  kept_y: array<vec4u, 2>,
}

const WORKGROUP = 64u;

@group(0) @binding(0) var<storage, read> x: array<T>;
@group(0) @binding(1) var<storage, read> carries: array<A>;
@group(0) @binding(2) var<storage, read_write> y: array<R>;
@group(0) @binding(3) var<uniform> params: Params;

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
  var carries_at = params.carries_base;
  var y_at = params.y_base;
  var rest = id / blocks;
  for (var k = 1u; k <= KEPT_RANK; k++) {
    let d = 8u - k;
    let size = params.kept_shape[d / 4u][d % 4u];
    x_at += (rest % size) * params.kept_x[d / 4u][d % 4u];
    carries_at += (rest % size) * params.kept_carries[d / 4u][d % 4u];
    y_at += (rest % size) * params.kept_y[d / 4u][d % 4u];
    rest /= size;
  }
  var carry = A(0);
  if (b >= params.lag) {
    carry = carries[carries_at + b - params.lag];
  }
  let end = min(params.n, (b + 1u) * params.block);
  var sum = A(0);
  for (var j = b * params.block; j < end; j++) {
    sum += A(x[x_at + j * params.x_step]);
    y[y_at + j * params.y_step] = R(carry + sum);
  }
}
