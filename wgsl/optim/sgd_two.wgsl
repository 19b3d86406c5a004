// g = sign * grad + weight_decay * param
// param -= lr * g, for two parameters
// param0, grad0: n elements; param1, grad1: m elements; parameters in place.
//
// No sum.
//
// Tiling: the first `groups0` workgroups own the first parameter, the others
// the second, each as in sgd.wgsl: most parameters of a network are so small
// that a launch costs more than their step.
//
// Edges: elements from `count0` or `count1` on don't exist.

struct Rule {
  sign: f32,
  lr: f32,
  weight_decay: f32,
}

struct Params {
  count0: u32,
  param0_base: u32,
  grad0_base: u32,
  count1: u32,
  param1_base: u32,
  grad1_base: u32,
  groups0: u32,
  @align(16) rule: Rule,
}

@group(0) @binding(0) var<storage, read_write> param0: array<T>;
@group(0) @binding(1) var<storage, read> grad0: array<T>;
@group(0) @binding(2) var<storage, read_write> param1: array<T>;
@group(0) @binding(3) var<storage, read> grad1: array<T>;
@group(0) @binding(4) var<uniform> params: Params;

override ITEMS: u32;

fn update(rule: Rule, p: f32, grad: f32) -> f32 {
  var g = rule.sign * grad;
  // Not when it is 0, so that an infinite parameter gives no NaN.
  if (rule.weight_decay != 0.0) {
    g += rule.weight_decay * p;
  }
  return p - rule.lr * g;
}

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let place = group.y * groups.x + group.x;
  if (place < params.groups0) {
    let first = place * 64u * ITEMS + lane;
    for (var k = 0u; k < ITEMS; k++) {
      let i = first + k * 64u;
      if (i >= params.count0) {
        return;
      }
      let p = f32(param0[params.param0_base + i]);
      let g = f32(grad0[params.grad0_base + i]);
      param0[params.param0_base + i] = T(update(params.rule, p, g));
    }
    return;
  }
  let first = (place - params.groups0) * 64u * ITEMS + lane;
  for (var k = 0u; k < ITEMS; k++) {
    let i = first + k * 64u;
    if (i >= params.count1) {
      return;
    }
    let p = f32(param1[params.param1_base + i]);
    let g = f32(grad1[params.grad1_base + i]);
    param1[params.param1_base + i] = T(update(params.rule, p, g));
  }
}
