/**
 * Optimisers' steps made as soon as they can be: each parameter's behind the last call that needs it or its gradient, not all at the end, so that gradients needn't
 * wait for each other. Lv et al. 2023, "Full Parameter Fine-tuning for Large Language Models with Limited Resources" (arXiv:2306.09782), section 3, fuse backward
 * and update for the same reason.
 */
import type { Cell, GraphCall } from "./graph.ts";

/** The calls of a run with optimisers' steps taken apart and moved forward. */
export function stepEarly(calls: readonly GraphCall[]): GraphCall[] {
  const following = new Map<GraphCall | undefined, GraphCall[]>();
  const apart = new Set<GraphCall>();
  let rank = 0;
  calls.forEach((call, at) => {
    const { op, inputs, outputs } = call;
    if (!op.groups || !op.inPlace) return;
    const { groups, one } = { groups: op.groups.inputs, one: op.groups.one() };
    const count = inputs.length / groups;
    const results = outputs.length / count;
    for (let i = 0; i < count; i++) {
      const part: GraphCall = {
        ...call,
        op: one,
        inputs: inputs.slice(i * groups, (i + 1) * groups),
        outputs: outputs.slice(i * results, (i + 1) * results),
        partOf: { call, rank },
      };
      const own = new Set(part.inputs.map(({ cell }) => cell));
      const last = calls.slice(0, at).findLast((other) => touches(other, own));
      following.set(last, [...following.get(last) ?? [], part]);
    }
    apart.add(call);
    rank++;
  });
  return [
    ...following.get(undefined) ?? [],
    ...calls.flatMap((call) => [
      ...(apart.has(call) ? [] : [call]),
      ...following.get(call) ?? [],
    ]),
  ];
}

function touches(
  { inputs, outputs }: GraphCall,
  cells: ReadonlySet<Cell>,
): boolean {
  return [...inputs, ...outputs].some(({ cell }) => cells.has(cell));
}
