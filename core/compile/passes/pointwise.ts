/** Elementwise calls that follow each other become one: what one gives the next is never stored. */
import {
  canChain,
  chain,
  type ChainAttrs,
  type ChainStep,
  isSingle,
  MOST_OPERANDS,
} from "../../../wgsl/pointwise/chain.ts";
import { sizeOf } from "../../../wgsl/shape.ts";
import {
  coversCell,
  type Graph,
  type GraphCall,
  type Place,
  replaceCalls,
  staysSame,
  Uses,
} from "../graph.ts";

/** Steps beyond which a kernel becomes unreadable, and its compilation slow. */
const MOST_STEPS = 24;

/** Elements for each of which a single value may be computed again, to save a launch. */
const MOST_REPEATED = 4096;

/** Fuses chains of elementwise calls. */
export function fusePointwise(graph: Graph): void {
  while (fuseOne(graph)) { /* A chain grows call by call. */ }
}

function fuseOne(graph: Graph): boolean {
  const uses = new Uses(graph);
  for (const call of graph.calls) {
    if (!isStep(call)) continue;
    const next = uses.onlyReader(call);
    if (!next || !isStep(next)) continue;
    const fused = merge(call, next);
    if (!fused || !staysSame(graph, call, next)) continue;
    replaceCalls(graph, new Map([[call, []], [next, [fused]]]));
    return true;
  }
  return false;
}

/** Whether a call is elementwise, of a form that chains take. */
function isStep({ op, attrs, inputs, outputs }: GraphCall): boolean {
  if (op === chain) return true;
  if (outputs.length !== 1) return false;
  const views = inputs.map(({ view }) => view);
  return canChain(op.name, views, outputs[0].view, attrs);
}

/** A call as steps of a chain. */
function stepsOf({ op, attrs, inputs }: GraphCall): readonly ChainStep[] {
  if (op === chain) return (attrs as ChainAttrs).steps;
  return [{ op: op.name, attrs, operands: inputs.map((_, i) => i) }];
}

/** Two calls as one, or undefined where they don't fit together. */
function merge(call: GraphCall, next: GraphCall): GraphCall | undefined {
  const [mine] = call.outputs;
  const at = next.inputs.findIndex(({ cell }) => cell === mine.cell);
  const read = next.inputs[at];
  const [y] = next.outputs;
  // What stands for all elements of the next is computed for each.
  const size = sizeOf(y.view.shape);
  const fits = coversCell(mine) && read.view.dtype === mine.view.dtype &&
    (sizeOf(mine.view.shape) === size
      ? coversCell(read)
      : sizeOf(mine.view.shape) === 1 && size <= MOST_REPEATED);
  if (!fits) return undefined;
  const inputs: Place[] = [...call.inputs];
  const placeOf = next.inputs.map((place, i) => {
    if (i === at) return undefined;
    const known = inputs.findIndex((other) => isSame(other, place));
    return known >= 0 ? known : inputs.push(place) - 1;
  });
  const first = stepsOf(call);
  const steps = [
    ...first,
    ...stepsOf(next).map((step) => ({
      ...step,
      operands: step.operands.map((operand) =>
        operand < 0
          ? operand - first.length
          : operand === at
          ? -first.length
          : placeOf[operand]!
      ),
    })),
  ];
  if (inputs.length > MOST_OPERANDS || steps.length > MOST_STEPS) {
    return undefined;
  }
  // Shapes differ where a view was taken in between: the chain has the last one's.
  const { shape } = y.view;
  const flat = inputs.map((place) => reshaped(place, shape));
  if (flat.some((place) => place === undefined)) return undefined;
  return {
    op: chain,
    attrs: { steps } satisfies ChainAttrs,
    inputs: flat as Place[],
    outputs: next.outputs,
    path: next.path ?? call.path,
    fused: [...namesOf(call), ...namesOf(next)],
  };
}

/** The ops of a call, for those who read the plan. */
function namesOf({ op, fused }: GraphCall): readonly string[] {
  return op === chain ? fused : [op.name];
}

/** A contiguous operand in the shape of the result, or one element as it is. */
function reshaped(
  { cell, view }: Place,
  shape: readonly number[],
): Place | undefined {
  if (isSingle(view) && sizeOf(shape) !== 1) {
    return { cell, view: { ...view, shape: [], strides: [] } };
  }
  if (sizeOf(view.shape) !== sizeOf(shape)) return undefined;
  let step = 1;
  const strides = [...shape];
  for (let d = shape.length - 1; d >= 0; d--) {
    strides[d] = step;
    step *= shape[d];
  }
  return { cell, view: { ...view, shape: [...shape], strides } };
}

function isSame(a: Place, b: Place): boolean {
  return a.cell === b.cell && a.view.offset === b.view.offset &&
    `${a.view.shape}` === `${b.view.shape}`;
}
