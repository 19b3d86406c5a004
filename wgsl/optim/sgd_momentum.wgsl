// Gradient descent with momentum; s[0] is the momentum buffer:
// g = sign * grad + weight_decay * param
// buffer = momentum * buffer + (1 - dampening) * g, on the first step g
// param -= lr * (nesterov: g + momentum * buffer, else: buffer)

struct Rule {
  sign: f32,
  lr: f32,
  weight_decay: f32,
  momentum: f32,
  // 1 - dampening
  share: f32,
  nesterov: u32,
  first: u32,
}

fn update(p: f32, grad: f32, s: ptr<function, array<f32, 3>>) -> f32 {
  var g = params.rule.sign * grad;
  // Not when it is 0, so that an infinite parameter gives no NaN.
  if (params.rule.weight_decay != 0.0) {
    g += params.rule.weight_decay * p;
  }
  var b = g;
  // The first step doesn't heed the buffer: it may hold anything.
  if (params.rule.first == 0u) {
    b = params.rule.momentum * (*s)[0] + params.rule.share * g;
  }
  (*s)[0] = b;
  if (params.rule.nesterov == 1u) {
    b = g + params.rule.momentum * b;
  }
  return p - params.rule.lr * b;
}
