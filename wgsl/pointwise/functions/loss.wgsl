// Losses of one score x or probability p whose target is t. Needs: bits,
// arithmetic, exponential, hyperbolic, error_function, activation. All let NaN
// through.

// -(t·ln p + (1 - t)·ln(1 - p)), with logarithms from -100 on.
fn binary_cross_entropy(p: f32, t: f32) -> f32 {
  return -(t * log_bounded(log_(p)) + (1.0 - t) * log_bounded(log1p(-p)));
}

fn log_bounded(logarithm: f32) -> f32 {
  return select(logarithm, -100.0, less(logarithm, -100.0));
}

// The same for p = 1 / (1 + e^-x). No term is negative: nothing cancels.
fn binary_cross_entropy_with_logits(x: f32, t: f32) -> f32 {
  return t * softplus(-x) + (1.0 - t) * softplus(x);
}
