/** Calls that each run is told the attributes of, such as optimisers' steps, and the parts that they may have been taken apart into. */
import type { GraphCall } from "./graph.ts";

/** Who is told what. */
export interface Told {
  /** The calls as they were traced, in their order. */
  readonly calls: readonly GraphCall[];
  /** Positions of those among a run's calls that are told their attributes. */
  readonly parts: readonly number[];
  /** For each of these, which traced call it is a part of. */
  readonly partOf: readonly number[];
}

/** The calls of a run that are told their attributes. */
export function toldOf(calls: readonly GraphCall[]): Told {
  const parts = [...calls.keys()].filter((i) => calls[i].op.tail);
  const traced = parts.map((i) => calls[i].partOf?.call ?? calls[i]);
  const ranks = new Map(
    parts.map((i, k) => [traced[k], calls[i].partOf?.rank ?? i]),
  );
  const inOrder = [...ranks.keys()].sort((a, b) =>
    ranks.get(a)! - ranks.get(b)!
  );
  return {
    calls: inOrder,
    parts,
    partOf: traced.map((call) => inOrder.indexOf(call)),
  };
}
