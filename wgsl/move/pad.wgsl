// x: [n, ..] -> y: [before + (n - 1) * step + 1 + after, ..]
//
// y[before + i * step, ..] = x[i, ..], and `value` everywhere else; with MODE
// 1 the border mirrors x about its edge elements, with MODE 2 it repeats them.
//
// No sum.
//
// Tiling: one invocation owns one element of y. On each axis it finds the
// coordinate in x that its own one comes from, if any. At most one read of x.
//
// Edges: coordinates are those of the whole of y, whatever box of it and
// window of x a launch sees; bases wrap around 2^32 where they would be
// negative, and come out right once the coordinates are added.
//
// Appended: alias T (elements as bits) and fn from_bits(bits: u32) -> T.

struct Params {
  count: u32,
  x_base: u32,
  y_base: u32,
  value: u32,
  shape: array<vec4u, 2>,
  start: array<vec4u, 2>,
  before: array<vec4u, 2>,
  steps: array<vec4u, 2>,
  sizes: array<vec4u, 2>,
  x_strides: array<vec4u, 2>,
  y_strides: array<vec4u, 2>,
}

// Axes in use: the last RANK of the eight that Params has room for.
override RANK: u32 = 8u;
override MODE: u32 = 0u;

@group(0) @binding(0) var<storage, read> x: array<T>;
@group(0) @binding(1) var<storage, read_write> y: array<T>;
@group(0) @binding(2) var<uniform> params: Params;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let number = (group.y * groups.x + group.x) * 64u + lane;
  if (number >= params.count) {
    return;
  }
  var x_at = params.x_base;
  var y_at = params.y_base;
  var inside = true;
  var rest = number;
  for (var axis = 0u; axis < RANK; axis++) {
    let d = 7u - axis;
    let size = params.shape[d / 4u][d % 4u];
    let place = rest % size;
    rest /= size;
    y_at += place * params.y_strides[d / 4u][d % 4u];

    let last = i32(params.sizes[d / 4u][d % 4u]) - 1;
    let step = i32(params.steps[d / 4u][d % 4u]);
    var source = i32(place + params.start[d / 4u][d % 4u]) -
      i32(params.before[d / 4u][d % 4u]);
    if (MODE == 1u) {
      source = last - abs(last - abs(source));
    } else if (MODE == 2u) {
      source = clamp(source, 0, last);
    } else {
      inside = inside && source >= 0 && source <= last * step &&
        source % step == 0;
      source /= step;
    }
    x_at += u32(source) * params.x_strides[d / 4u][d % 4u];
  }
  if (inside) {
    y[y_at] = x[x_at];
  } else {
    y[y_at] = from_bits(params.value);
  }
}
