// Adagrad; s[0] is the sum of the squared gradients:
// g = sign * grad + weight_decay * param
// sum += g * g
// param -= step_size * g / (sqrt(sum) + eps)
//   with step_size = lr / (1 + (t - 1) * lr decay)

struct Rule {
  sign: f32,
  step_size: f32,
  weight_decay: f32,
  eps: f32,
}

fn update(p: f32, grad: f32, s: ptr<function, array<f32, 3>>) -> f32 {
  var g = params.rule.sign * grad;
  // Not when it is 0, so that an infinite parameter gives no NaN.
  if (params.rule.weight_decay != 0.0) {
    g += params.rule.weight_decay * p;
  }
  let sum = (*s)[0] + g * g;
  (*s)[0] = sum;
  return p - params.rule.step_size * g / (sqrt(sum) + params.rule.eps);
}
