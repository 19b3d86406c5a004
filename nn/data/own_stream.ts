/** Random numbers of one example's own, whenever its turn comes. */
import {
  type RandomState,
  randomState,
  setRandomState,
} from "../../core/runtime.ts";
import { counterWords, philox4x32 } from "../../wgsl/random/philox.ts";

/** Tells the blocks that keys are made of from those that numbers are drawn from, which have 0 here. */
const KEYS = 1;

/** The random stream of draw number `draw`, which follows from that and the seed alone. */
export function streamOf(draw: number): RandomState {
  const [a, b] = philox4x32(
    [...counterWords(draw), KEYS, 0],
    randomState().key,
  );
  return { key: [a, b], counter: 0 };
}

/** Calls a function that draws from a stream, while the common one stands still. */
export function drawingFrom<T>(stream: RandomState, body: () => T): T {
  const common = randomState();
  setRandomState(stream);
  try {
    return body();
  } finally {
    setRandomState(common);
  }
}
