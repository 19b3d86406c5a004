// x: [kept.., outer.., inner] by strides -> y: [groups, kept..] by strides
//
// y[g, k] = store(fold of load(x[k, o, i]) over group g's share of (o, i))
//
// Fold: the elements are dealt to slots as in chunk.wgsl; then the slots of a
// workgroup are folded as a tree, halving the number of live ones each step.
//
// Tiling: one workgroup owns WORKGROUP neighbouring slots of one output, which
// read neighbouring elements. Each element is read once; WORKGROUP
// accumulators are staged in workgroup memory.
//
// Edges: workgroups past outputs * groups stop together; a slot without a
// share gives IDENTITY, so that the tree is always full.
//
// Appended: as for chunk.wgsl.

struct Params {
  outputs: u32,
  groups: u32, // workgroups that share an output
  outer_slots: u32,
  inner_slots: u32,
  outer: u32,
  inner: u32,
  inner_x: u32, // stride of the inner axis
  place: u32, // number of the first reduced element in its axis
  x_base: u32,
  y_base: u32,
  y_slot: u32, // stride of a group
  count: u32, // elements of the whole reduction, for store
  // Innermost axis last.
  kept_shape: array<vec4u, 2>,
  kept_x: array<vec4u, 2>,
  kept_y: array<vec4u, 2>,
  outer_shape: array<vec4u, 2>,
  outer_x: array<vec4u, 2>,
}

const WORKGROUP = 64u;

@group(0) @binding(0) var<storage, read> x: array<T>;
@group(0) @binding(1) var<storage, read_write> y: array<R>;
@group(0) @binding(2) var<uniform> params: Params;

var<workgroup> stage: array<A, WORKGROUP>;

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let id = group.y * groups.x + group.x;
  if (id >= params.outputs * params.groups) {
    return;
  }
  let slot = (id % params.groups) * WORKGROUP + lane;
  var rest = id / params.groups;
  var first = params.x_base;
  var y_at = params.y_base + (id % params.groups) * params.y_slot;
  for (var n = 1u; n <= KEPT_RANK; n++) {
    let d = 8u - n;
    let size = params.kept_shape[d / 4u][d % 4u];
    first += (rest % size) * params.kept_x[d / 4u][d % 4u];
    y_at += (rest % size) * params.kept_y[d / 4u][d % 4u];
    rest /= size;
  }
  let lead = slot % params.inner_slots;
  var total = IDENTITY;
  for (
    var o = slot / params.inner_slots;
    o < params.outer;
    o += params.outer_slots
  ) {
    var at = first + lead * params.inner_x;
    rest = o;
    for (var n = 1u; n <= OUTER_RANK; n++) {
      let d = 8u - n;
      let size = params.outer_shape[d / 4u][d % 4u];
      at += (rest % size) * params.outer_x[d / 4u][d % 4u];
      rest /= size;
    }
    for (var i = lead; i < params.inner; i += params.inner_slots) {
      let place = params.place + o * params.inner + i;
      total = combine(total, load(x[at], place));
      at += params.inner_slots * params.inner_x;
    }
  }
  stage[lane] = total;
  for (var half = WORKGROUP / 2u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (lane < half) {
      stage[lane] = combine(stage[lane], stage[lane + half]);
    }
  }
  if (lane == 0u) {
    y[y_at] = store(stage[0]);
  }
}
