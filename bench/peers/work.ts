/** The work that is given to every library alike: what to compute, and on which numbers. */
import { densenet121, googlenet, lenet, resnet18, vgg16 } from "./models.ts";
import {
  type Network,
  networkFlops,
  networkShapes,
  type Parameter,
} from "./networks.ts";

/** Data on the host, row-major. */
export interface HostTensor {
  readonly shape: readonly number[];
  readonly data: Float32Array<ArrayBuffer>;
}

/** A product of two square matrices. */
export interface MatmulWork {
  readonly kind: "matmul";
  readonly size: number;
}

/** A convolution of one picture `[1, channels, size, size]`, without bias. */
export interface ConvWork {
  readonly kind: "conv";
  readonly channels: number;
  readonly size: number;
  readonly filters: number;
  readonly kernel: number;
  readonly stride: number;
  readonly padding: number;
  /** 1, or `channels` for a depthwise convolution. */
  readonly groups: number;
}

/** Max pooling without padding. */
export interface PoolWork {
  readonly kind: "maxPool";
  readonly shape: readonly [number, number, number, number];
  readonly kernel: number;
  readonly stride: number;
}

/** Softmax of rows. */
export interface SoftmaxWork {
  readonly kind: "softmax";
  readonly shape: readonly [number, number];
}

/** Sum over all axes but the channels. */
export interface SumWork {
  readonly kind: "sum";
  readonly shape: readonly [number, number, number, number];
}

/** Mean over the space of each plane. */
export interface AverageWork {
  readonly kind: "average";
  readonly shape: readonly [number, number, number, number];
}

/** Each channel by its own mean and variance, as batch norm in training, without running statistics, weight and bias. */
export interface BatchNormWork {
  readonly kind: "batchNorm";
  readonly shape: readonly [number, number, number, number];
}

/** The nets of the zoo that take part. */
export type NetName =
  | "lenet"
  | "resnet18"
  | "vgg16"
  | "googlenet"
  | "densenet121";

/** The forward pass of a network in evaluation. */
export interface NetworkWork extends Network {
  readonly kind: "network";
  readonly net: NetName;
}

/** A step of gradient descent, its batch norms by the batch's statistics. The result is the losses of the first {@linkcode STEPS}. */
export interface TrainingWork extends Network {
  readonly kind: "training";
  readonly net: NetName;
  readonly classes: number;
  readonly rate: number;
}

/** What a row of the comparison is called, for the command and in tables, and its operations: a multiply-add is two. */
export interface NamedWork {
  readonly id: string;
  readonly name: string;
  readonly flops: number;
}

/** A single op. */
export type KernelWork =
  | MatmulWork
  | ConvWork
  | PoolWork
  | SoftmaxWork
  | SumWork
  | AverageWork
  | BatchNormWork;

/** One row of the comparison. */
export type Work = NamedWork & (KernelWork | NetworkWork | TrainingWork);

/** Work in a library's hands, its data already on the device. */
export interface Runner {
  /** Does the work some times and returns when the device is done. */
  run(times: number): Promise<void>;
  /** The result, NCHW. For training it must be asked for before the first run. */
  result(): Promise<Float32Array>;
  dispose(): void;
}

/** A library on one of its devices. */
export interface Peer {
  readonly name: string;
  readonly device: "webgpu" | "cpu";
  /** Rejects, with the reason, for work that it can't do. */
  prepare(work: Work, data: readonly HostTensor[]): Promise<Runner>;
}

/** Steps whose losses are compared. */
export const STEPS = 4;

/** What batch norm adds to variances. */
export const EPS = 1e-5;

function matmul(size: number): Work {
  const flops = 2 * size ** 3;
  const id = `matmul${size}`;
  return { id, name: `matmul ${size}³`, flops, kind: "matmul", size };
}

function conv(
  id: string,
  layer: string,
  [channels, size]: readonly [number, number],
  [filters, kernel]: readonly [number, number],
  { stride = 1, groups = 1 } = {},
): Work {
  const padding = (kernel - 1) / 2;
  const out = Math.floor((size + 2 * padding - kernel) / stride) + 1;
  const flops = 2 * filters * out ** 2 * channels / groups * kernel ** 2;
  const name = `${
    groups > 1 ? "depthwise" : "conv"
  } ${kernel}×${kernel}/${stride} ${channels}→${filters} ${size}² (${layer})`;
  const shape = { channels, size, filters, kernel, stride, padding, groups };
  return { id, name, flops, kind: "conv", ...shape };
}

function picture(batch: number): Network["shape"] {
  return [batch, 3, 224, 224];
}

function forward(id: string, title: string, network: Network): Work {
  const name = `${title} forward, batch ${network.shape[0]}, 224²`;
  const net = id.split("-")[0] as NetName;
  const flops = networkFlops(network);
  return { id, name, flops, kind: "network", net, ...network };
}

/** A step counts as its forward pass and twice as much backward. */
function training(
  id: string,
  name: string,
  net: NetName,
  { network, classes, rate }: {
    network: Network;
    classes: number;
    rate: number;
  },
): Work {
  const flops = 3 * networkFlops(network);
  const how = { net, classes, rate };
  return { id, name, flops, kind: "training", ...how, ...network };
}

