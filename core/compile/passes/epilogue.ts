/**
 * What follows a convolution, its input gradient, a product or a normalisation moves into the launch that stores its result: a residual that is added, the
 * slope of the ReLU that a gradient goes back through, then an activation.
 */
import { activationOf, type Epilogue } from "../../../wgsl/epilogue.ts";
import { conv2d } from "../../../wgsl/conv/conv2d.ts";
import { conv2dInputGradient } from "../../../wgsl/conv/conv2d_input_gradient.ts";
import { matmul } from "../../../wgsl/matmul/matmul.ts";
import type { NormAttrs } from "../../../wgsl/norm/geometry.ts";
import { normalize, normalizeWith } from "../../../wgsl/norm/normalize.ts";
import { add } from "../../../wgsl/pointwise/arithmetic_binary.ts";
import { reluSlope } from "../../../wgsl/pointwise/slope.ts";
import { contiguousView, sameShape, sizeOf } from "../../../wgsl/shape.ts";
import {
  coversCell,
  type Graph,
  type GraphCall,
  type Place,
  replaceCalls,
  staysSame,
  Uses,
} from "../graph.ts";

/** A call that can end in an epilogue, taken apart. */
export interface Finishing {
  /** Inputs before those of the epilogue. */
  readonly own: number;
  readonly epilogue: Epilogue;
}

/** The epilogue that a call has, or could have. */
export function finishingOf(
  { op, attrs, inputs }: GraphCall,
): Finishing | undefined {
  const { epilogue } = attrs as { readonly epilogue?: Epilogue };
  if (op === conv2d || op === matmul) {
    return {
      own: 2,
      epilogue: epilogue ?? (inputs.length > 2 ? { bias: true } : {}),
    };
  }
  if (op === conv2dInputGradient) {
    return { own: 2, epilogue: epilogue ?? {} };
  }
  if (op === normalize || op === normalizeWith) {
    const { weight, bias } = attrs as NormAttrs;
    const first = op === normalize ? 1 : 2;
    return {
      own: first + Number(weight) + Number(bias),
      epilogue: epilogue ?? {},
    };
  }
  return undefined;
}

/** The same call with another epilogue, whose operands are `inputs`. */
export function finishedBy(
  call: GraphCall,
  epilogue: Epilogue,
  operands: readonly Place[],
): GraphCall {
  const { own } = finishingOf(call)!;
  return {
    ...call,
    attrs: { ...call.attrs as object, epilogue },
    inputs: [...call.inputs.slice(0, own), ...operands],
  };
}

/** Moves additions, slopes and activations into the calls that they follow. */
export function fuseEpilogues(graph: Graph): void {
  while (fuseOne(graph)) { /* Each change may make room for another. */ }
}

/** Makes one change, if there is one to make. */
function fuseOne(graph: Graph): boolean {
  const uses = new Uses(graph);
  for (const call of graph.calls) {
    const finishing = finishingOf(call);
    if (!finishing || finishing.epilogue.activation) continue;
    const next = uses.onlyReader(call);
    if (!next) continue;
    const fused = withActivation(call, finishing, next);
    if (fused) {
      replaceCalls(graph, new Map([[call, [fused]], [next, []]]));
      return true;
    }
    const joined = withResidual(call, finishing, next) ??
      withSlope(call, finishing, next);
    if (joined && staysSame(graph, call, next)) {
      // The other operand may be computed after this call.
      replaceCalls(graph, new Map([[call, []], [next, [joined]]]));
      return true;
    }
  }
  return false;
}

function withActivation(
  call: GraphCall,
  finishing: Finishing,
  next: GraphCall,
): GraphCall | undefined {
  const activation = activationOf(next.op, next.attrs);
  const [x] = next.inputs;
  const [y] = next.outputs;
  const fits = activation && coversCell(x) && coversCell(y) &&
    x.view.dtype === y.view.dtype && isFloat(x);
  if (!fits) return undefined;
  return endingWith(call, finishing, next, { activation });
}

/** The call with a further part of its epilogue, in place of `next`. The part's operands come behind all that there are. */
function endingWith(
  call: GraphCall,
  { own, epilogue }: Finishing,
  next: GraphCall,
  part: Epilogue,
  operands: readonly Place[] = [],
): GraphCall {
  const all = [
    ...call.inputs.slice(own),
    ...operands.map((operand) => likeOutput(call, operand)),
  ];
  return {
    ...finishedBy(call, { ...epilogue, ...part }, all),
    outputs: [likeOutput(call, next.outputs[0]), ...call.outputs.slice(1)],
    fused: [...call.fused, next.op.name],
  };
}

function withResidual(
  call: GraphCall,
  finishing: Finishing,
  next: GraphCall,
): GraphCall | undefined {
  const { residual, slope } = finishing.epilogue;
  if (next.op !== add || next.inputs.length !== 2 || residual || slope) {
    return undefined;
  }
  const [mine] = call.outputs;
  const at = next.inputs.findIndex(({ cell }) => cell === mine.cell);
  const x = next.inputs[at];
  const other = next.inputs[1 - at];
  const [y] = next.outputs;
  const fits = coversCell(x) && coversCell(y) && coversCell(other) &&
    other.cell !== mine.cell && isFloat(x) &&
    sameShape(x.view.shape, other.view.shape) &&
    sameShape(x.view.shape, y.view.shape) &&
    [other, y].every(({ view }) => view.dtype === mine.view.dtype);
  if (!fits) return undefined;
  return endingWith(call, finishing, next, { residual: true }, [other]);
}

function withSlope(
  call: GraphCall,
  finishing: Finishing,
  next: GraphCall,
): GraphCall | undefined {
  const takes = call.op !== normalize && call.op !== normalizeWith;
  if (next.op !== reluSlope || next.inputs.length !== 2 || !takes) {
    return undefined;
  }
  const [mine] = call.outputs;
  const [dy, relu] = next.inputs;
  const [y] = next.outputs;
  const fits = !finishing.epilogue.slope && dy.cell === mine.cell &&
    relu.cell !== mine.cell && [dy, relu, y].every(coversCell) &&
    isFloat(dy) &&
    [relu, y].every(({ view: { dtype, shape } }) =>
      dtype === mine.view.dtype && sameShape(shape, dy.view.shape)
    );
  if (!fits) return undefined;
  return endingWith(call, finishing, next, { slope: true }, [relu]);
}

/** A whole cell in the shape of a call's result. */
function likeOutput({ outputs: [y] }: GraphCall, { cell }: Place): Place {
  const { shape } = y.view;
  const { dtype } = cell.meta;
  return { cell, view: contiguousView({ shape, dtype }) };
}

function isFloat({ view: { dtype, shape } }: Place): boolean {
  return (dtype === "f32" || dtype === "f16" || dtype === "f64") &&
    sizeOf(shape) > 0;
}
