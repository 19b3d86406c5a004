/** Convolution of planes, and what is done to its sums before they are stored. */
import {
  checkEpilogue,
  type Epilogue,
  epilogueReference,
} from "../epilogue.ts";
import { epilogueGradient } from "../epilogue_gradient.ts";
import type { Meta, Op, Request } from "../op.ts";
import { formatShape } from "../shape.ts";
import { conv2dInputGradient } from "./conv2d_input_gradient.ts";
import { conv2dWeightGradient } from "./conv2d_weight_gradient.ts";
import naiveCode from "./conv2d_naive.wgsl" with { type: "text" };
import { forwardCorrelation } from "./correlation.ts";
import { isDepthwise, planDepthwise } from "./depthwise.ts";
import {
  area,
  floatType,
  type FusedConv2dAttrs,
  type Geometry,
  geometryOf,
  type Pair,
  requireImageByImage,
  shapesOf,
  slidingOf,
} from "./geometry.ts";
import { type Pass, sharedVariants } from "./shared_variants.ts";
import { planNaive } from "./naive.ts";
import { isProduct, planProducts } from "./products.ts";
import {
  forwardRoles,
  fusedSaves,
  OWN_INPUTS,
  type Roles,
  sourceLayout,
  targetLayout,
} from "./roles.ts";
import { tiledVariants } from "./tiled_variants.ts";
import { winogradVariants } from "./winograd_variants.ts";

export type { Conv2dAttrs, FusedConv2dAttrs } from "./geometry.ts";

const NAIVE = { label: "wgsl/conv/conv2d_naive.wgsl", code: naiveCode };

/**
 * What the field calls convolution, in truth a cross-correlation:
 * `y[n, k, i, j] = Σ_c Σ_r Σ_s w[k, c, r, s] · x[n, c, i·stride + r·dilation − padding, …]`, with zeros around x's planes, and then the epilogue.
 *
 * `x: [N, C, H, W], w: [K, C/groups, R, S] → [N, K, OH, OW]`, OH = ⌊(H + top + bottom − dilation·(R − 1) − 1) / stride⌋ + 1.
 *
 * The operands of the epilogue follow, see {@linkcode Epilogue}: `[K]` each, the residual and the slope `[N, K, OH, OW]`. Without the attribute, a third input is a bias.
 * So a convolution with its bias, a batch norm in evaluation, a shortcut and an activation are one call, and one launch where the convolution is.
 *
 * Planes may follow each other channel by channel instead of image by image, x's and y's each: `x: [C, N, H, W]`, `y: [K, N, OH, OW]`. Plans of whole networks
 * do so where it pays; such a convolution has no gradient.
 *
 * By default 3 × 3 taps at stride 1 over many channels go through Winograd's F(4×4, 3×3), or F(2×2, 3×3) where tiles are few, see winograd.ts: with the former,
 * errors reach 6e-6 of the largest output instead of 1e-6; with both, an infinity makes NaN of its neighbours up to 5 places away.
 *
 * Dumoulin and Visin 2016, "A guide to convolution arithmetic for deep learning" (arXiv:1603.07285), draws each case.
 */
