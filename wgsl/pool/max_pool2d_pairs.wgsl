// y[n, c, oh, ow] = max over i < 2, j < 2 of x[n, c, 2 * oh + i, 2 * ow + j]
// indices[n, c, oh, ow] = h * W + w of that element
// x: [N, C, H, W], y, indices: [N, C, H / 2, W / 2], W a multiple of 4.
//
// The maximum: NaN is larger than everything, the last of several counts, and
// the first among other equals.
//
// Tiling: one invocation owns two neighbouring outputs, whose windows are two
// vectors of x. An element is read once.
//
// Edges: invocations past the last pair stop. H is even.

struct Params {
  count: u32,
  x_base: u32,
  y_base: u32,
  indices_base: u32,
  out_height: u32,
  // Of a row of x, and so pairs of a row of outputs.
  vectors: u32,
}

@group(0) @binding(0) var<storage, read> x: array<vec4<T>>;
@group(0) @binding(1) var<storage, read_write> y: array<vec2<T>>;
@group(0) @binding(2) var<storage, read_write> indices: array<vec2i>;
@group(0) @binding(3) var<uniform> params: Params;

fn is_nan(v: f32) -> bool {
  return (bitcast<u32>(v) & 0x7fffffffu) > 0x7f800000u;
}

// Whether a later element takes the place of the best so far.
fn wins(v: f32, best: f32) -> bool {
  return is_nan(v) || (v > best && !is_nan(best));
}

// The position, in a window of four in order, of its maximum.
fn best_of(a: f32, b: f32, c: f32, d: f32) -> u32 {
  let ab = select(a, b, wins(b, a));
  let abc = select(ab, c, wins(c, ab));
  let upper = select(0u, 1u, wins(b, a));
  let three = select(upper, 2u, wins(c, ab));
  return select(three, 3u, wins(d, abc));
}

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let at = (group.y * groups.x + group.x) * 64u + lane;
  if (at >= params.count) {
    return;
  }
  let line = at / params.vectors;
  let column = at - line * params.vectors;
  let first = params.x_base / 4u + 2u * line * params.vectors + column;
  let top = vec4f(x[first]);
  let bottom = vec4f(x[first + params.vectors]);
  let left = best_of(top.x, top.y, bottom.x, bottom.y);
  let right = best_of(top.z, top.w, bottom.z, bottom.w);
  let width = 4u * params.vectors;
  let row = 2u * (line % params.out_height);
  let window = row * width + 4u * column;
  let rows = vec4f(top.xy, bottom.xy);
  let others = vec4f(top.zw, bottom.zw);
  y[params.y_base / 2u + at] = vec2<T>(T(rows[left]), T(others[right]));
  indices[params.indices_base / 2u + at] = vec2i(
    i32(window + (left >> 1u) * width + (left & 1u)),
    i32(window + 2u + (right >> 1u) * width + (right & 1u)),
  );
}
