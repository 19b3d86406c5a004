// Log-softmax: y = x - highest - log(sum).

fn norm_of(sum: f32) -> f32 {
  return log(sum);
}

fn apply(x: f32, row: Row) -> f32 {
  return x - row.highest - row.norm;
}
