// How tile.wgsl finishes and stores its blocks of 4×4 sums. `finish` and
// `channel_of` are the epilogue, which the plan appends.
//
// Edges: rows and columns past the end aren't stored.

override C_VEC4: bool = false; // c is bound as vec4
override CHANNEL_ROWS: bool = false; // rows count channels, not columns

const FOUR = vec4u(0, 1, 2, 3);

// Where a batch's outputs and channels start.
struct Store {
  c: u32,
  channel: u32,
}

// What `finish` takes for four columns from `col` on, where they count
// channels.
fn channels(base: u32, col: u32) -> mat4x2f {
  if (CHANNEL_ROWS) {
    return mat4x2f();
  }
  let i = base + min(col + FOUR, vec4u(params.n - 1));
  return mat4x2f(
    channel_of(i.x),
    channel_of(i.y),
    channel_of(i.z),
    channel_of(i.w),
  );
}

// Four outputs of a row.
fn store_four(base: Store, row: u32, col: u32, columns: mat4x2f, sum: vec4f) {
  if (row >= params.m || col >= params.n) {
    return;
  }
  var channel = columns;
  if (CHANNEL_ROWS) {
    let all = channel_of(base.channel + row);
    channel = mat4x2f(all, all, all, all);
  }
  let at = base.c + row * params.c_m + col;
  let y = vec4f(
    finish(sum.x, channel[0], at),
    finish(sum.y, channel[1], at + 1),
    finish(sum.z, channel[2], at + 2),
    finish(sum.w, channel[3], at + 3),
  );
  if (C_VEC4) {
    c[at / 4] = narrow(y);
    return;
  }
  c[at] = narrow(vec4f(y.x));
  if (col + 1 < params.n) {
    c[at + 1] = narrow(vec4f(y.y));
  }
  if (col + 2 < params.n) {
    c[at + 2] = narrow(vec4f(y.z));
  }
  if (col + 3 < params.n) {
    c[at + 3] = narrow(vec4f(y.w));
  }
}

fn store_block(
  base: Store,
  row: u32,
  col: u32,
  columns: mat4x2f,
  sum: mat4x4f,
) {
  store_four(base, row, col, columns, sum[0]);
  store_four(base, row + 1, col, columns, sum[1]);
  store_four(base, row + 2, col, columns, sum[2]);
  store_four(base, row + 3, col, columns, sum[3]);
}
