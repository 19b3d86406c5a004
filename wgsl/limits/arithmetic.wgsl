// y[i] = the sum of 16 chains x ← x·factor + term, each TRIPS·4 long.
//
// Not a useful result: it measures how many multiply-adds the adapter does in
// a second when nothing else is in their way.
//
// Tiling: an invocation keeps its 16 chains in four vec4s. They don't depend
// on each other, so that the unit is never waiting for its own result. No
// reads, one write for 64·TRIPS multiply-adds.
//
// Edges: none. The grid has exactly one invocation an element of y.

struct Params {
  factor: f32,
  term: f32,
}

@group(0) @binding(0) var<storage, read_write> y: array<f32>;
@group(0) @binding(1) var<uniform> params: Params;

override TRIPS: u32 = 512u;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) wid: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lid: u32,
) {
  let i = (wid.y * groups.x + wid.x) * 64u + lid;
  let f = vec4f(params.factor);
  let t = vec4f(params.term);
  var a = vec4f(f32(i));
  var b = a + 1.0;
  var c = a + 2.0;
  var d = a + 3.0;
  for (var trip = 0u; trip < TRIPS; trip++) {
    a = a * f + t;
    b = b * f + t;
    c = c * f + t;
    d = d * f + t;
    a = a * f + t;
    b = b * f + t;
    c = c * f + t;
    d = d * f + t;
    a = a * f + t;
    b = b * f + t;
    c = c * f + t;
    d = d * f + t;
    a = a * f + t;
    b = b * f + t;
    c = c * f + t;
    d = d * f + t;
  }
  let sum = a + b + c + d;
  y[i] = sum.x + sum.y + sum.z + sum.w;
}
