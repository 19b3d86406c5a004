/**
 * Inception v4 (Szegedy, Ioffe, Vanhoucke and Alemi 2016, "Inception-v4, Inception-ResNet and the Impact of Residual Connections on Learning",
 * figures 3 to 9). https://arxiv.org/abs/1602.07261
 *
 * Parameter names are those of timm's `inception_v4`. Blocks A, B and C keep the grid (35, 17 and 8 at 299×299 pictures).
 */
import { concat } from "../core/join.ts";
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
import { basicConv, BasicConv2d, Parallel } from "./inception_parts.ts";
import { type Builder, withWeights } from "./weights.ts";

/** Options of {@linkcode inceptionV4}. */
export interface InceptionV4Options {
  /** Number of classes. @default 1000 */
  readonly classes?: number;
  /** Channels of the input. @default 3 */
  readonly inChannels?: number;
  /** Probability of dropping before the last layer: the paper keeps 0.8. @default 0.2 */
  readonly dropout?: number;
}

/** Paddings that keep the size under windows longer one way than the other. */
const WIDE_7 = { padding: [0, 3] } as const;
const TALL_7 = { padding: [3, 0] } as const;
const WIDE_3 = { padding: [0, 1] } as const;
const TALL_3 = { padding: [1, 0] } as const;

/** 3×3 averages of what lies in the picture, then a 1×1 convolution. */
function averageBranch(inChannels: number, outChannels: number): Sequential {
  return new Sequential(
    new AvgPool2d(3, { stride: 1, padding: 1, countIncludePad: false }),
    basicConv(inChannels, outChannels, 1),
  );
}

/** The three forks of the stem (figure 3), after its first three convolutions. `x: [N, 64, 147, 147] → [N, 384, 35, 35]` */
function stemForks(): Parallel[] {
  return [
    new Parallel({
      maxpool: new MaxPool2d(3, { stride: 2 }),
      conv: basicConv(64, 96, 3, { stride: 2 }),
    }), // [N, 160, 73, 73]
    new Parallel({
      branch0: new Sequential(basicConv(160, 64, 1), basicConv(64, 96, 3)),
      branch1: new Sequential(
        basicConv(160, 64, 1),
        basicConv(64, 64, [1, 7], WIDE_7),
        basicConv(64, 64, [7, 1], TALL_7),
        basicConv(64, 96, 3),
      ),
    }), // [N, 192, 71, 71]
    new Parallel({
      conv: basicConv(192, 192, 3, { stride: 2 }),
      maxpool: new MaxPool2d(3, { stride: 2 }),
    }), // [N, 384, 35, 35]
  ];
}

/**
 * The stem (figure 3): what comes before the blocks. `x: [N, inChannels, 299, 299] → [N, 384, 35, 35]`
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { init, zeros, zoo } from "@tessera/tessera";
 *
 * await init();
 * assertEquals(zoo.inceptionV4Stem()(zeros([1, 3, 75, 75])).shape, [1, 384, 7, 7]);
 * ```
 */
export function inceptionV4Stem(inChannels = 3): Sequential {
  return new Sequential(...stemLayers(inChannels));
}

function stemLayers(inChannels: number): Module[] {
  return [
    basicConv(inChannels, 32, 3, { stride: 2 }), // [N, 32, 149, 149]
    basicConv(32, 32, 3), // [N, 32, 147, 147]
    basicConv(32, 64, 3, { padding: 1 }), // [N, 64, 147, 147]
    ...stemForks(),
  ];
}

/** For the 35×35 grid (figure 4). `x: [N, 384, H, W] → the same` */
export class InceptionV4A extends Parallel {
  constructor() {
    super({
      branch0: basicConv(384, 96, 1),
      branch1: new Sequential(
        basicConv(384, 64, 1),
        basicConv(64, 96, 3, { padding: 1 }),
      ),
      branch2: new Sequential(
        basicConv(384, 64, 1),
        basicConv(64, 96, 3, { padding: 1 }),
        basicConv(96, 96, 3, { padding: 1 }),
      ),
      branch3: averageBranch(384, 96),
    });
  }
}

/** From the 35×35 to the 17×17 grid (figure 7 with the numbers of table 1). `x: [N, 384, H, W] → [N, 1024, (H - 1)/2, (W - 1)/2]` */
export class InceptionV4ReductionA extends Parallel {
  constructor() {
    super({
      branch0: basicConv(384, 384, 3, { stride: 2 }),
      branch1: new Sequential(
        basicConv(384, 192, 1),
        basicConv(192, 224, 3, { padding: 1 }),
        basicConv(224, 256, 3, { stride: 2 }),
      ),
      branch2: new MaxPool2d(3, { stride: 2 }),
    });
  }
}

