/**
 * VGG (Simonyan and Zisserman 2014, "Very Deep Convolutional Networks for Large-Scale Image Recognition", table 1). https://arxiv.org/abs/1409.1556
 *
 * Parameter names are torchvision's. Some descriptions leave the five pooling layers out, with which the first linear layer wouldn't fit.
 */
import type { Tensor } from "../core/tensor.ts";
import {
  AdaptiveAvgPool2d,
  BatchNorm2d,
  Conv2d,
  Dropout,
  Flatten,
  init,
  Linear,
  MaxPool2d,
  Module,
  ReLU,
  Sequential,
} from "../nn/mod.ts";
import { startAsD2l } from "./start.ts";
import { type Builder, withWeights } from "./weights.ts";

/** Options of the VGG networks. */
export interface VggOptions {
  /**
   * - `"torchvision"`: with an adaptive average pool before the linear layers, so that pictures of other sizes than 224×224 fit;
   * - `"d2l"`: as in Dive into Deep Learning, section 8.2: blocks as layers, a picture of one channel, channels divided by `widthDivisor`,
   *   Glorot's weights at the start.
   *
   * @default "torchvision"
   */
  readonly variant?: "torchvision" | "d2l";
  /** Number of classes. @default 1000, of the d2l form 10 */
  readonly classes?: number;
  /** Channels of the input. @default 3, of the d2l form 1 */
  readonly inChannels?: number;
  /** Probability of dropping in the linear layers. @default 0.5 */
  readonly dropout?: number;
  /** What the channels of the d2l form are divided by: 4 trains in reasonable time. @default 1 */
  readonly widthDivisor?: number;
  /** Width and height of the d2l form's pictures, a multiple of 32. @default 224 */
  readonly inputSize?: number;
}

/** Convolutions and channels of the five blocks: configurations A, B, D and E of table 1. */
const CONFIGURATIONS = {
  11: [[1, 64], [1, 128], [2, 256], [2, 512], [2, 512]],
  13: [[2, 64], [2, 128], [2, 256], [2, 512], [2, 512]],
  16: [[2, 64], [2, 128], [3, 256], [3, 512], [3, 512]],
  19: [[2, 64], [2, 128], [4, 256], [4, 512], [4, 512]],
} as const;

type Depth = keyof typeof CONFIGURATIONS;

/** The layers of a block: so many 3×3 convolutions, each with a ReLU, then 2×2 max pooling. */
function blockLayers(
  convolutions: number,
  inChannels: number,
  outChannels: number,
  batchNorm: boolean,
): Module[] {
  const layers: Module[] = [];
  for (let i = 0; i < convolutions; i++) {
    const from = i === 0 ? inChannels : outChannels;
    layers.push(new Conv2d(from, outChannels, 3, { padding: 1 }));
    if (batchNorm) layers.push(new BatchNorm2d(outChannels));
    layers.push(new ReLU());
  }
  return [...layers, new MaxPool2d(2)];
}

/**
 * A VGG block: 3×3 convolutions with ReLUs, then pooling that halves the picture. `x: [N, inChannels, H, W] → [N, outChannels, H/2, W/2]`
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { init, zeros, zoo } from "@tessera/tessera";
 *
 * await init();
 * assertEquals(zoo.vggBlock(2, 3, 8)(zeros([1, 3, 32, 32])).shape, [1, 8, 16, 16]);
 * ```
 */
export function vggBlock(
  convolutions: number,
  inChannels: number,
  outChannels: number,
  options: { readonly batchNorm?: boolean } = {},
): Sequential {
  const { batchNorm = false } = options;
  return new Sequential(
    ...blockLayers(convolutions, inChannels, outChannels, batchNorm),
  );
}

/** A VGG in torchvision's form. `x: [N, inChannels, H, W] → [N, classes]` */
export class Vgg extends Module {
  readonly features: Sequential;
  readonly avgpool: AdaptiveAvgPool2d = new AdaptiveAvgPool2d(7);
  readonly classifier: Sequential;

