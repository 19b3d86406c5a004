// y[n, c, h, w] = x[n, c, o] for the last o with indices[n, c, o] = h * W + w,
//   0 where there is none.
// x and indices: [N, C, OH, OW], y: [N, C, H, W], words of 32 bits
//
// Three launches, by STEP; between them y holds integers:
//   0 each element of y becomes -1: nobody's
//   1 each o claims the element that its index names; the greatest o wins, in
//     whatever order they come
//   2 each element of y takes the value of the o that it holds
//
// Tiling: none. One invocation owns one element of y (STEP 0 and 2) or of x
// (STEP 1), neighbours along the planes; two reads, one write each.
// Edges: an index that is on no plane claims nothing.

struct Params {
  count: u32,
  x_base: u32,
  indices_base: u32,
  y_base: u32,
  plane: u32,
  pooled: u32,
}

@group(0) @binding(0) var<storage, read> x: array<T>;
@group(0) @binding(1) var<storage, read> indices: array<i32>;
@group(0) @binding(2) var<storage, read_write> y: array<atomic<i32>>;
@group(0) @binding(3) var<uniform> params: Params;

override STEP: u32;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let at = (group.y * groups.x + group.x) * 64u + lane;
  if (at >= params.count) {
    return;
  }
  if (STEP == 1u) {
    let index = indices[params.indices_base + at];
    if (index >= 0 && u32(index) < params.plane) {
      let plane_base = params.y_base + at / params.pooled * params.plane;
      atomicMax(&y[plane_base + u32(index)], i32(at));
    }
    return;
  }
  var word = -1;
  if (STEP == 2u) {
    let owner = atomicLoad(&y[params.y_base + at]);
    word = 0;
    if (owner >= 0) {
      word = bitcast<i32>(x[params.x_base + u32(owner)]);
    }
  }
  atomicStore(&y[params.y_base + at], word);
}