/** All work, in the order of the tables. Layers are those of bench/shapes.ts. */
export const WORK: readonly Work[] = [
  matmul(512),
  matmul(1024),
  conv("conv3x3", "ResNet-18 layer1", [64, 56], [64, 3]),
  conv("conv1x1", "ResNet-50 layer1", [256, 56], [64, 1]),
  conv("conv5x5", "AlexNet conv2", [64, 27], [192, 5]),
  conv("conv7x7", "ResNet-18 conv1", [3, 224], [64, 7], { stride: 2 }),
  conv("depthwise", "MobileNet", [128, 56], [128, 3], { groups: 128 }),
  {
    id: "maxpool",
    name: "max pool 3×3/2 [8, 64, 55, 55] (AlexNet pool1)",
    flops: 8 * 64 * 27 ** 2 * 9,
    kind: "maxPool",
    shape: [8, 64, 55, 55],
    kernel: 3,
    stride: 2,
  },
  {
    id: "softmax",
    name: "softmax [64, 1000]",
    flops: 4 * 64 * 1000,
    kind: "softmax",
    shape: [64, 1000],
  },
  {
    id: "sum",
    name: "sum of [16, 64, 56, 56] to [64]",
    flops: 16 * 64 * 56 ** 2,
    kind: "sum",
    shape: [16, 64, 56, 56],
  },
  {
    id: "average",
    name: "global average [8, 512, 7, 7] (ResNet-18)",
    flops: 8 * 512 * 49,
    kind: "average",
    shape: [8, 512, 7, 7],
  },
  {
    id: "batchnorm",
    name: "batch norm, training [8, 64, 56, 56] (ResNet-18 layer1)",
    flops: 8 * 8 * 64 * 56 ** 2,
    kind: "batchNorm",
    shape: [8, 64, 56, 56],
  },
  training("lenet-step", "LeNet training step, batch 64", "lenet", {
    network: lenet([64, 1, 28, 28]),
    classes: 10,
    rate: 0.05,
  }),
  forward("resnet18", "ResNet-18", resnet18(picture(1))),
  forward("resnet18-b8", "ResNet-18", resnet18(picture(8))),
  forward("vgg16", "VGG-16", vgg16(picture(1))),
  forward("googlenet", "GoogLeNet", googlenet(picture(1))),
  forward("densenet121", "DenseNet-121", densenet121(picture(1))),
  training(
    "resnet18-step",
    "ResNet-18 training step, batch 4, 64²",
    "resnet18",
    {
      network: resnet18([4, 3, 64, 64]),
      classes: 1000,
      // Small: where a value is within rounding of 0, its ReLU may pass a gradient in one library and not in the next.
      rate: 5e-5,
    },
  ),
];

/** Numbers as far as `scale` around a centre, the same at every call. */
function noise(
  shape: readonly number[],
  scale = 1,
  seed = 1,
  centre = 0,
): HostTensor {
  const data = new Float32Array(shape.reduce((a, b) => a * b, 1));
  let state = Math.imul(seed, 0x9e3779b1) >>> 0;
  for (let i = 0; i < data.length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    data[i] = centre + scale * (state / 2 ** 31 - 1);
  }
  return { shape, data };
}

/**
 * The numbers that the work is done on: operands in the order of their formula.
 *
 * For a network: pictures, for training labels, then its parameters. Weights are so wide that values neither vanish nor grow from layer to layer
 * (He et al. 2015, arXiv:1502.01852, equation 10), and the statistics of batch norms are random too, so that no part of the network is without effect.
 */
export function dataOf(work: Work): HostTensor[] {
  switch (work.kind) {
    case "matmul":
      return [1, 2].map((seed) => noise([work.size, work.size], 1, seed));
    case "conv": {
      const { channels, size, filters, kernel, groups } = work;
      return [
        noise([1, channels, size, size]),
        noise([filters, channels / groups, kernel, kernel], 1, 2),
      ];
    }
    case "maxPool":
    case "softmax":
    case "sum":
    case "average":
    case "batchNorm":
      return [noise(work.shape)];
    case "network":
      return [noise(work.shape), ...parametersFor(work)];
    case "training": {
      const half = work.classes / 2;
      const labels = noise([work.shape[0]], half, 2);
      return [
        noise(work.shape),
        { ...labels, data: labels.data.map((v) => Math.floor(v + half)) },
        ...parametersFor(work),
      ];
    }
  }
}

/** A row's parameters, in the order of their steps. */
export function parametersOf(
  work: NetworkWork | TrainingWork,
): readonly Parameter[] {
  return networkShapes(work).parameters.flat();
}

/** Whether a row's i-th parameter is trained: all but the running statistics, which peers are spared. */
export function isTrained(work: TrainingWork, i: number): boolean {
  const { kind } = parametersOf(work)[i];
  return kind !== "mean" && kind !== "variance";
}

function parametersFor(work: NetworkWork | TrainingWork): HostTensor[] {
  return parametersOf(work).map(({ shape, kind }, i) => {
    const seed = i + 3;
    switch (kind) {
      case "weight": {
        const fanIn = shape.slice(1).reduce((a, b) => a * b, 1);
        return noise(shape, Math.sqrt(6 / fanIn), seed);
      }
      case "bias":
        return noise(shape, 0.1, seed);
      case "gain":
        return noise(shape, 0.3, seed, 1);
      case "mean":
        return noise(shape, 0.2, seed);
      case "variance":
        return noise(shape, 0.5, seed, 1);
    }
  });
}

/** How many products each element of a kernel's result adds up, for the tolerance. */
export function sumLength(work: KernelWork): number {
  switch (work.kind) {
    case "matmul":
      return work.size;
    case "conv":
      return work.channels / work.groups * work.kernel ** 2;
    case "maxPool":
      return 1;
    case "softmax":
      return work.shape[1];
    case "average":
      return work.shape[2] * work.shape[3];
    case "sum":
    case "batchNorm":
      return work.shape[0] * work.shape[2] * work.shape[3];
  }
}
