// y[n, c, h, w] = sum over i, j of x[n, (c * KERNEL_H + i) * KERNEL_W + j, l]
//   with l = oh * OW + ow where oh * STRIDE_H = h + PADDING_H - i * DILATION_H,
//   and ow likewise, for the i, j that have such an oh, ow.
// x: [N, C * KERNEL_H * KERNEL_W, OH * OW], y: [N, C, H, W]
//
// Tiling: none. One invocation owns one element of y, neighbours along W; one
// read per addition. Very large kernels are cut into passes, rows ROW_START to
// ROW_END and columns COLUMN_START to COLUMN_END, each going on from y.
// Edges: a window that would start before the first or after the last, or
// between two, is skipped.

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
override DILATION_H: u32;
override DILATION_W: u32;
override ROW_START: u32;
override ROW_END: u32;
override COLUMN_START: u32;
override COLUMN_END: u32;

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
  let windows = params.out_height * params.out_width;
  let plane_base = params.x_base + plane * KERNEL_H * KERNEL_W * windows;

  var sum = 0.0;
  for (var i = ROW_START; i < ROW_END; i++) {
    // Before the first window, the subtraction wraps round to a huge number.
    let down = h + PADDING_H - i * DILATION_H;
    let oh = down / STRIDE_H;
    if (oh * STRIDE_H != down || oh >= params.out_height) {
      continue;
    }
    for (var j = COLUMN_START; j < COLUMN_END; j++) {
      let across = w + PADDING_W - j * DILATION_W;
      let ow = across / STRIDE_W;
      if (ow * STRIDE_W == across && ow < params.out_width) {
        let tap = i * KERNEL_W + j;
        let l = oh * params.out_width + ow;
        sum += f32(x[plane_base + tap * windows + l]);
      }
    }
  }
  if (ROW_START > 0u || COLUMN_START > 0u) {
    sum += f32(y[params.y_base + at]);
  }
  y[params.y_base + at] = T(sum);
}
