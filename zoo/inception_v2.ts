/**
 * Inception v2, or BN-Inception (Ioffe and Szegedy 2015, "Batch Normalization", figure 5): GoogLeNet with batch norm, two 3×3 convolutions for each
 * 5×5, and strides in blocks instead of pools between them. https://arxiv.org/abs/1502.03167
 */
import type { Tensor } from "../core/tensor.ts";
import {
  AdaptiveAvgPool2d,
  AvgPool2d,
  Conv2d,
  Dropout,
  init,
  Linear,
  MaxPool2d,
  Module,
  Sequential,
} from "../nn/mod.ts";
import { basicConv, Parallel } from "./inception_parts.ts";
import { InceptionA } from "./inception_v3_blocks.ts";
import { type Builder, withWeights } from "./weights.ts";

/** Options of {@linkcode inceptionV2}. */
export interface InceptionV2Options {
  /** Number of classes. @default 1000 */
  readonly classes?: number;
  /** Channels of the input. @default 3 */
  readonly inChannels?: number;
  /** Probability of dropping before the last layer. @default 0.2 */
  readonly dropout?: number;
  /**
   * Whether the first convolution is the paper's: eight 7×7 filters for each colour, mixed by a 1×1 convolution. Otherwise it is a common one, as in
   * most copies. @default true
   */
  readonly separable?: boolean;
}

/** Channels of two 3×3 convolutions' branch: of its reduction, and of what it makes. */
type Branch = readonly [reduced: number, made: number];

/**
 * Inception with the 5×5 convolution as two of 3×3: the same window with 18 weights for 25, and a ReLU more.
 *
 * `x: [N, C, H, W] → [N, ch1x1 + ch3x3[1] + double3x3[1] + poolProj, H, W]`
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { init, zeros, zoo } from "@tessera/tessera";
 *
 * await init();
 * const block = new zoo.BnInception(192, 64, [64, 64], [64, 96], 32);
 * assertEquals(block(zeros([1, 192, 28, 28])).shape, [1, 256, 28, 28]);
 * ```
 */
export class BnInception extends Parallel {
  constructor(
    inChannels: number,
    ch1x1: number,
    ch3x3: Branch,
    double3x3: Branch,
    poolProj: number,
    pool: "avg" | "max" = "avg",
  ) {
    const window = { stride: 1, padding: 1 };
    super({
      branch1: basicConv(inChannels, ch1x1, 1),
      branch2: new Sequential(
        basicConv(inChannels, ch3x3[0], 1),
        basicConv(ch3x3[0], ch3x3[1], 3, { padding: 1 }),
      ),
      branch3: new Sequential(
        basicConv(inChannels, double3x3[0], 1),
        basicConv(double3x3[0], double3x3[1], 3, { padding: 1 }),
        basicConv(double3x3[1], double3x3[1], 3, { padding: 1 }),
      ),
      branch4: new Sequential(
        pool === "avg" ? new AvgPool2d(3, window) : new MaxPool2d(3, window),
        basicConv(inChannels, poolProj, 1),
      ),
    });
  }
}

/**
 * The block that halves the picture: strides in both convolutions, and max pooling that passes all channels on.
 *
 * `x: [N, C, H, W] → [N, ch3x3[1] + double3x3[1] + C, H/2, W/2]`
 */
export class BnReduction extends Parallel {
  constructor(inChannels: number, ch3x3: Branch, double3x3: Branch) {
    const half = { stride: 2, padding: 1 };
    super({
      branch1: new Sequential(
        basicConv(inChannels, ch3x3[0], 1),
        basicConv(ch3x3[0], ch3x3[1], 3, half),
      ),
      branch2: new Sequential(
        basicConv(inChannels, double3x3[0], 1),
        basicConv(double3x3[0], double3x3[1], 3, { padding: 1 }),
        basicConv(double3x3[1], double3x3[1], 3, half),
      ),
      branch3: new MaxPool2d(3, half),
    });
  }
}

