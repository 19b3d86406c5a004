/**
 * Densely connected networks (Huang, Liu, van der Maaten and Weinberger 2016, table 1): each layer sees what all layers before it in its block made.
 * https://arxiv.org/abs/1608.06993
 *
 * Parameter names are torchvision's; those of its older checkpoints ("denselayer1.norm.1.weight") are accepted too.
 */
import { concat } from "../core/join.ts";
import type { Tensor } from "../core/tensor.ts";
import {
  AdaptiveAvgPool2d,
  AvgPool2d,
  BatchNorm2d,
  checkpoint,
  Conv2d,
  Dropout,
  Flatten,
  init,
  Linear,
  MaxPool2d,
  Module,
  ReLU,
  Sequential,
  type StateDict,
} from "../nn/mod.ts";
import { startAsD2l } from "./start.ts";
import { type Builder, withWeights } from "./weights.ts";

/** Options of the densely connected networks. */
export interface DenseNetOptions {
  /** Number of classes. @default 1000 */
  readonly classes?: number;
  /** Channels of the input. @default 3 */
  readonly inChannels?: number;
  /** Probability of dropping what a layer adds. @default 0 */
  readonly dropout?: number;
  /**
   * Whether to compute concatenations, and the batch norm, ReLU and 1×1 convolution after each, again in backward (Pleiss et al. 2017,
   * arXiv:1707.06990): they take memory that grows with the square of a block's layers. The gradients are the same bit for bit.
   *
   * @default false
   */
  readonly memoryEfficient?: boolean;
}

/** What the layers and blocks of a densely connected network have in common. */
export interface DenseBlockOptions {
  /** Probability of dropping what a layer adds. @default 0 */
  readonly dropout?: number;
  /** Whether to compute concatenations and what follows each again in backward. @default false */
  readonly memoryEfficient?: boolean;
}

/** Sizes of a densely connected network. */
export interface DenseNetSizes {
  /** Channels that each layer adds: the paper's k. */
  readonly growthRate: number;
  /** Layers in each of the four blocks. */
  readonly blocks: readonly number[];
  /** Channels of the first convolution. */
  readonly initFeatures: number;
}

/** Channels of a layer's 1×1 convolution, for each that it adds (section 3, "bottleneck layers"). */
const BOTTLENECK = 4;

/**
 * A 1×1 and a 3×3 convolution, each after batch norm and ReLU. The inputs are maps whose channels follow one another.
 *
 * `[N, C₁, H, W], [N, C₂, H, W], … → [N, growthRate, H, W]`, where C₁ + C₂ + … = inChannels
 */
export class DenseLayer extends Module {
  readonly norm1: BatchNorm2d;
  readonly relu1: ReLU = new ReLU();
  readonly conv1: Conv2d;
  readonly norm2: BatchNorm2d;
  readonly relu2: ReLU = new ReLU();
  readonly conv2: Conv2d;
  readonly dropout: Dropout | null;
  readonly memoryEfficient: boolean;

  constructor(
    inChannels: number,
    growthRate: number,
    { dropout = 0, memoryEfficient = false }: DenseBlockOptions = {},
  ) {
    super();
    const wide = BOTTLENECK * growthRate;
    this.norm1 = new BatchNorm2d(inChannels);
    this.conv1 = new Conv2d(inChannels, wide, 1, { bias: false });
    this.norm2 = new BatchNorm2d(wide);
    this.conv2 = new Conv2d(wide, growthRate, 3, { padding: 1, bias: false });
    this.dropout = dropout > 0 ? new Dropout(dropout) : null;
    this.memoryEfficient = memoryEfficient;
  }

  override forward(...maps: Tensor[]): Tensor {
    const h = this.memoryEfficient && this.training
      ? checkpoint((...again) => narrowed(this, again), ...maps)
      : narrowed(this, maps);
    const y = this.conv2(this.relu2(this.norm2(h)));
    return this.dropout ? this.dropout(y) : y;
  }
}

/** What a layer's 1×1 convolution makes of maps: `[N, 4·growthRate, H, W]`. */
function narrowed(
  { norm1, relu1, conv1 }: DenseLayer,
  maps: readonly Tensor[],
): Tensor {
  const x = maps.length === 1 ? maps[0] : concat(maps, 1);
  return conv1(relu1(norm1(x)));
}

