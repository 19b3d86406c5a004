/**
 * Inception v3 (Szegedy et al. 2015, "Rethinking the Inception Architecture for Computer Vision", table 1). https://arxiv.org/abs/1512.00567
 *
 * Parameter names are torchvision's.
 */
import type { Tensor } from "../core/tensor.ts";
import {
  AdaptiveAvgPool2d,
  Conv2d,
  Dropout,
  init,
  Linear,
  MaxPool2d,
} from "../nn/mod.ts";
import { AuxiliaryNet } from "./auxiliary.ts";
import { BasicConv2d, checkTransform, transformed } from "./inception_parts.ts";
import {
  InceptionA,
  InceptionAux,
  InceptionB,
  InceptionC,
  InceptionD,
  InceptionE,
} from "./inception_v3_blocks.ts";
import { type Builder, withWeights } from "./weights.ts";

/** Options of {@linkcode inceptionV3}. */
export interface InceptionV3Options {
  /** Number of classes. @default 1000 */
  readonly classes?: number;
  /** Channels of the input. @default 3 */
  readonly inChannels?: number;
  /** Probability of dropping before the last layer. @default 0.5 */
  readonly dropout?: number;
  /** Whether to have the auxiliary head, whose loss {@linkcode auxiliaryLoss} adds. It wants 299×299 pictures in training. @default true */
  readonly auxLogits?: boolean;
  /** Whether inputs normalised by ImageNet's statistics are brought to the range of -1 to 1, as torchvision's weights need. @default false */
  readonly transformInput?: boolean;
}

/** Inception v3. `x: [N, inChannels, 299, 299] → [N, classes]`, at least 75×75 */
export class InceptionV3 extends AuxiliaryNet {
  readonly transformInput: boolean;
  readonly Conv2d_1a_3x3: BasicConv2d;
  readonly Conv2d_2a_3x3: BasicConv2d;
  readonly Conv2d_2b_3x3: BasicConv2d;
  readonly maxpool1: MaxPool2d = new MaxPool2d(3, { stride: 2 });
  readonly Conv2d_3b_1x1: BasicConv2d;
  readonly Conv2d_4a_3x3: BasicConv2d;
  readonly maxpool2: MaxPool2d = new MaxPool2d(3, { stride: 2 });
  readonly Mixed_5b: InceptionA;
  readonly Mixed_5c: InceptionA;
  readonly Mixed_5d: InceptionA;
  readonly Mixed_6a: InceptionB;
  readonly Mixed_6b: InceptionC;
  readonly Mixed_6c: InceptionC;
  readonly Mixed_6d: InceptionC;
  readonly Mixed_6e: InceptionC;
  readonly AuxLogits: InceptionAux | null;
  readonly Mixed_7a: InceptionD;
  readonly Mixed_7b: InceptionE;
  readonly Mixed_7c: InceptionE;
  readonly avgpool: AdaptiveAvgPool2d = new AdaptiveAvgPool2d(1);
  readonly dropout: Dropout;
  readonly fc: Linear;

  constructor(options: InceptionV3Options = {}) {
    super();
    const { classes = 1000, inChannels = 3, dropout = 0.5 } = options;
    const { auxLogits = true, transformInput = false } = options;
    checkTransform(transformInput, inChannels);
    this.transformInput = transformInput;
    // [N, 3, 299, 299]
    this.Conv2d_1a_3x3 = new BasicConv2d(inChannels, 32, 3, { stride: 2 }); // [N, 32, 149, 149]
    this.Conv2d_2a_3x3 = new BasicConv2d(32, 32, 3); // [N, 32, 147, 147]
    this.Conv2d_2b_3x3 = new BasicConv2d(32, 64, 3, { padding: 1 }); // [N, 64, 147, 147], pooled [N, 64, 73, 73]
    this.Conv2d_3b_1x1 = new BasicConv2d(64, 80, 1); // [N, 80, 73, 73]
    this.Conv2d_4a_3x3 = new BasicConv2d(80, 192, 3); // [N, 192, 71, 71], pooled [N, 192, 35, 35]
    this.Mixed_5b = new InceptionA(192, 32); // [N, 256, 35, 35]
    this.Mixed_5c = new InceptionA(256, 64); // [N, 288, 35, 35]
    this.Mixed_5d = new InceptionA(288, 64); // [N, 288, 35, 35]
    this.Mixed_6a = new InceptionB(288); // [N, 768, 17, 17]
    this.Mixed_6b = new InceptionC(768, 128); // [N, 768, 17, 17]
    this.Mixed_6c = new InceptionC(768, 160); // [N, 768, 17, 17]
    this.Mixed_6d = new InceptionC(768, 160); // [N, 768, 17, 17]
    this.Mixed_6e = new InceptionC(768, 192); // [N, 768, 17, 17]
    this.AuxLogits = auxLogits ? new InceptionAux(768, classes) : null;
    this.Mixed_7a = new InceptionD(768); // [N, 1280, 8, 8]
    this.Mixed_7b = new InceptionE(1280); // [N, 2048, 8, 8]
    this.Mixed_7c = new InceptionE(2048); // [N, 2048, 8, 8]
    this.dropout = new Dropout(dropout);
    this.fc = new Linear(2048, classes);
    this.#initialise();
  }

  /** torchvision's start: weights of deviation 0.1, smaller in the head; its bounds at 20 deviations and more cut nothing off. */
  #initialise(): void {
    this.apply((module) => {
      if (module instanceof Conv2d || module instanceof Linear) {
        init.normal_(module.weight, 0, 0.1);
      }
    });
    if (!this.AuxLogits) return;
    init.normal_(this.AuxLogits.conv1.conv.weight, 0, 0.01);
    init.normal_(this.AuxLogits.fc.weight, 0, 0.001);
  }

  override forward(x: Tensor): Tensor {
    const pictures = this.transformInput ? transformed(x) : x;
    let h = this.Conv2d_2a_3x3(this.Conv2d_1a_3x3(pictures));
    h = this.maxpool1(this.Conv2d_2b_3x3(h));
    h = this.maxpool2(this.Conv2d_4a_3x3(this.Conv2d_3b_1x1(h)));
    h = this.Mixed_5d(this.Mixed_5c(this.Mixed_5b(h)));
    h = this.Mixed_6c(this.Mixed_6b(this.Mixed_6a(h)));
    h = this.Mixed_6e(this.Mixed_6d(h)); // [N, 768, 17, 17]
    this.runHeads([this.AuxLogits, h]);
    h = this.Mixed_7c(this.Mixed_7b(this.Mixed_7a(h)));
    return this.fc(this.dropout(this.avgpool(h).flatten(1)));
  }
}

/**
 * Inception v3, untrained: 27,161,264 parameters, of which the auxiliary head has 3,326,696. `x: [N, inChannels, 299, 299] → [N, classes]`
 *
 * It is torchvision's network, as in Google's own code, which differs from table 1: the second part of the stem is a 1×1 convolution to 80 channels, a 3×3 one
 * to 192 and a max pool, where the table has 3×3 convolutions to 80, 192 and 288; and beside its reduction the 17×17 grid has four blocks, not five.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { init, zoo } from "@tessera/tessera";
 *
 * await init();
 * const net = zoo.inceptionV3({ classes: 10, auxLogits: false });
 * assertEquals(net.fc.outFeatures, 10);
 * ```
 */
export const inceptionV3: Builder<InceptionV3Options, InceptionV3> =
  withWeights("inception_v3", (options) => new InceptionV3(options));
