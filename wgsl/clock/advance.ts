/**
 * What changes between two runs of a plan that nobody looks after: counters go on, and words of launches' params that follow from them are written anew.
 *
 * All of it is words, u32, in vectors of four: random kernels' params begin with one of key and counter (see philox.ts), and optimisers' end with those of
 * their rule, which stand in a table for many steps in advance.
 */
import { DTypeError, ShapeError } from "../errors.ts";
import { bindWhole, words } from "../launch.ts";
import type { HostData, Op } from "../op.ts";
import { formatShape } from "../shape.ts";
import { counterWords } from "../random/philox.ts";
import code from "./advance.wgsl" with { type: "text" };

const kernel = { label: "wgsl/clock/advance.wgsl", code };

/** Invocations of the workgroup, as written in the kernel. */
const WORKGROUP = 64;

/** Words of the state: the stream's key and counter, the step, and one that isn't used. */
export const STATE_WORDS = 6;

/** How a run goes on. */
export interface AdvanceAttrs {
  /** Moves that write a place in the random stream. They are the first; the others write vectors of the table. */
  readonly draws: number;
  /** Blocks of the random stream that a run uses up. */
  readonly blocks: number;
}

/** A move that writes the key, and the counter with an offset. */
export function drawMove(place: number, offset: number): number[] {
  return [place, 0, ...counterWords(offset)];
}

/** A move that writes a vector of the present step's row. */
export function tableMove(place: number, column: number): number[] {
  return [place, column, 0, 0];
}

/** The state: where the random stream goes on, and which row comes next. */
export function stateWords(
  key: readonly [number, number],
  counter: number,
  step: number,
): number[] {
  return [...key, ...counterWords(counter), step, 0];
}

/**
 * Writes what the state says into the places that the moves name, and moves the state on by a run.
 *
 * `moves: [m, 4], table: [rows, width, 4], state: [6], words: [n, 4] → state, words`, all u32 and both in place.
 */
export const advance: Op<AdvanceAttrs> = {
  name: "advance",
  inPlace: [2, 3],
  volatile: true,
  infer([moves, table, state, places]) {
    for (const { dtype } of [moves, table, state, places]) {
      if (dtype === "u32") continue;
      throw new DTypeError(`Cannot advance ${dtype}: expected u32`, [dtype]);
    }
    const shapes = [moves.shape, table.shape, state.shape, places.shape];
    const [m, t, s, w] = shapes;
    const vectors = m.length === 2 && t.length === 3 && w.length === 2 &&
      m[1] === 4 && t[2] === 4 && w[1] === 4;
    if (!vectors || s.length !== 1 || s[0] !== STATE_WORDS) {
      throw new ShapeError(
        `Cannot advance ${
          shapes.map(formatShape).join(", ")
        }: expected [m, 4], [rows, width, 4], [${STATE_WORDS}], [n, 4]`,
        shapes,
      );
    }
    return [state, places];
  },
  variants: [{
    name: "naive",
    plan({ inputs: [moves, table, state, places], attrs }) {
      const [count] = moves.shape;
      const { draws, blocks } = attrs;
      return {
        launches: [{
          kernel,
          bindings: [
            bindWhole("input", 0, "read", moves),
            bindWhole("input", 1, "read", table),
            bindWhole("output", 0, "write", state),
            bindWhole("output", 1, "write", places),
          ],
          params: words(
            ...counterWords(blocks),
            count,
            draws,
            table.shape[1],
          ),
          workgroups: [1, 1, 1],
          trips: Math.ceil(count / WORKGROUP),
          flops: 0,
          bytes: 48 * count,
        }],
      };
    },
  }],
  reference([moves, table, state, places], [after, written], attrs) {
    const [, width] = table.shape;
    const [k0, k1, low, high, step] = state.data;
    const counter: Wide = [low, high];
    written.data.set(places.data);
    for (let i = 0; i < moves.shape[0]; i++) {
      const [place, column, ...offset] = vectorAt(moves.data, i);
      const row = step * width + column;
      const vector = i < attrs.draws
        ? [k0, k1, ...addWide(counter, offset as Wide)]
        : vectorAt(table.data, row);
      written.data.set(vector, 4 * place);
    }
    const next = addWide(counter, counterWords(attrs.blocks));
    after.data.set([k0, k1, ...next, step + 1]);
  },
};

/** A number of 64 bits: low word, high word. */
type Wide = [number, number];

function addWide([aLow, aHigh]: Wide, [bLow, bHigh]: Wide): Wide {
  const low = aLow + bLow;
  const carry = low >= 2 ** 32 ? 1 : 0;
  return [low >>> 0, (aHigh + bHigh + carry) >>> 0];
}

function vectorAt(data: HostData, index: number): number[] {
  return Array.from(data.subarray(4 * index, 4 * index + 4));
}
