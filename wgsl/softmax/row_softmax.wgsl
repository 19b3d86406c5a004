// Softmax: y = exp(x - highest) / sum.

fn norm_of(sum: f32) -> f32 {
  return 1.0 / sum;
}

fn apply(x: f32, row: Row) -> f32 {
  return exp(x - row.highest) * row.norm;
}
