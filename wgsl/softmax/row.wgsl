// What a row is normalised with. A row is undefined, NaN throughout as in
// PyTorch, where it has NaN or +inf or nothing but -inf: `worst`, the largest
// magnitude as bits, is above that of inf when there is NaN; a maximum of
// +inf shows itself; the sum is 0 when every element was -inf, since the
// maximum alone would have added 1.

struct Row {
  highest: f32, // the maximum
  norm: f32, // what norm_of makes of the sum, NaN in an undefined row
}

fn row_of(highest: f32, sum: f32, worst: u32) -> Row {
  let undefined = worst > INFINITY_BITS || sum == 0.0 ||
    bitcast<u32>(highest) == INFINITY_BITS;
  let nan = bitcast<f32>(worst | 0x7fc00000u);
  return Row(highest, select(norm_of(sum), nan, undefined));
}
