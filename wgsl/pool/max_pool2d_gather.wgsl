// y[n, c, oh, ow] = x[n, c, h, w] at h * W + w = indices[n, c, oh, ow],
//   0 where the index is -1.
// x: [N, C, H, W], indices and y: [N, C, OH, OW]
//
// Tiling: none. One invocation owns one output, neighbours along OW.
// Edges: the index -1 stands for a window without elements.

struct Params {
  count: u32,
  x_base: u32,
  indices_base: u32,
  y_base: u32,
  plane: u32,
  out_plane: u32,
}

@group(0) @binding(0) var<storage, read> x: array<T>;
@group(0) @binding(1) var<storage, read> indices: array<i32>;
@group(0) @binding(2) var<storage, read_write> y: array<T>;
@group(0) @binding(3) var<uniform> params: Params;

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
  let index = indices[params.indices_base + at];
  let plane_base = params.x_base + at / params.out_plane * params.plane;
  var v = T(0.0);
  if (index >= 0) {
    v = x[plane_base + u32(index)];
  }
  y[params.y_base + at] = v;
}
