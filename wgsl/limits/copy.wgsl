// y[i] = x[i], n elements.
//
// Measures how many bytes the adapter moves in a second. Element is appended:
// f32 or vec4f, as adapters differ in which they move faster.
//
// Tiling: one invocation an element, neighbours next to each other.
//
// Edges: none. n is a multiple of the workgroup and the grid holds it exactly.

@group(0) @binding(0) var<storage, read> x: array<Element>;
@group(0) @binding(1) var<storage, read_write> y: array<Element>;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) wid: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lid: u32,
) {
  let i = (wid.y * groups.x + wid.x) * 64u + lid;
  y[i] = x[i];
}
