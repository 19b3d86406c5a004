/** A product that is copied transposed is computed transposed: (a·b)ᵀ = bᵀ·aᵀ, and the factors may lie as they like. */
import { matmul } from "../../../wgsl/matmul/matmul.ts";
import { copy } from "../../../wgsl/move/copy.ts";
import type { View } from "../../../wgsl/op.ts";
import {
  coversCell,
  type Graph,
  type GraphCall,
  type Place,
  replaceCalls,
  Uses,
} from "../graph.ts";
import { finishingOf } from "./epilogue.ts";

/** Turns products around whose only reader is a copy of their transpose. */
export function transposeProducts(graph: Graph): void {
  const uses = new Uses(graph);
  const instead = new Map<GraphCall, readonly GraphCall[]>();
  for (const call of graph.calls) {
    if (call.op !== matmul || !isPlain(call)) continue;
    const next = uses.onlyReader(call);
    if (next?.op !== copy || !isTransposed(call.outputs[0], next)) continue;
    const [a, b] = call.inputs;
    instead.set(call, [{
      ...call,
      inputs: [turned(b), turned(a)],
      outputs: next.outputs,
      fused: [...call.fused, "transpose"],
    }]);
    instead.set(next, []);
  }
  replaceCalls(graph, instead);
}

/** Whether a call is one product of two matrices and nothing else. */
function isPlain(call: GraphCall): boolean {
  const { epilogue } = finishingOf(call)!;
  return call.inputs.length === 2 && Object.keys(epilogue).length === 0 &&
    [...call.inputs, ...call.outputs].every(({ view }) =>
      view.shape.length === 2
    );
}

/** Whether a copy reads a whole matrix by columns, and changes nothing else. */
function isTransposed(product: Place, { inputs, outputs }: GraphCall): boolean {
  const [x] = inputs;
  const [y] = outputs;
  const [m, n] = product.view.shape;
  const { shape, strides, offset, dtype } = x.view;
  return coversCell(product) && coversCell(y) && offset === 0 &&
    shape.length === 2 && shape[0] === n && shape[1] === m &&
    strides[0] === 1 && strides[1] === n && n > 1 && m > 1 &&
    dtype === y.view.dtype && dtype === product.view.dtype;
}

function turned({ cell, view }: Place): Place {
  const flipped: View = {
    ...view,
    shape: view.shape.toReversed(),
    strides: view.strides.toReversed(),
  };
  return { cell, view: flipped };
}
