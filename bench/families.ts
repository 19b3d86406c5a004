/** The calls that are measured, family by family, made from the layers in shapes.ts. */
import { conv2d } from "../wgsl/conv/conv2d.ts";
import { conv2dInputGradient } from "../wgsl/conv/conv2d_input_gradient.ts";
import { conv2dWeightGradient } from "../wgsl/conv/conv2d_weight_gradient.ts";
import { matmul } from "../wgsl/matmul/matmul.ts";
import { normalize, normalizeWith } from "../wgsl/norm/normalize.ts";
import { normalizeBackward } from "../wgsl/norm/normalize_backward.ts";
import { add, mul, relu, tanh } from "../wgsl/pointwise/mod.ts";
import { avgPool2d, avgPool2dBackward } from "../wgsl/pool/avg_pool2d.ts";
import { maxPool2d, maxPool2dBackward } from "../wgsl/pool/max_pool2d.ts";
import { maxPool2dValues } from "../wgsl/pool/max_pool2d_values.ts";
import { argMax } from "../wgsl/reduce/arg.ts";
import { max, sum } from "../wgsl/reduce/reduce.ts";
import {
  logSoftmax,
  logSoftmaxBackward,
  softmax,
} from "../wgsl/softmax/softmax.ts";
import {
  CONV_LAYERS,
  convCost,
  type ConvLayer,
  convSize,
  layerName,
  LINEAR_LAYERS,
  linearCost,
  type LinearLayer,
  NORM_LAYERS,
  POOL_LAYERS,
  poolCost,
  type PoolLayer,
  poolSize,
  streamCost,
} from "./shapes.ts";
import { type Case, dense, transposed } from "./support.ts";

/** Names of the families. */
export const FAMILIES = [
  "matmul",
  "conv",
  "pool",
  "norm",
  "pointwise",
  "reduce",
  "softmax",
] as const;

/** A family of kernels. */
export type Family = typeof FAMILIES[number];

/** Above this, a weight is measured for one picture only: VGG-16's fc6 has 392 MiB, more than a binding. */
const MOST_BYTES = 2 ** 28;

/** Pictures in a batch, where a batch is measured. */
const BATCH = 64;

/** The calls of a family. */
export function casesOf(family: Family): Case[] {
  switch (family) {
    case "matmul":
      return [...[256, 512, 1024].map(square), ...linears()];
    case "conv":
      return [
        ...CONV_LAYERS.map((layer) => convolution(layer, 1)),
        ...convolutionGradients(),
      ];
    case "pool":
      return pools();
    case "norm":
      return norms();
    case "pointwise":
      return elementwise();
    case "reduce":
      return reductions();
    case "softmax":
      return softmaxes();
  }
}

/** The product of two n×n matrices. */
export function square(n: number): Case {
  return {
    name: `square ${n}×${n}×${n}`,
    op: matmul,
    inputs: [dense(n, n), dense(n, n)],
    attrs: {},
    flops: 2 * n ** 3,
    bytes: 12 * n ** 2,
  };
}

function linears(): Case[] {
  return LINEAR_LAYERS.flatMap((layer) =>
    batchesOf(layer).map((batch) => ({
      name: `${layerName(layer)} ${batch}×${layer.inputs}×${layer.outputs}`,
      op: matmul,
      inputs: [
        dense(batch, layer.inputs),
        transposed(layer.inputs, layer.outputs),
        dense(layer.outputs),
      ],
      attrs: {},
      ...linearCost(layer, batch),
    }))
  );
}

function batchesOf(layer: LinearLayer): number[] {
  return linearCost(layer, BATCH).bytes <= MOST_BYTES ? [1, BATCH] : [1];
}

function convAttrs({ stride, padding, groups }: ConvLayer) {
  return {
    stride: [stride, stride] as const,
    padding: [padding, padding, padding, padding] as const,
    dilation: [1, 1] as const,
    groups,
  };
}

function convName(layer: ConvLayer): string {
  const { channels, size, filters, kernel, stride } = layer;
  return `${
    layerName(layer)
  } ${kernel}×${kernel}/${stride} ${channels}→${filters} ${size}²`;
}

