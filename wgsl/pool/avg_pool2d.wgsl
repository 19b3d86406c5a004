// y[n, c, oh, ow] = sum over i < KERNEL_H, j < KERNEL_W of x[n, c, h, w]
//   / divisor, with h = oh * STRIDE_H - PADDING_H + i, and w likewise.
// x: [N, C, H, W], y: [N, C, OH, OW]
//
// The divisor: DIVISOR where it isn't 0; else the elements of the window that
// lie on the plane and, if COUNT_PADDING is 1, on the padding around it. What a
// last window in ceil mode covers beyond the padding never counts.
//
// Tiling: none. One invocation owns one output, neighbours along OW; one read
// per addition. Very large windows are cut into passes, rows ROW_START to
// ROW_END and columns COLUMN_START to COLUMN_END, each going on from y.
// Edges: positions in the padding are skipped.

struct Params {
  count: u32,
  x_base: u32,
  y_base: u32,
  height: u32,
  width: u32,
  out_height: u32,
  out_width: u32,
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
override COUNT_PADDING: u32;
override DIVISOR: f32;
override ROW_START: u32;
override ROW_END: u32;
override COLUMN_START: u32;
override COLUMN_END: u32;

// Elements that count along one axis of a window that starts at `start`,
// counted from the outer edge of the padding.
fn counted(start: u32, kernel: u32, size: u32, padding: u32) -> u32 {
  if (COUNT_PADDING == 1u) {
    return min(start + kernel, size + 2u * padding) - start;
  }
  return min(start + kernel, size + padding) - max(start, padding);
}

fn divisor(oh: u32, ow: u32) -> f32 {
  if (DIVISOR != 0.0) {
    return DIVISOR;
  }
  let rows = counted(oh * STRIDE_H, KERNEL_H, params.height, PADDING_H);
  let columns = counted(ow * STRIDE_W, KERNEL_W, params.width, PADDING_W);
  return f32(rows * columns);
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
  let line = at / params.out_width;
  let ow = at - line * params.out_width;
  let plane = line / params.out_height;
  let oh = line - plane * params.out_height;
  let plane_base = params.x_base + plane * params.height * params.width;

  var sum = 0.0;
  for (var i = ROW_START; i < ROW_END; i++) {
    // Above the plane, the subtraction wraps round to a huge number.
    let h = oh * STRIDE_H + i - PADDING_H;
    if (h >= params.height) {
      continue;
    }
    for (var j = COLUMN_START; j < COLUMN_END; j++) {
      let w = ow * STRIDE_W + j - PADDING_W;
      if (w < params.width) {
        sum += f32(x[plane_base + h * params.width + w]);
      }
    }
  }
  var mean = sum / divisor(oh, ow);
  if (ROW_START > 0u || COLUMN_START > 0u) {
    mean += f32(y[params.y_base + at]);
  }
  y[params.y_base + at] = T(mean);
}
