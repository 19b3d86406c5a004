// Gradient of log-softmax: dx = dy - exp(y) * sum(dy).

fn term(y: f32, dy: f32) -> f32 {
  return dy;
}

fn apply(y: f32, dy: f32, sum: f32) -> f32 {
  return dy - exp(y) * sum;
}
