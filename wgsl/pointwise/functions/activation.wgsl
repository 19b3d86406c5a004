// Activation functions of networks. Needs: bits, arithmetic, exponential,
// hyperbolic, error_function. All let NaN through.

fn relu(x: f32) -> f32 {
  return select(x, 0.0, less(x, 0.0));
}

fn leaky_relu(x: f32, slope: f32) -> f32 {
  return select(x, x * slope, less(x, 0.0));
}

fn elu(x: f32, alpha: f32) -> f32 {
  return select(x, alpha * expm1_(x), less(x, 0.0));
}

// The constants that keep mean 0 and variance 1 fixed.
fn selu(x: f32) -> f32 {
  return 1.050701 * elu(x, 1.6732632);
}

// x·Φ(x), with Φ the normal distribution's.
fn gelu(x: f32) -> f32 {
  return 0.5 * x * (1.0 + erf(x * 0.70710677));
}

fn gelu_tanh(x: f32) -> f32 {
  let t = 0.7978846 * (x + 0.044715 * (x * x * x));
  return 0.5 * x * (1.0 + tanh_(t));
}

fn silu(x: f32) -> f32 {
  return x / (1.0 + exp_(-x));
}

// ln(1 + e^x); above 20 it is x, in 24 bits.
fn softplus(x: f32) -> f32 {
  return select(log1p(exp_(x)), x, less(20.0, x));
}

fn hardswish(x: f32) -> f32 {
  return x * clamp_both(x + 3.0, 0.0, 6.0) / 6.0;
}
