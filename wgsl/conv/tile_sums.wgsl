// What kernels share that sum in register tiles of channels by outputs of a
// row: the sums, and how a line of taps is added to them. A kernel that this is
// appended to has w, packed weights as vectors.

override QUADS: u32 = 4;
override WIDE: bool = false; // with at most 2 QUADS
override TAPS: u32 = 7; // of a line, at most 7
override LAST: u32 = 4; // channels of the last four, of a tile that has all

// Sums, low ones of outputs 0 to 3 and high ones of 4 to 7, a matrix for four
// channels. Of a WIDE one, 2 and 3 are those of outputs 8 to 15.
struct Tile {
  low_0: mat4x4f,
  low_1: mat4x4f,
  low_2: mat4x4f,
  low_3: mat4x4f,
  high_0: mat4x4f,
  high_1: mat4x4f,
  high_2: mat4x4f,
  high_3: mat4x4f,
}

// What each tap of a line has: inputs of four outputs, or weights of four
// channels.
struct Taps {
  at_0: vec4f,
  at_1: vec4f,
  at_2: vec4f,
  at_3: vec4f,
  at_4: vec4f,
  at_5: vec4f,
  at_6: vec4f,
}

// Weights of the four channels that start at a vector.
fn weights_at(at: u32) -> Taps {
  var t: Taps;
  t.at_0 = w[at];
  if (TAPS > 1) {
    t.at_1 = w[at + QUADS];
  }
  if (TAPS > 2) {
    t.at_2 = w[at + 2 * QUADS];
  }
  if (TAPS > 3) {
    t.at_3 = w[at + 3 * QUADS];
  }
  if (TAPS > 4) {
    t.at_4 = w[at + 4 * QUADS];
  }
  if (TAPS > 5) {
    t.at_5 = w[at + 5 * QUADS];
  }
  if (TAPS > 6) {
    t.at_6 = w[at + 6 * QUADS];
  }
  return t;
}

// Adds a line of taps to four outputs of one channel e.
fn line_of(start: vec4f, t: Taps, e: u32, v: Taps) -> vec4f {
  var sum = start + t.at_0[e] * v.at_0;
  if (TAPS > 1) {
    sum += t.at_1[e] * v.at_1;
  }
  if (TAPS > 2) {
    sum += t.at_2[e] * v.at_2;
  }
  if (TAPS > 3) {
    sum += t.at_3[e] * v.at_3;
  }
  if (TAPS > 4) {
    sum += t.at_4[e] * v.at_4;
  }
  if (TAPS > 5) {
    sum += t.at_5[e] * v.at_5;
  }
  if (TAPS > 6) {
    sum += t.at_6[e] * v.at_6;
  }
  return sum;
}

// The same for those of a quad's four channels that there are.
fn add_line(start: mat4x4f, t: Taps, v: Taps, quad: u32) -> mat4x4f {
  let count = select(4u, LAST, quad + 1 == QUADS);
  var sum = start;
  sum[0] = line_of(sum[0], t, 0, v);
  if (count > 1) {
    sum[1] = line_of(sum[1], t, 1, v);
  }
  if (count > 2) {
    sum[2] = line_of(sum[2], t, 2, v);
  }
  if (count > 3) {
    sum[3] = line_of(sum[3], t, 3, v);
  }
  return sum;
}

