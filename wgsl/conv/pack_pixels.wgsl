// packed[g, tile, n * P + p, e] = dy[n, g, k, p], k = tile * 4 * QUADS + e
// dy: some images and channels of [N, G * K, P] -> packed: [G, tiles, N * P,
//   4 * QUADS] in f32, with 0 for the channels past K
//
// The sum: none.
//
// Tiling: one invocation owns the 4 * QUADS channels of one pixel, and stores
// them as vectors. Neighbouring invocations own neighbouring pixels.
//
// Edges: none but the channels past K. T, the element type, is appended by the
// launch plan.

override QUADS: u32 = 4;

struct Params {
  images: u32,
  groups: u32,
  tiles: u32,
  kept: u32,
  area: u32,
  // Where dy starts in its window, and elements to the next image,
  // group or channel.
  dy_base: u32,
  dy_image: u32,
  dy_group: u32,
  dy_filter: u32,
}

@group(0) @binding(0) var<storage, read> dy: array<T>;
@group(0) @binding(1) var<storage, read_write> packed: array<vec4f>;
@group(0) @binding(2) var<uniform> params: Params;

// The gradient of channel k at an index, or 0 past the last channel.
fn gradient(at: u32, k: u32) -> f32 {
  return select(0.0, f32(dy[at + k * params.dy_filter]), k < params.kept);
}

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let at = (group.y * groups.x + group.x) * 64 + lane;
  let p = at % params.area;
  var rest = at / params.area;
  let n = rest % params.images;
  rest /= params.images;
  let tile = rest % params.tiles;
  let g = rest / params.tiles;
  if (g >= params.groups) {
    return;
  }
  let source = params.dy_base + n * params.dy_image + g * params.dy_group + p;
  for (var q = 0u; q < QUADS; q++) {
    let k = (tile * QUADS + q) * 4;
    packed[at * QUADS + q] = vec4f(
      gradient(source, k),
      gradient(source, k + 1),
      gradient(source, k + 2),
      gradient(source, k + 3),
    );
  }
}
