// y[i] = chain(x0[i], x1[i], ...) by fours
//
// x0, x1, ..., y: [4 * count], each from a first element that is a multiple
// of 4, or operands of one element. Y (the element type as written) and
// chain_at, which reads the operands and computes four elements, are appended
// by the launch plan, with the operands' bindings.
//
// The sum: none; the chain's steps are applied once an element.
//
// Tiling: an invocation owns four neighbours, read and written as vectors.
// What a step gives the next stays in registers.
//
// Edges: invocations past the last vector stop. Counts that are no multiple
// of 4 take chain.wgsl.

struct Params {
  firsts: array<vec4u, 2>, // of the operands, in vectors
  y_first: u32,
  count: u32, // in vectors
}

@group(0) @binding(0) var<storage, read_write> y: array<vec4<Y>>;
@group(0) @binding(1) var<uniform> params: Params;

@compute @workgroup_size(256)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let i = (group.y * groups.x + group.x) * 256u + lane;
  if (i >= params.count) {
    return;
  }
  y[params.y_first + i] = vec4<Y>(chain_at(i));
}