  constructor(depth: Depth, batchNorm: boolean, options: VggOptions = {}) {
    super();
    const { classes = 1000, inChannels = 3, dropout = 0.5 } = options;
    let channels = inChannels;
    const layers = CONFIGURATIONS[depth].flatMap(([convolutions, width]) => {
      const block = blockLayers(convolutions, channels, width, batchNorm);
      channels = width;
      return block;
    });
    this.features = new Sequential(...layers); // [N, 512, 7, 7] of 224×224
    this.classifier = new Sequential(
      new Linear(512 * 7 * 7, 4096),
      new ReLU(),
      new Dropout(dropout),
      new Linear(4096, 4096),
      new ReLU(),
      new Dropout(dropout),
      new Linear(4096, classes),
    );
    this.apply(initialise);
  }

  override forward(x: Tensor): Tensor {
    const maps = this.avgpool(this.features(x)); // [N, 512, 7, 7]
    return this.classifier(maps.flatten(1)); // [N, classes]
  }
}

/** torchvision's start: He et al. (2015) for convolutions by their outputs, a deviation of 0.01 for linear layers. */
function initialise(module: Module): void {
  if (module instanceof Conv2d) {
    init.kaimingNormal_(module.weight, { mode: "fanOut" });
  } else if (module instanceof Linear) {
    init.normal_(module.weight, 0, 0.01);
  } else {
    return;
  }
  if (module.bias) init.zeros_(module.bias);
}

function vgg(
  depth: Depth,
  batchNorm: boolean,
  options: VggOptions,
): Module {
  return options.variant === "d2l"
    ? d2lVgg(depth, batchNorm, options)
    : new Vgg(depth, batchNorm, options);
}

function d2lVgg(
  depth: Depth,
  batchNorm: boolean,
  options: VggOptions,
): Sequential {
  const { classes = 10, inChannels = 1, dropout = 0.5 } = options;
  const { widthDivisor = 1, inputSize = 224 } = options;
  if (inputSize % 32 !== 0 || inputSize <= 0) {
    throw new RangeError(
      `Cannot make a VGG for pictures of ${inputSize}×${inputSize}: expected a multiple of 32, which is halved five times`,
    );
  }
  let channels = inChannels;
  const blocks = CONFIGURATIONS[depth].map(([convolutions, width]) => {
    const narrow = Math.floor(width / widthDivisor);
    const block = vggBlock(convolutions, channels, narrow, { batchNorm });
    channels = narrow;
    return block;
  });
  const net = new Sequential(
    ...blocks,
    new Flatten(),
    new Linear(channels * (inputSize / 32) ** 2, 4096),
    new ReLU(),
    new Dropout(dropout),
    new Linear(4096, 4096),
    new ReLU(),
    new Dropout(dropout),
    new Linear(4096, classes),
  );
  return startAsD2l(net);
}

/** VGG-11, configuration A: 132,863,336 parameters. */
export const vgg11: Builder<VggOptions, Module> = withWeights(
  "vgg11",
  (options) => vgg(11, false, options),
);

/** VGG-13, configuration B: 133,047,848 parameters. */
export const vgg13: Builder<VggOptions, Module> = withWeights(
  "vgg13",
  (options) => vgg(13, false, options),
);

/** VGG-16, configuration D: 138,357,544 parameters. */
export const vgg16: Builder<VggOptions, Module> = withWeights(
  "vgg16",
  (options) => vgg(16, false, options),
);

/** VGG-19, configuration E: 143,667,240 parameters. */
export const vgg19: Builder<VggOptions, Module> = withWeights(
  "vgg19",
  (options) => vgg(19, false, options),
);

/** VGG-11 with batch norm after each convolution: 132,868,840 parameters. */
export const vgg11Bn: Builder<VggOptions, Module> = withWeights(
  "vgg11_bn",
  (options) => vgg(11, true, options),
);

/** VGG-13 with batch norm: 133,053,736 parameters. */
export const vgg13Bn: Builder<VggOptions, Module> = withWeights(
  "vgg13_bn",
  (options) => vgg(13, true, options),
);

/** VGG-16 with batch norm: 138,365,992 parameters. */
export const vgg16Bn: Builder<VggOptions, Module> = withWeights(
  "vgg16_bn",
  (options) => vgg(16, true, options),
);

/** VGG-19 with batch norm: 143,678,248 parameters. */
export const vgg19Bn: Builder<VggOptions, Module> = withWeights(
  "vgg19_bn",
  (options) => vgg(19, true, options),
);
