// y[n, c, oh, ow] = sum over h in rows(oh), w in columns(ow) of x[n, c, h, w]
//   / (number of rows * number of columns)
//   with rows(oh) from floor(oh * H / OH) to below ceil((oh + 1) * H / OH),
//   and columns likewise.
// x: [N, C, H, W], y: [N, C, OH, OW]
//
// Tiling: none. One invocation owns one output, neighbours along OW; one read
// per addition. Very large windows are cut into passes, their rows ROW_START
// to ROW_END and columns COLUMN_START to COLUMN_END, each going on from y.
// Edges: windows lie on the plane; a pass ends where its window does.

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

override ROW_START: u32;
override ROW_END: u32;
override COLUMN_START: u32;
override COLUMN_END: u32;

// First position of window `o` and the one after its last.
fn window(o: u32, length: u32, windows: u32) -> vec2u {
  let end = ((o + 1u) * length + windows - 1u) / windows;
  return vec2u(o * length / windows, end);
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
  let rows = window(oh, params.height, params.out_height);
  let columns = window(ow, params.width, params.out_width);
  let bottom = min(rows.x + ROW_END, rows.y);
  let right = min(columns.x + COLUMN_END, columns.y);

  var sum = 0.0;
  for (var h = rows.x + ROW_START; h < bottom; h++) {
    for (var w = columns.x + COLUMN_START; w < right; w++) {
      sum += f32(x[plane_base + h * params.width + w]);
    }
  }
  var mean = sum / f32((rows.y - rows.x) * (columns.y - columns.x));
  if (ROW_START > 0u || COLUMN_START > 0u) {
    mean += f32(y[params.y_base + at]);
  }
  y[params.y_base + at] = T(mean);
}
