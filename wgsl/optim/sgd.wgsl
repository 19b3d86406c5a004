// g = sign * grad + weight_decay * param
// param -= lr * g
// param, grad: n elements, param in place.
//
// No sum.
//
// Tiling: one invocation owns ITEMS elements, a workgroup's width apart, so
// that neighbouring invocations touch neighbouring elements. Two reads and a
// write an element.
//
// Edges: elements from `count` on don't exist.

struct Rule {
  sign: f32,
  lr: f32,
  weight_decay: f32,
}

struct Params {
  count: u32,
  param_base: u32,
  grad_base: u32,
  @align(16) rule: Rule,
}

@group(0) @binding(0) var<storage, read_write> param: array<T>;
@group(0) @binding(1) var<storage, read> grad: array<T>;
@group(0) @binding(2) var<uniform> params: Params;

override ITEMS: u32;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let first = (group.y * groups.x + group.x) * 64u * ITEMS + lane;
  for (var k = 0u; k < ITEMS; k++) {
    let i = first + k * 64u;
    if (i >= params.count) {
      return;
    }
    let p = f32(param[params.param_base + i]);
    var g = params.rule.sign * f32(grad[params.grad_base + i]);
    // Not when it is 0, so that an infinite parameter gives no NaN.
    if (params.rule.weight_decay != 0.0) {
      g += params.rule.weight_decay * p;
    }
    param[params.param_base + i] = T(p - params.rule.lr * g);
  }
}
