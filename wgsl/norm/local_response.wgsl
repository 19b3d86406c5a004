// x: [batch, channels, space] -> y, d: the same
//
// d[n, c, s] = k + alpha / SIZE * sum over j of x[n, j, s]^2,
// j = c - SIZE / 2 .. c + (SIZE - 1) / 2; y = x / d^beta
//
// Sum: the window's channels in order.
//
// Tiling: one invocation owns RUN channels of one position and reads RUN +
// SIZE - 1 values, each once, into registers; neighbours own neighbouring
// positions. RUN is 1 in the naive variant. Reads per output:
// (RUN + SIZE - 1) / RUN.
//
// Edges: channels outside the tensor count as 0; invocations past the runs
// stop, and the last run of a part leaves out the channels past it.
//
// Appended: alias T (elements) and D (denominators), const SIZE, RUN, K,
// SHARE (alpha / SIZE) and BETA.

struct Params {
  batch: u32,
  part: u32, // channels of this launch
  space: u32,
  channels: u32, // of the tensor
  start: u32, // first channel of this launch
  first: u32, // first channel in the windows of what is read
  x_base: u32,
  y_base: u32,
  d_base: u32,
}

const WORKGROUP = 64u;
const BEFORE = SIZE / 2u;

@group(0) @binding(0) var<storage, read> x: array<T>;
@group(0) @binding(1) var<storage, read_write> y: array<T>;
@group(0) @binding(2) var<storage, read_write> d: array<D>;
@group(0) @binding(3) var<uniform> params: Params;

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
  var values: array<f32, RUN + SIZE - 1u>;
  for (var i = 0u; i < RUN + SIZE - 1u; i++) {
    // Counted from BEFORE channels ahead, so that no number is negative.
    let c = params.start + c0 + i;
    values[i] = 0.0;
    if (c >= BEFORE && c < params.channels + BEFORE) {
      values[i] = f32(x[params.x_base + place(n, c - BEFORE, s)]);
    }
  }
  for (var r = 0u; r < RUN; r++) {
    if (c0 + r < params.part) {
      var sum = 0.0;
      for (var i = 0u; i < SIZE; i++) {
        sum += values[r + i] * values[r + i];
      }
      let divisor = K + SHARE * sum;
      let at = written(n, params.start + c0 + r, s);
      y[params.y_base + at] = T(values[r + BEFORE] * pow(divisor, -BETA));
      d[params.d_base + at] = D(divisor);
    }
  }
}
