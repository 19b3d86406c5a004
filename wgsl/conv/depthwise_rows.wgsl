// What the kernels of depthwise convolutions share: how they read a row of
// inputs. A kernel that this is appended to has x, params.width and T.

override STRIDE_W: u32 = 1; // 1 or 2
override TAP_COLUMNS: u32 = 3; // at most 3

// The inputs of a row under four neighbouring outputs, for each tap.
struct Row {
  first: vec4f,
  second: vec4f,
  third: vec4f,
}

// The input at an index in column v, or 0 beside the plane.
fn input(at: u32, v: u32, inside: bool) -> f32 {
  return select(0.0, f32(x[at]), inside && v < params.width);
}

// The row whose first input stands at an index in column v. Each input is read
// once.
fn read_row(at: u32, v: u32, inside: bool) -> Row {
  var row: Row;
  if (STRIDE_W == 1) {
    row.first = vec4f(
      input(at, v, inside),
      input(at + 1, v + 1, inside),
      input(at + 2, v + 2, inside),
      input(at + 3, v + 3, inside),
    );
    if (TAP_COLUMNS > 1) {
      row.second = vec4f(row.first.yzw, input(at + 4, v + 4, inside));
    }
    if (TAP_COLUMNS > 2) {
      row.third = vec4f(row.second.yzw, input(at + 5, v + 5, inside));
    }
  } else {
    row.first = vec4f(
      input(at, v, inside),
      input(at + 2, v + 2, inside),
      input(at + 4, v + 4, inside),
      input(at + 6, v + 6, inside),
    );
    if (TAP_COLUMNS > 1) {
      row.second = vec4f(
        input(at + 1, v + 1, inside),
        input(at + 3, v + 3, inside),
        input(at + 5, v + 5, inside),
        input(at + 7, v + 7, inside),
      );
    }
    if (TAP_COLUMNS > 2) {
      row.third = vec4f(row.first.yzw, input(at + 8, v + 8, inside));
    }
  }
  return row;
}
