/**
 * Residual networks with pre-activation (He, Zhang, Ren and Sun 2016, "Identity Mappings in Deep Residual Networks", figure 4e): batch norm and ReLU
 * come before each convolution, and nothing after the sum, so that a shortcut carries x on unchanged. https://arxiv.org/abs/1603.05027
 *
 * Where shapes change, the projection starts from the activated input, as in the authors' code; the stem has no batch norm, and one stands before the
 * average. The count of 50 layers is that of timm's `resnetv2_50`.
 */
import type { Tensor } from "../core/tensor.ts";
import {
  AdaptiveAvgPool2d,
  BatchNorm2d,
  Conv2d,
  Dropout,
  init,
  Linear,
  MaxPool2d,
  Module,
  Sequential,
} from "../nn/mod.ts";
import { type Builder, withWeights } from "./weights.ts";

/** Options of the residual networks with pre-activation. */
export interface ResNetV2Options {
  /** Number of classes. @default 1000 */
  readonly classes?: number;
  /** Channels of the input. @default 3 */
  readonly inChannels?: number;
  /** Probability of dropping before the last layer, which the paper doesn't do. @default 0 */
  readonly dropout?: number;
}

/** A convolution whose padding keeps the size, without a bias: batch norm comes before. */
function conv(
  inChannels: number,
  outChannels: number,
  kernel: number,
  stride = 1,
): Conv2d {
  const padding = (kernel - 1) / 2;
  return new Conv2d(inChannels, outChannels, kernel, {
    stride,
    padding,
    bias: false,
  });
}

/** What the blocks share: the activated input, and the shortcut that x takes. */
abstract class PreActBlock extends Module {
  readonly norm1: BatchNorm2d;
  readonly downsample: Conv2d | null;

  constructor(inChannels: number, outChannels: number, stride: number) {
    super();
    this.norm1 = new BatchNorm2d(inChannels);
    const same = stride === 1 && inChannels === outChannels;
    this.downsample = same ? null : conv(inChannels, outChannels, 1, stride);
  }

  /** The convolutions, of the activated input. */
  protected abstract residual(h: Tensor): Tensor;

  override forward(x: Tensor): Tensor {
    const h = this.norm1(x).relu();
    const shortcut = this.downsample ? this.downsample(h) : x;
    return this.residual(h).add(shortcut);
  }
}

/** Two 3×3 convolutions with pre-activation. `x: [N, inChannels, H, W] → [N, channels, H/stride, W/stride]` */
export class PreActBasicBlock extends PreActBlock {
  /** Output channels for each of `channels`. */
  static readonly expansion = 1;
  readonly conv1: Conv2d;
  readonly norm2: BatchNorm2d;
  readonly conv2: Conv2d;

  constructor(inChannels: number, channels: number, stride: number) {
    super(inChannels, channels, stride);
    this.conv1 = conv(inChannels, channels, 3, stride);
    this.norm2 = new BatchNorm2d(channels);
    this.conv2 = conv(channels, channels, 3);
  }

  protected override residual(h: Tensor): Tensor {
    return this.conv2(this.norm2(this.conv1(h)).relu());
  }
}

/** 1×1, 3×3 and 1×1 convolutions with pre-activation. `x: [N, inChannels, H, W] → [N, 4·channels, H/stride, W/stride]` */
export class PreActBottleneck extends PreActBlock {
  /** Output channels for each of `channels`. */
  static readonly expansion = 4;
  readonly conv1: Conv2d;
  readonly norm2: BatchNorm2d;
  readonly conv2: Conv2d;
  readonly norm3: BatchNorm2d;
  readonly conv3: Conv2d;

  constructor(inChannels: number, channels: number, stride: number) {
    super(inChannels, 4 * channels, stride);
    this.conv1 = conv(inChannels, channels, 1);
    this.norm2 = new BatchNorm2d(channels);
    this.conv2 = conv(channels, channels, 3, stride);
    this.norm3 = new BatchNorm2d(channels);
    this.conv3 = conv(channels, 4 * channels, 1);
  }

