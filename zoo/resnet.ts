/**
 * Residual networks (He, Zhang, Ren and Sun 2015, table 1). https://arxiv.org/abs/1512.03385
 *
 * Where a stage halves the picture, the paper's bottleneck strides in its first 1×1 convolution; torchvision's strides in the 3×3, which is known as
 * v1.5 and what its weights are for. Parameter names are torchvision's.
 */
import type { Tensor } from "../core/tensor.ts";
import {
  AdaptiveAvgPool2d,
  BatchNorm2d,
  Conv2d,
  Dropout,
  Identity,
  init,
  Linear,
  MaxPool2d,
  Module,
  Sequential,
} from "../nn/mod.ts";
import { PadShortcut } from "./residual.ts";
import { type Builder, withWeights } from "./weights.ts";

/** Options of the residual networks. */
export interface ResNetOptions {
  /** Number of classes. @default 1000 */
  readonly classes?: number;
  /** Channels of the input. @default 3 */
  readonly inChannels?: number;
  /** Where a bottleneck strides: `"v1.5"` in its 3×3 convolution, `"v1"` in its first 1×1 as in the paper. @default "v1.5" */
  readonly variant?: "v1" | "v1.5";
  /**
   * What takes x past a block (section 3.3): `"projection"` is 1×1 convolutions where shapes change (option B), `"padding"` every other place and
   * channels of zeros there, without parameters (option A), `"none"` nothing at all, which makes a plain network.
   *
   * @default "projection"
   */
  readonly shortcut?: Shortcut;
  /** How pictures come in: `"imagenet"` quarters them by a 7×7 convolution and pooling, `"small"` keeps 28×28 or 32×32 by a 3×3 one. @default "imagenet" */
  readonly stem?: "imagenet" | "small";
  /** Channels of the first stage; the others have 2, 4 and 8 times as many. @default 64 */
  readonly width?: number;
  /** Probability of dropping before the last layer, which the paper doesn't do. @default 0 */
  readonly dropout?: number;
}

/** What takes x past a residual block. */
export type Shortcut = "projection" | "padding" | "none";

/** What the blocks of a network have in common. */
export interface BlockOptions {
  /** @default "v1.5" */
  readonly variant?: "v1" | "v1.5";
  /** @default "projection" */
  readonly shortcut?: Shortcut;
}

/** A convolution whose padding keeps the size, without a bias: batch norm follows. */
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

/** What is on the shortcut where shapes change; null where they don't or there is none. */
function downsampleOf(
  inChannels: number,
  outChannels: number,
  stride: number,
  shortcut: Shortcut,
): Module | null {
  const same = stride === 1 && inChannels === outChannels;
  if (same || shortcut === "none") return null;
  if (shortcut === "padding") return new PadShortcut(outChannels, stride);
  return new Sequential(
    conv(inChannels, outChannels, 1, stride),
    new BatchNorm2d(outChannels),
  );
}

/** The end of a block: what it computed, plus the shortcut if it has one, then ReLU. */
function join(
  y: Tensor,
  x: Tensor,
  downsample: Module | null,
  shortcut: Shortcut,
): Tensor {
  if (shortcut === "none") return y.relu();
  return y.add(downsample ? downsample(x) : x).relu();
}

/** Two 3×3 convolutions and a shortcut (figure 5, left). `x: [N, inChannels, H, W] → [N, channels, H/stride, W/stride]` */
export class BasicBlock extends Module {
  /** Output channels for each of `channels`. */
  static readonly expansion = 1;
  readonly conv1: Conv2d;
  readonly bn1: BatchNorm2d;
  readonly conv2: Conv2d;
  readonly bn2: BatchNorm2d;
  readonly downsample: Module | null;
  readonly shortcut: Shortcut;

  constructor(
    inChannels: number,
    channels: number,
    stride: number,
    { shortcut = "projection" }: BlockOptions = {},
  ) {
    super();
    this.conv1 = conv(inChannels, channels, 3, stride);
    this.bn1 = new BatchNorm2d(channels);
    this.conv2 = conv(channels, channels, 3);
    this.bn2 = new BatchNorm2d(channels);
    this.shortcut = shortcut;
    this.downsample = downsampleOf(inChannels, channels, stride, shortcut);
  }

  override forward(x: Tensor): Tensor {
    const h = this.bn1(this.conv1(x)).relu();
    const y = this.bn2(this.conv2(h));
    return join(y, x, this.downsample, this.shortcut);
  }
}

/** 1×1, 3×3 and 1×1 convolutions and a shortcut (figure 5, right). `x: [N, inChannels, H, W] → [N, 4·channels, H/stride, W/stride]` */
export class Bottleneck extends Module {
  /** Output channels for each of `channels`. */
  static readonly expansion = 4;
  readonly conv1: Conv2d;
  readonly bn1: BatchNorm2d;
  readonly conv2: Conv2d;
  readonly bn2: BatchNorm2d;
  readonly conv3: Conv2d;
  readonly bn3: BatchNorm2d;
  readonly downsample: Module | null;
  readonly shortcut: Shortcut;

  constructor(
    inChannels: number,
    channels: number,
    stride: number,
    { variant = "v1.5", shortcut = "projection" }: BlockOptions = {},
  ) {
    super();
    const outChannels = channels * Bottleneck.expansion;
    const [first, second] = variant === "v1" ? [stride, 1] : [1, stride];
    this.conv1 = conv(inChannels, channels, 1, first);
    this.bn1 = new BatchNorm2d(channels);
    this.conv2 = conv(channels, channels, 3, second);
    this.bn2 = new BatchNorm2d(channels);
    this.conv3 = conv(channels, outChannels, 1);
    this.bn3 = new BatchNorm2d(outChannels);
    this.shortcut = shortcut;
    this.downsample = downsampleOf(inChannels, outChannels, stride, shortcut);
  }

