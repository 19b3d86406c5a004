// x: [kept.., n] by strides -> y: [kept.., n]
//
// y[j] = x[0] + .. + x[j] along the row, or from its end for a reverse scan
//
// Sum: one accumulator, in order.
//
// Tiling: one invocation owns one row, reads each element once and writes the
// running sum. A reverse scan starts at the last element with negative steps,
// which wrap around as u32.
//
// Edges: invocations past the number of rows stop.
//
// Appended: alias T (elements), A (accumulators) and R (results);
// const KEPT_RANK.

struct Params {
  rows: u32,
  n: u32,
  x_step: u32,
  y_step: u32,
  x_base: u32,
  y_base: u32,
  // Innermost axis last.
  kept_shape: array<vec4u, 2>,
  kept_x: array<vec4u, 2>,
  kept_y: array<vec4u, 2>,
}

const WORKGROUP = 64u;

@group(0) @binding(0) var<storage, read> x: array<T>;
@group(0) @binding(1) var<storage, read_write> y: array<R>;
@group(0) @binding(2) var<uniform> params: Params;

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let row = (group.y * groups.x + group.x) * WORKGROUP + lane;
  if (row >= params.rows) {
    return;
  }
  var x_at = params.x_base;
  var y_at = params.y_base;
  var rest = row;
  for (var k = 1u; k <= KEPT_RANK; k++) {
    let d = 8u - k;
    let size = params.kept_shape[d / 4u][d % 4u];
    x_at += (rest % size) * params.kept_x[d / 4u][d % 4u];
    y_at += (rest % size) * params.kept_y[d / 4u][d % 4u];
    rest /= size;
  }
  var sum = A(0);
  for (var j = 0u; j < params.n; j++) {
    sum += A(x[x_at + j * params.x_step]);
    y[y_at + j * params.y_step] = R(sum);
  }
}
