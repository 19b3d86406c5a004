// dx[n, c, p] = -dy[n, p] where labels[n, p] is c and not `ignored`, else 0
// dy, labels: [N, P] -> dx: [N, C, P]
//
// No sum.
//
// Tiling: one invocation owns an element of dx; neighbours along it.
//
// Edges: labels outside of all classes, negative ones too, are no class.
//
// Appended: alias T (f32 or f16) and alias L (i32 or u32).

struct Params {
  images: u32,
  classes: u32,
  places: u32,
  // The first class of this launch.
  first: u32,
  // The ignored label's bits, if there is one.
  ignores: u32,
  ignored: u32,
  dy_base: u32,
  labels_base: u32,
  dx_base: u32,
  // From one image to the next, and from one class of dx to the next.
  image: u32,
  dx_image: u32,
  dx_class: u32,
}

@group(0) @binding(0) var<storage, read> dy: array<T>;
@group(0) @binding(1) var<storage, read> labels: array<L>;
@group(0) @binding(2) var<storage, read_write> dx: array<T>;
@group(0) @binding(3) var<uniform> params: Params;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let at = (group.y * groups.x + group.x) * 64 + lane;
  let p = at % params.places;
  let rest = at / params.places;
  let c = rest % params.classes;
  let n = rest / params.classes;
  if (n >= params.images) {
    return;
  }
  let place = n * params.image + p;
  let label = u32(labels[params.labels_base + place]);
  let ignored = params.ignores != 0 && label == params.ignored;
  var value = T(0);
  if (!ignored && label == params.first + c) {
    value = -dy[params.dy_base + place];
  }
  dx[params.dx_base + n * params.dx_image + c * params.dx_class + p] = value;
}
