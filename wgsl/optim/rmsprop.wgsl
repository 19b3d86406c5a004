// RMSprop; s holds the running mean v of the squared gradient, then, when
// centred, the mean m of the gradient, and last, with momentum, the buffer:
// g = sign * grad + weight_decay * param
// v = alpha * v + (1 - alpha) * g * g
// m = alpha * m + (1 - alpha) * g
// d = g / (sqrt(max(v - m * m, 0)) + eps), with m = 0 unless centred
// buffer = momentum * buffer + d
// param -= lr * buffer, or lr * d without momentum

struct Rule {
  sign: f32,
  lr: f32,
  weight_decay: f32,
  alpha: f32,
  // 1 - alpha
  share: f32,
  eps: f32,
  momentum: f32,
  centered: u32,
}

fn update(p: f32, grad: f32, s: ptr<function, array<f32, 3>>) -> f32 {
  var g = params.rule.sign * grad;
  // Not when it is 0, so that an infinite parameter gives no NaN.
  if (params.rule.weight_decay != 0.0) {
    g += params.rule.weight_decay * p;
  }
  let square = params.rule.alpha * (*s)[0] + params.rule.share * g * g;
  (*s)[0] = square;
  var variance = square;
  if (params.rule.centered == 1u) {
    let mean = params.rule.alpha * (*s)[1] + params.rule.share * g;
    (*s)[1] = mean;
    variance -= mean * mean;
    // Rounding may leave less than nothing of it.
    if (variance < 0.0) {
      variance = 0.0;
    }
  }
  var direction = g / (sqrt(variance) + params.rule.eps);
  if (params.rule.momentum > 0.0) {
    direction += params.rule.momentum * (*s)[STATES - 1u];
    (*s)[STATES - 1u] = direction;
  }
  return p - params.rule.lr * direction;
}
