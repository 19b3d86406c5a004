// packed[g, tile, n * P + p, e] = dy[n, g, k, p], with k = tile * TILE + e
// dy: some images and channels of [N, G * K, P] -> packed: [G, ceil(K / TILE),
//   N * P, TILE] in f32, with 0 for the channels past K
//
// The sum: none.
//
// Tiling: one invocation owns one element of packed; neighbours along it.
//
// Edges: none but the channels past K. T, the element type, is appended by the
// launch plan.

override TILE: u32 = 16;

struct Params {
  images: u32,
  groups: u32,
  tiles: u32,
  kept: u32,
  area: u32,
  // Where dy starts in its window, and elements to the next image or group.
  dy_base: u32,
  dy_image: u32,
  dy_group: u32,
}

@group(0) @binding(0) var<storage, read> dy: array<T>;
@group(0) @binding(1) var<storage, read_write> packed: array<f32>;
@group(0) @binding(2) var<uniform> params: Params;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let at = (group.y * groups.x + group.x) * 64 + lane;
  let e = at % TILE;
  var rest = at / TILE;
  let p = rest % params.area;
  rest /= params.area;
  let n = rest % params.images;
  rest /= params.images;
  let tile = rest % params.tiles;
  let g = rest / params.tiles;
  if (g >= params.groups) {
    return;
  }
  let k = tile * TILE + e;
  let source = params.dy_base + n * params.dy_image + g * params.dy_group +
    k * params.area + p;
  packed[at] = select(0.0, f32(dy[source]), k < params.kept);
}
