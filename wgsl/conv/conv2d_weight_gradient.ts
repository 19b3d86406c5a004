/** The gradient of a convolution in its weights. */
import type { Meta, Op, Request } from "../op.ts";
import { formatShape, sizeOf } from "../shape.ts";
import { conv2d } from "./conv2d.ts";
import { conv2dInputGradient } from "./conv2d_input_gradient.ts";
import naiveCode from "./conv2d_weight_gradient_naive.wgsl" with {
  type: "text",
};
import rowsCode from "./conv2d_weight_gradient_rows.wgsl" with {
  type: "text",
};
import tiledCode from "./conv2d_weight_gradient_tiled.wgsl" with {
  type: "text",
};
import workgroupCode from "./conv2d_weight_gradient_workgroup.wgsl" with {
  type: "text",
};
import {
  isDepthwiseGradient,
  planDepthwiseGradient,
} from "./depthwise_weight_gradient.ts";
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
import { canSumParts, type PartKernel, planParts } from "./parts.ts";
import { forwardRoles, sourceLayout, targetLayout } from "./roles.ts";
import { quadsFor } from "./tile_forms.ts";
import { columnsPay, planWeightColumns } from "./weight_columns.ts";
import { isWeightProduct, planWeightProducts } from "./weight_products.ts";

/** Invocations that keep a software adapter or a small GPU busy. */
const BUSY = 2048;

/** Workgroups that keep a large GPU busy. */
const BUSY_GROUPS = 256;

const NAIVE: PartKernel = {
  kernel: {
    label: "wgsl/conv/conv2d_weight_gradient_naive.wgsl",
    code: naiveCode,
  },
  constants: {},
  workgroup: 64,
  channels: 1,
  taps: 1,
  packed: false,
  depth: 1,
  trips: 1,
  busy: BUSY,
};

/** Blocks in workgroup memory: the counterpart, for GPUs, of the tiled kernel. Both are implicit products of matrices. */
const WORKGROUP: PartKernel = {
  kernel: {
    label: "wgsl/conv/conv2d_weight_gradient_workgroup.wgsl",
    code: workgroupCode,
  },
  constants: {},
  workgroup: 1,
  channels: 64,
  taps: 64,
  packed: false,
  depth: 16,
  // The inner loop reads workgroup memory, so that its constant 16 trips count.
  trips: 17,
  busy: BUSY_GROUPS,
};

const TILED = {
  label: "wgsl/conv/conv2d_weight_gradient_tiled.wgsl",
  code: tiledCode,
};

/** The tiled kernel with the tile that wastes least on a number of output channels. */
function tiledFor({ outChannels }: Geometry): PartKernel {
  const quads = quadsFor(outChannels);
  return {
    kernel: TILED,
    constants: { QUADS: quads },
    workgroup: 32,
    channels: 4 * quads,
    taps: 8,
    packed: true,
    depth: 1,
    trips: 1,
    busy: BUSY,
  };
}

const ROWS = {
  label: "wgsl/conv/conv2d_weight_gradient_rows.wgsl",
  code: rowsCode,
};

/** Most rows of a kernel and taps of a row that the kernel of rows has written out. */
const MOST_TAPS = 5;

/** Outputs of a row that it takes at a time. */
const OUTPUTS = 4;

/** Fewest taps of a kernel, and taps times outputs of a row, from which its tiles pay for their start on each row. */
const FEWEST_TAPS = 9;
const FEWEST_PRODUCTS = 144;

/** Whether inputs under neighbouring outputs and taps are neighbours, a kernel's taps fit one tile, and are enough of them to share what is read. */
function rowsPay(geometry: Geometry): boolean {
  const { kernel, stride, dilation, output } = geometry;
  const { x, y } = shapesOf(geometry);
  const taps = area(kernel);
  return stride[1] === 1 && dilation[1] === 1 && area(output) > 0 &&
    kernel.every((size) => size <= MOST_TAPS) &&
    taps >= FEWEST_TAPS && taps * output[1] >= FEWEST_PRODUCTS &&
    sizeOf(x) % 4 === 0 && sizeOf(y) % 4 === 0;
}

