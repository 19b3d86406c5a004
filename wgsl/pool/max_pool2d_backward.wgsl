// dx[n, c, h, w] = sum over the windows (oh, ow) that cover (h, w) of
//   dy[n, c, oh, ow] where indices[n, c, oh, ow] = h * W + w, else 0.
// dy and indices: [N, C, OH, OW], dx: [N, C, H, W]
//
// Windows that cover h: oh <= (h + PADDING_H) / STRIDE_H, and the WINDOWS_H - 1
// before it, WINDOWS_H = ceil(extent / STRIDE_H); likewise along W.
//
// Tiling: none. One invocation owns one input position, neighbours along W,
// and adds in order of oh, then ow: no atomics, the same bits each time. Two
// reads per addition. A position that is covered by very many windows takes
// passes, ROW_START to ROW_END and COLUMN_START to COLUMN_END counted from the
// first window, each going on from dx.
// Edges: windows before 0 or from OH, OW on don't exist and are skipped.

struct Params {
  count: u32,
  dy_base: u32,
  indices_base: u32,
  dx_base: u32,
  height: u32,
  width: u32,
  out_height: u32,
  out_width: u32,
}

@group(0) @binding(0) var<storage, read> dy: array<T>;
@group(0) @binding(1) var<storage, read> indices: array<i32>;
@group(0) @binding(2) var<storage, read_write> dx: array<T>;
@group(0) @binding(3) var<uniform> params: Params;

override STRIDE_H: u32;
override STRIDE_W: u32;
override PADDING_H: u32;
override PADDING_W: u32;
override WINDOWS_H: u32;
override WINDOWS_W: u32;
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
  let position = i32(h * params.width + w);
  let plane_base = plane * params.out_height * params.out_width;

  var sum = 0.0;
  if (ROW_START > 0u || COLUMN_START > 0u) {
    sum = f32(dx[params.dx_base + at]);
  }
  for (var i = ROW_START; i < ROW_END; i++) {
    // Before the first window, the subtraction wraps round to a huge number.
    let oh = (h + PADDING_H) / STRIDE_H + i - (WINDOWS_H - 1u);
    if (oh >= params.out_height) {
      continue;
    }
    for (var j = COLUMN_START; j < COLUMN_END; j++) {
      let ow = (w + PADDING_W) / STRIDE_W + j - (WINDOWS_W - 1u);
      if (ow >= params.out_width) {
        continue;
      }
      let window = plane_base + oh * params.out_width + ow;
      if (indices[params.indices_base + window] == position) {
        sum += f32(dy[params.dy_base + window]);
      }
    }
  }
  dx[params.dx_base + at] = T(sum);
}