  override forward(x: Tensor): Tensor {
    const h1 = this.bn1(this.conv1(x)).relu();
    const h2 = this.bn2(this.conv2(h1)).relu();
    const y = this.bn3(this.conv3(h2));
    return join(y, x, this.downsample, this.shortcut);
  }
}

/** A residual network. `x: [N, inChannels, H, W] → [N, classes]`; the paper's pictures are 224×224 */
export class ResNet extends Module {
  readonly conv1: Conv2d;
  readonly bn1: BatchNorm2d;
  readonly maxpool: Module;
  readonly layer1: Sequential;
  readonly layer2: Sequential;
  readonly layer3: Sequential;
  readonly layer4: Sequential;
  readonly avgpool: AdaptiveAvgPool2d;
  readonly dropout: Dropout | null;
  readonly fc: Linear;

  /** @param depths Blocks in each of the four stages. */
  constructor(
    block: typeof BasicBlock | typeof Bottleneck,
    depths: readonly [number, number, number, number],
    options: ResNetOptions = {},
  ) {
    super();
    const { classes = 1000, inChannels = 3, width = 64 } = options;
    const { dropout = 0 } = options;
    const small = options.stem === "small";
    let channels = width;
    const stage = (index: number, stride: number) => {
      const blocks = Array.from({ length: depths[index] }, (_, i) => {
        const wide = width * 2 ** index;
        const made = new block(channels, wide, i === 0 ? stride : 1, options);
        channels = wide * block.expansion;
        return made;
      });
      return new Sequential(...blocks);
    };
    this.conv1 = small
      ? conv(inChannels, width, 3) // [N, 64, 32, 32]
      : conv(inChannels, width, 7, 2); // [N, 64, 112, 112]
    this.bn1 = new BatchNorm2d(width);
    this.maxpool = small
      ? new Identity()
      : new MaxPool2d(3, { stride: 2, padding: 1 }); // 56×56
    this.layer1 = stage(0, 1); // 56×56
    this.layer2 = stage(1, 2); // 28×28
    this.layer3 = stage(2, 2); // 14×14
    this.layer4 = stage(3, 2); // 7×7
    this.avgpool = new AdaptiveAvgPool2d(1);
    this.dropout = dropout > 0 ? new Dropout(dropout) : null;
    this.fc = new Linear(channels, classes);
    this.apply(initialise);
  }

  override forward(x: Tensor): Tensor {
    const stem = this.maxpool(this.bn1(this.conv1(x)).relu());
    const h = this.layer2(this.layer1(stem));
    const features = this.avgpool(this.layer4(this.layer3(h))).flatten(1);
    return this.fc(this.dropout ? this.dropout(features) : features);
  }
}

/** He et al. (2015), arXiv:1502.01852, by the outputs, as torchvision's networks begin. */
function initialise(module: Module): void {
  if (!(module instanceof Conv2d)) return;
  init.kaimingNormal_(module.weight, { mode: "fanOut" });
}

/**
 * ResNet-18: 11,689,512 parameters at 1000 classes.
 *
 * @example
 * ```ts
 * import { assert, assertEquals } from "@std/assert";
 * import { init, nn, zoo } from "@tessera/tessera";
 *
 * await init();
 * const net = nn.init.skipInit(() => zoo.resnet18());
 * assertEquals(net.parameterCount(), 11_689_512);
 * assert(net.stateDict().has("layer1.0.conv1.weight"));
 * ```
 */
export const resnet18: Builder<ResNetOptions, ResNet> = withWeights(
  "resnet18",
  (options) => new ResNet(BasicBlock, [2, 2, 2, 2], options),
);

/** ResNet-34: 21,797,672 parameters. */
export const resnet34: Builder<ResNetOptions, ResNet> = withWeights(
  "resnet34",
  (options) => new ResNet(BasicBlock, [3, 4, 6, 3], options),
);

/** ResNet-50: 25,557,032 parameters. */
export const resnet50: Builder<ResNetOptions, ResNet> = withWeights(
  "resnet50",
  (options) => new ResNet(Bottleneck, [3, 4, 6, 3], options),
);

/** ResNet-101: 44,549,160 parameters. */
export const resnet101: Builder<ResNetOptions, ResNet> = withWeights(
  "resnet101",
  (options) => new ResNet(Bottleneck, [3, 4, 23, 3], options),
);

/** ResNet-152: 60,192,808 parameters. */
export const resnet152: Builder<ResNetOptions, ResNet> = withWeights(
  "resnet152",
  (options) => new ResNet(Bottleneck, [3, 8, 36, 3], options),
);

/** ResNet-18 without its shortcuts, the paper's plain network: 11,515,688 parameters. */
export const plain18: Builder<Omit<ResNetOptions, "shortcut">, ResNet> =
  withWeights(
    "plain18",
    (options) => resnet18({ ...options, shortcut: "none" }),
  );

/** ResNet-34 without its shortcuts (figure 3, middle): 21,623,848 parameters. */
export const plain34: Builder<Omit<ResNetOptions, "shortcut">, ResNet> =
  withWeights(
    "plain34",
    (options) => resnet34({ ...options, shortcut: "none" }),
  );