/**
 * A dense block: layers of which each sees the block's input and what all before it made. `x: [N, C, H, W] → [N, C + layers·growthRate, H, W]`
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { init, zeros, zoo } from "@tessera/tessera";
 *
 * await init();
 * const block = new zoo.DenseBlock(2, 3, 10);
 * assertEquals(block(zeros([4, 3, 8, 8])).shape, [4, 23, 8, 8]);
 * ```
 */
export class DenseBlock extends Module {
  readonly memoryEfficient: boolean;

  constructor(
    layers: number,
    inChannels: number,
    growthRate: number,
    options: DenseBlockOptions = {},
  ) {
    super();
    this.memoryEfficient = options.memoryEfficient ?? false;
    for (let i = 0; i < layers; i++) {
      const channels = inChannels + i * growthRate;
      const layer = new DenseLayer(channels, growthRate, options);
      Reflect.set(this, `denselayer${i + 1}`, layer);
    }
  }

  override forward(x: Tensor): Tensor {
    if (!this.memoryEfficient) return growing(x, this.children());
    // Each layer puts the maps together itself, so that no concatenation outlives its layer.
    const maps = [x];
    for (const layer of this.children()) maps.push(layer(...maps));
    return concat(maps, 1);
  }
}

/** What layers make, put behind their input one after another. `x: [N, C, H, W] → [N, C + layers·growthRate, H, W]` */
function growing(x: Tensor, layers: Iterable<Module>): Tensor {
  let all = x;
  for (const layer of layers) all = concat([all, layer(all)], 1);
  return all;
}

/** Between blocks: a 1×1 convolution to fewer channels, and 2×2 averages. `x: [N, C, H, W] → [N, outChannels, H/2, W/2]` */
export class Transition extends Sequential {
  constructor(inChannels: number, outChannels: number) {
    super({
      norm: new BatchNorm2d(inChannels),
      relu: new ReLU(),
      conv: new Conv2d(inChannels, outChannels, 1, { bias: false }),
      pool: new AvgPool2d(2),
    });
  }
}

/** A densely connected network. `x: [N, inChannels, 224, 224] → [N, classes]` */
export class DenseNet extends Module {
  readonly features: Sequential;
  readonly relu: ReLU = new ReLU();
  readonly avgpool: AdaptiveAvgPool2d = new AdaptiveAvgPool2d(1);
  readonly classifier: Linear;

  constructor(sizes: DenseNetSizes, options: DenseNetOptions = {}) {
    super();
    const { classes = 1000, inChannels = 3 } = options;
    const { growthRate, blocks, initFeatures } = sizes;
    const parts: Record<string, Module> = { // [N, 3, 224, 224]
      conv0: new Conv2d(inChannels, initFeatures, 7, {
        stride: 2,
        padding: 3,
        bias: false,
      }), // [N, 64, 112, 112]
      norm0: new BatchNorm2d(initFeatures),
      relu0: new ReLU(),
      pool0: new MaxPool2d(3, { stride: 2, padding: 1 }), // [N, 64, 56, 56]
    };
    let channels = initFeatures;
    blocks.forEach((layers, i) => {
      const block = new DenseBlock(layers, channels, growthRate, options);
      parts[`denseblock${i + 1}`] = block; // 56×56, 28×28, 14×14, 7×7
      channels += layers * growthRate;
      if (i === blocks.length - 1) return;
      const half = Math.floor(channels / 2);
      parts[`transition${i + 1}`] = new Transition(channels, half);
      channels = half;
    });
    parts.norm5 = new BatchNorm2d(channels);
    this.features = new Sequential(parts);
    this.classifier = new Linear(channels, classes);
    this.apply((module) => {
      if (module instanceof Conv2d) init.kaimingNormal_(module.weight);
    });
    init.zeros_(this.classifier.bias!);
  }

  override forward(x: Tensor): Tensor {
    const maps = this.relu(this.features(x)); // [N, 1024, 7, 7]
    return this.classifier(this.avgpool(maps).flatten(1));
  }

  /** Takes the values of `state` over by name, the names of older checkpoints included. */
  override loadStateDict(
    state: StateDict,
    options: { readonly strict?: boolean } = {},
  ): void {
    const renamed = new Map(
      Array.from(state, ([name, value]) => [
        name.replace(/(\.denselayer\d+\.(?:norm|relu|conv))\.([12]\.)/, "$1$2"),
        value,
      ]),
    );
    super.loadStateDict(renamed, options);
  }
}

