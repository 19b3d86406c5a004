// dx[n, c, h, w] = sum over the windows oh, ow that cover h, w and have
//   indices[n, c, oh, ow] = h * W + w of dy[n, c, oh, ow]
//   with the windows over h from floor(h * OH / H) to below
//   ceil((h + 1) * OH / H), and those over w likewise.
// dy and indices: [N, C, OH, OW], dx: [N, C, H, W]
//
// Tiling: none. One invocation owns one position, neighbours along W; two reads
// per addition. Positions under very many windows take passes, windows
// ROW_START to ROW_END and COLUMN_START to COLUMN_END, each going on from dx.
// Edges: each position lies under at least one window.

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

override ROW_START: u32;
override ROW_END: u32;
override COLUMN_START: u32;
override COLUMN_END: u32;

// The windows that cover position `h`.
fn windows_over(h: u32, length: u32, windows: u32) -> vec2u {
  let end = ((h + 1u) * windows + length - 1u) / length;
  return vec2u(h * windows / length, end);
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
  let plane_base = plane * params.out_height * params.out_width;
  let position = i32(h * params.width + w);
  let rows = windows_over(h, params.height, params.out_height);
  let columns = windows_over(w, params.width, params.out_width);
  let bottom = min(rows.x + ROW_END, rows.y);
  let right = min(columns.x + COLUMN_END, columns.y);

  var sum = 0.0;
  for (var oh = rows.x + ROW_START; oh < bottom; oh++) {
    for (var ow = columns.x + COLUMN_START; ow < right; ow++) {
      let out = plane_base + oh * params.out_width + ow;
      if (indices[params.indices_base + out] == position) {
        sum += f32(dy[params.dy_base + out]);
      }
    }
  }
  if (ROW_START > 0u || COLUMN_START > 0u) {
    sum += f32(dx[params.dx_base + at]);
  }
  dx[params.dx_base + at] = T(sum);
}