export const conv2d: Op<FusedConv2dAttrs> = {
  name: "conv2d",
  infer(inputs, attrs) {
    const geometry = geometryFor(inputs, attrs);
    const call = callOf(inputs);
    const dtype = floatType(inputs, call);
    const y = { shape: shapesOf(geometry).y, dtype };
    const epilogue = epilogueOf(inputs, attrs) ?? {};
    const channels = geometry.groups * geometry.outChannels;
    checkEpilogue(inputs, epilogue, OWN_INPUTS, y, channels, call);
    return [y];
  },
  variants: [
    {
      name: "depthwise",
      applies(request) {
        const roles = rolesOf(request);
        const correlations = [forwardCorrelation(roles.geometry)];
        return isDepthwise(roles, correlations, request.limits);
      },
      plan(request) {
        const roles = rolesOf(request);
        const correlations = [forwardCorrelation(roles.geometry)];
        return planDepthwise(roles, correlations, request.limits);
      },
    },
    {
      name: "matmul",
      applies: (request) => isProduct(rolesOf(request)),
      plan: (request) => planProducts(rolesOf(request), request.limits),
    },
    ...winogradVariants(passOf),
    ...tiledVariants(passOf),
    ...sharedVariants(passOf),
    {
      name: "naive",
      plan: (request) => planNaive(rolesOf(request), NAIVE, request.limits),
    },
  ],
  reference(inputs, [y], attrs) {
    const [x, w] = inputs;
    const g = geometryFor(inputs, attrs);
    const epilogue = epilogueOf(inputs, attrs);
    const finish = epilogueReference(epilogue, OWN_INPUTS, inputs);
    const roles = forwardRoles(g, x.dtype);
    const source = sourceLayout(roles);
    const target = targetLayout(roles);
    const [height, width] = g.input;
    const [rows, columns] = g.kernel;
    for (let n = 0; n < g.batch; n++) {
      for (let k = 0; k < g.groups * g.outChannels; k++) {
        const group = Math.floor(k / g.outChannels);
        // Groups go on where the one before ends.
        let at = n * target.image! + k * target.kept!;
        for (let i = 0; i < g.output[0]; i++) {
          for (let j = 0; j < g.output[1]; j++) {
            let sum = 0;
            let tap = k * g.inChannels * area(g.kernel);
            for (let c = 0; c < g.inChannels; c++) {
              const plane = n * source.image! + group * source.group! +
                c * source.summed!;
              for (let r = 0; r < rows; r++) {
                const h = i * g.stride[0] + r * g.dilation[0] - g.padding[0];
                for (let s = 0; s < columns; s++, tap++) {
                  const v = j * g.stride[1] + s * g.dilation[1] - g.padding[1];
                  const inside = h >= 0 && h < height && v >= 0 && v < width;
                  const value = inside ? x.data[plane + h * width + v] : 0;
                  sum += w.data[tap] * value;
                }
              }
            }
            y.data[at] = finish(sum, k, at);
            at++;
          }
        }
      }
    }
  },
  gradient: {
    saves: fusedSaves,
    rule(context) {
      const { attrs, grads: [dy], inputMetas, needs, apply } = context;
      requireImageByImage(attrs, inputMetas);
      const { inputs: [x, w] } = context;
      const [, , height, width] = inputMetas[0].shape;
      const [, , rows, columns] = inputMetas[1].shape;
      const inputSize: Pair = [height, width];
      const kernelSize: Pair = [rows, columns];
      if (!dy) return inputMetas.map(() => null);
      const sliding = slidingOf(attrs);
      const { sum, operands } = epilogueGradient({
        context,
        epilogue: epilogueOf(inputMetas, attrs) ?? {},
        first: OWN_INPUTS,
        dy,
        axis: 1,
        again: (inputs, epilogue) =>
          apply(conv2d, inputs, { ...sliding, epilogue })[0],
      });
      return [
        needs[0]
          ? apply(conv2dInputGradient, [sum, w], { ...sliding, inputSize })[0]
          : null,
        needs[1]
          ? apply(conv2dWeightGradient, [x, sum], { ...sliding, kernelSize })[0]
          : null,
        ...operands,
      ];
    },
  },
};

function callOf([x, w]: readonly Meta[]): string {
  return `Cannot convolve ${formatShape(x.shape)} with ${formatShape(w.shape)}`;
}

/** What is done to the sums: as the attributes say, or the adding of a bias where they don't and there is one. */
function epilogueOf(
  inputs: readonly Meta[],
  { epilogue }: FusedConv2dAttrs,
): Epilogue | undefined {
  return epilogue ?? (inputs.length > OWN_INPUTS ? { bias: true } : undefined);
}

function geometryFor(
  inputs: readonly Meta[],
  attrs: FusedConv2dAttrs,
): Geometry {
  const [x, w] = inputs;
  return geometryOf(x.shape, w.shape, attrs, callOf(inputs));
}

function rolesOf({ inputs, attrs }: Request<FusedConv2dAttrs>): Roles {
  const geometry = geometryFor(inputs, attrs);
  const epilogue = epilogueOf(inputs, attrs);
  return forwardRoles(geometry, inputs[0].dtype, epilogue);
}

function passOf(request: Request<FusedConv2dAttrs>): Pass {
  const roles = rolesOf(request);
  return { roles, correlations: [forwardCorrelation(roles.geometry)] };
}
