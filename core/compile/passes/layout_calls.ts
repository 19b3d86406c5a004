/** What each kind of call is when its planes lie channel by channel: which operands move with its result, and with what attributes it runs. */
import { concat, type ConcatAttrs } from "../../../wgsl/move/concat.ts";
import { copy } from "../../../wgsl/move/copy.ts";
import { conv2d, type FusedConv2dAttrs } from "../../../wgsl/conv/conv2d.ts";
import type { PlaneOrder } from "../../../wgsl/conv/geometry.ts";
import { epilogueInputs, isWhole } from "../../../wgsl/epilogue.ts";
import { localResponse } from "../../../wgsl/norm/local_response.ts";
import { normalizeWith } from "../../../wgsl/norm/normalize.ts";
import type { NormAttrs } from "../../../wgsl/norm/geometry.ts";
import type { AnyOp } from "../../../wgsl/op.ts";
import { chain, isSingle } from "../../../wgsl/pointwise/chain.ts";
import { adaptiveAvgPool2d } from "../../../wgsl/pool/adaptive_avg_pool2d.ts";
import { avgPool2d } from "../../../wgsl/pool/avg_pool2d.ts";
import { maxPool2dValues } from "../../../wgsl/pool/max_pool2d_values.ts";
import { contiguousView, normalizeAxis } from "../../../wgsl/shape.ts";
import type { GraphCall, Place } from "../graph.ts";

/** How a call takes an operand: in the order of its result, in that or by any strides, in whichever order it lies, or not as planes at all. */
export type Use = "moved" | "any strides" | "either order" | "as it is";

/** How a kind of call is moved. */
export interface Mover {
  uses(input: number): Use;
  /** The call on operands, some of which have images and channels exchanged. */
  move(
    inputs: readonly Place[],
    y: Place,
    orders: readonly PlaneOrder[],
  ): Pick<GraphCall, "inputs" | "outputs" | "attrs">;
}

/** Ops that treat each plane by itself. */
const BY_PLANES: readonly AnyOp[] = [
  adaptiveAvgPool2d,
  avgPool2d,
  maxPool2dValues,
];

/** How a call is moved, if its kind can be. */
export function moverOf(call: GraphCall): Mover | undefined {
  const { op } = call;
  if (op === conv2d) return convolution(call);
  if (op === normalizeWith) return normalization(call);
  if (op === concat) return concatenation(call);
  if (op === localResponse) return byPixels(call);
  if (op === chain) return ofChain(call);
  if (op.elementwise || op === copy) return sameAttributes(call, "any strides");
  return BY_PLANES.includes(op) ? sameAttributes(call, "moved") : undefined;
}

/** A call that doesn't know images from channels. */
function sameAttributes({ attrs }: GraphCall, use: Use): Mover {
  return {
    uses: () => use,
    move: (inputs, y) => ({ inputs, outputs: [y], attrs }),
  };
}

/** Operands are contiguous, or one element. */
function ofChain({ attrs, inputs }: GraphCall): Mover {
  return {
    uses: (i) => isSingle(inputs[i].view) ? "as it is" : "moved",
    move: (inputs, y) => ({ inputs, outputs: [y], attrs }),
  };
}

/** Depthwise convolutions have kernels that are much faster, for images only. */
function convolution({ attrs, inputs }: GraphCall): Mover | undefined {
  const given = attrs as FusedConv2dAttrs;
  const { epilogue, groups } = given;
  const [, w] = inputs;
  if (groups > 1 && w.view.shape[1] === 1) return undefined;
  const places = epilogueInputs(epilogue ?? {}, 2);
  return {
    uses: (i) =>
      i === 0 ? "either order" : isWhole(places, i) ? "moved" : "as it is",
    move: (inputs, y, [inputOrder]) => ({
      inputs,
      outputs: [y],
      attrs: {
        ...given,
        ...(inputOrder === "CNHW" && { inputOrder }),
        outputOrder: "CNHW",
      } satisfies FusedConv2dAttrs,
    }),
  };
}

/** By one scale and shift a channel: all images are one long one. */
function normalization({ attrs, inputs }: GraphCall): Mover | undefined {
  const given = attrs as NormAttrs;
  const { outer, samples, groups, channels, space, epilogue } = given;
  const [x] = inputs;
  const [images, planes] = x.view.shape;
  const batch = x.view.shape.length === 4 && samples === 1 && channels === 1 &&
    outer === images && groups === planes;
  if (!batch) return undefined;
  const residual = epilogue?.residual ? inputs.length - 1 : -1;
  return {
    uses: (i) => i === 0 || i === residual ? "moved" : "as it is",
    move: (inputs, y) => ({
      inputs,
      outputs: [y],
      attrs: { ...given, outer: 1, space: outer * space } satisfies NormAttrs,
    }),
  };
}

/** Along channels only: those come first, then. */
function concatenation({ attrs, outputs: [y] }: GraphCall): Mover | undefined {
  const { axis } = attrs as ConcatAttrs;
  const { length } = y.view.shape;
  if (length !== 4 || normalizeAxis(axis, 4, "concatenate") !== 1) {
    return undefined;
  }
  return {
    uses: () => "any strides",
    move: (inputs, y) => ({
      inputs,
      outputs: [y],
      attrs: { ...attrs as ConcatAttrs, axis: 0 },
    }),
  };
}

/** Each pixel by itself: the images of a batch are one long one. Nobody reads what else such a call writes. */
function byPixels({ attrs, outputs: [, ...others] }: GraphCall): Mover {
  const asOne = ({ cell, view }: Place): Place => {
    const [channels, images, height, width] = view.shape;
    const shape = [1, channels, images * height, width];
    const whole = contiguousView({ shape, dtype: view.dtype });
    return { cell, view: { ...whole, offset: view.offset } };
  };
  return {
    uses: () => "moved",
    move: (inputs, y) => ({
      inputs: inputs.map(asOne),
      outputs: [
        asOne(y),
        ...others.map(({ cell, view }) =>
          asOne({ cell, view: { ...view, shape: y.view.shape } })
        ),
      ],
      attrs,
    }),
  };
}
