/** The gradient of a convolution in its input, which is also the transposed convolution. */
import { checkEpilogue, epilogueReference } from "../epilogue.ts";
import { epilogueGradient } from "../epilogue_gradient.ts";
import type { Meta, Op, Request } from "../op.ts";
import { formatShape } from "../shape.ts";
import { conv2d } from "./conv2d.ts";
import naiveCode from "./conv2d_input_gradient_naive.wgsl" with {
  type: "text",
};
import { conv2dWeightGradient } from "./conv2d_weight_gradient.ts";
import { inputGradientCorrelations } from "./correlation.ts";
import { isDepthwise, planDepthwise } from "./depthwise.ts";
import {
  area,
  expectShape,
  floatType,
  type FusedConv2dAttrs,
  type Geometry,
  geometryOf,
  inOrder,
  type Pair,
  requireImageByImage,
  shapesOf,
  slidingOf,
} from "./geometry.ts";
import { inputColumnsPay, planInputColumns } from "./input_columns.ts";
import { type Pass, sharedVariants } from "./shared_variants.ts";
import { planNaive } from "./naive.ts";
import { isProduct, planProducts } from "./products.ts";
import {
  fusedSaves,
  inputGradientRoles,
  OWN_INPUTS,
  type Roles,
  sourceLayout,
  targetLayout,
} from "./roles.ts";
import { tiledVariants } from "./tiled_variants.ts";
import { winogradVariants } from "./winograd_variants.ts";

const NAIVE = {
  label: "wgsl/conv/conv2d_input_gradient_naive.wgsl",
  code: naiveCode,
};

/** Most correlations that are launched one by one; strides whose product is larger are left to the naive kernel. */
const MAX_CORRELATIONS = 256;

/** Attributes of `conv2dInputGradient`: those of the convolution, and the height and width of its input. */
export interface Conv2dInputGradientAttrs extends FusedConv2dAttrs {
  readonly inputSize: Pair;
}

/**
 * Gradient of a convolution in its input, given that in its output:
 * `dx[n, c, h, v] = Σ_k Σ_r Σ_s w[k, c, r, s] · dy[n, k, i, j]` over all i, j with `h = i·stride + r·dilation − padding`, v likewise.
 *
 * `dy: [N, K, OH, OW], w: [K, C/groups, R, S] → [N, C, H, W]`, H and W as `inputSize` says: several sizes give the same OH and OW.
 *
 * Where the convolution goes through Winograd's tiles by default, its gradient does too, with the same errors: see winograd.ts.
 *
 * The operands of an epilogue follow, see {@linkcode Epilogue}: `[C]` each, the residual and the slope `[N, C, H, W]`.
 *
 * As an op of its own this is the transposed convolution of Zeiler et al. 2010; Dumoulin and Visin 2016 (arXiv:1603.07285), section 4.
 */
