// x: [outputs, INNER], whole rows one after the other -> y: [outputs]
//
// y[k] = store(fold of load(x[k, i]) over i < INNER)
//
// Fold: an element goes to one of four accumulators by its place in its vector;
// these are combined at the end of the row.
//
// Tiling: one invocation owns four rows, which are INNER vectors wherever they
// begin. A vector that holds the end of a row and the beginning of the next is
// split between them, so that each element is read once, four at a time. Where
// rows begin in their vectors is known when the kernel is compiled, and the
// same for all invocations, unlike in vectors.wgsl.
// Workgroup memory: none. Registers: eight accumulators and a vector.
//
// Edges: invocations past the last four rows stop; outputs is a multiple of 4.
//
// Appended: alias T (elements), A (accumulators) and R (results); const INNER
// and IDENTITY; fn load(value: T, place: u32) -> A, combine(a: A, b: A) -> A
// and store(a: A) -> R.

struct Params {
  outputs: u32,
  x_base: u32,
  y_base: u32,
  count: u32, // elements of the whole reduction, for store
}

struct Totals {
  a: A,
  b: A,
  c: A,
  e: A,
}

const WORKGROUP = 64u;

@group(0) @binding(0) var<storage, read> fours: array<vec4<T>>;
@group(0) @binding(1) var<storage, read_write> y: array<R>;
@group(0) @binding(2) var<uniform> params: Params;

// Folds row k of four, whose vectors begin at `first`. `begun` has what the
// vector before held of it; returns what the last vector holds of the next.
fn fold(k: u32, first: u32, begun: Totals, out: u32) -> Totals {
  let end = (k + 1u) * INNER;
  let shift = 0u - k * INNER; // from a component to its place; it wraps
  var row = begun;
  for (var q = (k * INNER + 3u) / 4u; q < end / 4u; q++) {
    let four = fours[first + q];
    let place = 4u * q + shift;
    row.a = combine(row.a, load(four.x, place));
    row.b = combine(row.b, load(four.y, place + 1u));
    row.c = combine(row.c, load(four.z, place + 2u));
    row.e = combine(row.e, load(four.w, place + 3u));
  }
  var next = Totals(IDENTITY, IDENTITY, IDENTITY, IDENTITY);
  let rest = end % 4u;
  if (rest > 0u) {
    let four = fours[first + end / 4u];
    let place = INNER - rest;
    row.a = combine(row.a, load(four.x, place));
    if (rest > 1u) {
      row.b = combine(row.b, load(four.y, place + 1u));
    } else {
      next.b = load(four.y, 1u - rest);
    }
    if (rest > 2u) {
      row.c = combine(row.c, load(four.z, place + 2u));
    } else {
      next.c = load(four.z, 2u - rest);
    }
    next.e = load(four.w, 3u - rest);
  }
  y[out + k] = store(combine(combine(row.a, row.b), combine(row.c, row.e)));
  return next;
}

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let id = (group.y * groups.x + group.x) * WORKGROUP + lane;
  if (4u * id >= params.outputs) {
    return;
  }
  let first = params.x_base / 4u + id * INNER;
  let out = params.y_base + 4u * id;
  let none = Totals(IDENTITY, IDENTITY, IDENTITY, IDENTITY);
  let second = fold(0u, first, none, out);
  let third = fold(1u, first, second, out);
  let fourth = fold(2u, first, third, out);
  fold(3u, first, fourth, out);
}