  protected override residual(h: Tensor): Tensor {
    const h2 = this.norm2(this.conv1(h)).relu();
    return this.conv3(this.norm3(this.conv2(h2)).relu());
  }
}

/** A residual network with pre-activation. `x: [N, inChannels, 224, 224] → [N, classes]` */
export class ResNetV2 extends Module {
  readonly stem: Sequential;
  readonly stages: Sequential;
  readonly norm: BatchNorm2d;
  readonly avgpool: AdaptiveAvgPool2d = new AdaptiveAvgPool2d(1);
  readonly dropout: Dropout | null;
  readonly fc: Linear;

  /** @param depths Blocks in each of the four stages. */
  constructor(
    block: typeof PreActBasicBlock | typeof PreActBottleneck,
    depths: readonly [number, number, number, number],
    options: ResNetV2Options = {},
  ) {
    super();
    const { classes = 1000, inChannels = 3, dropout = 0 } = options;
    let channels = 64;
    const stages = depths.map((depth, index) => {
      const width = 64 * 2 ** index;
      const blocks = Array.from({ length: depth }, (_, i) => {
        const stride = i === 0 && index > 0 ? 2 : 1;
        const made = new block(channels, width, stride);
        channels = width * block.expansion;
        return made;
      });
      return new Sequential(...blocks);
    });
    this.stem = new Sequential({
      conv: conv(inChannels, 64, 7, 2), // [N, 64, 112, 112]
      pool: new MaxPool2d(3, { stride: 2, padding: 1 }), // [N, 64, 56, 56]
    });
    this.stages = new Sequential(...stages); // 56×56, 28×28, 14×14, 7×7
    this.norm = new BatchNorm2d(channels);
    this.dropout = dropout > 0 ? new Dropout(dropout) : null;
    this.fc = new Linear(channels, classes);
    this.apply((module) => {
      if (!(module instanceof Conv2d)) return;
      init.kaimingNormal_(module.weight, { mode: "fanOut" });
    });
  }

  override forward(x: Tensor): Tensor {
    const maps = this.norm(this.stages(this.stem(x))).relu();
    const features = this.avgpool(maps).flatten(1);
    return this.fc(this.dropout ? this.dropout(features) : features);
  }
}

/**
 * ResNet-18 with pre-activation: 11,687,720 parameters.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { init, nn, zeros, zoo } from "@tessera/tessera";
 *
 * await init();
 * const net = nn.init.skipInit(() => zoo.resnet18V2({ classes: 10 }));
 * assertEquals(net.eval()(zeros([1, 3, 32, 32])).shape, [1, 10]);
 * ```
 */
export const resnet18V2: Builder<ResNetV2Options, ResNetV2> = withWeights(
  "resnetv2_18",
  (options) => new ResNetV2(PreActBasicBlock, [2, 2, 2, 2], options),
);

/** ResNet-34 with pre-activation: 21,795,880 parameters. */
export const resnet34V2: Builder<ResNetV2Options, ResNetV2> = withWeights(
  "resnetv2_34",
  (options) => new ResNetV2(PreActBasicBlock, [3, 4, 6, 3], options),
);

/** ResNet-50 with pre-activation: 25,549,352 parameters. */
export const resnet50V2: Builder<ResNetV2Options, ResNetV2> = withWeights(
  "resnetv2_50",
  (options) => new ResNetV2(PreActBottleneck, [3, 4, 6, 3], options),
);

/** ResNet-101 with pre-activation: 44,541,480 parameters. */
export const resnet101V2: Builder<ResNetV2Options, ResNetV2> = withWeights(
  "resnetv2_101",
  (options) => new ResNetV2(PreActBottleneck, [3, 4, 23, 3], options),
);

/** ResNet-152 with pre-activation: 60,185,128 parameters. */
export const resnet152V2: Builder<ResNetV2Options, ResNetV2> = withWeights(
  "resnetv2_152",
  (options) => new ResNetV2(PreActBottleneck, [3, 8, 36, 3], options),
);
