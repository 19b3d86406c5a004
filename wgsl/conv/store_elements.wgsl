// How a kernel stores four outputs of a row: one by one. A kernel that this is
// appended to has y, ADDS, T and finish.

alias Y = T;

fn store_one(at: u32, value: f32, channel: vec2f) {
  var sum = value;
  if (ADDS) {
    sum += f32(y[at]);
  }
  y[at] = T(finish(sum, channel, at));
}

// Outputs from element `at` on, `step` apart, of which `left` are on the row.
fn store_four(at: u32, step: u32, left: u32, sums: vec4f, channel: vec2f) {
  if (left > 0) {
    store_one(at, sums.x, channel);
  }
  if (left > 1) {
    store_one(at + step, sums.y, channel);
  }
  if (left > 2) {
    store_one(at + 2 * step, sums.z, channel);
  }
  if (left > 3) {
    store_one(at + 3 * step, sums.w, channel);
  }
}
