/** What each kind of call is when its planes lie channel by channel: which operands move with its results, and with what attributes it runs. */
import { concat, type ConcatAttrs } from "../../../wgsl/move/concat.ts";
import { copy } from "../../../wgsl/move/copy.ts";
import { conv2d } from "../../../wgsl/conv/conv2d.ts";
import { conv2dInputGradient } from "../../../wgsl/conv/conv2d_input_gradient.ts";
import { conv2dWeightGradient } from "../../../wgsl/conv/conv2d_weight_gradient.ts";
import type { FusedConv2dAttrs } from "../../../wgsl/conv/geometry.ts";
import { epilogueInputs, isWhole } from "../../../wgsl/epilogue.ts";
import {
  localResponse,
  localResponseBackward,
} from "../../../wgsl/norm/local_response.ts";
import type { NormAttrs } from "../../../wgsl/norm/geometry.ts";
import { normalize, normalizeWith } from "../../../wgsl/norm/normalize.ts";
import { normalizeBackward } from "../../../wgsl/norm/normalize_backward.ts";
import type { AnyOp } from "../../../wgsl/op.ts";
import { chain, isSingle } from "../../../wgsl/pointwise/chain.ts";
import {
  adaptiveAvgPool2d,
  adaptiveAvgPool2dBackward,
} from "../../../wgsl/pool/adaptive_avg_pool2d.ts";
import { avgPool2d, avgPool2dBackward } from "../../../wgsl/pool/avg_pool2d.ts";
import { maxPool2d, maxPool2dBackward } from "../../../wgsl/pool/max_pool2d.ts";
import { maxPool2dValues } from "../../../wgsl/pool/max_pool2d_values.ts";
import { contiguousView, normalizeAxis } from "../../../wgsl/shape.ts";
import type { GraphCall, Place } from "../graph.ts";

/** The attribute that tells a convolution the order of some of its planes. */
export type OrderName = "inputOrder" | "outputOrder";

/** How a call takes an operand: in the order of its results, in that or by any strides, in either order, or not as planes at all. */
export type Use = "moved" | "any strides" | "as it is" | OrderName;

/** How a kind of call is moved. */
export interface Mover {
  /** Which results are planes; the others stay as they are. */
  readonly planes: readonly number[];
  uses(input: number): Use;
  /** The attribute that tells it the order of its results. */
  readonly order?: OrderName;
  /** The call on operands and results whose images and channels are exchanged. */
  move(
    inputs: readonly Place[],
    outputs: readonly Place[],
  ): Pick<GraphCall, "inputs" | "outputs" | "attrs">;
}

/** Ops that treat each plane by itself. */
const BY_PLANES: readonly AnyOp[] = [
  adaptiveAvgPool2d,
  adaptiveAvgPool2dBackward,
  avgPool2d,
  avgPool2dBackward,
  maxPool2d,
  maxPool2dBackward,
  maxPool2dValues,
];

/** Ops that treat the channels of each pixel by themselves. */
const BY_PIXELS: readonly AnyOp[] = [localResponse, localResponseBackward];

/** How a call is moved, if its kind can be. */
export function moverOf(call: GraphCall): Mover | undefined {
  const { op } = call;
  if (op === conv2d) return convolution(call, "inputOrder", "outputOrder");
  if (op === conv2dInputGradient) {
    return convolution(call, "outputOrder", "inputOrder");
  }
  if (op === conv2dWeightGradient) return weightGradient(call);
  if (op === normalize || op === normalizeWith) return normalization(call, [0]);
  if (op === normalizeBackward) return normalization(call, [0, 1]);
  if (op === concat) return concatenation(call);
  if (BY_PIXELS.includes(op)) return byPixels(call);
  if (op === chain) return ofChain(call);
  if (op.elementwise || op === copy) return sameAttributes(call, "any strides");
  return BY_PLANES.includes(op) ? sameAttributes(call, "moved") : undefined;
}

/** A call that doesn't know images from channels. */
function sameAttributes({ attrs, outputs }: GraphCall, use: Use): Mover {
  return {
    planes: [...outputs.keys()],
    uses: () => use,
    move: (inputs, outputs) => ({ inputs, outputs, attrs }),
  };
}

/** Operands are contiguous, or one element. */
function ofChain(call: GraphCall): Mover {
  return {
    ...sameAttributes(call, "moved"),
    uses: (i) => isSingle(call.inputs[i].view) ? "as it is" : "moved",
  };
}

/** Planes in, planes out. Depthwise convolutions have kernels that are much faster, for images only. */
function convolution(
  call: GraphCall,
  from: OrderName,
  to: OrderName,
): Mover | undefined {
  const { epilogue, groups } = call.attrs as FusedConv2dAttrs;
  const [, w] = call.inputs;
  if (groups > 1 && w.view.shape[1] === 1) return undefined;
  const places = epilogueInputs(epilogue ?? {}, 2);
  return {
    ...sameAttributes(call, from),
    order: to,
    uses: (i) => i === 0 ? from : isWhole(places, i) ? "moved" : "as it is",
  };
}

/** Planes in, weights out. */
function weightGradient(call: GraphCall): Mover | undefined {
  const { groups } = call.attrs as FusedConv2dAttrs;
  if (groups > 1 && call.outputs[0].view.shape[1] === 1) return undefined;
  return {
    ...sameAttributes(call, "as it is"),
    planes: [],
    uses: (i) => i === 0 ? "inputOrder" : "outputOrder",
  };
}

/** By one scale and shift a channel, whatever they come from: all images are one long one. `planes`: the operands that are planes, beside a residual. */
function normalization(
  { attrs, inputs }: GraphCall,
  planes: readonly number[],
): Mover | undefined {
  const given = attrs as NormAttrs;
  const { outer, samples, groups, channels, space, epilogue } = given;
  const { shape } = inputs[0].view;
  const batch = shape.length === 4 && samples === 1 && channels === 1 &&
    outer === shape[0] && groups === shape[1];
  if (!batch) return undefined;
  const residual = epilogue?.residual ? inputs.length - 1 : -1;
  return {
    planes: [0],
    uses: (i) => planes.includes(i) || i === residual ? "moved" : "as it is",
    move: (inputs, outputs) => ({
      inputs,
      outputs,
      attrs: { ...given, outer: 1, space: outer * space } satisfies NormAttrs,
    }),
  };
}

/** Along channels only: those come first, then. */
function concatenation(call: GraphCall): Mover | undefined {
  const { attrs, outputs: [{ view: { shape } }] } = call;
  const { axis } = attrs as ConcatAttrs;
  if (shape.length !== 4 || normalizeAxis(axis, 4, "concatenate") !== 1) {
    return undefined;
  }
  return sameAttributes(
    { ...call, attrs: { ...attrs as ConcatAttrs, axis: 0 } },
    "any strides",
  );
}

/** Each pixel by itself: the images of a batch are one long one. */
function byPixels(call: GraphCall): Mover {
  const asOne = ({ cell, view }: Place): Place => {
    const [channels, images, height, width] = view.shape;
    const shape = [1, channels, images * height, width];
    const whole = contiguousView({ shape, dtype: view.dtype });
    return { cell, view: { ...whole, offset: view.offset } };
  };
  return {
    ...sameAttributes(call, "moved"),
    move: (inputs, outputs) => ({
      inputs: inputs.map(asOne),
      outputs: outputs.map(asOne),
      attrs: call.attrs,
    }),
  };
}
