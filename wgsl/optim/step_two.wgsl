// param, s = update(param, grad, s), for two parameters
// param0, grad0: n elements, state0: [ceil(n / 64), STATES, 64]; param1, grad1,
// state1 likewise. Parameters and states in place.
//
// No sum.
//
// Tiling: the first `groups0` workgroups own the first parameter, the others
// the second, each as in step.wgsl: most parameters of a network are so small
// that a launch costs more than their step, and 8 buffers hold two of them.
//
// Edges: elements from `count0` or `count1` on don't exist.
//
// Appended: alias T (elements), const STATES and a rule: struct Rule and
// fn update(p: f32, g: f32, s: ptr<..>) -> f32, which reads params.rule, gives
// the parameter's new value and changes what is remembered in place.

struct Params {
  count0: u32,
  param0_base: u32,
  grad0_base: u32,
  state0_base: u32,
  count1: u32,
  param1_base: u32,
  grad1_base: u32,
  state1_base: u32,
  groups0: u32,
  @align(16) rule: Rule,
}

@group(0) @binding(0) var<storage, read_write> param0: array<T>;
@group(0) @binding(1) var<storage, read> grad0: array<T>;
@group(0) @binding(2) var<storage, read_write> state0: array<T>;
@group(0) @binding(3) var<storage, read_write> param1: array<T>;
@group(0) @binding(4) var<storage, read> grad1: array<T>;
@group(0) @binding(5) var<storage, read_write> state1: array<T>;
@group(0) @binding(6) var<uniform> params: Params;

override ITEMS: u32;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let place = group.y * groups.x + group.x;
  var s: array<f32, 3>;
  if (place < params.groups0) {
    let first = place * 64u * ITEMS + lane;
    for (var k = 0u; k < ITEMS; k++) {
      let i = first + k * 64u;
      if (i >= params.count0) {
        return;
      }
      let block = place * ITEMS + k;
      let at = params.state0_base + block * 64u * STATES + lane;
      s[0] = f32(state0[at]);
      if (STATES > 1u) {
        s[1] = f32(state0[at + 64u]);
      }
      if (STATES > 2u) {
        s[2] = f32(state0[at + 128u]);
      }
      let p = f32(param0[params.param0_base + i]);
      let g = f32(grad0[params.grad0_base + i]);
      param0[params.param0_base + i] = T(update(p, g, &s));
      state0[at] = T(s[0]);
      if (STATES > 1u) {
        state0[at + 64u] = T(s[1]);
      }
      if (STATES > 2u) {
        state0[at + 128u] = T(s[2]);
      }
    }
    return;
  }
  let first = (place - params.groups0) * 64u * ITEMS + lane;
  for (var k = 0u; k < ITEMS; k++) {
    let i = first + k * 64u;
    if (i >= params.count1) {
      return;
    }
    let block = (place - params.groups0) * ITEMS + k;
    let at = params.state1_base + block * 64u * STATES + lane;
    s[0] = f32(state1[at]);
    if (STATES > 1u) {
      s[1] = f32(state1[at + 64u]);
    }
    if (STATES > 2u) {
      s[2] = f32(state1[at + 128u]);
    }
    let p = f32(param1[params.param1_base + i]);
    let g = f32(grad1[params.grad1_base + i]);
    param1[params.param1_base + i] = T(update(p, g, &s));
    state1[at] = T(s[0]);
    if (STATES > 1u) {
      state1[at + 64u] = T(s[1]);
    }
    if (STATES > 2u) {
      state1[at + 128u] = T(s[2]);
    }
  }
}
