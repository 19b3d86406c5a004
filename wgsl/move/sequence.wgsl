// -> y: [length]
//
// y[i] = start + i * step           for i < turn
// y[i] = end - (length - 1 - i) * step    from there on
//
// No sum. A range never turns; a linspace does so half way, so that both of
// its ends are exact.
//
// Tiling: one invocation owns one element.
//
// Edges: elements past `count` are skipped; `first` is the number of the
// element at the start of the window.
//
// Appended: alias T (elements), alias C (what they are computed in: f32, i32
// or u32).

struct Params {
  count: u32,
  first: u32,
  turn: u32,
  last: u32,
  start: u32,
  step: u32,
  end: u32,
}

@group(0) @binding(0) var<storage, read_write> y: array<T>;
@group(0) @binding(1) var<uniform> params: Params;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let number = (group.y * groups.x + group.x) * 64u + lane;
  if (number >= params.count) {
    return;
  }
  let i = params.first + number;
  let step = bitcast<C>(params.step);
  if (i < params.turn) {
    y[number] = T(bitcast<C>(params.start) + C(i) * step);
  } else {
    y[number] = T(bitcast<C>(params.end) - C(params.last - i) * step);
  }
}