/** For the 17×17 grid (figure 5): 7×7 convolutions as 1×7 and 7×1. `x: [N, 1024, H, W] → the same` */
export class InceptionV4B extends Parallel {
  constructor() {
    super({
      branch0: basicConv(1024, 384, 1),
      branch1: new Sequential(
        basicConv(1024, 192, 1),
        basicConv(192, 224, [1, 7], WIDE_7),
        basicConv(224, 256, [7, 1], TALL_7),
      ),
      branch2: new Sequential(
        basicConv(1024, 192, 1),
        basicConv(192, 192, [7, 1], TALL_7),
        basicConv(192, 224, [1, 7], WIDE_7),
        basicConv(224, 224, [7, 1], TALL_7),
        basicConv(224, 256, [1, 7], WIDE_7),
      ),
      branch3: averageBranch(1024, 128),
    });
  }
}

/** From the 17×17 to the 8×8 grid (figure 8). `x: [N, 1024, H, W] → [N, 1536, (H - 1)/2, (W - 1)/2]` */
export class InceptionV4ReductionB extends Parallel {
  constructor() {
    super({
      branch0: new Sequential(
        basicConv(1024, 192, 1),
        basicConv(192, 192, 3, { stride: 2 }),
      ),
      branch1: new Sequential(
        basicConv(1024, 256, 1),
        basicConv(256, 256, [1, 7], WIDE_7),
        basicConv(256, 320, [7, 1], TALL_7),
        basicConv(320, 320, 3, { stride: 2 }),
      ),
      branch2: new MaxPool2d(3, { stride: 2 }),
    });
  }
}

/** For the 8×8 grid (figure 6): 1×3 and 3×1 convolutions side by side. `x: [N, 1536, H, W] → the same` */
export class InceptionV4C extends Module {
  readonly branch0: BasicConv2d = new BasicConv2d(1536, 256, 1);
  readonly branch1_0: BasicConv2d = new BasicConv2d(1536, 384, 1);
  readonly branch1_1a: BasicConv2d = new BasicConv2d(384, 256, [1, 3], WIDE_3);
  readonly branch1_1b: BasicConv2d = new BasicConv2d(384, 256, [3, 1], TALL_3);
  readonly branch2_0: BasicConv2d = new BasicConv2d(1536, 384, 1);
  readonly branch2_1: BasicConv2d = new BasicConv2d(384, 448, [3, 1], TALL_3);
  readonly branch2_2: BasicConv2d = new BasicConv2d(448, 512, [1, 3], WIDE_3);
  readonly branch2_3a: BasicConv2d = new BasicConv2d(512, 256, [1, 3], WIDE_3);
  readonly branch2_3b: BasicConv2d = new BasicConv2d(512, 256, [3, 1], TALL_3);
  readonly branch3: Sequential = averageBranch(1536, 256);

  override forward(x: Tensor): Tensor {
    const one = this.branch1_0(x);
    const two = this.branch2_2(this.branch2_1(this.branch2_0(x)));
    return concat([
      this.branch0(x),
      this.branch1_1a(one),
      this.branch1_1b(one),
      this.branch2_3a(two),
      this.branch2_3b(two),
      this.branch3(x),
    ], 1);
  }
}

/** Inception v4. `x: [N, inChannels, 299, 299] → [N, classes]`, at least 75×75 */
export class InceptionV4 extends Module {
  readonly features: Sequential;
  readonly avgpool: AdaptiveAvgPool2d = new AdaptiveAvgPool2d(1);
  readonly dropout: Dropout;
  readonly last_linear: Linear;

  constructor(options: InceptionV4Options = {}) {
    super();
    const { classes = 1000, inChannels = 3, dropout = 0.2 } = options;
    const several = (count: number, make: () => Module) =>
      Array.from({ length: count }, make);
    this.features = new Sequential( // [N, 3, 299, 299]
      ...stemLayers(inChannels), // [N, 384, 35, 35]
      ...several(4, () => new InceptionV4A()), // [N, 384, 35, 35]
      new InceptionV4ReductionA(), // [N, 1024, 17, 17]
      ...several(7, () => new InceptionV4B()), // [N, 1024, 17, 17]
      new InceptionV4ReductionB(), // [N, 1536, 8, 8]
      ...several(3, () => new InceptionV4C()), // [N, 1536, 8, 8]
    );
    this.dropout = new Dropout(dropout);
    this.last_linear = new Linear(1536, classes);
    this.apply((module) => {
      if (module instanceof Conv2d) init.kaimingNormal_(module.weight);
    });
  }

  override forward(x: Tensor): Tensor {
    const maps = this.avgpool(this.features(x)); // [N, 1536, 1, 1]
    return this.last_linear(this.dropout(maps.flatten(1)));
  }
}

/**
 * Inception v4, untrained: 42,679,816 parameters. `x: [N, inChannels, 299, 299] → [N, classes]`
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { init, nn, zoo } from "@tessera/tessera";
 *
 * await init();
 * const net = nn.init.skipInit(() => zoo.inceptionV4());
 * assertEquals(net.parameterCount(), 42_679_816);
 * ```
 */
export const inceptionV4: Builder<InceptionV4Options, InceptionV4> =
  withWeights("inception_v4", (options) => new InceptionV4(options));
