/**
 * Memory for time: what a graph holds for long is freed after its first uses and computed again before the next ones, until no step holds more than a limit.
 *
 * In a training step that is what forward leaves for backward. Which values are freed is chosen greedily, as in Kirisame et al. 2021, "Dynamic Tensor
 * Rematerialization" (arXiv:2006.09616): the one that frees most of what is too much for the time that it costs. Here the whole graph is known beforehand, so that
 * the bytes count in the steps alone that hold too much. What has been computed again may be freed again, and what its own computation reads is computed again
 * as well where it is gone, so that long chains fall into parts as in Chen et al. 2016, "Training Deep Nets with Sublinear Memory Cost" (arXiv:1604.06174).
 */
import {
  type Cell,
  computedCell,
  coversCell,
  type GraphCall,
  type Place,
  Uses,
} from "./graph.ts";

/** A call and what running it takes. */
export interface Step {
  readonly call: GraphCall;
  /** Bytes of each piece of scratch memory. */
  readonly scratch: readonly number[];
  /** Time, in any unit. */
  readonly cost: number;
}

/** A part of what a freed value's computation reads may stay alive instead, if it is this much smaller. */
const SMALL = 16;

/** Calls that are run again for one value at most. */
const LONGEST = 24;

/**
 * The steps of a run, some of them more than once, so that temporaries and scratch memory take no more than `limit` bytes at any step, or as little beyond
 * that as was found.
 *
 * @param temporary Whether a cell is a temporary of the run: what else there is takes no part.
 */
export function recompute(
  given: readonly Step[],
  temporary: (cell: Cell) => boolean,
  limit: number,
): readonly Step[] {
  let steps = given;
  let lives = new Lives(steps, temporary, limit);
  /** What has been tried in vain. */
  const vain = new Set<string>();
  while (lives.excess > 0) {
    const best = lives.candidates(vain).reduce<Candidate | undefined>(
      (best, one) => best && best.score >= one.score ? best : one,
      undefined,
    );
    if (!best) break;
    const next = withAgain(steps, best);
    const nextLives = new Lives(next, temporary, limit);
    if (nextLives.excess < lives.excess) [steps, lives] = [next, nextLives];
    else vain.add(nameOf(best, steps));
  }
  return steps;
}

/** A cell that may be freed before the step `until`, and the calls that compute it again there. */
interface Candidate {
  readonly cell: Cell;
  readonly until: number;
  /** Positions of the calls, in order. */
  readonly again: readonly number[];
  readonly score: number;
}

/** Tells what is tried from other things, whatever is inserted meanwhile. */
function nameOf({ cell, until, again }: Candidate, steps: readonly Step[]) {
  const ids = again.map((i) => steps[i].call.outputs[0].cell.id);
  return `${cell.id} ${steps[until].call.outputs[0]?.cell.id} ${ids}`;
}

/** From when to when each temporary is needed, and what that comes to. */
class Lives {
  /** Bytes times steps beyond the limit. */
  readonly excess: number;
  /** Steps that read or write each temporary. */
  readonly #used = new Map<Cell, number[]>();
  readonly #writer = new Map<Cell, number>();
  /** Steps that write what isn't a temporary, such as an optimiser's. */
  readonly #changes = new Map<Cell, number[]>();
  readonly #over: readonly number[];
  readonly #steps: readonly Step[];
  readonly #uses: Uses;
  readonly #temporary: (cell: Cell) => boolean;

