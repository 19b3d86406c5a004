// a, b: sorted runs of pairs -> merged: runs twice as long
//
// In each row of n pairs, the run at 2 * p * width and the one after it are
// merged, by Merge Path (Odeh, Green, Mwassi, Shmueli and Birk, "Merge Path:
// parallel merging made simple", 2012).
//
// No sum.
//
// Tiling: one invocation owns SPAN neighbouring places of the merged run. A
// binary search along the diagonal of its first place tells how many pairs
// before it come from each run; from there it merges pair by pair. Each pair
// is read about twice.
//
// Edges: the last run of a row may be shorter, or have none after it. a and b
// are the same window unless a row is larger than a binding: then each
// shows one run, and b_base is that of a run at `width`.
//
// Appended: const SPAN, which divides 2 * width, and fn before(a: vec2i,
// b: vec2i) -> bool.

struct Params {
  rows: u32,
  n: u32,
  width: u32,
  first: u32, // place in the row of the first pair to write
  count: u32, // pairs of a row to write
  a_base: u32,
  b_base: u32,
  merged_base: u32, // of place `first`
}

const WORKGROUP = 64u;

@group(0) @binding(0) var<storage, read> a: array<vec2i>;
@group(0) @binding(1) var<storage, read> b: array<vec2i>;
@group(0) @binding(2) var<storage, read_write> merged: array<vec2i>;
@group(0) @binding(3) var<uniform> params: Params;

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let id = (group.y * groups.x + group.x) * WORKGROUP + lane;
  let shares = (params.count + SPAN - 1u) / SPAN;
  if (id >= params.rows * shares) {
    return;
  }
  let row = (id / shares) * params.n;
  let place = params.first + (id % shares) * SPAN;
  let pair = place - place % (2u * params.width);
  let a_size = min(params.width, params.n - pair);
  let b_size = min(params.width, params.n - pair - a_size);
  let a_at = params.a_base + row + pair;
  let b_at = params.b_base + row + pair + params.width;
  let diagonal = place - pair;
  // The least i such that b[diagonal - 1 - i] comes before a[i].
  var i = diagonal - min(diagonal, b_size);
  var high = min(diagonal, a_size);
  while (i < high) {
    let middle = (i + high) / 2u;
    if (before(b[b_at + diagonal - 1u - middle], a[a_at + middle])) {
      high = middle;
    } else {
      i = middle + 1u;
    }
  }
  var j = diagonal - i;
  let to = params.merged_base + row + place - params.first;
  let last = min(pair + a_size + b_size, params.first + params.count);
  for (var k = 0u; k < min(SPAN, last - place); k++) {
    let from_a = j >= b_size ||
      (i < a_size && !before(b[b_at + j], a[a_at + i]));
    if (from_a) {
      merged[to + k] = a[a_at + i];
      i++;
    } else {
      merged[to + k] = b[b_at + j];
      j++;
    }
  }
}
