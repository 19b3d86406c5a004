// x: [kept.., outer.., inner] by strides, inner's being 1
// -> y: [slots, kept..] by strides
//
// y[s, k] = store(fold of load(x[k, o, i]) over slot s's share of (o, i))
//
// Fold: slot s = (so, si) takes o = so, so + outer_slots, .. and in each a
// share of the run's vectors of four neighbours, one accumulator a component;
// these are combined, then added to the total of the outer steps before. With
// one slot y is the result; with several a further launch folds the slots.
//
// Tiling: one invocation owns one slot of one output. Each element is read
// once, four at a time: the guard that a read costs is paid once in four. A run
// is cut into blocks, whose vectors LANES neighbouring slots take in turn: they
// read side by side, and stay near what they read before.
// Workgroup memory: none. Registers: five accumulators and a vector.
// Neighbouring invocations take neighbouring slots or neighbouring outputs,
// whichever lie closer in x.
//
// Edges: invocations past outputs * slots stop. x is bound twice, by vectors
// and by elements: the up to three elements before the first whole vector of a
// run and after its last one are slot 0's; a slot without a share gives
// IDENTITY.
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
  inner_x: u32, // 1
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
const LANES = 8u;

@group(0) @binding(0) var<storage, read> x: array<T>;
@group(0) @binding(1) var<storage, read> fours: array<vec4<T>>;
@group(0) @binding(2) var<storage, read_write> y: array<R>;
@group(0) @binding(3) var<uniform> params: Params;

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
  let lanes = min(LANES, params.inner_slots);
  let blocks = params.inner_slots / lanes; // both are powers of two
  var total = IDENTITY;
  for (
    var o = slot / params.inner_slots;
    o < params.outer;
    o += params.outer_slots
  ) {
    var start = first;
    rest = o;
    for (var n = 1u; n <= OUTER_RANK; n++) {
      let d = 8u - n;
      let size = params.outer_shape[d / 4u][d % 4u];
      start += (rest % size) * params.outer_x[d / 4u][d % 4u];
      rest /= size;
    }
    let end = start + params.inner;
    // What is added to an element's index to get its place; it may wrap.
    let shift = params.place + o * params.inner - start;
    let whole = (start + 3u) / 4u;
    let block = (max(end / 4u, whole) - whole + blocks - 1u) / blocks;
    let begin = whole + lead / lanes * block;
    var a = IDENTITY;
    var b = IDENTITY;
    var c = IDENTITY;
    var e = IDENTITY;
    if (lead == 0u) {
      for (var at = start; at < min(4u * whole, end); at++) {
        a = combine(a, load(x[at], at + shift));
      }
      for (var at = max(end / 4u * 4u, 4u * whole); at < end; at++) {
        b = combine(b, load(x[at], at + shift));
      }
    }
    let stop = min(begin + block, end / 4u);
    for (var q = begin + lead % lanes; q < stop; q += lanes) {
      let four = fours[q];
      let place = 4u * q + shift;
      a = combine(a, load(four.x, place));
      b = combine(b, load(four.y, place + 1u));
      c = combine(c, load(four.z, place + 2u));
      e = combine(e, load(four.w, place + 3u));
    }
    total = combine(total, combine(combine(a, b), combine(c, e)));
  }
  y[y_at] = store(total);
}
