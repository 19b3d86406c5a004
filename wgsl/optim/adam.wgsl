// Adam and AdamW; s holds the running means m and v of the gradient and of
// its square, and with AMSGrad the highest v so far:
// AdamW: p = decay * param, with decay = 1 - lr * weight decay
// Adam:  g = sign * grad + weight_decay * param, with a decay of 1
// m = beta1 * m + (1 - beta1) * g
// v = beta2 * v + (1 - beta2) * g * g
// highest = max(highest, v), or v without AMSGrad
// p -= step_size * m / (sqrt(highest) / correction + eps)
//   with step_size = lr / (1 - beta1^t), correction = sqrt(1 - beta2^t)

struct Rule {
  sign: f32,
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

fn update(param: f32, grad: f32, s: ptr<function, array<f32, 3>>) -> f32 {
  let p = param * params.rule.decay;
  var g = params.rule.sign * grad;
  // Not when it is 0, so that an infinite parameter gives no NaN.
  if (params.rule.weight_decay != 0.0) {
    g += params.rule.weight_decay * p;
  }
  let mean = params.rule.beta1 * (*s)[0] + params.rule.share1 * g;
  let square = params.rule.beta2 * (*s)[1] + params.rule.share2 * g * g;
  (*s)[0] = mean;
  (*s)[1] = square;
  var highest = square;
  if (STATES == 3u) {
    // A NaN stays or comes, which max() would drop.
    if (is_nan((*s)[2]) || (!is_nan(square) && (*s)[2] > square)) {
      highest = (*s)[2];
    }
    (*s)[2] = highest;
  }
  let scale = sqrt(highest) / params.rule.correction + params.rule.eps;
  return p - params.rule.step_size * mean / scale;
}

fn is_nan(x: f32) -> bool {
  return (bitcast<u32>(x) & 0x7fffffffu) > 0x7f800000u;
}
