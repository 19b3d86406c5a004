// y[p, i, j] = sum over the pixels around place(i, j) of weight * x[p, ..]
//   nearest: the pixel whose centre is next to the place, weight 1
//   bilinear: the four around it, by how near they are along each axis
// x: [P, H, W], maps: [P, 2, 5], y: [P, OH, OW], P = N * C planes
//
// place(i, j), in pixels counted at their centres, along each of x and y:
//   clamp(a * (j + 0.5) + b * (i + 0.5) + c - 0.5, low, high)
//   with (a, b, c, low, high) a row of the plane's map.
//
// Tiling: none. One invocation owns one output, neighbours along OW. It reads
// its map, ten numbers that all of a plane share, and one or four of x.
// Edges: pixels beyond x count as FILL.

struct Params {
  count: u32,
  x_base: u32,
  maps_base: u32,
  y_base: u32,
  height: u32,
  width: u32,
  out_height: u32,
  out_width: u32,
}

@group(0) @binding(0) var<storage, read> x: array<T>;
@group(0) @binding(1) var<storage, read> maps: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<T>;
@group(0) @binding(3) var<uniform> params: Params;

override BILINEAR: bool;
override FILL: f32;

fn place(map: u32, across: f32, down: f32) -> f32 {
  let at = maps[map] * across + maps[map + 1u] * down + maps[map + 2u] - 0.5;
  return clamp(at, maps[map + 3u], maps[map + 4u]);
}

fn pixel(base: u32, row: i32, column: i32) -> f32 {
  let inside = row >= 0 && row < i32(params.height) && column >= 0 &&
    column < i32(params.width);
  if (!inside) {
    return FILL;
  }
  return f32(x[base + u32(row) * params.width + u32(column)]);
}

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
  let line = at / params.out_width;
  let across = f32(at - line * params.out_width) + 0.5;
  let plane = line / params.out_height;
  let down = f32(line - plane * params.out_height) + 0.5;
  let map = params.maps_base + plane * 10u;
  let base = params.x_base + plane * params.height * params.width;
  let px = place(map, across, down);
  let py = place(map + 5u, across, down);
  var v: f32;
  if (BILINEAR) {
    let left = floor(px);
    let top = floor(py);
    let dx = px - left;
    let dy = py - top;
    let column = i32(left);
    let row = i32(top);
    let upper = (1.0 - dx) * pixel(base, row, column) +
      dx * pixel(base, row, column + 1);
    let lower = (1.0 - dx) * pixel(base, row + 1, column) +
      dx * pixel(base, row + 1, column + 1);
    v = (1.0 - dy) * upper + dy * lower;
  } else {
    v = pixel(base, i32(floor(py + 0.5)), i32(floor(px + 0.5)));
  }
  y[params.y_base + at] = T(v);
}
