// y[p, o, i] = (1 - part) * x[p, first, i] + part * x[p, first + 1, i]
//   with `first` and `part` the whole and the rest of source(o).
// x: [P, N, I], y: [P, O, I]: the axis N is resized to O
//
// source(o), by MODE:
//   0 nearest: floor(o * SCALE), so that part = 0
//   1 linear between centres: max((o + 0.5) * SCALE - 0.5, 0)
//   2 linear, corner on corner: o * SCALE
//
// Tiling: none. One invocation owns one output, neighbours along I and O; one
// read for nearest, two for linear.
// Edges: beyond the last element of x there is the last element.

struct Params {
  count: u32,
  x_base: u32,
  y_base: u32,
  length: u32,
  out_length: u32,
  inner: u32,
}

@group(0) @binding(0) var<storage, read> x: array<T>;
@group(0) @binding(1) var<storage, read_write> y: array<T>;
@group(0) @binding(2) var<uniform> params: Params;

override MODE: u32;
override SCALE: f32;

fn source(o: u32) -> f32 {
  if (MODE == 1u) {
    return max((f32(o) + 0.5) * SCALE - 0.5, 0.0);
  }
  return f32(o) * SCALE;
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
  let line = at / params.inner;
  let i = at - line * params.inner;
  let plane = line / params.out_length;
  let o = line - plane * params.out_length;
  let place = source(o);
  let last = params.length - 1u;
  let first = min(u32(place), last);
  let row = plane * params.length + first;
  let here = params.x_base + row * params.inner + i;
  var v = f32(x[here]);
  if (MODE > 0u) {
    let part = min(place - f32(first), 1.0);
    let next = f32(x[select(here, here + params.inner, first < last)]);
    v = (1.0 - part) * v + part * next;
  }
  y[params.y_base + at] = T(v);
}
