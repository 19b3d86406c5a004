// x: [kept.., n] by strides, in vectors of four -> moments: [kept..]
//
// count = 4n, mean = sum(x) / count, squares = sum((x - mean)^2)
//
// Sum: two passes over each BLOCK vectors, which are held in registers, then
// the block's moments are merged into those of the blocks before. The rest
// that fills no block is merged vector by vector. Without CENTERED the mean
// stays 0, so that squares = sum(x^2).
//
// Tiling: one invocation owns one piece of a run, reads it once, four elements
// a read. Workgroup memory: none. Registers: BLOCK vectors and two moments.
// BLOCK is a constant so that its loops unroll.
//
// Edges: invocations past the rows stop. Runs that no fours make up take
// moments.wgsl.
//
// Appended: alias T (elements) and R (results), const KEPT_RANK and CENTERED,
// fn store(a: vec3f) -> R, merge.wgsl.

struct Params {
  rows: u32,
  n: u32, // in vectors, like all that follows of x
  x_step: u32, // 1, unless the piece has one vector
  y_step: u32, // 0
  x_base: u32,
  y_base: u32,
  // Innermost axis last.
  kept_shape: array<vec4u, 2>,
  kept_x: array<vec4u, 2>,
  kept_y: array<vec4u, 2>,
}

const WORKGROUP = 64u;
const BLOCK = 4u;

@group(0) @binding(0) var<storage, read> x: array<vec4<T>>;
@group(0) @binding(1) var<storage, read_write> y: array<R>;
@group(0) @binding(2) var<uniform> params: Params;

// The sum of a vector.
fn total(v: vec4f) -> f32 {
  return (v.x + v.y) + (v.z + v.w);
}

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
  var at = params.x_base;
  var y_at = params.y_base;
  var rest = row;
  for (var k = 1u; k <= KEPT_RANK; k++) {
    let d = 8u - k;
    let size = params.kept_shape[d / 4u][d % 4u];
    at += (rest % size) * params.kept_x[d / 4u][d % 4u];
    y_at += (rest % size) * params.kept_y[d / 4u][d % 4u];
    rest /= size;
  }
  let step = params.x_step;
  var moments = vec3f(0.0);
  for (var b = 0u; b < params.n / BLOCK; b++) {
    var values: array<vec4f, BLOCK>;
    var sum = vec4f(0.0);
    for (var i = 0u; i < BLOCK; i++) {
      values[i] = vec4f(x[at + i * step]);
      sum += values[i];
    }
    let mean = select(0.0, total(sum) / f32(4u * BLOCK), CENTERED);
    var squares = vec4f(0.0);
    for (var i = 0u; i < BLOCK; i++) {
      let difference = values[i] - mean;
      squares += difference * difference;
    }
    let own = vec3f(f32(4u * BLOCK), mean, total(squares));
    moments = merge(moments, own);
    at += BLOCK * step;
  }
  for (var i = 0u; i < params.n % BLOCK; i++) {
    let value = vec4f(x[at]);
    let mean = select(0.0, total(value) / 4.0, CENTERED);
    let difference = value - mean;
    let own = vec3f(4.0, mean, total(difference * difference));
    moments = merge(moments, own);
    at += step;
  }
  y[y_at] = store(moments);
}
