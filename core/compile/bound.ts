/**
 * Keeping a program within bytes: first rearranged weights are given up, then optimisers step as soon as they can, then what lies idle for long is freed and
 * computed again.
 */
import type { Launch } from "../../wgsl/op.ts";
import { stepEarly } from "./early_steps.ts";
import type { Cell } from "./graph.ts";
import { needsOf } from "./lifetimes.ts";
import { shareMemory } from "./memory.ts";
import type { Program } from "./program.ts";
import { recompute, type Step } from "./recompute.ts";

/** Operations that take about as long as moving one byte. */
const FLOPS_PER_BYTE = 8;

/** Buffers that fit those who share them more or less take more than is needed at once: limits that are tried, each this part of the one before. */
const LIMITS = 60;
const LOWER = 0.95;

/** A way to run a program, the bytes that its temporaries take, and its time in any unit. */
interface Found {
  readonly steps: readonly Step[];
  readonly bytes: number;
  readonly cost: number;
}

/** Bytes that a program holds between runs. */
export function heldBytes({ memory }: Program): number {
  return memory.temporaryBytes + memory.constantBytes;
}

/** The program, or another one that computes the same with fewer bytes. Where none was found within `maxBytes` it is the smallest of them. Takes the program over. */
export function within(program: Program, maxBytes: number): Program {
  let best = program;
  const offer = (other: Program): void => {
    const better = heldBytes(other) < heldBytes(best);
    (better ? best : other).dispose();
    if (better) best = other;
  };
  const tooLarge = () => heldBytes(best) > maxBytes;
  if (tooLarge()) offer(best.again({ rearranges: false }));
  if (!tooLarge()) return best;
  const early = stepEarly(best.calls);
  if (early.length > best.calls.length) offer(best.again({}, early));
  if (!tooLarge()) return best;
  const steps = fewerBytes(best, maxBytes - best.memory.constantBytes);
  offer(best.again({}, steps.map(({ call }) => call)));
  return best;
}

/**
 * The steps of a run that computes again what it frees, so that its temporaries take no more than some bytes, or as few as was found. Limit by limit, each time
 * from where it stood and each time from the beginning: either may be the cheaper way.
 */
function fewerBytes(program: Program, bytes: number): readonly Step[] {
  const { calls, info, scratch } = program;
  const steps = calls.map((call, i): Step => ({
    call,
    scratch: scratch[i],
    cost: costOf(info[i].launches),
  }));
  const lasting = new Set(
    steps.flatMap(cellsIn).filter((cell) => !program.isTemporary(cell)),
  );
  const isTemporary = (cell: Cell) => !lasting.has(cell);
  const found: Found[] = [];
  const offer = (steps: readonly Step[]): Found => {
    const taken = dealtBytes(steps, isTemporary);
    const cost = steps.reduce((sum, step) => sum + step.cost, 0);
    found.push({ steps, bytes: taken, cost });
    return found.at(-1)!;
  };
  // The limits don't depend on what is asked for, so that what is said to be needed can be asked for.
  const whole = program.memory.temporaryBytes;
  const limits = Array.from({ length: LIMITS }, (_, i) => whole * LOWER ** i);
  let further: readonly Step[] = steps;
  for (const limit of limits) {
    further = recompute(further, isTemporary, limit);
    if (offer(further).bytes <= bytes) break;
  }
  for (const limit of limits.filter((limit) => limit <= bytes)) {
    if (offer(recompute(steps, isTemporary, limit)).bytes <= bytes) break;
  }
  return bestOf(found, bytes).steps;
}

/** The cheapest of those that fit, or the smallest. */
function bestOf(found: readonly Found[], bytes: number): Found {
  return found.reduce((best, one) => {
    if (one.bytes > bytes) return one.bytes < best.bytes ? one : best;
    return best.bytes > bytes || one.cost < best.cost ? one : best;
  });
}

/** Bytes of the buffers that temporaries and scratch memory share. */
function dealtBytes(
  steps: readonly Step[],
  isTemporary: (cell: Cell) => boolean,
): number {
  const temporaries = new Set(steps.flatMap(cellsIn).filter(isTemporary));
  const needs = needsOf(
    steps.map(({ call }) => call),
    [...temporaries],
    steps.map(({ scratch }) => scratch),
  );
  return shareMemory(needs).reduce((sum, { bytes }) => sum + bytes, 0);
}

function cellsIn({ call: { inputs, outputs } }: Step): Cell[] {
  return [...inputs, ...outputs].map(({ cell }) => cell);
}

function costOf(launches: readonly Launch[]): number {
  return launches.reduce(
    (sum, { flops, bytes }) => sum + flops / FLOPS_PER_BYTE + bytes,
    0,
  );
}
