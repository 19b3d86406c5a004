// x: [kept.., reduced..] by strides -> y: [kept..]
//
// y[k] = store(fold of load(x[k, r]) over r)
//
// Fold: one accumulator, r ascending.
//
// Tiling: one invocation owns one output and reads its elements one by one,
// finding each from its number r by division.
//
// Edges: invocations past the number of outputs stop. `combine` starts from
// IDENTITY, so no element is special.
//
// Appended: alias T (elements), A (accumulators) and R (results);
// const KEPT_RANK, REDUCED_RANK and IDENTITY; fn load(value: T, place: u32)
// -> A, combine(a: A, b: A) -> A and store(a: A) -> R.

struct Params {
  outputs: u32,
  reduced: u32,
  place: u32, // number of the first reduced element in its axis
  x_base: u32,
  y_base: u32,
  count: u32, // elements of the whole reduction, for store
  // Innermost axis last.
  kept_shape: array<vec4u, 2>,
  kept_x: array<vec4u, 2>,
  kept_y: array<vec4u, 2>,
  reduced_shape: array<vec4u, 2>,
  reduced_x: array<vec4u, 2>,
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
  let k = (group.y * groups.x + group.x) * WORKGROUP + lane;
  if (k >= params.outputs) {
    return;
  }
  var first = params.x_base;
  var y_at = params.y_base;
  var rest = k;
  for (var n = 1u; n <= KEPT_RANK; n++) {
    let d = 8u - n;
    let size = params.kept_shape[d / 4u][d % 4u];
    first += (rest % size) * params.kept_x[d / 4u][d % 4u];
    y_at += (rest % size) * params.kept_y[d / 4u][d % 4u];
    rest /= size;
  }
  var total = IDENTITY;
  for (var r = 0u; r < params.reduced; r++) {
    var at = first;
    rest = r;
    for (var n = 1u; n <= REDUCED_RANK; n++) {
      let d = 8u - n;
      let size = params.reduced_shape[d / 4u][d % 4u];
      at += (rest % size) * params.reduced_x[d / 4u][d % 4u];
      rest /= size;
    }
    total = combine(total, load(x[at], params.place + r));
  }
  y[y_at] = store(total);
}
