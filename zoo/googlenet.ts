/**
 * GoogLeNet, or Inception v1 (Szegedy et al. 2014, "Going Deeper with Convolutions", figures 2 and 3, table 1). https://arxiv.org/abs/1409.4842
 *
 * Parameter names are torchvision's in all forms but d2l's.
 */
import type { Tensor } from "../core/tensor.ts";
import {
  AdaptiveAvgPool2d,
  AvgPool2d,
  Conv2d,
  Dropout,
  Flatten,
  init,
  Linear,
  LocalResponseNorm,
  MaxPool2d,
  Module,
  relu,
  Sequential,
} from "../nn/mod.ts";
import { AuxiliaryNet } from "./auxiliary.ts";
import {
  basicConv,
  checkTransform,
  type ConvUnit,
  Parallel,
  plainConv,
  transformed,
} from "./inception_parts.ts";
import { startAsD2l } from "./start.ts";
import { type Builder, withWeights } from "./weights.ts";

/** Options of {@linkcode googlenet}. */
export interface GoogLeNetOptions {
  /**
   * - `"torchvision"`: batch norm after each convolution, 3×3 where the paper has 5×5 (torchvision's inheritance from the weights that it converted),
   *   no local response normalisation, a last max pool of 2×2; 6,624,904 parameters, with heads 13,004,888;
   * - `"paper"`: table 1: 5×5 branches, biases and no batch norm, local response normalisation; 6,998,552, with heads 13,378,280. Heads average
   *   5×5 windows and so want 224×224 pictures in training;
   * - `"d2l"`: as in Dive into Deep Learning, section 8.4: the paper's blocks without normalisation and heads, on 96×96 pictures of one channel, with
   *   Glorot's weights at the start; 5,977,530 at 10 classes.
   *
   * @default "torchvision"
   */
  readonly variant?: "torchvision" | "paper" | "d2l";
  /** Number of classes. @default 1000, of the d2l form 10 */
  readonly classes?: number;
  /** Channels of the input. @default 3, of the d2l form 1 */
  readonly inChannels?: number;
  /** Probability of dropping before the last layer. @default 0.2, of the paper's form 0.4, of the d2l form 0 */
  readonly dropout?: number;
  /** Probability of dropping in the heads. @default 0.7 */
  readonly auxDropout?: number;
  /**
   * Whether to have the two auxiliary heads, whose losses {@linkcode auxiliaryLoss} adds; the d2l form has none. torchvision's published weights hold
   * untrained heads and come without by default.
   *
   * @default false, of the paper's form true
   */
  readonly auxLogits?: boolean;
  /** Whether inputs normalised by ImageNet's statistics are brought to the range of -1 to 1, as torchvision's weights need. @default false */
  readonly transformInput?: boolean;
}

/** How an {@linkcode Inception} block differs from the paper's. */
export interface InceptionOptions {
  /** Kernel of the third branch. @default 5 */
  readonly wideKernel?: 3 | 5;
  /** Whether batch norm takes the place of biases. @default false */
  readonly batchNorm?: boolean;
}

/**
 * The naive block (figure 2a): 1×1, 3×3 and 5×5 convolutions and 3×3 max pooling of the same input side by side. As pooling keeps all channels, it
 * grows with each block. `x: [N, C, H, W] → [N, ch1x1 + ch3x3 + ch5x5 + C, H, W]`
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { init, zeros, zoo } from "@tessera/tessera";
 *
 * await init();
 * const block = new zoo.NaiveInception(192, 64, 128, 32);
 * assertEquals(block(zeros([1, 192, 28, 28])).shape, [1, 416, 28, 28]);
 * ```
 */
export class NaiveInception extends Parallel {
  constructor(
    inChannels: number,
    ch1x1: number,
    ch3x3: number,
    ch5x5: number,
  ) {
    super({
      branch1: plainConv(inChannels, ch1x1, 1),
      branch2: plainConv(inChannels, ch3x3, 3, { padding: 1 }),
      branch3: plainConv(inChannels, ch5x5, 5, { padding: 2 }),
      branch4: new MaxPool2d(3, { stride: 1, padding: 1 }),
    });
  }
}

