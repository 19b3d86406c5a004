/** How a reduction's elements are dealt to invocations. */
import type { Limits } from "../op.ts";
import { sizeOf } from "../shape.ts";

/** Invocations of a workgroup, in each reduction kernel. */
export const WORKGROUP = 64;

/**
 * How the work is shared out: one invocation an output (naive.wgsl), one invocation a slot (chunk.wgsl, and vectors.wgsl for elements that lie side
 * by side), or a workgroup for every WORKGROUP slots (tree.wgsl).
 */
export type Strategy = "naive" | "chunk" | "vectors" | "tree";

/** Invocations that a launch should have, where there are elements for so many. */
const PARALLEL = { chunk: 256, vectors: 256, tree: 16384 };

/** Fewest elements that are worth a slot. */
const LEAST_WORK = 64;

/** Fewest slots that are worth another launch. */
const LEAST_SLOTS = 4;

/** Most terms that an accumulator adds one after the other, so that rounding errors stay near those of pairwise summation. */
const MOST_TERMS = 256;

/** Accumulators of an invocation. */
const ACCUMULATORS = { chunk: 4, vectors: 4, tree: 1 };

/** Trips for the elements beside the whole vectors of a run, and for the one vector more of a slot where they don't come out even. */
const BESIDE = 7;

/** A way to deal the elements of an output. */
export interface Deal {
  readonly strategy: Strategy;
  readonly innerSlots: number;
  readonly outerSlots: number;
  /** Results of one output. */
  readonly results: number;
  /** Invocations of one output. */
  readonly invocations: number;
  /** Loop trips of an invocation. */
  readonly trips: number;
}

/**
 * Deals the elements of each output to slots: enough of them to keep the device busy, each with few enough elements for accuracy and for
 * the limit of loop trips. Slots along the inner axis, which is the last, come first, so that neighbouring slots read neighbouring elements.
 */
export function dealSlots(
  reduced: readonly number[],
  outputs: number,
  strategy: Strategy,
  { maxLoopTrips, maxComputeWorkgroupsPerDimension }: Limits,
): Deal {
  const elements = sizeOf(reduced);
  const inner = reduced[reduced.length - 1];
  const outer = elements / inner;
  if (strategy === "naive") {
    const one = { innerSlots: 1, outerSlots: 1, results: 1, invocations: 1 };
    return { strategy, ...one, trips: elements };
  }
  const group = strategy === "tree" ? WORKGROUP : 1;
  const worth = Math.min(
    PARALLEL[strategy] / outputs,
    elements / LEAST_WORK,
    maxComputeWorkgroupsPerDimension ** 2 * WORKGROUP / 2,
  );
  const wanted = Math.max(group, worth < LEAST_SLOTS ? 1 : worth);
  const accumulators = ACCUMULATORS[strategy];
  let innerSlots = 1;
  let outerSlots = 1;
  while (innerSlots * outerSlots < wanted) {
    // Vectors go to memory in the order that it lies in: whole runs, as long as there are any to deal.
    const long = strategy !== "vectors" &&
      inner >= innerSlots * 4 * accumulators;
    if (long || outerSlots >= outer) innerSlots *= 2;
    else outerSlots *= 2;
  }
  while (inner > innerSlots * accumulators * MOST_TERMS) innerSlots *= 2;
  while (outer > outerSlots * MOST_TERMS) outerSlots *= 2;
  const trips = () => {
    const turns = Math.ceil(inner / innerSlots / accumulators);
    const rest = strategy === "vectors" ? BESIDE : accumulators;
    return Math.ceil(outer / outerSlots) * (1 + turns + rest);
  };
  while (trips() > maxLoopTrips) {
    if (outerSlots < outer) outerSlots *= 2;
    else innerSlots *= 2;
  }
  const invocations = innerSlots * outerSlots;
  return {
    strategy,
    innerSlots,
    outerSlots,
    results: invocations / group,
    invocations,
    trips: trips(),
  };
}
