// y[n, c, oh, ow] = max over i < KERNEL_H, j < KERNEL_W of x[n, c, h, w]
//   with h = oh * STRIDE_H - PADDING_H + i, and w likewise;
//   KERNEL_H = STRIDE_H + 1. x: [N, C, H, W], y: [N, C, OH, OW]
//
// The maximum: NaN is larger than everything, and +0 than -0. Values are
// compared as keys, integers of the same order.
//
// Tiling: one invocation owns TILE columns of outputs, `rows` tall. It goes
// down them, holding the maxima of SPAN = (TILE - 1) * STRIDE_W + KERNEL_W
// columns of x; the last row of a window is the first of the next and isn't
// read again. A 3 x 3 window with stride 2 and 3 outputs takes 4.7 reads an
// output, where rows of their own would take 7; 5 outputs take 4.4, where
// 4 is the least. Workgroup memory: none. Registers: 3 * SPAN.
// Neighbouring invocations own neighbouring columns.
// Edges: positions in the padding are those nearest on the plane, which lie in
// the same window, as padding is at most half of it; what lies beyond OH and
// OW is not stored.

struct Params {
  count: u32,
  x_base: u32,
  y_base: u32,
  height: u32,
  width: u32,
  out_height: u32,
  out_width: u32,
  tiles: u32,
  bands: u32,
  rows: u32,
}

@group(0) @binding(0) var<storage, read> x: array<T>;
@group(0) @binding(1) var<storage, read_write> y: array<T>;
@group(0) @binding(2) var<uniform> params: Params;

override KERNEL_H: u32;
override KERNEL_W: u32;
override STRIDE_H: u32;
override STRIDE_W: u32;
override PADDING_H: u32;
override PADDING_W: u32;

// Floats below zero count up from the lowest key; NaN of either sign is above
// infinity.
fn key_of(v: f32) -> i32 {
  let bits = bitcast<i32>(v);
  let magnitude = bits & 0x7fffffff;
  let key = bits ^ ((bits >> 31u) & 0x7fffffff);
  return select(key, magnitude, magnitude > 0x7f800000);
}

fn value_of(key: i32) -> f32 {
  return bitcast<f32>(key ^ ((key >> 31u) & 0x7fffffff));
}

// Row h of a plane, or the nearest to it.
fn row_of(h: i32) -> u32 {
  return u32(clamp(h, 0, i32(params.height) - 1)) * params.width;
}

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let at = (group.y * groups.x + group.x) * 64u + lane;
  if (at >= params.count) {
    return;
  }
  let line = at / params.tiles;
  let ow = (at - line * params.tiles) * TILE;
  let plane = line / params.bands;
  let first_oh = (line - plane * params.bands) * params.rows;
  let end_oh = min(first_oh + params.rows, params.out_height);
  let plane_base = params.x_base + plane * params.height * params.width;
  let left = i32(ow * STRIDE_W) - i32(PADDING_W);
  var top = i32(first_oh * STRIDE_H) - i32(PADDING_H);
  var out = params.y_base +
    (plane * params.out_height + first_oh) * params.out_width + ow;

  var offsets: array<u32, SPAN>;
  var columns: array<i32, SPAN>;
  let first_row = plane_base + row_of(top);
  for (var s = 0u; s < SPAN; s++) {
    offsets[s] = u32(clamp(left + i32(s), 0, i32(params.width) - 1));
    columns[s] = key_of(f32(x[first_row + offsets[s]]));
  }
  for (var oh = first_oh; oh < end_oh; oh++) {
    var last: array<i32, SPAN>;
    for (var i = 1u; i < KERNEL_H; i++) {
      let row = plane_base + row_of(top + i32(i));
      for (var s = 0u; s < SPAN; s++) {
        last[s] = key_of(f32(x[row + offsets[s]]));
        columns[s] = max(columns[s], last[s]);
      }
    }
    for (var t = 0u; t < TILE; t++) {
      var best = columns[t * STRIDE_W];
      for (var j = 1u; j < KERNEL_W; j++) {
        best = max(best, columns[t * STRIDE_W + j]);
      }
      if (ow + t < params.out_width) {
        y[out + t] = T(value_of(best));
      }
    }
    columns = last;
    top += i32(STRIDE_H);
    out += params.out_width;
  }
}