/**
 * The block with reductions (figure 2b): 1×1 convolutions make few channels of many before the costly 3×3 and 5×5 ones and after pooling.
 *
 * `ch3x3` and `ch5x5` are the channels of the reduction and of the convolution. `x: [N, C, H, W] → [N, ch1x1 + ch3x3[1] + ch5x5[1] + poolProj, H, W]`
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { init, zeros, zoo } from "@tessera/tessera";
 *
 * await init();
 * const block = new zoo.Inception(192, 64, [96, 128], [16, 32], 32);
 * assertEquals(block(zeros([1, 192, 28, 28])).shape, [1, 256, 28, 28]);
 * ```
 */
export class Inception extends Parallel {
  constructor(
    inChannels: number,
    ch1x1: number,
    ch3x3: readonly [reduced: number, made: number],
    ch5x5: readonly [reduced: number, made: number],
    poolProj: number,
    options: InceptionOptions = {},
  ) {
    const { wideKernel = 5, batchNorm = false } = options;
    const conv: ConvUnit = batchNorm ? basicConv : plainConv;
    super({
      branch1: conv(inChannels, ch1x1, 1),
      branch2: new Sequential(
        conv(inChannels, ch3x3[0], 1),
        conv(ch3x3[0], ch3x3[1], 3, { padding: 1 }),
      ),
      branch3: new Sequential(
        conv(inChannels, ch5x5[0], 1),
        conv(ch5x5[0], ch5x5[1], wideKernel, { padding: wideKernel >> 1 }),
      ),
      branch4: new Sequential(
        new MaxPool2d(3, { stride: 1, padding: 1 }),
        conv(inChannels, poolProj, 1),
      ),
    });
  }
}

/** Arguments of an {@linkcode Inception}. */
type BlockSizes = readonly [
  inChannels: number,
  ch1x1: number,
  ch3x3: readonly [number, number],
  ch5x5: readonly [number, number],
  poolProj: number,
];

type BlockName = "3a" | "3b" | "4a" | "4b" | "4c" | "4d" | "4e" | "5a" | "5b";

/** Input channels of each block, then its branches': the columns of table 1. */
const TABLE_1: Readonly<Record<BlockName, BlockSizes>> = {
  "3a": [192, 64, [96, 128], [16, 32], 32],
  "3b": [256, 128, [128, 192], [32, 96], 64],
  "4a": [480, 192, [96, 208], [16, 48], 64],
  "4b": [512, 160, [112, 224], [24, 64], 64],
  "4c": [512, 128, [128, 256], [24, 64], 64],
  "4d": [512, 112, [144, 288], [32, 64], 64],
  "4e": [528, 256, [160, 320], [32, 128], 128],
  "5a": [832, 256, [160, 320], [32, 128], 128],
  "5b": [832, 384, [192, 384], [48, 128], 128],
};

/** What {@linkcode GoogLeNetAux} is made with. */
interface HeadForm {
  readonly conv: ConvUnit;
  readonly pool: () => Module;
}

/** An auxiliary head: averages, a 1×1 convolution, two linear layers. `x: [N, inChannels, 14, 14] → [N, classes]` */
export class GoogLeNetAux extends Module {
  readonly pool: Module;
  readonly conv: Module;
  readonly fc1: Linear;
  readonly fc2: Linear;
  readonly dropout: Dropout;

  constructor(
    inChannels: number,
    classes: number,
    form: HeadForm,
    dropout = 0.7,
  ) {
    super();
    this.pool = form.pool();
    this.conv = form.conv(inChannels, 128, 1);
    this.fc1 = new Linear(128 * 4 * 4, 1024);
    this.fc2 = new Linear(1024, classes);
    this.dropout = new Dropout(dropout);
  }

  override forward(x: Tensor): Tensor {
    const maps = this.conv(this.pool(x)); // [N, 128, 4, 4]
    return this.fc2(this.dropout(relu(this.fc1(maps.flatten(1)))));
  }
}

