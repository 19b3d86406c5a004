// x: [batch, channels, space] -> y: the same
//
// y[n, c, s] = sum over j of x[n, j, s],
// j = c - BEFORE .. c - BEFORE + SIZE - 1
//
// Sum: the channels in order.
//
// Tiling: one invocation owns RUN channels of one position and reads RUN +
// SIZE - 1 values, each once, into registers; neighbours own neighbouring
// positions. RUN is 1 in the naive variant.
//
// Edges: channels outside the tensor count as 0; invocations past the runs
// stop, and the last run of a part leaves out the channels past it.
//
// Appended: alias T (elements), const SIZE, BEFORE and RUN.

struct Params {
  batch: u32,
  part: u32, // channels of this launch
  space: u32,
  channels: u32, // of the tensor
  start: u32, // first channel of this launch
  first: u32, // first channel in the windows of what is read
  x_base: u32,
  y_base: u32,
}

const WORKGROUP = 64u;

@group(0) @binding(0) var<storage, read> x: array<T>;
@group(0) @binding(1) var<storage, read_write> y: array<T>;
@group(0) @binding(2) var<uniform> params: Params;

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
        sum += values[r + i];
      }
      y[params.y_base + written(n, params.start + c0 + r, s)] = T(sum);
    }
  }
}
