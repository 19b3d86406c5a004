// Hyperbolic functions and the logistic curve. Needs: bits, exponential.
//
// Near 0, where differences of exponentials cancel, odd functions are
// x + x³·p(x²). Above, e^|x| is taken halved, so that it is in range wherever
// the result is.

fn sinh_(x: f32) -> f32 {
  let x2 = x * x;
  var p = 2.7822132e-6;
  p = p * x2 + 0.00019842896;
  p = p * x2 + 0.0083333105;
  p = p * x2 + 0.16666667;
  let inner = x + x * x2 * p;
  let half = exp_scaled(from_bits(magnitude(x)), -1);
  let outer = with_sign(half - 0.25 / half, x);
  let small = magnitude(x) < 0x3f800000u; // 1
  return select(select(outer, inner, small), x, is_nan(x));
}

fn cosh_(x: f32) -> f32 {
  let half = exp_scaled(from_bits(magnitude(x)), -1);
  return half + 0.25 / half;
}

fn tanh_(x: f32) -> f32 {
  let x2 = x * x;
  var p = -0.005692296;
  p = p * x2 + 0.020628167;
  p = p * x2 - 0.053736515;
  p = p * x2 + 0.13331406;
  p = p * x2 - 0.3333328;
  let size = from_bits(magnitude(x));
  let inner = size + size * x2 * p;
  let outer = 1.0 - 2.0 / (exp_scaled(2.0 * size, 0) + 1.0);
  let y = select(outer, inner, size < 0.625);
  return select(with_sign(y, x), x, is_nan(x));
}

fn sigmoid(x: f32) -> f32 {
  return 1.0 / (1.0 + exp_(-x));
}
