// packed[b, panel, k, i] = x[b, panel · WIDTH + i, k]
// x: the rows of a, or the columns of b -> packed: [batches, panels, k, WIDTH]
//   in f32, with 0 for lines past the end
//
// The sum: none.
//
// Tiling: an invocation owns four neighbouring lines for DEPTH steps of k, so
// that its place is worked out once, and stores a vec4 a step. Neighbouring
// invocations own neighbouring lines of a panel.
//   reads per element  1
//   workgroup bytes    0
//
// Edges: the last steps end at k; lines past the end read the last one and
// are stored as zero.

override WIDTH: u32 = 32; // lines of a panel, a multiple of four

const DEPTH = 16u;
const WORKGROUP = 64u;

struct Params {
  lines: u32,
  k: u32,
  batches: u32, // outer times inner
  inner: u32,
  // First element, and elements from one index to the next.
  x_base: u32,
  x_outer: u32,
  x_inner: u32,
  x_line: u32,
  x_k: u32,
}

// T is the storage type: f32 or f16.
@group(0) @binding(0) var<storage, read> x: array<T>;
@group(0) @binding(1) var<storage, read_write> packed: array<vec4f>;
@group(0) @binding(2) var<uniform> params: Params;

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let quads = WIDTH / 4;
  let panels = (params.lines + WIDTH - 1) / WIDTH;
  let runs = (params.k + DEPTH - 1) / DEPTH;
  var id = (group.y * groups.x + group.x) * WORKGROUP + lane;
  let quad = id % quads;
  id /= quads;
  let begin = id % runs * DEPTH;
  id /= runs;
  let panel = id % panels;
  let batch = id / panels;
  if (batch >= params.batches) {
    return;
  }
  let line = vec4u(panel * WIDTH + 4 * quad) + vec4u(0, 1, 2, 3);
  let kept = line < vec4u(params.lines);
  var source = vec4u(
    params.x_base + batch / params.inner * params.x_outer +
      batch % params.inner * params.x_inner + begin * params.x_k,
  ) + min(line, vec4u(params.lines - 1)) * params.x_line;
  var to = ((batch * panels + panel) * params.k + begin) * quads + quad;
  let end = min(begin + DEPTH, params.k);
  for (var k = begin; k < end; k++) {
    let four = vec4f(
      f32(x[source.x]),
      f32(x[source.y]),
      f32(x[source.z]),
      f32(x[source.w]),
    );
    packed[to] = select(vec4f(), four, kept);
    source += params.x_k;
    to += quads;
  }
}
