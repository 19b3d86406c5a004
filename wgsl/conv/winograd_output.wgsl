// y[n, k, 4 * row + a, 4 * column + b] = finish of the sum over i < 6, j < 6 of
//   A[i, a] * m[i, j, k, t] * A[j, b], where row and column are those of tile t
// m: [36, K up to tiles, T] -> y: [N, K, OH, OW]
//
//           [ 1   1   1   1   1   0 ]
//   A^T =   [ 0   1  -1   2  -2   0 ]
//           [ 0   1   1   4   4   0 ]
//           [ 0   1  -1   8  -8   1 ]
//
// The sum: over the 36 products, down the columns, then along the rows, each
// written out.
//
// Tiling: one invocation owns a channel of a tile: it reads 36 numbers and
// stores 16 outputs. A row of six is a matrix of two columns. Neighbouring
// invocations own neighbouring tiles, so that each read of theirs is one line
// of m.
//   workgroup bytes         0
//   registers               36 products + 18 on their way
//
// Edges: outputs past the plane's last row or column aren't stored. T, the
// element type, and the epilogue, channel_of and finish, are appended by the
// plan.

struct Params {
  channels: u32,
  height: u32,
  width: u32,
  // Tiles of a plane, the first one of this launch and how many there are.
  tile_rows: u32,
  tile_columns: u32,
  first: u32,
  count: u32,
  // Elements from one channel of m to the next, and to the next product.
  m_channel: u32,
  m_product: u32,
  y_base: u32,
  y_image: u32,
  y_channel: u32,
}

@group(0) @binding(0) var<storage, read> m: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<T>;
@group(0) @binding(2) var<uniform> params: Params;

fn product_row(at: u32, step: u32) -> mat2x3f {
  return mat2x3f(
    m[at],
    m[at + step],
    m[at + 2 * step],
    m[at + 3 * step],
    m[at + 4 * step],
    m[at + 5 * step],
  );
}

fn store(to: u32, channel: vec2f, sum: f32) {
  y[to] = T(finish(sum, channel, to));
}

// Stores the four outputs of a row, of which `left` are on the plane.
fn store_row(to: u32, left: u32, channel: vec2f, d: mat2x3f) {
  let near = d[0].y + d[0].z;
  let near_odd = d[0].y - d[0].z;
  let far = d[1].x + d[1].y;
  let far_odd = d[1].x - d[1].y;
  store(to, channel, d[0].x + near + far);
  if (left > 1) {
    store(to + 1, channel, near_odd + 2.0 * far_odd);
  }
  if (left > 2) {
    store(to + 2, channel, near + 4.0 * far);
  }
  if (left > 3) {
    store(to + 3, channel, near_odd + 8.0 * far_odd + d[1].z);
  }
}

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let at = (group.y * groups.x + group.x) * 64 + lane;
  let t = at % params.count;
  let k = at / params.count;
  if (k >= params.channels) {
    return;
  }
  let step = params.m_product;
  var source = k * params.m_channel + t;
  let d0 = product_row(source, step);
  source += 6 * step;
  let d1 = product_row(source, step);
  source += 6 * step;
  let d2 = product_row(source, step);
  source += 6 * step;
  let d3 = product_row(source, step);
  source += 6 * step;
  let d4 = product_row(source, step);
  source += 6 * step;
  let d5 = product_row(source, step);
  let near = d1 + d2;
  let near_odd = d1 - d2;
  let far = d3 + d4;
  let far_odd = d3 - d4;

  let tile = params.first + t;
  let column = tile % params.tile_columns * 4;
  let rest = tile / params.tile_columns;
  let row = rest % params.tile_rows * 4;
  let n = rest / params.tile_rows;
  let width = params.width;
  let below = params.height - row;
  let left = width - column;
  let channel = channel_of(k);
  var to = params.y_base + n * params.y_image +
    k * params.y_channel + row * width + column;
  store_row(to, left, channel, d0 + near + far);
  if (below > 1) {
    to += width;
    store_row(to, left, channel, near_odd + 2.0 * far_odd);
  }
  if (below > 2) {
    to += width;
    store_row(to, left, channel, near + 4.0 * far);
  }
  if (below > 3) {
    to += width;
    store_row(to, left, channel, near_odd + 8.0 * far_odd + d5);
  }
}
