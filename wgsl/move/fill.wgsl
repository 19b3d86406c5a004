// -> y: any shape, contiguous
//
// y[i] = value
//
// No sum.
//
// Tiling: one invocation owns PER elements, a workgroup's width apart, so
// that neighbouring invocations write neighbouring elements.
//
// Edges: elements past `count` are skipped. The value comes as bits, so that
// NaN and infinities, which WGSL has no literals for, need nothing special.
//
// Appended: alias T (elements as bits) and fn from_bits(bits: u32) -> T.

struct Params {
  count: u32,
  bits: u32,
}

override PER: u32 = 1u;

@group(0) @binding(0) var<storage, read_write> y: array<T>;
@group(0) @binding(1) var<uniform> params: Params;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let first = (group.y * groups.x + group.x) * 64u * PER + lane;
  let value = from_bits(params.bits);
  for (var n = 0u; n < PER; n++) {
    let i = first + n * 64u;
    if (i < params.count) {
      y[i] = value;
    }
  }
}
