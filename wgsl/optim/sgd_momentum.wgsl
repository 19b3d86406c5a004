// g = sign * grad + weight_decay * param
// buffer = momentum * buffer + (1 - dampening) * g, on the first step g
// param -= lr * (nesterov: g + momentum * buffer, else: buffer)
// param, grad, buffer: n elements, param and buffer in place.
//
// Tiling: one invocation owns ITEMS elements, a workgroup's width apart, so
// that neighbouring invocations touch neighbouring elements. Three reads and
// two writes an element.
// Edges: elements from `count` on don't exist.

struct Params {
  count: u32,
  param_base: u32,
  grad_base: u32,
  buffer_base: u32,
  sign: f32,
  lr: f32,
  weight_decay: f32,
  momentum: f32,
  // 1 - dampening
  share: f32,
  nesterov: u32,
  first: u32,
}

@group(0) @binding(0) var<storage, read_write> param: array<T>;
@group(0) @binding(1) var<storage, read> grad: array<T>;
@group(0) @binding(2) var<storage, read_write> buffer: array<T>;
@group(0) @binding(3) var<uniform> params: Params;

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
    var g = params.sign * f32(grad[params.grad_base + i]);
    // Not when it is 0, so that an infinite parameter gives no NaN.
    if (params.weight_decay != 0.0) {
      g += params.weight_decay * p;
    }
    var b = g;
    // The first step doesn't read the buffer: it may hold anything.
    if (params.first == 0u) {
      b = params.momentum * f32(buffer[params.buffer_base + i]) +
        params.share * g;
    }
    buffer[params.buffer_base + i] = T(b);
    if (params.nesterov == 1u) {
      b = g + params.momentum * b;
    }
    param[params.param_base + i] = T(p - params.lr * b);
  }
}