export const conv2dInputGradient: Op<Conv2dInputGradientAttrs> = {
  name: "conv2dInputGradient",
  infer(inputs, attrs) {
    const geometry = geometryFor(inputs, attrs);
    const call = callOf(inputs, attrs);
    const dtype = floatType(inputs, call);
    const dx = { shape: shapesOf(geometry).x, dtype };
    const { epilogue = {} } = attrs;
    const channels = geometry.groups * geometry.inChannels;
    checkEpilogue(inputs, epilogue, OWN_INPUTS, dx, channels, call);
    return [dx];
  },
  variants: [
    {
      name: "depthwise",
      applies(request) {
        const roles = rolesOf(request);
        const correlations = inputGradientCorrelations(roles.geometry);
        return isDepthwise(roles, correlations, request.limits);
      },
      plan(request) {
        const roles = rolesOf(request);
        const correlations = inputGradientCorrelations(roles.geometry);
        return planDepthwise(roles, correlations, request.limits);
      },
    },
    {
      name: "matmul",
      applies: (request) => isProduct(rolesOf(request)),
      plan: (request) => planProducts(rolesOf(request), request.limits),
    },
    {
      name: "columns",
      applies: (request) => inputColumnsPay(rolesOf(request), request.limits),
      plan: (request) => planInputColumns(rolesOf(request), request.limits),
    },
    ...winogradVariants(passOf),
    ...tiledVariants(passOf),
    ...sharedVariants(passOf),
    {
      name: "naive",
      plan: (request) => planNaive(rolesOf(request), NAIVE, request.limits),
    },
  ],
  reference(inputs, [dx], attrs) {
    const [dy, w] = inputs;
    const g = geometryFor(inputs, attrs);
    const finish = epilogueReference(attrs.epilogue, OWN_INPUTS, inputs);
    const [outHeight, outWidth] = g.output;
    const roles = inputGradientRoles(g, dy.dtype);
    const source = sourceLayout(roles);
    const target = targetLayout(roles);
    for (let n = 0; n < g.batch; n++) {
      for (let channel = 0; channel < g.groups * g.inChannels; channel++) {
        const group = Math.floor(channel / g.inChannels);
        const c = channel % g.inChannels;
        // Groups go on where the one before ends.
        let at = n * target.image! + channel * target.kept!;
        for (let h = 0; h < g.input[0]; h++) {
          for (let v = 0; v < g.input[1]; v++) {
            let sum = 0;
            for (let kept = 0; kept < g.outChannels; kept++) {
              const k = group * g.outChannels + kept;
              const plane = n * source.image! + k * source.summed!;
              let tap = (k * g.inChannels + c) * area(g.kernel);
              for (let r = 0; r < g.kernel[0]; r++) {
                const i = (h + g.padding[0] - r * g.dilation[0]) / g.stride[0];
                for (let s = 0; s < g.kernel[1]; s++, tap++) {
                  const j = (v + g.padding[1] - s * g.dilation[1]) /
                    g.stride[1];
                  const seen = Number.isInteger(i) && Number.isInteger(j) &&
                    i >= 0 && i < outHeight && j >= 0 && j < outWidth;
                  if (seen) {
                    sum += w.data[tap] *
                      dy.data[plane + i * outWidth + j];
                  }
                }
              }
            }
            dx.data[at] = finish(sum, channel, at);
            at++;
          }
        }
      }
    }
  },
  gradient: {
    saves: fusedSaves,
    rule(context) {
      const { attrs, grads: [g], inputMetas, needs, apply } = context;
      const { inputs: [dy, w] } = context;
      requireImageByImage(attrs, inputMetas);
      if (!g) return inputMetas.map(() => null);
      const [, , rows, columns] = inputMetas[1].shape;
      const kernelSize: Pair = [rows, columns];
      const sliding = slidingOf(attrs);
      const { sum, operands } = epilogueGradient({
        context,
        epilogue: attrs.epilogue ?? {},
        first: OWN_INPUTS,
        dy: g,
        axis: 1,
        again: (inputs, epilogue) =>
          apply(conv2dInputGradient, inputs, { ...attrs, epilogue })[0],
      });
      return [
        needs[0] ? apply(conv2d, [sum, w], sliding)[0] : null,
        needs[1]
          ? apply(conv2dWeightGradient, [sum, dy], { ...sliding, kernelSize })[
            0
          ]
          : null,
        ...operands,
      ];
    },
  },
};

function callOf(
  [dy, w]: readonly Meta[],
  { inputSize }: Conv2dInputGradientAttrs,
): string {
  return `Cannot take ${
    formatShape(dy.shape)
  } back through a convolution with ${formatShape(w.shape)} to planes of ${
    formatShape(inputSize)
  }`;
}

function geometryFor(
  inputs: readonly Meta[],
  attrs: Conv2dInputGradientAttrs,
): Geometry {
  const [dy, w] = inputs;
  const call = callOf(inputs, attrs);
  const channels = (w.shape[1] ?? 0) * attrs.groups;
  const [batch = 0] = inOrder(dy.shape, attrs.outputOrder);
  const x = inOrder([batch, channels, ...attrs.inputSize], attrs.inputOrder);
  const geometry = geometryOf(x, w.shape, attrs, call);
  expectShape(
    dy.shape,
    shapesOf(geometry).y,
    call,
    "the gradient of the output",
  );
  return geometry;
}

function rolesOf(
  { inputs, attrs }: Request<Conv2dInputGradientAttrs>,
): Roles {
  const geometry = geometryFor(inputs, attrs);
  return inputGradientRoles(geometry, inputs[0].dtype, attrs.epilogue);
}

/** The pass, without correlations where they are too many. */
function passOf(request: Request<Conv2dInputGradientAttrs>): Pass {
  const roles = rolesOf(request);
  const correlations = area(request.attrs.stride) <= MAX_CORRELATIONS
    ? inputGradientCorrelations(roles.geometry)
    : [];
  return { roles, correlations };
}