/** The kernel of rows for a geometry that {@linkcode rowsPay}. Few parts: a software adapter has few cores, and adding them up took a seventh of the time with more. */
function rowsFor({ outChannels, kernel, output }: Geometry): PartKernel {
  const quads = outChannels > 4 ? 2 : 1;
  const [rows, taps] = kernel;
  return {
    kernel: ROWS,
    constants: { QUADS: quads, ROWS: rows, TAPS: taps },
    workgroup: 32,
    channels: 4 * quads,
    taps: rows * taps,
    packed: false,
    vectors: true,
    depth: output[1],
    trips: 1 + Math.ceil(output[1] / OUTPUTS),
    unit: output[1],
    busy: BUSY / 8,
  };
}

/** Attributes of `conv2dWeightGradient`: those of the convolution, and the height and width of its kernel. */
export interface Conv2dWeightGradientAttrs
  extends Omit<FusedConv2dAttrs, "epilogue"> {
  readonly kernelSize: Pair;
}

/**
 * Gradient of a convolution in its weights, given that in its output:
 * `dw[k, c, r, s] = Σ_n Σ_i Σ_j dy[n, k, i, j] · x[n, c, i·stride + r·dilation − padding, …]`, with zeros around x's planes.
 *
 * `x: [N, C, H, W], dy: [N, K, OH, OW] → [K, C/groups, R, S]`, R and S as `kernelSize` says.
 */
