// param, s = update(param, grad, s)
// param, grad: n elements, state: [ceil(n / 64), STATES, 64], param and state
// in place.
//
// No sum.
//
// Tiling: one invocation owns ITEMS elements, a workgroup's width apart, so
// that neighbouring invocations touch neighbouring elements, of the state too:
// what is remembered of 64 elements lies together, number by number. Two reads
// and a write an element, and STATES of each more.
//
// Edges: elements from `count` on don't exist.
//
// Appended: alias T (elements), const STATES and a rule: struct Rule and
// fn update(p: f32, g: f32, s: ptr<..>) -> f32, which reads params.rule, gives
// the parameter's new value and changes what is remembered in place.

struct Params {
  count: u32,
  param_base: u32,
  grad_base: u32,
  state_base: u32,
  @align(16) rule: Rule,
}

@group(0) @binding(0) var<storage, read_write> param: array<T>;
@group(0) @binding(1) var<storage, read> grad: array<T>;
@group(0) @binding(2) var<storage, read_write> state: array<T>;
@group(0) @binding(3) var<uniform> params: Params;

override ITEMS: u32;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let place = group.y * groups.x + group.x;
  let first = place * 64u * ITEMS + lane;
  for (var k = 0u; k < ITEMS; k++) {
    let i = first + k * 64u;
    if (i >= params.count) {
      return;
    }
    let at = params.state_base + (place * ITEMS + k) * 64u * STATES + lane;
    var s: array<f32, 3>;
    s[0] = f32(state[at]);
    if (STATES > 1u) {
      s[1] = f32(state[at + 64u]);
    }
    if (STATES > 2u) {
      s[2] = f32(state[at + 128u]);
    }
    let p = f32(param[params.param_base + i]);
    let g = f32(grad[params.grad_base + i]);
    param[params.param_base + i] = T(update(p, g, &s));
    state[at] = T(s[0]);
    if (STATES > 1u) {
      state[at + 64u] = T(s[1]);
    }
    if (STATES > 2u) {
      state[at + 128u] = T(s[2]);
    }
  }
}
