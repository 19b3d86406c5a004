// How a kernel stores four outputs of a row: as the vector that they are. A
// kernel that this is appended to has y, ADDS, T and finish.

alias Y = vec4<T>;

// Outputs from element `at` on, which starts a vector; all are on the row, or,
// where none is `left`, beside it.
fn store_four(at: u32, step: u32, left: u32, sums: vec4f, channel: vec2f) {
  if (left == 0) {
    return;
  }
  var start = sums;
  if (ADDS) {
    start += vec4f(y[at / 4]);
  }
  y[at / 4] = vec4<T>(vec4f(
    finish(start.x, channel, at),
    finish(start.y, channel, at + 1),
    finish(start.z, channel, at + 2),
    finish(start.w, channel, at + 3),
  ));
}
