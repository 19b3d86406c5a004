// How tile.wgsl finishes and stores its blocks of 4×4 sums. `finish` and
// `channel_of` are the epilogue, which the plan appends.
//
// Edges: rows and columns past the end aren't stored.

override C_VEC4: bool = false; // c is bound as vec4
override CHANNEL_ROWS: bool = false; // rows count channels, not columns

const FOUR = vec4u(0, 1, 2, 3);

// What `finish` takes for four rows or columns that start at `first`.
fn channels(base: u32, first: u32, size: u32) -> mat4x2f {
  let i = base + min(first + FOUR, vec4u(size - 1));
  return mat4x2f(
    channel_of(i.x),
    channel_of(i.y),
    channel_of(i.z),
    channel_of(i.w),
  );
}

// Four outputs of a row.
fn store_four(base: u32, row: u32, col: u32, channel: mat4x2f, sum: vec4f) {
  if (row < params.m && col < params.n) {
    let at = base + row * params.c_m + col;
    let y = vec4f(
      finish(sum.x, channel[0], at),
      finish(sum.y, channel[1], at + 1),
      finish(sum.z, channel[2], at + 2),
      finish(sum.w, channel[3], at + 3),
    );
    if (C_VEC4) {
      c[at / 4] = narrow(y);
    } else {
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
  }
}

// Where a batch's outputs and channels start.
struct Store {
  c: u32,
  channel: u32,
}

fn store_block(base: Store, row: u32, col: u32, sum: mat4x4f) {
  if (CHANNEL_ROWS) {
    let x = channels(base.channel, row, params.m);
    let x0 = mat4x2f(x[0], x[0], x[0], x[0]);
    let x1 = mat4x2f(x[1], x[1], x[1], x[1]);
    let x2 = mat4x2f(x[2], x[2], x[2], x[2]);
    let x3 = mat4x2f(x[3], x[3], x[3], x[3]);
    store_four(base.c, row, col, x0, sum[0]);
    store_four(base.c, row + 1, col, x1, sum[1]);
    store_four(base.c, row + 2, col, x2, sum[2]);
    store_four(base.c, row + 3, col, x3, sum[3]);
  } else {
    let x = channels(base.channel, col, params.n);
    store_four(base.c, row, col, x, sum[0]);
    store_four(base.c, row + 1, col, x, sum[1]);
    store_four(base.c, row + 2, col, x, sum[2]);
    store_four(base.c, row + 3, col, x, sum[3]);
  }
}
