// x: [.., R, C] of any strides -> y: the same shape, any strides
//
// y[.., r, c] = convert(x[.., r, c])
//
// No sum.
//
// Tiling: one invocation owns a block of 4 rows by 4 columns, held in
// registers: 16 reads, then 16 writes, for one splitting of its number into
// coordinates. The plan makes C the last axis of y and R the axis along which
// x lies closest, so that in a transposition four reads share a cache line,
// as the four writes of a row do.
//
// Edges: a block that doesn't fit goes element by element and leaves out
// those outside.
//
// Appended: alias S (elements of x), alias D (elements of y) and
// fn convert(value: S) -> D.

struct Params {
  blocks: u32,
  x_base: u32,
  y_base: u32,
  shape: array<vec4u, 2>,
  x_strides: array<vec4u, 2>,
  y_strides: array<vec4u, 2>,
}

// Axes in front of R and C, of the six that Params has room for.
override RANK: u32 = 6u;

@group(0) @binding(0) var<storage, read> x: array<S>;
@group(0) @binding(1) var<storage, read_write> y: array<D>;
@group(0) @binding(2) var<uniform> params: Params;

fn load_column(at: u32, apart: u32) -> vec4<D> {
  return vec4<D>(
    convert(x[at]),
    convert(x[at + apart]),
    convert(x[at + 2u * apart]),
    convert(x[at + 3u * apart]),
  );
}

fn store_row(at: u32, apart: u32, row: vec4<D>) {
  y[at] = row.x;
  y[at + apart] = row.y;
  y[at + 2u * apart] = row.z;
  y[at + 3u * apart] = row.w;
}

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let block = (group.y * groups.x + group.x) * 64u + lane;
  if (block >= params.blocks) {
    return;
  }
  let sizes = params.shape[1].zw;
  let x_step = params.x_strides[1].zw;
  let y_step = params.y_strides[1].zw;
  let across = (sizes + 3u) / 4u;
  var rest = block / across.y;
  let first = 4u * vec2u(rest % across.x, block % across.y);
  rest /= across.x;

  var x_at = params.x_base + first.x * x_step.x + first.y * x_step.y;
  var y_at = params.y_base + first.x * y_step.x + first.y * y_step.y;
  for (var axis = 0u; axis < RANK; axis++) {
    let d = 5u - axis;
    let size = params.shape[d / 4u][d % 4u];
    let place = rest % size;
    rest /= size;
    x_at += place * params.x_strides[d / 4u][d % 4u];
    y_at += place * params.y_strides[d / 4u][d % 4u];
  }

  if (all(first + 4u <= sizes)) {
    let a = load_column(x_at, x_step.x);
    let b = load_column(x_at + x_step.y, x_step.x);
    let c = load_column(x_at + 2u * x_step.y, x_step.x);
    let d = load_column(x_at + 3u * x_step.y, x_step.x);
    store_row(y_at, y_step.y, vec4<D>(a.x, b.x, c.x, d.x));
    store_row(y_at + y_step.x, y_step.y, vec4<D>(a.y, b.y, c.y, d.y));
    store_row(y_at + 2u * y_step.x, y_step.y, vec4<D>(a.z, b.z, c.z, d.z));
    store_row(y_at + 3u * y_step.x, y_step.y, vec4<D>(a.w, b.w, c.w, d.w));
    return;
  }
  for (var r = 0u; r < 4u; r++) {
    for (var c = 0u; c < 4u; c++) {
      if (first.x + r < sizes.x && first.y + c < sizes.y) {
        let place = vec2u(r, c);
        y[y_at + dot(place, y_step)] = convert(x[x_at + dot(place, x_step)]);
      }
    }
  }
}
