// y[n, c, oh, ow] = max over i < KERNEL_H, j < KERNEL_W of x[n, c, h, w]
//   with h = oh * STRIDE_H - PADDING_H + i * DILATION_H, and w likewise.
// x: [N, C, H, W], y: [N, C, OH, OW]
//
// The maximum: NaN is larger than everything, and the last NaN counts; among
// equals the first counts. A window without any element, which only dilation
// can make, gives -inf.
//
// Tiling: none. One invocation owns one output, neighbours along OW; one read
// per comparison. Very large windows are cut into passes, rows ROW_START to
// ROW_END and columns COLUMN_START to COLUMN_END, each going on from y.
// Edges: positions in the padding are skipped, so padding never wins.

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

fn is_nan(v: f32) -> bool {
  return (bitcast<u32>(v) & 0x7fffffffu) > 0x7f800000u;
}

// From a variable, because WGSL refuses an infinity that it can foresee.
fn minus_infinity() -> f32 {
  var bits = 0xff800000u;
  return bitcast<f32>(bits);
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

  var best = minus_infinity();
  if (ROW_START > 0u || COLUMN_START > 0u) {
    best = f32(y[params.y_base + at]);
  }
  for (var i = ROW_START; i < ROW_END; i++) {
    // Above the plane, the subtraction wraps round to a huge number.
    let h = oh * STRIDE_H + i * DILATION_H - PADDING_H;
    if (h >= params.height) {
      continue;
    }
    for (var j = COLUMN_START; j < COLUMN_END; j++) {
      let w = ow * STRIDE_W + j * DILATION_W - PADDING_W;
      if (w >= params.width) {
        continue;
      }
      let v = f32(x[plane_base + h * params.width + w]);
      if (is_nan(v) || (v > best && !is_nan(best))) {
        best = v;
      }
    }
  }
  y[params.y_base + at] = T(best);
}
