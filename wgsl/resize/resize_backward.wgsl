// dx[p, n, i] = sum over o of weight(o, n) * dy[p, o, i]
//   with weight(o, n) what x[p, n, i] counts in y[p, o, i]: 1 - part where n is
//   the first of its two sources, part where it is the second.
// dy: [P, O, I], dx: [P, N, I]: the axis N was resized to O
//
// source(o), by MODE:
//   0 nearest: floor(o * SCALE), so that part = 0
//   1 linear between centres: max((o + 0.5) * SCALE - 0.5, 0)
//   2 linear, corner on corner: o * SCALE
//
// Tiling: none. One invocation owns one element, neighbours along I and N. It
// looks at the outputs whose source can lie within one of n, found by the
// inverse of `source` with a margin for rounding; their weights are computed as
// forwards does. Very many take passes, those from COLUMN_START to
// COLUMN_END, each going on from dx.
// Edges: beyond the last element of x there is the last element, so that n = 0
// and n = N - 1 look up to the ends of y.

struct Params {
  count: u32,
  dy_base: u32,
  dx_base: u32,
  length: u32,
  out_length: u32,
  inner: u32,
}

@group(0) @binding(0) var<storage, read> dy: array<T>;
@group(0) @binding(1) var<storage, read_write> dx: array<T>;
@group(0) @binding(2) var<uniform> params: Params;

override MODE: u32;
override SCALE: f32;
// 1 / SCALE, and a large number where SCALE is 0.
override INVERSE: f32;
// How far the inverse of a source may be off, in outputs.
override MARGIN: f32;
override COLUMN_START: u32;
override COLUMN_END: u32;

fn source(o: u32) -> f32 {
  if (MODE == 1u) {
    return max((f32(o) + 0.5) * SCALE - 0.5, 0.0);
  }
  return f32(o) * SCALE;
}

fn weight(o: u32, n: u32) -> f32 {
  let place = source(o);
  let last = params.length - 1u;
  let first = min(u32(place), last);
  if (MODE == 0u) {
    return select(0.0, 1.0, first == n);
  }
  let part = min(place - f32(first), 1.0);
  let before = select(0.0, 1.0 - part, first == n);
  return before + select(0.0, part, min(first + 1u, last) == n);
}

// The output whose source is `place`, as a number that may lie beyond y.
fn output_at(place: f32) -> f32 {
  if (MODE == 1u) {
    return (place + 0.5) * INVERSE - 0.5;
  }
  return place * INVERSE;
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
  let plane = line / params.length;
  let n = line - plane * params.length;
  let line_base = params.dy_base + plane * params.out_length * params.inner + i;

  let most = f32(params.out_length);
  let reach = select(1.0, 0.0, MODE == 0u);
  var start = 0u;
  if (n > 0u) {
    let low = ceil(output_at(f32(n) - reach) - MARGIN);
    start = u32(clamp(low, 0.0, most));
  }
  var end = params.out_length;
  if (n + 1u < params.length) {
    let high = ceil(output_at(f32(n) + 1.0) + MARGIN);
    end = u32(clamp(high, 0.0, most));
  }
  end = min(start + COLUMN_END, end);
  var sum = 0.0;
  for (var o = start + COLUMN_START; o < end; o++) {
    let part = weight(o, n);
    if (part > 0.0) {
      sum += part * f32(dy[line_base + o * params.inner]);
    }
  }
  if (COLUMN_START > 0u) {
    sum += f32(dx[params.dx_base + at]);
  }
  dx[params.dx_base + at] = T(sum);
}
