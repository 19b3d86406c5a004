/**
 * The gradient of a rectified plane that was max-pooled is taken on the pooled values: a quarter of the elements for 2 × 2 windows, and the plane itself
 * needn't be kept for it.
 *
 *     slope(unpool(dy), y) = unpool(slope(dy, pool(y)))
 *
 * A position that a window chose holds that window's maximum, so that both ask the same question. The numbers are the same bit for bit.
 */
import { maxPool2d, maxPool2dBackward } from "../../../wgsl/pool/max_pool2d.ts";
import { reluSlope } from "../../../wgsl/pointwise/slope.ts";
import {
  computedCell,
  coversCell,
  type Graph,
  type GraphCall,
  replaceCalls,
  Uses,
  wholeOf,
} from "../graph.ts";

/** Moves slopes of relu from behind max pooling's gradients to before them. */
export function slopeBeforePool(graph: Graph): void {
  const uses = new Uses(graph);
  const instead = new Map<GraphCall, readonly GraphCall[]>();
  for (const call of graph.calls) {
    if (call.op !== maxPool2dBackward) continue;
    const slope = uses.onlyReader(call);
    const pool = uses.writers(call.inputs[1].cell)[0];
    if (slope?.op !== reluSlope || pool?.op !== maxPool2d) continue;
    const [dx, y] = slope.inputs;
    const [pooled] = pool.outputs;
    const fits = slope.inputs.length === 2 && coversCell(dx) &&
      dx.cell === call.outputs[0].cell && y.cell === pool.inputs[0].cell &&
      coversCell(y) && coversCell(pool.inputs[0]) &&
      uses.writtenOnce(y.cell) && uses.writtenOnce(pooled.cell) &&
      call.inputs.every(coversCell) && coversCell(slope.outputs[0]);
    if (!fits) continue;
    const [dy, indices] = call.inputs;
    const masked = wholeOf(computedCell(dy.view));
    instead.set(call, [
      {
        ...slope,
        inputs: [dy, { cell: pooled.cell, view: dy.view }],
        outputs: [masked],
      },
      {
        ...call,
        inputs: [masked, indices],
        outputs: [{
          cell: slope.outputs[0].cell,
          view: call.outputs[0].view,
        }],
      },
    ]);
    instead.set(slope, []);
  }
  replaceCalls(graph, instead);
}