/** Where the paper and torchvision differ. */
const FORMS = {
  torchvision: {
    conv: basicConv,
    pool: () => new AdaptiveAvgPool2d(4),
    block: { wideKernel: 3, batchNorm: true },
    normalise: () => null,
    lastPool: 2,
    dropout: 0.2,
    auxLogits: false,
  },
  paper: {
    conv: plainConv,
    pool: () => new AvgPool2d(5, { stride: 3 }),
    block: { wideKernel: 5, batchNorm: false },
    // The paper gives no constants: these are of the copy that was published for Caffe.
    normalise: () =>
      new LocalResponseNorm(5, { alpha: 1e-4, beta: 0.75, k: 1 }),
    lastPool: 3,
    dropout: 0.4,
    auxLogits: true,
  },
} as const;

/** GoogLeNet in the paper's or torchvision's form. `x: [N, inChannels, 224, 224] → [N, classes]` */
export class GoogLeNet extends AuxiliaryNet {
  readonly transformInput: boolean;
  readonly conv1: Module;
  readonly maxpool1: MaxPool2d;
  readonly norm1: LocalResponseNorm | null;
  readonly conv2: Module;
  readonly conv3: Module;
  readonly norm2: LocalResponseNorm | null;
  readonly maxpool2: MaxPool2d;
  readonly inception3a: Inception;
  readonly inception3b: Inception;
  readonly maxpool3: MaxPool2d;
  readonly inception4a: Inception;
  readonly inception4b: Inception;
  readonly inception4c: Inception;
  readonly inception4d: Inception;
  readonly inception4e: Inception;
  readonly maxpool4: MaxPool2d;
  readonly inception5a: Inception;
  readonly inception5b: Inception;
  readonly aux1: GoogLeNetAux | null;
  readonly aux2: GoogLeNetAux | null;
  readonly avgpool: AdaptiveAvgPool2d = new AdaptiveAvgPool2d(1);
  readonly dropout: Dropout;
  readonly fc: Linear;

  constructor(
    variant: "torchvision" | "paper" = "torchvision",
    options: GoogLeNetOptions = {},
  ) {
    super();
    const form = FORMS[variant];
    const { classes = 1000, inChannels = 3, auxDropout = 0.7 } = options;
    const { dropout = form.dropout, auxLogits = form.auxLogits } = options;
    const { transformInput = false } = options;
    checkTransform(transformInput, inChannels);
    this.transformInput = transformInput;
    const { conv } = form;
    const pool = (size: number) =>
      new MaxPool2d(size, { stride: 2, ceilMode: true });
    const block = (name: BlockName) =>
      new Inception(...TABLE_1[name], form.block);
    const head = (channels: number) =>
      auxLogits ? new GoogLeNetAux(channels, classes, form, auxDropout) : null;
    // [N, 3, 224, 224]
    this.conv1 = conv(inChannels, 64, 7, { stride: 2, padding: 3 }); // [N, 64, 112, 112]
    this.maxpool1 = pool(3); // [N, 64, 56, 56]
    this.norm1 = form.normalise();
    this.conv2 = conv(64, 64, 1); // [N, 64, 56, 56]
    this.conv3 = conv(64, 192, 3, { padding: 1 }); // [N, 192, 56, 56]
    this.norm2 = form.normalise();
    this.maxpool2 = pool(3); // [N, 192, 28, 28]
    this.inception3a = block("3a"); // [N, 256, 28, 28]
    this.inception3b = block("3b"); // [N, 480, 28, 28]
    this.maxpool3 = pool(3); // [N, 480, 14, 14]
    this.inception4a = block("4a"); // [N, 512, 14, 14]
    this.inception4b = block("4b"); // [N, 512, 14, 14]
    this.inception4c = block("4c"); // [N, 512, 14, 14]
    this.inception4d = block("4d"); // [N, 528, 14, 14]
    this.inception4e = block("4e"); // [N, 832, 14, 14]
    this.maxpool4 = pool(form.lastPool); // [N, 832, 7, 7]
    this.inception5a = block("5a"); // [N, 832, 7, 7]
    this.inception5b = block("5b"); // [N, 1024, 7, 7]
    this.aux1 = head(512);
    this.aux2 = head(528);
    this.dropout = new Dropout(dropout);
    this.fc = new Linear(1024, classes);
    this.apply(variant === "paper" ? initialisePlain : initialise);
  }