/** DenseNet-121: 7,978,856 parameters. */
export const densenet121: Builder<DenseNetOptions, DenseNet> = withWeights(
  "densenet121",
  (options) => {
    const blocks = [6, 12, 24, 16];
    return new DenseNet({ growthRate: 32, blocks, initFeatures: 64 }, options);
  },
);

/** DenseNet-161: 28,681,000 parameters. */
export const densenet161: Builder<DenseNetOptions, DenseNet> = withWeights(
  "densenet161",
  (options) => {
    const blocks = [6, 12, 36, 24];
    return new DenseNet({ growthRate: 48, blocks, initFeatures: 96 }, options);
  },
);

/** DenseNet-169: 14,149,480 parameters. */
export const densenet169: Builder<DenseNetOptions, DenseNet> = withWeights(
  "densenet169",
  (options) => {
    const blocks = [6, 12, 32, 32];
    return new DenseNet({ growthRate: 32, blocks, initFeatures: 64 }, options);
  },
);

/** DenseNet-201: 20,013,928 parameters. */
export const densenet201: Builder<DenseNetOptions, DenseNet> = withWeights(
  "densenet201",
  (options) => {
    const blocks = [6, 12, 48, 32];
    return new DenseNet({ growthRate: 32, blocks, initFeatures: 64 }, options);
  },
);

/** Options of {@linkcode d2lDenseNet}. */
export interface D2lDenseNetOptions {
  /** @default 10 */
  readonly classes?: number;
  /** @default 1 */
  readonly inChannels?: number;
  /** Channels that each convolution adds. @default 32 */
  readonly growthRate?: number;
  /** Channels of the first convolution. @default 64 */
  readonly initFeatures?: number;
  /** Convolutions in each block. @default [4, 4, 4, 4] */
  readonly blocks?: readonly number[];
  /** Probability of dropping before the last layer. @default 0 */
  readonly dropout?: number;
}

/** The course's dense block: 3×3 convolutions with biases, each after batch norm and ReLU. `x: [N, C, H, W] → [N, C + convolutions·growthRate, H, W]` */
export class D2lDenseBlock extends Module {
  constructor(convolutions: number, inChannels: number, growthRate: number) {
    super();
    for (let i = 0; i < convolutions; i++) {
      const channels = inChannels + i * growthRate;
      const layer = new Sequential(
        new BatchNorm2d(channels),
        new ReLU(),
        new Conv2d(channels, growthRate, 3, { padding: 1 }),
      );
      Reflect.set(this, `${i}`, layer);
    }
  }

  override forward(x: Tensor): Tensor {
    return growing(x, this.children());
  }
}

/** A densely connected network as in Dive into Deep Learning, section 8.7: 758,226 parameters. `x: [N, inChannels, 96, 96] → [N, classes]` */
export const d2lDenseNet: Builder<D2lDenseNetOptions, Sequential> = withWeights(
  "densenet_d2l",
  (options) => {
    const { classes = 10, inChannels = 1, growthRate = 32 } = options;
    const { initFeatures = 64, blocks = [4, 4, 4, 4], dropout = 0 } = options;
    const parts: Module[] = [
      new Sequential( // [N, 1, 96, 96]
        new Conv2d(inChannels, initFeatures, 7, { stride: 2, padding: 3 }), // [N, 64, 48, 48]
        new BatchNorm2d(initFeatures),
        new ReLU(),
        new MaxPool2d(3, { stride: 2, padding: 1 }), // [N, 64, 24, 24]
      ),
    ];
    let channels = initFeatures;
    blocks.forEach((convolutions, i) => {
      parts.push(new D2lDenseBlock(convolutions, channels, growthRate));
      channels += convolutions * growthRate;
      if (i === blocks.length - 1) return;
      const half = Math.floor(channels / 2);
      parts.push(
        new Sequential(
          new BatchNorm2d(channels),
          new ReLU(),
          new Conv2d(channels, half, 1),
          new AvgPool2d(2),
        ),
      );
      channels = half;
    });
    const net = new Sequential(
      ...parts,
      new BatchNorm2d(channels),
      new ReLU(),
      new AdaptiveAvgPool2d(1),
      new Flatten(),
      ...(dropout > 0 ? [new Dropout(dropout)] : []),
      new Linear(channels, classes),
    );
    return startAsD2l(net);
  },
);
