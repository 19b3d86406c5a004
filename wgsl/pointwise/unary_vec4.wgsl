// y[i] = op(a[i]) for contiguous operands, by fours
//
// a, y: [4 * count], each from a first element that is a multiple of 4.
// A, X and Y (element types as stored, computed and written) and op are
// appended by the launch plan.
//
// The sum: none; op is applied once an element.
//
// Tiling: an invocation owns four neighbours, read and written as one vector.
// Nothing is staged; one read an element.
//
// Edges: invocations past the last vector stop. Counts that are no multiple
// of 4 take another kernel.

struct Params {
  args: vec4u, // numbers for op
  a_first: u32,
  y_first: u32,
  count: u32, // in vectors, like the firsts
}

@group(0) @binding(0) var<storage, read> a: array<vec4<A>>;
@group(0) @binding(1) var<storage, read_write> y: array<vec4<Y>>;
@group(0) @binding(2) var<uniform> params: Params;

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
  let a_four = vec4<X>(a[params.a_first + i]);
  y[params.y_first + i] = vec4<Y>(
    Y(op(a_four.x)),
    Y(op(a_four.y)),
    Y(op(a_four.z)),
    Y(op(a_four.w)),
  );
}