/**
 * The block that course notes show for Inception v2: branches of 64 (1×1), 48→64 (5×5), 64→96→96 (3×3 twice) and averages. It is the first block of
 * Inception v3. `x: [N, inChannels, H, W] → [N, 224 + poolFeatures, H, W]`
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { init, zeros, zoo } from "@tessera/tessera";
 *
 * await init();
 * const block = zoo.inceptionV2Block(192);
 * assertEquals(block(zeros([1, 192, 35, 35])).shape, [1, 256, 35, 35]);
 * ```
 */
export function inceptionV2Block(
  inChannels: number,
  poolFeatures = 32,
): InceptionA {
  return new InceptionA(inChannels, poolFeatures);
}

/** BN-Inception. `x: [N, inChannels, 224, 224] → [N, classes]` */
export class InceptionV2 extends Module {
  readonly features: Sequential;
  readonly avgpool: AdaptiveAvgPool2d = new AdaptiveAvgPool2d(1);
  readonly dropout: Dropout;
  readonly fc: Linear;

  constructor(options: InceptionV2Options = {}) {
    super();
    const { classes = 1000, inChannels = 3 } = options;
    const { dropout = 0.2, separable = true } = options;
    const pool = () => new MaxPool2d(3, { stride: 2, padding: 1 });
    const first = { stride: 2, padding: 3 };
    this.features = new Sequential({ // [N, 3, 224, 224]
      conv1: separable
        ? new Sequential(
          new Conv2d(inChannels, 8 * inChannels, 7, {
            ...first,
            groups: inChannels,
            bias: false,
          }),
          basicConv(8 * inChannels, 64, 1),
        )
        : basicConv(inChannels, 64, 7, first), // [N, 64, 112, 112]
      maxpool1: pool(), // [N, 64, 56, 56]
      conv2: basicConv(64, 64, 1), // [N, 64, 56, 56]
      conv3: basicConv(64, 192, 3, { padding: 1 }), // [N, 192, 56, 56]
      maxpool2: pool(), // [N, 192, 28, 28]
      inception3a: new BnInception(192, 64, [64, 64], [64, 96], 32), // [N, 256, 28, 28]
      inception3b: new BnInception(256, 64, [64, 96], [64, 96], 64), // [N, 320, 28, 28]
      inception3c: new BnReduction(320, [128, 160], [64, 96]), // [N, 576, 14, 14]
      inception4a: new BnInception(576, 224, [64, 96], [96, 128], 128), // [N, 576, 14, 14]
      inception4b: new BnInception(576, 192, [96, 128], [96, 128], 128), // [N, 576, 14, 14]
      inception4c: new BnInception(576, 160, [128, 160], [128, 160], 96), // [N, 576, 14, 14]
      inception4d: new BnInception(576, 96, [128, 192], [160, 192], 96), // [N, 576, 14, 14]
      inception4e: new BnReduction(576, [128, 192], [192, 256]), // [N, 1024, 7, 7]
      inception5a: new BnInception(1024, 352, [192, 320], [160, 224], 128), // [N, 1024, 7, 7]
      inception5b: new BnInception(
        1024,
        352,
        [192, 320],
        [192, 224],
        128,
        "max",
      ), // [N, 1024, 7, 7]
    });
    this.dropout = new Dropout(dropout);
    this.fc = new Linear(1024, classes);
    this.apply((module) => {
      if (module instanceof Conv2d) init.kaimingNormal_(module.weight);
    });
  }

  override forward(x: Tensor): Tensor {
    const maps = this.avgpool(this.features(x)); // [N, 1024, 1, 1]
    return this.fc(this.dropout(maps.flatten(1)));
  }
}

/**
 * Inception v2, untrained: 11,188,288 parameters (with a common first convolution 11,194,984). `x: [N, inChannels, 224, 224] → [N, classes]`
 *
 * Figure 5 contradicts itself in blocks 4c and 4d: the branches that it lists make 608 channels, its outputs have 576. Here the outputs hold, with 96
 * channels for 128 after the pool, as in the code that Google published.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { init, zeros, zoo } from "@tessera/tessera";
 *
 * await init();
 * const net = zoo.inceptionV2({ classes: 10 });
 * assertEquals(net(zeros([2, 3, 64, 64])).shape, [2, 10]);
 * ```
 */
export const inceptionV2: Builder<InceptionV2Options, InceptionV2> =
  withWeights("inception_v2", (options) => new InceptionV2(options));
