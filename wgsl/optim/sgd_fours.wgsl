// param -= lr * (sign * grad + weight_decay * param), by fours
// param, grad: n elements, param in place. n and both bases are multiples of 4.
//
// No sum.
//
// Tiling: one invocation owns four neighbours, read and written as a vector.
// Two reads and a write an element.
//
// Edges: vectors from `count` on don't exist.
//
// Appended: alias T (elements).

struct Rule {
  sign: f32,
  lr: f32,
  weight_decay: f32,
}

struct Params {
  // In vectors, like the bases.
  count: u32,
  param_base: u32,
  grad_base: u32,
  @align(16) rule: Rule,
}

@group(0) @binding(0) var<storage, read_write> param: array<vec4<T>>;
@group(0) @binding(1) var<storage, read> grad: array<vec4<T>>;
@group(0) @binding(2) var<uniform> params: Params;

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
  let p = vec4f(param[params.param_base + i]);
  var g = params.rule.sign * vec4f(grad[params.grad_base + i]);
  // Not when it is 0, so that an infinite parameter gives no NaN.
  if (params.rule.weight_decay != 0.0) {
    g += params.rule.weight_decay * p;
  }
  param[params.param_base + i] = vec4<T>(p - params.rule.lr * g);
}
