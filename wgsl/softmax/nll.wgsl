// losses[n, p] = -x[n, label, p] with label = labels[n, p], counts[n, p] = 1;
//   where the label is `ignored`, both are 0
// x: [N, C, P], labels: [N, P] -> losses, counts: [N, P]
//
// No sum.
//
// Tiling: one invocation owns a label. Two reads and two writes each.
//
// Edges: a launch sees the classes [first, first + length), all of them unless
// x is too large for a binding, and stores what those labels give; the first
// launch stores for labels that are ignored, and for those outside of all
// classes, negative ones too: NaN.
//
// Appended: alias T (f32 or f16) and alias L (i32 or u32).

struct Params {
  images: u32,
  places: u32,
  classes: u32,
  first: u32,
  length: u32,
  // The ignored label's bits, if there is one.
  ignores: u32,
  ignored: u32,
  x_base: u32,
  x_image: u32,
  x_class: u32,
  labels_base: u32,
  losses_base: u32,
  counts_base: u32,
  // From one image to the next of all but x.
  image: u32,
  // The bits of NaN, which compilers may not make.
  outside: u32,
}

@group(0) @binding(0) var<storage, read> x: array<T>;
@group(0) @binding(1) var<storage, read> labels: array<L>;
@group(0) @binding(2) var<storage, read_write> losses: array<T>;
@group(0) @binding(3) var<storage, read_write> counts: array<T>;
@group(0) @binding(4) var<uniform> params: Params;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let at = (group.y * groups.x + group.x) * 64 + lane;
  let p = at % params.places;
  let n = at / params.places;
  if (n >= params.images) {
    return;
  }
  let place = n * params.image + p;
  let label = u32(labels[params.labels_base + place]);
  let ignored = params.ignores != 0 && label == params.ignored;
  let outside = label >= params.classes;
  // Below first, it wraps around to a large number.
  let class_at = label - params.first;
  var loss = T(bitcast<f32>(params.outside));
  if (ignored) {
    loss = T(0);
  }
  if (ignored || outside) {
    if (params.first > 0) {
      return;
    }
  } else {
    if (class_at >= params.length) {
      return;
    }
    loss = -x[
      params.x_base + n * params.x_image + class_at * params.x_class + p
    ];
  }
  losses[params.losses_base + place] = loss;
  counts[params.counts_base + place] = select(T(1), T(0), ignored);
}