export const conv2dWeightGradient: Op<Conv2dWeightGradientAttrs> = {
  name: "conv2dWeightGradient",
  infer(inputs, attrs) {
    const geometry = geometryFor(inputs, attrs);
    const dtype = floatType(inputs, callOf(inputs, attrs));
    return [{ shape: shapesOf(geometry).w, dtype }];
  },
  variants: [
    {
      name: "depthwise",
      applies({ inputs, attrs, limits }) {
        const geometry = geometryFor(inputs, attrs);
        return isDepthwiseGradient(geometry, inputs[0].dtype, limits);
      },
      plan({ inputs, attrs, limits }) {
        const geometry = geometryFor(inputs, attrs);
        return planDepthwiseGradient(geometry, inputs[0].dtype, limits);
      },
    },
    {
      name: "matmul",
      applies({ inputs, attrs, limits }) {
        const geometry = geometryFor(inputs, attrs);
        return isWeightProduct(geometry, inputs[0].dtype, limits);
      },
      plan({ inputs, attrs, limits }) {
        const geometry = geometryFor(inputs, attrs);
        return planWeightProducts(geometry, inputs[0].dtype, limits);
      },
    },
    {
      name: "columns",
      applies({ inputs, attrs, limits }) {
        const geometry = geometryFor(inputs, attrs);
        return columnsPay(geometry, inputs[0].dtype, limits);
      },
      plan({ inputs, attrs, limits }) {
        const geometry = geometryFor(inputs, attrs);
        return planWeightColumns(geometry, inputs[0].dtype, limits);
      },
    },
    {
      name: "rows",
      applies({ inputs, attrs, limits }) {
        const geometry = geometryFor(inputs, attrs);
        return rowsPay(geometry) &&
          canSumParts(geometry, inputs[0].dtype, rowsFor(geometry), limits);
      },
      plan: (request) => plan(request, rowsFor),
    },
    {
      name: "tiled",
      applies({ inputs, attrs, limits }) {
        const geometry = geometryFor(inputs, attrs);
        const { dtype } = inputs[0];
        return canSumParts(geometry, dtype, tiledFor(geometry), limits);
      },
      plan: (request) => plan(request, tiledFor),
    },
    {
      name: "implicit_gemm_workgroup",
      applies({ inputs, attrs, limits }) {
        const geometry = geometryFor(inputs, attrs);
        return canSumParts(geometry, inputs[0].dtype, WORKGROUP, limits);
      },
      suits({ inputs, attrs }) {
        const { inChannels, outChannels, kernel } = geometryFor(inputs, attrs);
        const taps = inChannels * area(kernel);
        return Math.min(outChannels, taps) >= WORKGROUP.channels / 2;
      },
      plan: (request) => plan(request, () => WORKGROUP),
    },
    { name: "naive", plan: (request) => plan(request, () => NAIVE) },
  ],
  reference(inputs, [dw], attrs) {
    const [x, dy] = inputs;
    const g = geometryFor(inputs, attrs);
    const [height, width] = g.input;
    const [outHeight, outWidth] = g.output;
    const roles = forwardRoles(g, x.dtype);
    const source = sourceLayout(roles);
    const target = targetLayout(roles);
    let at = 0;
    for (let k = 0; k < g.groups * g.outChannels; k++) {
      const group = Math.floor(k / g.outChannels);
      for (let c = 0; c < g.inChannels; c++) {
        for (let r = 0; r < g.kernel[0]; r++) {
          for (let s = 0; s < g.kernel[1]; s++) {
            let sum = 0;
            for (let n = 0; n < g.batch; n++) {
              const plane = n * source.image! + group * source.group! +
                c * source.summed!;
              let out = n * target.image! + k * target.kept!;
              for (let i = 0; i < outHeight; i++) {
                const h = i * g.stride[0] + r * g.dilation[0] - g.padding[0];
                for (let j = 0; j < outWidth; j++, out++) {
                  const v = j * g.stride[1] + s * g.dilation[1] - g.padding[1];
                  const inside = h >= 0 && h < height && v >= 0 && v < width;
                  const value = inside ? x.data[plane + h * width + v] : 0;
                  sum += dy.data[out] * value;
                }
              }
            }
            dw.data[at++] = sum;
          }
        }
      }
    }
  },
  gradient: {
    saves: { inputs: [0, 1] },
    rule({ attrs, grads: [g], inputs: [x, dy], inputMetas, needs, apply }) {
      requireImageByImage(attrs, inputMetas);
      if (!g) return [null, null];
      const [, , height, width] = inputMetas[0].shape;
      const inputSize: Pair = [height, width];
      const sliding = slidingOf(attrs);
      return [
        needs[0]
          ? apply(conv2dInputGradient, [dy, g], { ...sliding, inputSize })[0]
          : null,
        needs[1] ? apply(conv2d, [x, g], sliding)[0] : null,
      ];
    },
  },
};

function plan(
  { inputs, attrs, limits }: Request<Conv2dWeightGradientAttrs>,
  kernelFor: (geometry: Geometry) => PartKernel,
) {
  const geometry = geometryFor(inputs, attrs);
  const { dtype } = inputs[0];
  return planParts(geometry, dtype, kernelFor(geometry), limits);
}

function callOf(
  [x, dy]: readonly Meta[],
  { kernelSize }: Conv2dWeightGradientAttrs,
): string {
  return `Cannot take the gradient of a ${
    kernelSize.join(" x ")
  } kernel between ${formatShape(x.shape)} and ${formatShape(dy.shape)}`;
}

function geometryFor(
  inputs: readonly Meta[],
  attrs: Conv2dWeightGradientAttrs,
): Geometry {
  const [x, dy] = inputs;
  const call = callOf(inputs, attrs);
  const [, channels = 0] = inOrder(x.shape, attrs.inputOrder);
  const [, filters = 0] = inOrder(dy.shape, attrs.outputOrder);
  const inChannels = Math.floor(channels / attrs.groups);
  const w = [filters, inChannels, ...attrs.kernelSize];
  const geometry = geometryOf(x.shape, w, attrs, call);
  expectShape(
    dy.shape,
    shapesOf(geometry).y,
    call,
    "the gradient of the output",
  );
  return geometry;
}