  override forward(x: Tensor): Tensor {
    let h = this.maxpool1(this.conv1(this.transformInput ? transformed(x) : x));
    if (this.norm1) h = this.norm1(h);
    h = this.conv3(this.conv2(h));
    if (this.norm2) h = this.norm2(h);
    h = this.inception3b(this.inception3a(this.maxpool2(h)));
    const first = this.inception4a(this.maxpool3(h)); // [N, 512, 14, 14]
    const second = this.inception4d(this.inception4c(this.inception4b(first)));
    this.runHeads([this.aux1, first], [this.aux2, second]);
    h = this.maxpool4(this.inception4e(second));
    h = this.avgpool(this.inception5b(this.inception5a(h))); // [N, 1024, 1, 1]
    return this.fc(this.dropout(h.flatten(1)));
  }
}

/** torchvision's start: weights of deviation 0.01; its bounds at 200 deviations cut nothing off. */
function initialise(module: Module): void {
  if (module instanceof Conv2d || module instanceof Linear) {
    init.normal_(module.weight, 0, 0.01);
  }
}

/** Without batch norm values must keep their size by themselves: Glorot's weights, and biases that start ReLUs above 0. */
function initialisePlain(module: Module): void {
  if (!(module instanceof Conv2d || module instanceof Linear)) return;
  init.xavierUniform_(module.weight);
  if (module.bias) {
    init.constant_(module.bias, module instanceof Conv2d ? 0.2 : 0);
  }
}

function d2lGoogLeNet(options: GoogLeNetOptions): Sequential {
  const { classes = 10, inChannels = 1, dropout = 0 } = options;
  const pool = () => new MaxPool2d(3, { stride: 2, padding: 1 });
  const block = (name: BlockName) => new Inception(...TABLE_1[name]);
  const net = new Sequential( // [N, 1, 96, 96]
    new Sequential(
      plainConv(inChannels, 64, 7, { stride: 2, padding: 3 }), // [N, 64, 48, 48]
      pool(),
    ), // [N, 64, 24, 24]
    new Sequential(
      plainConv(64, 64, 1),
      plainConv(64, 192, 3, { padding: 1 }),
      pool(),
    ), // [N, 192, 12, 12]
    new Sequential(block("3a"), block("3b"), pool()), // [N, 480, 6, 6]
    new Sequential(
      block("4a"),
      block("4b"),
      block("4c"),
      block("4d"),
      block("4e"),
      pool(),
    ), // [N, 832, 3, 3]
    new Sequential(
      block("5a"),
      block("5b"),
      new AdaptiveAvgPool2d(1),
      new Flatten(),
    ), // [N, 1024]
    ...(dropout > 0 ? [new Dropout(dropout)] : []),
    new Linear(1024, classes), // [N, 10]
  );
  return startAsD2l(net);
}

/**
 * GoogLeNet, untrained. `x: [N, inChannels, 224, 224]` (96 for the d2l form) `→ [N, classes]`
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { init, zoo } from "@tessera/tessera";
 *
 * await init();
 * assertEquals(zoo.googlenet().parameterCount(), 6_624_904);
 * ```
 */
export const googlenet = withWeights("googlenet", buildGoogLeNet) as
  & Builder<
    GoogLeNetOptions & { readonly variant?: "torchvision" | "paper" },
    GoogLeNet
  >
  & Builder<GoogLeNetOptions, Module>;

function buildGoogLeNet(options: GoogLeNetOptions): Module {
  const { variant = "torchvision" } = options;
  return variant === "d2l"
    ? d2lGoogLeNet(options)
    : new GoogLeNet(variant, options);
}