  constructor(
    steps: readonly Step[],
    temporary: (cell: Cell) => boolean,
    limit: number,
  ) {
    this.#steps = steps;
    this.#temporary = temporary;
    const calls = steps.map(({ call }) => call);
    this.#uses = new Uses({ inputs: [], calls, outputs: [] });
    calls.forEach(({ inputs, outputs }, at) => {
      for (const { cell } of outputs) {
        if (temporary(cell)) this.#writer.set(cell, at);
        else append(this.#changes, cell, at);
      }
      for (const { cell } of [...inputs, ...outputs]) {
        if (temporary(cell)) append(this.#used, cell, at);
      }
    });
    const held = steps.map(({ scratch }) =>
      scratch.reduce((sum, bytes) => sum + bytes, 0)
    );
    for (const [cell, used] of this.#used) {
      for (let at = used[0]; at <= used.at(-1)!; at++) held[at] += cell.bytes;
    }
    this.#over = held.map((bytes) => Math.max(0, bytes - limit));
    this.excess = this.#over.reduce((sum, bytes) => sum + bytes, 0);
  }

  /** What can be freed where most is held. */
  candidates(vain: ReadonlySet<string>): Candidate[] {
    const peak = this.#over.indexOf(Math.max(...this.#over));
    const found: Candidate[] = [];
    for (const [cell, used] of this.#used) {
      const next = used.findIndex((at) => at >= peak);
      // It must lie idle at the peak.
      if (next < 1 || used[next] === peak) continue;
      const one = this.#candidate(cell, used[next - 1], used[next]);
      if (one && !vain.has(nameOf(one, this.#steps))) found.push(one);
    }
    return found;
  }

  /** What frees a cell between two uses, if anything can. */
  #candidate(cell: Cell, from: number, until: number): Candidate | undefined {
    const again = new Set<number>();
    let gain = 0;
    for (let at = from + 1; at < until; at++) {
      gain += Math.min(cell.bytes, this.#over[at]);
    }
    const small = cell.bytes / SMALL;
    const gather = (wanted: Cell): boolean => {
      const writer = this.#writer.get(wanted);
      if (writer === undefined || !this.#canRunAgain(writer, until)) {
        return false;
      }
      if (again.has(writer)) return true;
      if (again.size === LONGEST) return false;
      again.add(writer);
      return this.#steps[writer].call.inputs.every(({ cell: read }) => {
        const last = this.#used.get(read)?.at(-1);
        if (last === undefined || last >= until) return true;
        if (read.bytes > small) {
          gain -= this.#over[until] > 0 ? read.bytes : 0;
          return gather(read);
        }
        for (let at = last + 1; at <= until; at++) {
          gain -= Math.min(read.bytes, this.#over[at]);
        }
        return true;
      });
    };
    if (!gather(cell) || gain <= 0) return undefined;
    const order = [...again].sort((a, b) => a - b);
    const cost = order.reduce((sum, i) => sum + this.#steps[i].cost, 1);
    return { cell, until, again: order, score: gain / cost };
  }

  /** Whether a call gives the same once more before a later step. */
  #canRunAgain(at: number, until: number): boolean {
    const { op, inputs, outputs } = this.#steps[at].call;
    const whole = !op.inPlace &&
      outputs.every((y) =>
        this.#temporary(y.cell) && this.#uses.writtenOnce(y.cell) &&
        coversCell(y)
      );
    return whole &&
      inputs.every(({ cell }) =>
        this.#temporary(cell)
          ? this.#uses.writtenOnce(cell)
          : this.#changes.get(cell)?.every((i) => i < at || i >= until) ?? true
      );
  }
}

/** The steps with some of them once more before a later one. Who reads what they compute from there on reads the new values. */
function withAgain(
  steps: readonly Step[],
  { until, again }: Candidate,
): Step[] {
  const fresh = new Map<Cell, Cell>();
  const renewed = (place: Place): Place => {
    const cell = fresh.get(place.cell);
    return cell ? { ...place, cell } : place;
  };
  const copies = again.map((i): Step => {
    const { call } = steps[i];
    const inputs = call.inputs.map(renewed);
    for (const { cell } of call.outputs) {
      fresh.set(cell, computedCell(cell.meta));
    }
    const outputs = call.outputs.map(renewed);
    return { ...steps[i], call: { ...call, inputs, outputs, again: true } };
  });
  return [
    ...steps.slice(0, until),
    ...copies,
    ...steps.slice(until).map((step): Step => {
      const { call } = step;
      return call.inputs.some(({ cell }) => fresh.has(cell))
        ? { ...step, call: { ...call, inputs: call.inputs.map(renewed) } }
        : step;
    }),
  ];
}

function append<K>(map: Map<K, number[]>, key: K, at: number): void {
  const list = map.get(key);
  if (!list) map.set(key, [at]);
  else if (list.at(-1) !== at) list.push(at);
}
