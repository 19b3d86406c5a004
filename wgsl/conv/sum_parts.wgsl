// dw[g, k, e] = sum over q < parts of partial[q, g, k, e]
// partial: [parts, G, K, C * R * S] in f32 -> dw: some of [G, K, C * R * S]
//
// The sum: in the order of the parts, so that it comes out the same each time.
//
// Tiling: one invocation owns one element of dw; neighbours along it.
//
// Edges: no parts give 0. T, the element type, is appended by the launch plan.

struct Params {
  parts: u32,
  groups: u32,
  filters: u32,
  // Elements of a filter that are written.
  run: u32,
  // Where dw starts in its window, and elements to the next group or filter.
  dw_base: u32,
  dw_group: u32,
  dw_filter: u32,
}

@group(0) @binding(0) var<storage, read> partial: array<f32>;
@group(0) @binding(1) var<storage, read_write> dw: array<T>;
@group(0) @binding(2) var<uniform> params: Params;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let at = (group.y * groups.x + group.x) * 64 + lane;
  let e = at % params.run;
  let k = at / params.run % params.filters;
  let g = at / (params.run * params.filters);
  if (g >= params.groups) {
    return;
  }
  let count = params.run * params.filters * params.groups;
  var sum = 0.0;
  for (var q = 0u; q < params.parts; q++) {
    sum += partial[q * count + at];
  }
  dw[params.dw_base + g * params.dw_group + k * params.dw_filter + e] = T(sum);
}
