/** Parts of residual networks that torchvision doesn't have: the shortcut without parameters, and the block of Dive into Deep Learning. */
import { zeros } from "../core/create.ts";
import { concat } from "../core/join.ts";
import type { Tensor } from "../core/tensor.ts";
import {
  AdaptiveAvgPool2d,
  BatchNorm2d,
  Conv2d,
  Dropout,
  Flatten,
  Linear,
  MaxPool2d,
  maxPool2d,
  Module,
  ReLU,
  Sequential,
} from "../nn/mod.ts";
import { startAsD2l } from "./start.ts";
import { type Builder, withWeights } from "./weights.ts";

/**
 * The shortcut without parameters (He et al. 2015, section 3.3, option A): every stride-th place of x, and zeros as the channels that it lacks.
 *
 * `x: [N, C, H, W] → [N, outChannels, ⌈H/stride⌉, ⌈W/stride⌉]`
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { init, tensor, zoo } from "@tessera/tessera";
 *
 * await init();
 * const x = tensor([[[[1, 2], [3, 4]]]]);
 * assertEquals(await new zoo.PadShortcut(2, 2)(x).array(), [[[[1]], [[0]]]]);
 * ```
 */
export class PadShortcut extends Module {
  constructor(readonly outChannels: number, readonly stride: number) {
    super();
  }

  override forward(x: Tensor): Tensor {
    const { stride } = this;
    // A window of one place picks it.
    const places = stride > 1 ? maxPool2d(x, 1, { stride }) : x;
    const [batch, channels, height, width] = places.shape;
    const missing = this.outChannels - channels;
    if (missing === 0) return places;
    const shape = [batch, missing, height, width];
    return concat([places, zeros(shape, { dtype: x.dtype })], 1);
  }

  override describe(): string {
    return `${this.outChannels}, stride=${this.stride}`;
  }
}

/** Options of {@linkcode Residual}. */
export interface ResidualOptions {
  /** Whether a 1×1 convolution takes x past the block, as it must where shapes change. @default false */
  readonly use1x1Conv?: boolean;
  /** @default 1 */
  readonly stride?: number;
}

/**
 * The residual block of Dive into Deep Learning, section 8.6: two 3×3 convolutions with biases, and on the shortcut a 1×1 one if asked for.
 *
 * `x: [N, inChannels, H, W] → [N, channels, H/stride, W/stride]`
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { init, zeros, zoo } from "@tessera/tessera";
 *
 * await init();
 * const block = new zoo.Residual(3, 6, { use1x1Conv: true, stride: 2 });
 * assertEquals(block(zeros([4, 3, 6, 6])).shape, [4, 6, 3, 3]);
 * ```
 */
export class Residual extends Module {
  readonly conv1: Conv2d;
  readonly conv2: Conv2d;
  readonly conv3: Conv2d | null;
  readonly bn1: BatchNorm2d;
  readonly bn2: BatchNorm2d;

  constructor(
    inChannels: number,
    channels: number,
    { use1x1Conv = false, stride = 1 }: ResidualOptions = {},
  ) {
    super();
    this.conv1 = new Conv2d(inChannels, channels, 3, { padding: 1, stride });
    this.conv2 = new Conv2d(channels, channels, 3, { padding: 1 });
    this.conv3 = use1x1Conv
      ? new Conv2d(inChannels, channels, 1, { stride })
      : null;
    this.bn1 = new BatchNorm2d(channels);
    this.bn2 = new BatchNorm2d(channels);
  }

  override forward(x: Tensor): Tensor {
    const h = this.bn1(this.conv1(x)).relu();
    const y = this.bn2(this.conv2(h));
    return y.add(this.conv3 ? this.conv3(x) : x).relu();
  }
}

/** Options of {@linkcode d2lResnet18}. */
export interface D2lResNetOptions {
  /** @default 10 */
  readonly classes?: number;
  /** @default 1 */
  readonly inChannels?: number;
  /** Channels of the first stage. @default 64 */
  readonly width?: number;
  /** Probability of dropping before the last layer. @default 0 */
  readonly dropout?: number;
}

/** ResNet-18 as in Dive into Deep Learning, section 8.6: 11,178,378 parameters. `x: [N, inChannels, 96, 96] → [N, classes]` */
export const d2lResnet18: Builder<D2lResNetOptions, Sequential> = withWeights(
  "resnet18_d2l",
  (options) => {
    const { classes = 10, inChannels = 1, width = 64 } = options;
    const { dropout = 0 } = options;
    const stage = (channels: number, first: boolean): Sequential =>
      new Sequential(
        first
          ? new Residual(channels, channels)
          : new Residual(channels / 2, channels, {
            use1x1Conv: true,
            stride: 2,
          }),
        new Residual(channels, channels),
      );
    const net = new Sequential(
      new Sequential( // [N, 1, 96, 96]
        new Conv2d(inChannels, width, 7, { stride: 2, padding: 3 }), // [N, 64, 48, 48]
        new BatchNorm2d(width),
        new ReLU(),
        new MaxPool2d(3, { stride: 2, padding: 1 }), // [N, 64, 24, 24]
      ),
      stage(width, true), // [N, 64, 24, 24]
      stage(2 * width, false), // [N, 128, 12, 12]
      stage(4 * width, false), // [N, 256, 6, 6]
      stage(8 * width, false), // [N, 512, 3, 3]
      new AdaptiveAvgPool2d(1),
      new Flatten(),
      ...(dropout > 0 ? [new Dropout(dropout)] : []),
      new Linear(8 * width, classes),
    );
    return startAsD2l(net);
  },
);