/** A layer on a batch of pictures. */
export function convolution(layer: ConvLayer, batch: number): Case {
  const { channels, size, filters, kernel, groups } = layer;
  return {
    name: convName(layer),
    op: conv2d,
    inputs: [
      dense(batch, channels, size, size),
      dense(filters, channels / groups, kernel, kernel),
    ],
    attrs: convAttrs(layer),
    ...convCost(layer, batch),
  };
}

/** Both gradients of one layer of each kind. */
function convolutionGradients(): Case[] {
  const measured = [
    "LeNet conv2",
    "AlexNet conv2",
    "ResNet-18 conv1",
    "ResNet-18 layer1",
    "ResNet-18 layer2.0.conv1",
    "ResNet-50 layer1 reduce",
    "MobileNet conv dw 128, 56",
  ];
  return CONV_LAYERS.filter((layer) => measured.includes(layerName(layer)))
    .flatMap((layer) => {
      const { channels, size, filters, kernel, groups } = layer;
      const out = convSize(layer);
      const x = dense(1, channels, size, size);
      const w = dense(filters, channels / groups, kernel, kernel);
      const dy = dense(1, filters, out, out);
      const cost = convCost(layer, 1);
      return [{
        name: `${convName(layer)}, input gradient`,
        op: conv2dInputGradient,
        inputs: [dy, w],
        attrs: { ...convAttrs(layer), inputSize: [size, size] },
        ...cost,
      }, {
        name: `${convName(layer)}, weight gradient`,
        op: conv2dWeightGradient,
        inputs: [x, dy],
        attrs: { ...convAttrs(layer), kernelSize: [kernel, kernel] },
        ...cost,
      }];
    });
}

function poolAttrs({ kind, kernel, stride, padding, ceilMode }: PoolLayer) {
  return {
    kernel: [kernel, kernel],
    stride: [stride, stride],
    padding: [padding, padding],
    ceilMode,
    ...(kind === "max" ? { dilation: [1, 1] } : { countIncludePad: true }),
  };
}

function pools(): Case[] {
  return POOL_LAYERS.flatMap((layer) => {
    const { kind, channels, size, kernel, stride } = layer;
    const out = poolSize(layer);
    const name = `${
      layerName(layer)
    } ${kind} ${kernel}×${kernel}/${stride} ${channels}·${size}²`;
    const attrs = poolAttrs(layer);
    const cost = poolCost(layer, 1);
    const dy = dense(1, channels, out, out);
    const backward = { ...attrs, inputSize: [size, size] };
    const x = dense(1, channels, size, size);
    const values = {
      name: `${name}, values only`,
      op: maxPool2dValues,
      inputs: [x],
      attrs,
      ...cost,
      // Without the indices, which are as many bytes as the values.
      bytes: cost.bytes - 4 * channels * out ** 2,
    };
    return [
      {
        name,
        op: kind === "max" ? maxPool2d : avgPool2d,
        inputs: [x],
        attrs,
        ...cost,
      },
      ...(kind === "max" ? [values] : []),
      {
        name: `${name}, gradient`,
        op: kind === "max" ? maxPool2dBackward : avgPool2dBackward,
        // What the indices are changes sums, not work.
        inputs: kind === "max" ? [dy, { ...dy, dtype: "i32" as const }] : [dy],
        attrs: backward,
        ...cost,
      },
    ];
  });
}

