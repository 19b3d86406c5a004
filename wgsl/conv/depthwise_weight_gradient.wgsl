// partial[part, g, k, r, s] = sum over the part's images n and outputs i, j of
//   dy[n, g, k, i, j] * x[n, g, h, v], with
//   h = i * STRIDE_H + r - pad_h and v likewise
// x: [N, G, H, W], dy: [N, G, K, OH, OW] -> partial: [parts, G, K, R, S]
//
// The sum: over whole columns of four outputs each in some images; the parts
// are added up in order by sum_parts.wgsl.
//
// Tiling: one invocation owns the up to 3 x 3 taps of one channel in one part.
// It walks down the rows with three rows of inputs in registers, of which each
// is read once and serves up to three rows of outputs.
//   reads per multiply-add  10/36 = 0.28 at stride 1, 22/36 = 0.61 at 2
//   workgroup bytes         0
//   registers               36 inputs + 4 gradients + 9 sums
// Neighbouring invocations own neighbouring columns.
//
// Edges: inputs beside the plane read as 0, and so do both operands for outputs
// past the last column: 0 in one would still make NaN of an infinity in the
// other. T, the element type, and depthwise_rows.wgsl are appended by the plan.

override STRIDE_H: u32 = 1; // 1 or 2
override TAP_ROWS: u32 = 3; // at most 3

struct Params {
  batch: u32,
  groups: u32,
  // Output channels of a group.
  filters: u32,
  // Images of a part, and how many parts they make.
  images: u32,
  runs: u32,
  height: u32,
  width: u32,
  rows: u32,
  columns: u32,
  pad_h: u32,
  pad_w: u32,
}

@group(0) @binding(0) var<storage, read> x: array<T>;
@group(0) @binding(1) var<storage, read> dy: array<T>;
@group(0) @binding(2) var<storage, read_write> partial: array<f32>;
@group(0) @binding(3) var<uniform> params: Params;

// The row of inputs at h, without those under outputs that aren't there.
fn row_at(plane: u32, h: u32, v: u32, there: vec4<bool>) -> Row {
  let at = plane + h * params.width + v;
  var row = read_row(at, v, h < params.height);
  row.first = select(vec4f(), row.first, there);
  row.second = select(vec4f(), row.second, there);
  row.third = select(vec4f(), row.third, there);
  return row;
}

fn gradient(at: u32, there: bool) -> f32 {
  return select(0.0, f32(dy[at]), there);
}

// The sums of a row of taps, four columns each.
fn add_row(sums: Row, inputs: Row, d: vec4f) -> Row {
  return Row(
    sums.first + d * inputs.first,
    sums.second + d * inputs.second,
    sums.third + d * inputs.third,
  );
}

fn total(sums: vec4f) -> f32 {
  return (sums.x + sums.y) + (sums.z + sums.w);
}

fn store_row(to: u32, sums: Row) {
  partial[to] = total(sums.first);
  if (TAP_COLUMNS > 1) {
    partial[to + 1] = total(sums.second);
  }
  if (TAP_COLUMNS > 2) {
    partial[to + 2] = total(sums.third);
  }
}

@compute @workgroup_size(32)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let across = (params.columns + 3) / 4;
  let channels = params.groups * params.filters;
  var at = (group.y * groups.x + group.x) * 32 + lane;
  let block = at % across;
  at /= across;
  let k = at % channels;
  let run = at / channels;
  if (run >= params.runs) {
    return;
  }
  let j = block * 4;
  let there = vec4u(j) + vec4u(0, 1, 2, 3) < vec4u(params.columns);
  // Below 0, positions wrap around to large numbers, beside the plane as well.
  let v = j * STRIDE_W - params.pad_w;
  let first_h = 0 - params.pad_h;
  let last = min((run + 1) * params.images, params.batch);
  var row_0: Row;
  var row_1: Row;
  var row_2: Row;
  for (var n = run * params.images; n < last; n++) {
    let plane = (n * params.groups + k / params.filters) * params.height *
      params.width;
    var dy_at = (n * channels + k) * params.rows * params.columns + j;
    var h = first_h;
    var above = row_at(plane, h, v, there);
    var middle = row_at(plane, h + 1, v, there);
    h += 2;
    for (var i = 0u; i < params.rows; i++) {
      let below = row_at(plane, h, v, there);
      let d = vec4f(
        gradient(dy_at, there.x),
        gradient(dy_at + 1, there.y),
        gradient(dy_at + 2, there.z),
        gradient(dy_at + 3, there.w),
      );
      row_0 = add_row(row_0, above, d);
      row_1 = add_row(row_1, middle, d);
      row_2 = add_row(row_2, below, d);
      if (STRIDE_H == 1) {
        above = middle;
        middle = below;
        h += 1;
      } else {
        above = below;
        middle = row_at(plane, h + 1, v, there);
        h += 2;
      }
      dy_at += params.columns;
    }
  }

  let part = run * across + block;
  let to = (part * channels + k) * TAP_ROWS * TAP_COLUMNS;
  store_row(to, row_0);
  if (TAP_ROWS > 1) {
    store_row(to + TAP_COLUMNS, row_1);
  }
  if (TAP_ROWS > 2) {
    store_row(to + 2 * TAP_COLUMNS, row_2);
  }
}
