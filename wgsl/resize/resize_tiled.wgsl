// y[p, o, i] = (1 - part) * x[p, first, i] + part * x[p, first + 1, i]
//   with `first` and `part` the whole and the rest of source(o).
// x: [P, N, I], y: [P, O, I]: the axis N is resized to O
//
// source(o), by MODE:
//   0 nearest: floor(o * SCALE), so that part = 0
//   1 linear between centres: max((o + 0.5) * SCALE - 0.5, 0)
//   2 linear, corner on corner: o * SCALE
//
// Tiling: one invocation owns TILE outputs that lie together in a plane [O, I]
// of y, so that the divisions that find its place are shared; one read an
// output for nearest, two for linear. Neighbouring invocations own neighbouring
// tiles.
// Edges: beyond the last element of x there is the last element; what lies
// beyond the plane is computed and not stored.

struct Params {
  count: u32,
  x_base: u32,
  y_base: u32,
  length: u32,
  out_length: u32,
  inner: u32,
  tiles: u32,
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
  let plane = at / params.tiles;
  let start = (at - plane * params.tiles) * TILE;
  let plane_base = params.x_base + plane * params.length * params.inner;
  let size = params.out_length * params.inner;
  let out = params.y_base + plane * size + start;
  let last = params.length - 1u;
  var o = start / params.inner;
  var i = start - o * params.inner;
  for (var t = 0u; t < TILE; t++) {
    let place = source(o);
    let first = min(u32(place), last);
    let here = plane_base + first * params.inner + i;
    var v = f32(x[here]);
    if (MODE > 0u) {
      let part = min(place - f32(first), 1.0);
      let next = f32(x[select(here, here + params.inner, first < last)]);
      v = (1.0 - part) * v + part * next;
    }
    if (start + t < size) {
      y[out + t] = T(v);
    }
    i++;
    if (i == params.inner) {
      i = 0u;
      o++;
    }
  }
}
