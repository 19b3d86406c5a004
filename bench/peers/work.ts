/** The work that is given to every library alike: what to compute, and on which numbers. */
import {
  type NamedWork,
  networkShapes,
  type NetworkWork,
  resnet18,
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

/** A step of gradient descent on LeNet with ReLU and max pooling, 28×28 pictures. The result is the losses of the first {@linkcode STEPS}. */
export interface LeNetWork {
  readonly kind: "lenet";
  readonly batch: number;
}

/** One row of the comparison. */
export type Work =
  & NamedWork
  & (
    | MatmulWork
    | ConvWork
    | PoolWork
    | SoftmaxWork
    | SumWork
    | AverageWork
    | BatchNormWork
    | LeNetWork
    | NetworkWork
  );

/** Work in a library's hands, its data already on the device. */
export interface Runner {
  /** Does the work some times and returns when the device is done. */
  run(times: number): Promise<void>;
  /** The result, NCHW. For LeNet it must be asked for before the first run. */
  result(): Promise<Float32Array>;
  dispose(): void;
}

/** A library on one of its devices. */
export interface Peer {
  readonly name: string;
  readonly device: "webgpu" | "cpu";
  /** Undefined for work that it can't do. */
  prepare(
    work: Work,
    data: readonly HostTensor[],
  ): Promise<Runner | undefined>;
}

/** Steps whose losses are compared. */
export const STEPS = 4;

/** What batch norm adds to variances. */
export const EPS = 1e-5;

/** Learning rate of LeNet's steps. */
export const LEARNING_RATE = 0.05;

/** Shapes of LeNet's parameters, as torchvision orders them: filters first, `[outputs, inputs]`. */
const LENET_PARAMETERS: readonly (readonly number[])[] = [
  [6, 1, 5, 5],
  [6],
  [16, 6, 5, 5],
  [16],
  [120, 400],
  [120],
  [84, 120],
  [84],
  [10, 84],
  [10],
];

/** Multiply-adds times two of LeNet's forward pass for one picture. */
const LENET_FLOPS = 2 * (28 ** 2 * 6 * 25 + 10 ** 2 * 16 * 150 +
  400 * 120 + 120 * 84 + 84 * 10);

function matmul(size: number): Work {
  const flops = 2 * size ** 3;
  return { name: `matmul ${size}³`, flops, kind: "matmul", size };
}

function conv(
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
  return { name, flops, kind: "conv", ...shape };
}

/** All work, in the order of the tables. Layers are those of bench/shapes.ts. */
export const WORK: readonly Work[] = [
  matmul(512),
  matmul(1024),
  conv("ResNet-18 layer1", [64, 56], [64, 3]),
  conv("ResNet-50 layer1", [256, 56], [64, 1]),
  conv("AlexNet conv2", [64, 27], [192, 5]),
  conv("ResNet-18 conv1", [3, 224], [64, 7], { stride: 2 }),
  conv("MobileNet", [128, 56], [128, 3], { groups: 128 }),
  {
    name: "max pool 3×3/2 [8, 64, 55, 55] (AlexNet pool1)",
    flops: 8 * 64 * 27 ** 2 * 9,
    kind: "maxPool",
    shape: [8, 64, 55, 55],
    kernel: 3,
    stride: 2,
  },
  {
    name: "softmax [64, 1000]",
    flops: 4 * 64 * 1000,
    kind: "softmax",
    shape: [64, 1000],
  },
  {
    name: "sum of [16, 64, 56, 56] to [64]",
    flops: 16 * 64 * 56 ** 2,
    kind: "sum",
    shape: [16, 64, 56, 56],
  },
  {
    name: "global average [8, 512, 7, 7] (ResNet-18)",
    flops: 8 * 512 * 49,
    kind: "average",
    shape: [8, 512, 7, 7],
  },
  {
    name: "batch norm, training [8, 64, 56, 56] (ResNet-18 layer1)",
    flops: 8 * 8 * 64 * 56 ** 2,
    kind: "batchNorm",
    shape: [8, 64, 56, 56],
  },
  {
    name: "LeNet training step, batch 64",
    // Forward, and twice as much backward.
    flops: 3 * 64 * LENET_FLOPS,
    kind: "lenet",
    batch: 64,
  },
  resnet18(1),
];

/** Numbers from -1 to 1, the same at every call. */
function noise(shape: readonly number[], scale = 1, seed = 1): HostTensor {
  const data = new Float32Array(shape.reduce((a, b) => a * b, 1));
  let state = Math.imul(seed, 0x9e3779b1) >>> 0;
  for (let i = 0; i < data.length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    data[i] = scale * (state / 2 ** 31 - 1);
  }
  return { shape, data };
}

/**
 * The numbers that the work is done on: operands in the order of their formula.
 *
 * For LeNet: pictures `[N, 1, 28, 28]`, labels `[N]`, then the ten parameters. For a network: pictures, then weight and bias of each step that has
 * them, the weights so wide that values neither vanish nor grow from layer to layer (He et al. 2015, arXiv:1502.01852, equation 10).
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
    case "network": {
      const parameters = networkShapes(work).parameters.map((shape, i) => {
        const fanIn = shape.slice(1).reduce((a, b) => a * b, 1);
        const scale = shape.length > 1 ? Math.sqrt(6 / fanIn) : 0.1;
        return noise(shape, scale, i + 2);
      });
      return [noise(work.shape), ...parameters];
    }
    case "lenet": {
      const labels = noise([work.batch], 5, 2);
      return [
        noise([work.batch, 1, 28, 28]),
        { ...labels, data: labels.data.map((v) => Math.floor(v + 5)) },
        ...LENET_PARAMETERS.map((shape, i) => {
          const fanIn = shape.slice(1).reduce((a, b) => a * b, 1);
          return noise(shape, 1.5 / Math.sqrt(fanIn), i + 3);
        }),
      ];
    }
  }
}

/** How many products each element of the result adds up, for the tolerance. */
export function sumLength(work: Work): number {
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
    case "lenet":
      return 400;
    case "network":
      return Math.max(
        ...networkShapes(work).parameters.map((shape) =>
          shape.slice(1).reduce((a, b) => a * b, 1)
        ),
      );
  }
}
