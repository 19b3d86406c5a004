// dy, x: [kept.., n] in vectors of four, weight, stats, sums: [kept..], all by
// strides -> dx: [kept.., n] in vectors of four
//
// dx = r * (dy * weight - (sums.x + xhat * sums.y) / count)
// r = 1 / sqrt(variance + EPSILON), xhat = (x - mean) * r
//
// No sum: statistics and sums come from earlier launches. Where a group is one
// channel the sums are taken without weight (WEIGHT_LAST) and it multiplies
// the whole; without CENTERED no gradient flows through the mean.
//
// Tiling: one invocation owns SPAN consecutive vectors of one row, all of one
// mean and one channel, so that a full span is straight-line code: two reads
// and a write for four elements. Workgroup memory: none. Registers: two
// vectors and five numbers.
//
// Edges: invocations past rows * shares stop; a span that hangs over the row's
// end goes vector by vector. Rows that no fours make up, and rows of several
// means or channels, take backward_apply.wgsl.
//
// Appended: alias T (elements) and W (weight), const KEPT_RANK, SPAN,
// EPSILON, HAS_WEIGHT, WEIGHT_LAST and CENTERED.

struct Params {
  rows: u32,
  n: u32, // in vectors, like all that follows of dy, x and dx
  dy_step: u32, // stride of the row's axis: 1, unless the row has one vector
  x_step: u32,
  weight_step: u32, // 0, as the next two
  stats_step: u32,
  sums_step: u32,
  dx_step: u32,
  dy_base: u32,
  x_base: u32,
  weight_base: u32,
  stats_base: u32,
  sums_base: u32,
  dx_base: u32,
  count: u32, // elements of a group
  // Innermost axis last.
  kept_shape: array<vec4u, 2>,
  kept_dy: array<vec4u, 2>,
  kept_x: array<vec4u, 2>,
  kept_weight: array<vec4u, 2>,
  kept_stats: array<vec4u, 2>,
  kept_sums: array<vec4u, 2>,
  kept_dx: array<vec4u, 2>,
}

const WORKGROUP = 64u;

@group(0) @binding(0) var<storage, read> dy: array<vec4<T>>;
@group(0) @binding(1) var<storage, read> x: array<vec4<T>>;
@group(0) @binding(2) var<storage, read> weight: array<W>;
@group(0) @binding(3) var<storage, read> stats: array<vec2f>;
@group(0) @binding(4) var<storage, read> sums: array<vec2f>;
@group(0) @binding(5) var<storage, read_write> dx: array<vec4<T>>;
@group(0) @binding(6) var<uniform> params: Params;

// Where an operand's row begins.
struct Places {
  dy: u32,
  x: u32,
  weight: u32,
  stats: u32,
  sums: u32,
  dx: u32,
}

struct Means {
  mean: f32, // of x
  root: f32, // 1 / root of the variance
  first: f32, // mean of h
  second: f32, // mean of h * xhat
}

fn means_of(stats_at: u32, sums_at: u32) -> Means {
  let s = stats[stats_at];
  let h = sums[sums_at] / f32(params.count);
  let first = select(0.0, h.x, CENTERED);
  return Means(s.x, inverseSqrt(s.y + EPSILON), first, h.y);
}

// One vector of a row.
fn apply(at: Places, i: u32, m: Means, factor: f32) {
  let xhat = (vec4f(x[at.x + i]) - m.mean) * m.root;
  let through = m.first + xhat * m.second;
  let slope = vec4f(dy[at.dy + i]);
  var value = m.root * (slope * factor - through);
  if (WEIGHT_LAST) {
    value = m.root * factor * (slope - through);
  }
  dx[at.dx + i] = vec4<T>(value);
}

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let id = (group.y * groups.x + group.x) * WORKGROUP + lane;
  let shares = (params.n + SPAN - 1u) / SPAN;
  if (id >= params.rows * shares) {
    return;
  }
  var at = Places(
    params.dy_base,
    params.x_base,
    params.weight_base,
    params.stats_base,
    params.sums_base,
    params.dx_base,
  );
  var rest = id / shares;
  for (var k = 1u; k <= KEPT_RANK; k++) {
    let d = 8u - k;
    let size = params.kept_shape[d / 4u][d % 4u];
    at.dy += (rest % size) * params.kept_dy[d / 4u][d % 4u];
    at.x += (rest % size) * params.kept_x[d / 4u][d % 4u];
    at.weight += (rest % size) * params.kept_weight[d / 4u][d % 4u];
    at.stats += (rest % size) * params.kept_stats[d / 4u][d % 4u];
    at.sums += (rest % size) * params.kept_sums[d / 4u][d % 4u];
    at.dx += (rest % size) * params.kept_dx[d / 4u][d % 4u];
    rest /= size;
  }
  let m = means_of(at.stats, at.sums);
  var factor = 1.0;
  if (HAS_WEIGHT) {
    factor = f32(weight[at.weight]);
  }
  let first = id % shares * SPAN;
  if (first + SPAN <= params.n) {
    for (var i = 0u; i < SPAN; i++) {
      apply(at, first + i, m, factor);
    }
  } else {
    for (var i = first; i < params.n; i++) {
      apply(at, i, m, factor);
    }
  }
}
