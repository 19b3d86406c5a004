// x: contiguous -> y: contiguous, the same number of elements
//
// y[i] = convert(x[i])
//
// No sum.
//
// Tiling: one invocation owns PER elements, a workgroup's width apart, so
// that neighbouring invocations touch neighbouring elements.
//
// Edges: elements past `count` are skipped.
//
// Appended: alias S (elements of x), alias D (elements of y) and
// fn convert(value: S) -> D.

struct Params {
  count: u32,
  x_base: u32,
  y_base: u32,
}

override PER: u32 = 4u;

@group(0) @binding(0) var<storage, read> x: array<S>;
@group(0) @binding(1) var<storage, read_write> y: array<D>;
@group(0) @binding(2) var<uniform> params: Params;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let first = (group.y * groups.x + group.x) * 64u * PER + lane;
  for (var n = 0u; n < PER; n++) {
    let i = first + n * 64u;
    if (i < params.count) {
      y[params.y_base + i] = convert(x[params.x_base + i]);
    }
  }
}
