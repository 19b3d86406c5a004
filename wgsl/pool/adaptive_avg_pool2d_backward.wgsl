// dx[n, c, h, w] = sum over the windows oh, ow that cover h, w of
//   dy[n, c, oh, ow] / (rows of window oh * columns of window ow)
//   with the windows over h from floor(h * OH / H) to below
//   ceil((h + 1) * OH / H), and those over w likewise.
// dy: [N, C, OH, OW], dx: [N, C, H, W]
//
// Tiling: none. One invocation owns one position, neighbours along W; one read
// and one division per addition. Positions under very many windows take passes,
// windows ROW_START to ROW_END and COLUMN_START to COLUMN_END, each going on
// from dx.
// Edges: each position lies under at least one window.

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

override ROW_START: u32;
override ROW_END: u32;
override COLUMN_START: u32;
override COLUMN_END: u32;

// First position of window `o` and the one after its last. With the lengths
// exchanged: the windows that cover position `o`.
fn window(o: u32, length: u32, windows: u32) -> vec2u {
  let end = ((o + 1u) * length + windows - 1u) / windows;
  return vec2u(o * length / windows, end);
}

fn length_of(range: vec2u) -> u32 {
  return range.y - range.x;
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
  let rows = window(h, params.out_height, params.height);
  let columns = window(w, params.out_width, params.width);
  let bottom = min(rows.x + ROW_END, rows.y);
  let right = min(columns.x + COLUMN_END, columns.y);

  var sum = 0.0;
  for (var oh = rows.x + ROW_START; oh < bottom; oh++) {
    let tall = length_of(window(oh, params.height, params.out_height));
    for (var ow = columns.x + COLUMN_START; ow < right; ow++) {
      let wide = length_of(window(ow, params.width, params.out_width));
      let v = f32(dy[plane_base + oh * params.out_width + ow]);
      sum += v / f32(tall * wide);
    }
  }
  if (ROW_START > 0u || COLUMN_START > 0u) {
    sum += f32(dx[params.dx_base + at]);
  }
  dx[params.dx_base + at] = T(sum);
}
