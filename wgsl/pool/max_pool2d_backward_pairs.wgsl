// dx[n, c, h, w] = dy of the window whose maximum stood there, else 0
// dy, indices: [N, C, H / 2, W / 2] -> dx: [N, C, H, W], W a multiple of 4,
//   windows of 2 x 2 side by side.
//
// No sum: windows don't overlap.
//
// Tiling: one invocation owns two neighbouring windows, two vectors of dx.
// Each element of dy and of the indices is read once.
//
// Edges: invocations past the last pair stop. H is even.

struct Params {
  count: u32,
  dy_base: u32,
  indices_base: u32,
  dx_base: u32,
  out_height: u32,
  // Of a row of dx, and so pairs of a row of windows.
  vectors: u32,
}

@group(0) @binding(0) var<storage, read> dy: array<vec2<T>>;
@group(0) @binding(1) var<storage, read> indices: array<vec2i>;
@group(0) @binding(2) var<storage, read_write> dx: array<vec4<T>>;
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
  let line = at / params.vectors;
  let column = at - line * params.vectors;
  let width = 4u * params.vectors;
  let row = 2u * (line % params.out_height);
  let top = i32(row * width + 4u * column);
  let bottom = top + i32(width);
  let grads = vec2f(dy[params.dy_base / 2u + at]);
  let found = indices[params.indices_base / 2u + at];
  let four = vec4i(found.xx, found.yy);
  let values = vec4f(grads.xx, grads.yy);
  let places = vec4i(0, 1, 2, 3);
  let zero = vec4f();
  let first = params.dx_base / 4u + 2u * line * params.vectors + column;
  dx[first] = vec4<T>(select(zero, values, four == places + top));
  dx[first + params.vectors] =
    vec4<T>(select(zero, values, four == places + bottom));
}
