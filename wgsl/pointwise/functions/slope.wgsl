// Gradients of activation functions by their outputs, in one step: dy is
// ∂loss/∂y, the result is ∂loss/∂x. Needs: bits, arithmetic.

fn relu_slope(dy: f32, y: f32) -> f32 {
  return select(dy, 0.0, le(y, 0.0));
}

fn sigmoid_slope(dy: f32, y: f32) -> f32 {
  return dy * (y * (1.0 - y));
}

fn tanh_slope(dy: f32, y: f32) -> f32 {
  return dy * (1.0 - y * y);
}
