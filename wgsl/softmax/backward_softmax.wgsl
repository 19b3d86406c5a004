// Gradient of softmax: dx = y * (dy - sum(dy * y)).

fn term(y: f32, dy: f32) -> f32 {
  return dy * y;
}

fn apply(y: f32, dy: f32, sum: f32) -> f32 {
  return y * (dy - sum);
}
