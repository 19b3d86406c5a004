// y[n, k, 2 * row + a, 2 * column + b] = finish of the sum over i < 4, j < 4 of
//   A[i, a] * m[i, j, k, t] * A[j, b], where row and column are those of tile t
// m: [16, K up to tiles, T] -> y: [N, K, OH, OW]
//
//           [ 1   1   1   0 ]
//   A^T =   [ 0   1  -1  -1 ]
//
// The sum: over the 16 products, down the columns, then along the rows, each
// written out.
//
// Tiling: one invocation owns a channel of a tile: it reads 16 numbers and
// stores 4 outputs. Neighbouring invocations own neighbouring tiles, so that
// each read of theirs is one line of m.
//   workgroup bytes         0
//   registers               16 products + 8 on their way
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

fn product_row(at: u32, step: u32) -> vec4f {
  return vec4f(m[at], m[at + step], m[at + 2 * step], m[at + 3 * step]);
}

fn store(to: u32, channel: vec2f, sum: f32) {
  y[to] = T(finish(sum, channel, to));
}

// Stores the two outputs of a row, of which `left` are on the plane.
fn store_row(to: u32, left: u32, channel: vec2f, d: vec4f) {
  store(to, channel, d.x + d.y + d.z);
  if (left > 1) {
    store(to + 1, channel, d.y - d.z - d.w);
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
  let source = k * params.m_channel + t;
  let d0 = product_row(source, step);
  let d1 = product_row(source + 4 * step, step);
  let d2 = product_row(source + 8 * step, step);
  let d3 = product_row(source + 12 * step, step);

  let tile = params.first + t;
  let column = tile % params.tile_columns * 2;
  let rest = tile / params.tile_columns;
  let row = rest % params.tile_rows * 2;
  let n = rest / params.tile_rows;
  let width = params.width;
  let left = width - column;
  let channel = channel_of(k);
  let to = params.y_base + n * params.y_image +
    k * params.y_channel + row * width + column;
  store_row(to, left, channel, d0 + d1 + d2);
  if (row + 1 < params.height) {
    store_row(to + width, left, channel, d1 - d2 - d3);
  }
}
