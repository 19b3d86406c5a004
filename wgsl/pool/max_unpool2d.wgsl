// y[n, c, h, w] = x[n, c, o] for the last o with indices[n, c, o] = h * W + w,
//   0 where there is none.
// x and indices: [N, C, OH, OW], y: [N, C, H, W]
//
// Tiling: none. One invocation owns one element of y, neighbours along W, and
// looks through all indices of its plane: those from COLUMN_START to
// COLUMN_END, as many as the trip limit allows, each pass going on from y.
// Edges: an index that is on no plane is found by no element.

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
@group(0) @binding(2) var<storage, read_write> y: array<T>;
@group(0) @binding(3) var<uniform> params: Params;

override COLUMN_START: u32;
override COLUMN_END: u32;

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
  let plane = at / params.plane;
  let position = i32(at - plane * params.plane);
  let first = plane * params.pooled;
  var v = T(0.0);
  if (COLUMN_START > 0u) {
    v = y[params.y_base + at];
  }
  for (var o = COLUMN_START; o < COLUMN_END; o++) {
    if (indices[params.indices_base + first + o] == position) {
      v = x[params.x_base + first + o];
    }
  }
  y[params.y_base + at] = v;
}
