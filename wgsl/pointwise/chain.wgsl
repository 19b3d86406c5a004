// y[i] = chain(x0[i], x1[i], ...) for operands of one size or one element
//
// x0, x1, ..., y: [count]. Y (the element type as written) and chain_at,
// which reads the operands and computes an element, are appended by the
// launch plan, with the operands' bindings.
//
// The sum: none; the chain's steps are applied once an element.
//
// Tiling: an invocation owns one element. What a step gives the next stays
// in registers; one read an operand and element.
//
// Edges: invocations past the last element stop.

struct Params {
  firsts: array<vec4u, 2>, // of the operands
  y_first: u32,
  count: u32,
}

@group(0) @binding(0) var<storage, read_write> y: array<Y>;
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
  y[params.y_first + i] = Y(chain_at(i));
}
