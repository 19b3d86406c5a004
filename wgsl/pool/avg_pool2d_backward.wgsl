// dx[n, c, h, w] = sum over the windows (oh, ow) that cover (h, w) of
//   dy[n, c, oh, ow] / divisor(oh, ow).
// dy: [N, C, OH, OW], dx: [N, C, H, W]
//
// Windows that cover h: oh = (h + PADDING_H) / STRIDE_H and those of the
// WINDOWS_H - 1 before it, WINDOWS_H = ceil(KERNEL_H / STRIDE_H), that start
// less than KERNEL_H before h; likewise along W. The divisor is that of the
// forward kernel.
//
// Tiling: none. One invocation owns one input position, neighbours along W,
// and adds in order of oh, then ow: no atomics, the same bits each time. One
// read per addition. A position that is covered by very many windows takes
// passes, ROW_START to ROW_END and COLUMN_START to COLUMN_END counted from the
// first window, each going on from dx.
// Edges: windows before 0 or from OH, OW on don't exist and are skipped.

struct Params {
  count: u32,
  dy_base: u32,
  dx_base: u32,
  height: u32,
  width: u32,
  out_height: u32,
  out_width: u32,
}

@group(0) @binding(0) var<storage, read> dy: array<T>;
@group(0) @binding(1) var<storage, read_write> dx: array<T>;
@group(0) @binding(2) var<uniform> params: Params;

override KERNEL_H: u32;
override KERNEL_W: u32;
override STRIDE_H: u32;
override STRIDE_W: u32;
override PADDING_H: u32;
override PADDING_W: u32;
override WINDOWS_H: u32;
override WINDOWS_W: u32;
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
  let line = at / params.width;
  let w = at - line * params.width;
  let plane = line / params.height;
  let h = line - plane * params.height;
  let plane_base = params.dy_base +
    plane * params.out_height * params.out_width;

  var sum = 0.0;
  if (ROW_START > 0u || COLUMN_START > 0u) {
    sum = f32(dx[params.dx_base + at]);
  }
  for (var i = ROW_START; i < ROW_END; i++) {
    // Before the first window, the subtraction wraps round to a huge number.
    let oh = (h + PADDING_H) / STRIDE_H + i - (WINDOWS_H - 1u);
    if (oh >= params.out_height || h + PADDING_H - oh * STRIDE_H >= KERNEL_H) {
      continue;
    }
    for (var j = COLUMN_START; j < COLUMN_END; j++) {
      let ow = (w + PADDING_W) / STRIDE_W + j - (WINDOWS_W - 1u);
      if (ow >= params.out_width || w + PADDING_W - ow * STRIDE_W >= KERNEL_W) {
        continue;
      }
      sum += f32(dy[plane_base + oh * params.out_width + ow]) / divisor(oh, ow);
    }
  }
  dx[params.dx_base + at] = T(sum);
}
