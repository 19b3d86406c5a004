// dy, x, d: [batch, channels, space] -> dx: the same
//
// dx = dy / d^beta - 2 * alpha * beta / SIZE * x * sum over j of t[n, j, s],
// t = dy * x / d^(beta + 1), j = c - (SIZE - 1) / 2 .. c + SIZE / 2: the
// channels in whose windows c is
//
// Sum: the channels in order.
//
// Tiling: one invocation owns RUN channels of one position and computes RUN +
// SIZE - 1 values of t and of 1 / d^(beta + 1), each once, into registers;
// neighbours own neighbouring positions. RUN is 1 in the naive variant. Reads
// per output: 3 * (RUN + SIZE - 1) / RUN + 3.
//
// Edges: channels outside the tensor count as 0; invocations past the runs
// stop, and the last run of a part leaves out the channels past it.
//
// Appended: alias T (elements) and D (denominators), const SIZE, RUN, BETA and
// FACTOR (2 * alpha * beta / SIZE).

struct Params {
  batch: u32,
  part: u32, // channels of this launch
  space: u32,
  channels: u32, // of the tensor
  start: u32, // first channel of this launch
  first: u32, // first channel in the windows of what is read
  dy_base: u32,
  x_base: u32,
  d_base: u32,
  dx_base: u32,
}

const WORKGROUP = 64u;
const BEFORE = (SIZE - 1u) / 2u;

@group(0) @binding(0) var<storage, read> dy: array<T>;
@group(0) @binding(1) var<storage, read> x: array<T>;
@group(0) @binding(2) var<storage, read> d: array<D>;
@group(0) @binding(3) var<storage, read_write> dx: array<T>;
@group(0) @binding(4) var<uniform> params: Params;

// Place of a channel's element in what is read.
fn place(n: u32, c: u32, s: u32) -> u32 {
  return (n * params.channels + c - params.first) * params.space + s;
}

// Place of a channel's element in what this launch writes.
fn written(n: u32, c: u32, s: u32) -> u32 {
  return (n * params.channels + c - params.start) * params.space + s;
}

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let id = (group.y * groups.x + group.x) * WORKGROUP + lane;
  let runs = (params.part + RUN - 1u) / RUN;
  if (id >= params.batch * runs * params.space) {
    return;
  }
  let s = id % params.space;
  let c0 = id / params.space % runs * RUN;
  let n = id / params.space / runs;
  var terms: array<f32, RUN + SIZE - 1u>;
  var powers: array<f32, RUN + SIZE - 1u>;
  for (var i = 0u; i < RUN + SIZE - 1u; i++) {
    // Counted from BEFORE channels ahead, so that no number is negative.
    let c = params.start + c0 + i;
    terms[i] = 0.0;
    powers[i] = 0.0;
    if (c >= BEFORE && c < params.channels + BEFORE) {
      let at = place(n, c - BEFORE, s);
      powers[i] = pow(f32(d[params.d_base + at]), -BETA - 1.0);
      terms[i] = f32(dy[params.dy_base + at]) * f32(x[params.x_base + at]) *
        powers[i];
    }
  }
  for (var r = 0u; r < RUN; r++) {
    if (c0 + r < params.part) {
      var sum = 0.0;
      for (var i = 0u; i < SIZE; i++) {
        sum += terms[r + i];
      }
      let c = params.start + c0 + r;
      let at = place(n, c, s);
      dx[params.dx_base + written(n, c, s)] = T(
        f32(dy[params.dy_base + at]) * f32(d[params.d_base + at]) *
          powers[r + BEFORE] - FACTOR * f32(x[params.x_base + at]) * sum,
      );
    }
  }
}
