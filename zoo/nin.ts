/** Network in Network (Lin, Chen and Yan 2013): 1×1 convolutions, and global averages in place of linear layers. https://arxiv.org/abs/1312.4400 */
import {
  AdaptiveAvgPool2d,
  AvgPool2d,
  Conv2d,
  type Conv2dOptions,
  Dropout,
  Flatten,
  init,
  MaxPool2d,
  type Module,
  ReLU,
  Sequential,
} from "../nn/mod.ts";
import { startAsD2l } from "./start.ts";
import { type Builder, withWeights } from "./weights.ts";

/** Options of {@linkcode nin}. */
export interface NinOptions {
  /**
   * - `"d2l"`: Dive into Deep Learning, section 8.3: AlexNet's windows, for 224×224 pictures of one channel (1,992,166 parameters), with
   *   Glorot's weights at the start;
   * - `"paper"`: the network that its authors trained on CIFAR-10, for 32×32 pictures of three channels (966,986). Weights start with a deviation of 0.05, as
   *   in their Caffe models.
   *
   * @default "d2l"
   */
  readonly variant?: "d2l" | "paper";
  /** Number of classes. @default 10 */
  readonly classes?: number;
  /** Channels of the input. @default 1, of the paper's form 3 */
  readonly inChannels?: number;
  /** Probability of dropping. @default 0.5 */
  readonly dropout?: number;
}

/**
 * A convolution and two of 1×1, which mix the channels of each place, all with ReLUs (section 3.1). `channels` are those of the three.
 *
 * `x: [N, inChannels, H, W] → [N, channels[2], OH, OW]`
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { init, zeros, zoo } from "@tessera/tessera";
 *
 * await init();
 * const block = zoo.ninBlock(1, 96, 11, { stride: 4 });
 * assertEquals(block(zeros([1, 1, 224, 224])).shape, [1, 96, 54, 54]);
 * ```
 */
export function ninBlock(
  inChannels: number,
  channels: number | readonly [number, number, number],
  kernelSize: number,
  options: Pick<Conv2dOptions, "stride" | "padding"> = {},
): Sequential {
  const [first, second, third] = typeof channels === "number"
    ? [channels, channels, channels]
    : channels;
  return new Sequential(
    new Conv2d(inChannels, first, kernelSize, options),
    new ReLU(),
    new Conv2d(first, second, 1),
    new ReLU(),
    new Conv2d(second, third, 1),
    new ReLU(),
  );
}

/** Network in Network, untrained. `x: [N, inChannels, 224, 224]` (32 for the paper's) `→ [N, classes]` */
export const nin: Builder<NinOptions, Module> = withWeights(
  "nin",
  (options) =>
    options.variant === "paper" ? paperNin(options) : d2lNin(options),
);

function d2lNin(options: NinOptions): Sequential {
  const { classes = 10, inChannels = 1, dropout = 0.5 } = options;
  const net = new Sequential( // [N, 1, 224, 224]
    ninBlock(inChannels, 96, 11, { stride: 4 }), // [N, 96, 54, 54]
    new MaxPool2d(3, { stride: 2 }), // [N, 96, 26, 26]
    ninBlock(96, 256, 5, { padding: 2 }), // [N, 256, 26, 26]
    new MaxPool2d(3, { stride: 2 }), // [N, 256, 12, 12]
    ninBlock(256, 384, 3, { padding: 1 }), // [N, 384, 12, 12]
    new MaxPool2d(3, { stride: 2 }), // [N, 384, 5, 5]
    new Dropout(dropout),
    ninBlock(384, classes, 3, { padding: 1 }), // [N, 10, 5, 5]
    new AdaptiveAvgPool2d(1), // [N, 10, 1, 1]
    new Flatten(), // [N, 10]
  );
  return startAsD2l(net);
}

/** Figure 2 with the sizes and the start of the authors' published model; its pools keep a last window that hangs over the edge. */
function paperNin(options: NinOptions): Sequential {
  const { classes = 10, inChannels = 3, dropout = 0.5 } = options;
  const pool = { stride: 2, ceilMode: true };
  const net = new Sequential( // [N, 3, 32, 32]
    ninBlock(inChannels, [192, 160, 96], 5, { padding: 2 }), // [N, 96, 32, 32]
    new MaxPool2d(3, pool), // [N, 96, 16, 16]
    new Dropout(dropout),
    ninBlock(96, 192, 5, { padding: 2 }), // [N, 192, 16, 16]
    new AvgPool2d(3, pool), // [N, 192, 8, 8]
    new Dropout(dropout),
    ninBlock(192, [192, 192, classes], 3, { padding: 1 }), // [N, 10, 8, 8]
    new AdaptiveAvgPool2d(1), // [N, 10, 1, 1]
    new Flatten(), // [N, 10]
  );
  return net.apply((module) => {
    if (!(module instanceof Conv2d)) return;
    init.normal_(module.weight, 0, 0.05);
    init.constant_(module.bias!, 0);
  });
}
