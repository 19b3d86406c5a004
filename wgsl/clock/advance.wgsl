// moves: [m], table: [rows, width], state, words: [n] -> state, words
// (all but the state are vectors of four words)
//
// words[place] = (key, counter + offset)   moves 0 to draws - 1
// words[place] = table[step, column]       the other moves
// counter += blocks, step += 1
//
// No sum.
//
// Tiling: one workgroup, so that all have read the state before its first
// invocation writes what comes next. An invocation owns every 64th move: a
// read of the move, for the table's moves one more, and a write.
//
// Edges: no two moves have the same place. Counters are of 64 bits, low word
// first, and go on at 0 after the last. The step is that of a row of the
// table: whoever fills it sees to that.

struct Params {
  // Words that are added to the counter, low and high.
  blocks: vec2u,
  moves: u32,
  draws: u32,
  // Vectors of a row.
  width: u32,
}

struct State {
  key: vec2u,
  counter: vec2u,
  step: u32,
}

struct Move {
  place: u32,
  column: u32,
  offset: vec2u,
}

@group(0) @binding(0) var<storage, read> moves: array<Move>;
@group(0) @binding(1) var<storage, read> table: array<vec4u>;
@group(0) @binding(2) var<storage, read_write> state: State;
@group(0) @binding(3) var<storage, read_write> words: array<vec4u>;
@group(0) @binding(4) var<uniform> params: Params;

fn add_wide(a: vec2u, b: vec2u) -> vec2u {
  let low = a.x + b.x;
  return vec2u(low, a.y + b.y + select(0u, 1u, low < b.x));
}

@compute @workgroup_size(64)
fn main(@builtin(local_invocation_index) lane: u32) {
  let now = state;
  let row = now.step * params.width;
  for (var i = lane; i < params.moves; i += 64u) {
    let one = moves[i];
    if (i < params.draws) {
      words[one.place] = vec4u(now.key, add_wide(now.counter, one.offset));
    } else {
      words[one.place] = table[row + one.column];
    }
  }
  workgroupBarrier();
  if (lane == 0u) {
    state.counter = add_wide(now.counter, params.blocks);
    state.step = now.step + 1u;
  }
}
