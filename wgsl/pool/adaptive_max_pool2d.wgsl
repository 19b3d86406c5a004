// y[n, c, oh, ow] = max over h in rows(oh), w in columns(ow) of x[n, c, h, w]
//   with rows(oh) from floor(oh * H / OH) to below ceil((oh + 1) * H / OH),
//   and columns likewise; indices[n, c, oh, ow] = h * W + w of that maximum.
// x: [N, C, H, W], y and indices: [N, C, OH, OW]
//
// The maximum: NaN is larger than everything, and the last NaN counts; among
// equals the first counts.
//
// Tiling: none. One invocation owns one output, neighbours along OW; one read
// per comparison. Very large windows are cut into passes, their rows ROW_START
// to ROW_END and columns COLUMN_START to COLUMN_END, each going on from y.
// Edges: windows lie on the plane; a pass ends where its window does.

struct Params {
  count: u32,
  x_base: u32,
  y_base: u32,
  indices_base: u32,
  height: u32,
  width: u32,
  out_height: u32,
  out_width: u32,
}

@group(0) @binding(0) var<storage, read> x: array<T>;
@group(0) @binding(1) var<storage, read_write> y: array<T>;
@group(0) @binding(2) var<storage, read_write> indices: array<i32>;
@group(0) @binding(3) var<uniform> params: Params;

override ROW_START: u32;
override ROW_END: u32;
override COLUMN_START: u32;
override COLUMN_END: u32;

// First position of window `o` and the one after its last.
fn window(o: u32, length: u32, windows: u32) -> vec2u {
  let end = ((o + 1u) * length + windows - 1u) / windows;
  return vec2u(o * length / windows, end);
}

fn is_nan(v: f32) -> bool {
  return (bitcast<u32>(v) & 0x7fffffffu) > 0x7f800000u;
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

  // The first element, which a comparison with itself leaves in place.
  var found = rows.x * params.width + columns.x;
  if (ROW_START > 0u || COLUMN_START > 0u) {
    found = u32(indices[params.indices_base + at]);
  }
  var best = f32(x[plane_base + found]);
  for (var h = rows.x + ROW_START; h < bottom; h++) {
    for (var w = columns.x + COLUMN_START; w < right; w++) {
      let position = h * params.width + w;
      let v = f32(x[plane_base + position]);
      if (is_nan(v) || (v > best && !is_nan(best))) {
        best = v;
        found = position;
      }
    }
  }
  y[params.y_base + at] = T(best);
  indices[params.indices_base + at] = i32(found);
}
