// AdamW: param *= decay, with decay = 1 - lr * weight decay
// Adam:  g = grad + weight_decay * param, with a decay of 1
// m = beta1 * m + (1 - beta1) * g
// v = beta2 * v + (1 - beta2) * g * g
// param -= step_size * m / (sqrt(v) / correction + eps)
//   with step_size = lr / (1 - beta1^t), correction = sqrt(1 - beta2^t)
// param, grad, m, v: n elements, all but grad in place.
//
// Tiling: one invocation owns ITEMS elements, a workgroup's width apart, so
// that neighbouring invocations touch neighbouring elements. Four reads and
// three writes an element.
// Edges: elements from `count` on don't exist.

struct Params {
  count: u32,
  param_base: u32,
  grad_base: u32,
  m_base: u32,
  v_base: u32,
  decay: f32,
  weight_decay: f32,
  beta1: f32,
  // 1 - beta1
  share1: f32,
  beta2: f32,
  // 1 - beta2
  share2: f32,
  step_size: f32,
  correction: f32,
  eps: f32,
}

@group(0) @binding(0) var<storage, read_write> param: array<T>;
@group(0) @binding(1) var<storage, read> grad: array<T>;
@group(0) @binding(2) var<storage, read_write> m: array<T>;
@group(0) @binding(3) var<storage, read_write> v: array<T>;
@group(0) @binding(4) var<uniform> params: Params;

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
    let p = f32(param[params.param_base + i]) * params.decay;
    var g = f32(grad[params.grad_base + i]);
    // Not when it is 0, so that an infinite parameter gives no NaN.
    if (params.weight_decay != 0.0) {
      g += params.weight_decay * p;
    }
    let mean = params.beta1 * f32(m[params.m_base + i]) + params.share1 * g;
    let square = params.beta2 * f32(v[params.v_base + i]) +
      params.share2 * g * g;
    m[params.m_base + i] = T(mean);
    v[params.v_base + i] = T(square);
    let scale = sqrt(square) / params.correction + params.eps;
    param[params.param_base + i] = T(p - params.step_size * mean / scale);
  }
}
