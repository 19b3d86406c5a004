// param, s = update(param, grad, s), by fours
// param, grad: n elements, state: [ceil(n / 64), STATES, 64], param and state
// in place. n and all bases are multiples of 4.
//
// No sum.
//
// Tiling: one invocation owns four neighbours, read and written as vectors;
// sixteen own the elements whose state lies together, number by number. Two
// reads and a write an element, and STATES of each more.
//
// Edges: vectors from `count` on don't exist.
//
// Appended: alias T (elements), const STATES and a rule: struct Rule and
// fn update(p: f32, g: f32, s: ptr<..>) -> f32, which reads params.rule, gives
// the parameter's new value and changes what is remembered in place.

struct Params {
  // In vectors, like the bases.
  count: u32,
  param_base: u32,
  grad_base: u32,
  state_base: u32,
  @align(16) rule: Rule,
}

@group(0) @binding(0) var<storage, read_write> param: array<vec4<T>>;
@group(0) @binding(1) var<storage, read> grad: array<vec4<T>>;
@group(0) @binding(2) var<storage, read_write> state: array<vec4<T>>;
@group(0) @binding(3) var<uniform> params: Params;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let i = (group.y * groups.x + group.x) * 64u + lane;
  if (i >= params.count) {
    return;
  }
  let at = params.state_base + (i >> 4u) * 16u * STATES + (i & 15u);
  let first = vec4f(state[at]);
  var second = vec4f();
  var third = vec4f();
  if (STATES > 1u) {
    second = vec4f(state[at + 16u]);
  }
  if (STATES > 2u) {
    third = vec4f(state[at + 32u]);
  }
  let p = vec4f(param[params.param_base + i]);
  let g = vec4f(grad[params.grad_base + i]);
  var s0 = array<f32, 3>(first.x, second.x, third.x);
  var s1 = array<f32, 3>(first.y, second.y, third.y);
  var s2 = array<f32, 3>(first.z, second.z, third.z);
  var s3 = array<f32, 3>(first.w, second.w, third.w);
  param[params.param_base + i] = vec4<T>(
    T(update(p.x, g.x, &s0)),
    T(update(p.y, g.y, &s1)),
    T(update(p.z, g.z, &s2)),
    T(update(p.w, g.w, &s3)),
  );
  state[at] = vec4<T>(T(s0[0]), T(s1[0]), T(s2[0]), T(s3[0]));
  if (STATES > 1u) {
    state[at + 16u] = vec4<T>(T(s0[1]), T(s1[1]), T(s2[1]), T(s3[1]));
  }
  if (STATES > 2u) {
    state[at + 32u] = vec4<T>(T(s0[2]), T(s1[2]), T(s2[2]), T(s3[2]));
  }
}