/** Batch norm over eight pictures: in training, in evaluation, and its gradient. */
function norms(): Case[] {
  const batch = 8;
  return NORM_LAYERS.filter(({ kind }) => kind === "batch").flatMap((layer) => {
    const { channels, size } = layer;
    const count = batch * channels * size ** 2;
    const name = `${
      layerName(layer)
    } [${batch}, ${channels}, ${size}, ${size}]`;
    const x = dense(batch, channels, size, size);
    const stats = dense(channels, 2);
    const each = dense(channels);
    const attrs = {
      outer: batch,
      samples: 1,
      groups: channels,
      channels: 1,
      space: size ** 2,
      eps: 1e-5,
      centered: true,
      weight: true,
      bias: true,
    };
    return [{
      name: `${name}, training`,
      op: normalize,
      inputs: [x, each, each],
      attrs,
      // Read for the statistics, and again for what is made of them.
      ...streamCost(2 * count, count, 4),
    }, {
      name: `${name}, evaluation`,
      op: normalizeWith,
      inputs: [x, stats, each, each],
      attrs,
      ...streamCost(count, count, 2),
    }, {
      name: `${name}, gradient`,
      op: normalizeBackward,
      inputs: [x, x, stats, each],
      attrs: { ...attrs, bias: false },
      ...streamCost(4 * count, count, 3),
    }];
  });
}

/** What follows normalisation in ResNet-18, on the largest and the smallest of its planes. */
function elementwise(): Case[] {
  return NORM_LAYERS.filter(({ network }) => network === "ResNet-18")
    .flatMap((layer) => {
      const { channels, size } = layer;
      const shape = [1, channels, size, size];
      const count = channels * size ** 2;
      const at = `${layerName(layer)} [${shape}]`;
      const x = dense(...shape);
      return [
        {
          name: `relu, ${at}`,
          op: relu,
          inputs: [x],
          attrs: {},
          ...streamCost(count, count),
        },
        {
          name: `tanh, ${at}`,
          op: tanh,
          inputs: [x],
          attrs: {},
          ...streamCost(count, count),
        },
        {
          name: `x + shortcut, ${at}`,
          op: add,
          inputs: [x, x],
          attrs: {},
          ...streamCost(2 * count, count, 0.5),
        },
        {
          name: `x · scale of channels, ${at}`,
          op: mul,
          inputs: [x, dense(1, channels, 1, 1)],
          attrs: {},
          ...streamCost(count, count),
        },
      ];
    });
}

function reductions(): Case[] {
  const planes = [1, BATCH].map((batch) => [batch, 64, 56, 56]);
  const scores = [BATCH, 1000];
  const fold = (
    name: string,
    op: Case["op"],
    shape: readonly number[],
    axes: readonly number[],
  ): Case => {
    const size = shape.reduce((a, b) => a * b, 1);
    const kept = shape.reduce((a, n, d) => axes.includes(d) ? a : a * n, 1);
    return {
      name: `${name} of [${shape}] over ${axes}`,
      op,
      inputs: [dense(...shape)],
      attrs: op === argMax
        ? { axis: axes[0], keepDims: false }
        : { axes, keepDims: false },
      ...streamCost(size, kept),
    };
  };
  return [
    ...planes.flatMap((shape) => [
      fold("ResNet-18 layer1: sum", sum, shape, [0, 1, 2, 3]),
      fold("ResNet-18 layer1: sum", sum, shape, [0, 2, 3]),
      fold("ResNet-18 layer1: sum", sum, shape, [2, 3]),
      fold("ResNet-18 layer1: max", max, shape, [2, 3]),
    ]),
    fold("ImageNet scores: sum", sum, scores, [0]),
    fold("ImageNet scores: argmax", argMax, scores, [1]),
  ];
}

function softmaxes(): Case[] {
  const rows = [
    ["LeNet scores", BATCH, 10],
    ["ImageNet scores", 1, 1000],
    ["ImageNet scores", BATCH, 1000],
    ["ImageNet-21k scores", BATCH, 21841],
  ] as const;
  return rows.flatMap(([what, batch, classes]) => {
    const x = dense(batch, classes);
    const count = batch * classes;
    const name = `${what} [${batch}, ${classes}]`;
    const attrs = { axis: 1 };
    const forward = { inputs: [x], attrs, ...streamCost(count, count, 4) };
    return [
      { name: `softmax, ${name}`, op: softmax, ...forward },
      { name: `logSoftmax, ${name}`, op: logSoftmax, ...forward },
      {
        name: `logSoftmax gradient, ${name}`,
        op: logSoftmaxBackward,
        inputs: [x, x],
        attrs,
        ...streamCost(2 * count, count, 2),
      },
    ];
  });
}
