// x: [kept.., outer.., inner] by strides -> y: [slots, kept..] by strides
//
// y[s, k] = store(fold of load(x[k, o, i]) over slot s's share of (o, i))
//
// Fold: slot s = (so, si) takes o = so, so + outer_slots, .. and in each the
// elements i = si, si + inner_slots, .. into four accumulators in turn; these
// are combined, then added to the total of the outer steps before. With one
// slot y is the result; with several a further launch folds the slots.
//
// Tiling: one invocation owns one slot of one output. Four independent
// accumulators hide the latency of combine. No staging: each element is read
// once. Neighbouring invocations take neighbouring slots or neighbouring
// outputs, whichever lie closer in x.
//
// Edges: invocations past outputs * slots stop; a last loop takes the up to
// three elements that don't fill the four accumulators; a slot without a
// share gives IDENTITY.
//
// Appended: alias T (elements), A (accumulators) and R (results);
// const KEPT_RANK, OUTER_RANK and IDENTITY; fn load(value: T, place: u32)
// -> A, combine(a: A, b: A) -> A and store(a: A) -> R.

struct Params {
  outputs: u32,
  slots_first: u32, // 1: neighbouring invocations take neighbouring slots
  outer_slots: u32,
  inner_slots: u32,
  outer: u32,
  inner: u32,
  inner_x: u32, // stride of the inner axis
  place: u32, // number of the first reduced element in its axis
  x_base: u32,
  y_base: u32,
  y_slot: u32, // stride of a slot
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

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let id = (group.y * groups.x + group.x) * WORKGROUP + lane;
  let slots = params.outer_slots * params.inner_slots;
  if (id >= params.outputs * slots) {
    return;
  }
  var slot = id / params.outputs;
  var rest = id % params.outputs;
  if (params.slots_first == 1u) {
    slot = id % slots;
    rest = id / slots;
  }
  var first = params.x_base;
  var y_at = params.y_base + slot * params.y_slot;
  for (var n = 1u; n <= KEPT_RANK; n++) {
    let d = 8u - n;
    let size = params.kept_shape[d / 4u][d % 4u];
    first += (rest % size) * params.kept_x[d / 4u][d % 4u];
    y_at += (rest % size) * params.kept_y[d / 4u][d % 4u];
    rest /= size;
  }
  let lead = slot % params.inner_slots;
  let step = params.inner_slots;
  let stride = step * params.inner_x;
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
    var place = params.place + o * params.inner + lead;
    var a = IDENTITY;
    var b = IDENTITY;
    var c = IDENTITY;
    var e = IDENTITY;
    var i = lead;
    for (; i + 3u * step < params.inner; i += 4u * step) {
      a = combine(a, load(x[at], place));
      b = combine(b, load(x[at + stride], place + step));
      c = combine(c, load(x[at + 2u * stride], place + 2u * step));
      e = combine(e, load(x[at + 3u * stride], place + 3u * step));
      at += 4u * stride;
      place += 4u * step;
    }
    for (; i < params.inner; i += step) {
      a = combine(a, load(x[at], place));
      at += stride;
      place += step;
    }
    total = combine(total, combine(combine(a, b), combine(c, e)));
  }
  y[y_at] = store(total);
}
