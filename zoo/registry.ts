/** The networks by name: torchvision's where it has the network. */
import type { Module } from "../nn/module.ts";
import { nearest } from "../nn/state.ts";
import { alexnet } from "./alexnet.ts";
import {
  d2lDenseNet,
  densenet121,
  densenet161,
  densenet169,
  densenet201,
} from "./densenet.ts";
import { googlenet } from "./googlenet.ts";
import { inceptionV2 } from "./inception_v2.ts";
import { inceptionV3 } from "./inception_v3.ts";
import { inceptionV4 } from "./inception_v4.ts";
import { lenet } from "./lenet.ts";
import { nin } from "./nin.ts";
import { d2lResnet18 } from "./residual.ts";
import {
  plain18,
  plain34,
  resnet101,
  resnet152,
  resnet18,
  resnet34,
  resnet50,
} from "./resnet.ts";
import {
  resnet101V2,
  resnet152V2,
  resnet18V2,
  resnet34V2,
  resnet50V2,
} from "./resnet_v2.ts";
import {
  vgg11,
  vgg11Bn,
  vgg13,
  vgg13Bn,
  vgg16,
  vgg16Bn,
  vgg19,
  vgg19Bn,
} from "./vgg.ts";
import { weightsOf, type WeightsOptions } from "./weights.ts";

/** What is known of a network beside its layers. */
export interface Description {
  /** As {@linkcode create} takes it. */
  readonly name: string;
  /** Learned values of the default form. */
  readonly parameters: number;
  /** Shape of one input of the default form: channels, height, width. */
  readonly input: readonly [number, number, number];
  /** Where it was published. */
  readonly paper: string;
  /** The forms that `variant` chooses from, the default first, and how they differ. */
  readonly variants: Readonly<Record<string, string>>;
  /** Names of the weights that are published for it, for the option `weights`. */
  readonly weights: readonly string[];
}

/** Builds a network from its options, which are those of its own function. */
// deno-lint-ignore no-explicit-any -- each builder checks the options that are its own
type Builder = (options?: any) => Module | Promise<Module>;

interface Entry extends Omit<Description, "name" | "weights"> {
  readonly build: Builder;
}

const LENET = "LeCun, Bottou, Bengio and Haffner 1998, " +
  "http://yann.lecun.com/exdb/publis/pdf/lecun-98.pdf";
const ALEXNET = "Krizhevsky, Sutskever and Hinton 2012, " +
  "https://papers.nips.cc/paper/4824-imagenet-classification-with-deep-convolutional-neural-networks";
const VGG = "Simonyan and Zisserman 2014, https://arxiv.org/abs/1409.1556";
const NIN = "Lin, Chen and Yan 2013, https://arxiv.org/abs/1312.4400";
const GOOGLENET = "Szegedy et al. 2014, https://arxiv.org/abs/1409.4842";
const BN_INCEPTION = "Ioffe and Szegedy 2015, https://arxiv.org/abs/1502.03167";
const INCEPTION_V3 = "Szegedy et al. 2015, https://arxiv.org/abs/1512.00567";
const INCEPTION_V4 =
  "Szegedy, Ioffe, Vanhoucke and Alemi 2016, https://arxiv.org/abs/1602.07261";
const RESNET = "He, Zhang, Ren and Sun 2015, https://arxiv.org/abs/1512.03385";
const RESNET_V2 =
  "He, Zhang, Ren and Sun 2016, https://arxiv.org/abs/1603.05027";
const DENSENET =
  "Huang, Liu, van der Maaten and Weinberger 2016, https://arxiv.org/abs/1608.06993";

const IMAGENET = [3, 224, 224] as const;
/** Of Inception v3 and v4. */
const LARGE = [3, 299, 299] as const;

function vgg(build: Builder, parameters: number): Entry {
  return {
    build,
    parameters,
    input: IMAGENET,
    paper: VGG,
    variants: {
      torchvision:
        "an adaptive average pool before the linear layers; the paper's layers otherwise, whose five pools some notes leave out",
      d2l: "blocks as layers, 1 channel, 10 classes, widthDivisor",
    },
  };
}

function resnet(build: Builder, parameters: number, deep: boolean): Entry {
  const variants: Record<string, string> = deep
    ? {
      "v1.5": "a stage strides in its 3×3 convolution, as torchvision's",
      v1: "a stage strides in its first 1×1 convolution, as the paper's",
    }
    : { "v1.5": "the paper's and torchvision's alike" };
  return { build, parameters, input: IMAGENET, paper: RESNET, variants };
}

function resnetV2(build: Builder, parameters: number): Entry {
  return {
    build,
    parameters,
    input: IMAGENET,
    paper: RESNET_V2,
    variants: {
      paper:
        "batch norm and ReLU before each convolution; projections start from the activated input, as in the authors' code",
    },
  };
}

function densenet(build: Builder, parameters: number): Entry {
  return {
    build,
    parameters,
    input: IMAGENET,
    paper: DENSENET,
    variants: { paper: "DenseNet-BC of table 1, as torchvision's" },
  };
}

const NETWORKS: Readonly<Record<string, Entry>> = {
  lenet: {
    build: lenet,
    parameters: 61_706,
    input: [1, 28, 28],
    paper: LENET,
    variants: {
      d2l: "28×28 with padding 2, sigmoid, average pooling",
      tutorial: "32×32, ReLU, max pooling, PyTorch's tutorials' names",
      small: "two convolutions of 10 and 20 channels and one linear layer",
    },
  },
  alexnet: {
    build: alexnet,
    parameters: 61_100_840,
    input: IMAGENET,
    paper: ALEXNET,
    variants: {
      torchvision: "64-192-384-256-256 channels, no groups, no normalisation",
      paper:
        "96-256-384-384-256 channels, groups of 2, local response normalisation",
      d2l: "96-256-384-384-256 channels without groups, 1 channel, 10 classes",
    },
  },
  vgg11: vgg(vgg11, 132_863_336),
  vgg13: vgg(vgg13, 133_047_848),
  vgg16: vgg(vgg16, 138_357_544),
  vgg19: vgg(vgg19, 143_667_240),
  vgg11_bn: vgg(vgg11Bn, 132_868_840),
  vgg13_bn: vgg(vgg13Bn, 133_053_736),
  vgg16_bn: vgg(vgg16Bn, 138_365_992),
  vgg19_bn: vgg(vgg19Bn, 143_678_248),
  nin: {
    build: nin,
    parameters: 1_992_166,
    input: [1, 224, 224],
    paper: NIN,
    variants: {
      d2l: "AlexNet's windows on 224×224 pictures of 1 channel",
      paper: "the authors' network for CIFAR-10, 32×32 pictures of 3 channels",
    },
  },
  googlenet: {
    build: googlenet,
    parameters: 6_624_904,
    input: IMAGENET,
    paper: GOOGLENET,
    variants: {
      torchvision:
        "batch norm, 3×3 in the place of 5×5, ceil-mode pools; 13,004,888 parameters with auxLogits",
      paper:
        "5×5 branches with biases, local response normalisation, auxiliary heads",
      d2l:
        "the paper's blocks without normalisation and heads, 1 channel, 10 classes",
    },
  },
  inception_v2: {
    build: inceptionV2,
    parameters: 11_188_288,
    input: IMAGENET,
    paper: BN_INCEPTION,
    variants: {
      paper:
        "5×5 as two 3×3, batch norm, a separable first convolution unless separable is false",
    },
  },
  inception_v3: {
    build: inceptionV3,
    parameters: 27_161_264,
    input: LARGE,
    paper: INCEPTION_V3,
    variants: {
      torchvision:
        "with its auxiliary head unless auxLogits is false; four blocks on the 17×17 grid, where table 1 has five",
    },
  },
  inception_v4: {
    build: inceptionV4,
    parameters: 42_679_816,
    input: LARGE,
    paper: INCEPTION_V4,
    variants: { paper: "figures 3 to 9, without auxiliary heads" },
  },
  resnet18: resnet(resnet18, 11_689_512, false),
  resnet34: resnet(resnet34, 21_797_672, false),
  resnet50: resnet(resnet50, 25_557_032, true),
  resnet101: resnet(resnet101, 44_549_160, true),
  resnet152: resnet(resnet152, 60_192_808, true),
  plain18: resnet(plain18, 11_515_688, false),
  plain34: resnet(plain34, 21_623_848, false),
  resnet18_d2l: {
    build: d2lResnet18,
    parameters: 11_178_378,
    input: [1, 96, 96],
    paper: RESNET,
    variants: { d2l: "convolutions with biases, 1 channel, 10 classes" },
  },
  resnetv2_18: resnetV2(resnet18V2, 11_687_720),
  resnetv2_34: resnetV2(resnet34V2, 21_795_880),
  resnetv2_50: resnetV2(resnet50V2, 25_549_352),
  resnetv2_101: resnetV2(resnet101V2, 44_541_480),
  resnetv2_152: resnetV2(resnet152V2, 60_185_128),
  densenet121: densenet(densenet121, 7_978_856),
  densenet161: densenet(densenet161, 28_681_000),
  densenet169: densenet(densenet169, 14_149_480),
  densenet201: densenet(densenet201, 20_013_928),
  densenet_d2l: {
    build: d2lDenseNet,
    parameters: 758_226,
    input: [1, 96, 96],
    paper: DENSENET,
    variants: {
      d2l: "blocks of four 3×3 convolutions with biases, growth 32, 1 channel",
    },
  },
};

/**
 * Names of all networks.
 *
 * @example
 * ```ts
 * import { assert } from "@std/assert";
 * import { zoo } from "@tessera/tessera";
 *
 * assert(zoo.list().includes("resnet18"));
 * ```
 */
export function list(): string[] {
  return Object.keys(NETWORKS);
}

/**
 * Builds a network by name. Options are those of its own function: `create("vgg16_bn", { classes: 10 })` is `vgg16Bn({ classes: 10 })`. It is
 * untrained, or with `weights` a promise of a trained one.
 *
 * @throws {RangeError} For a name that isn't there, with the nearest one.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { init, zeros, zoo } from "@tessera/tessera";
 *
 * await init();
 * const net = zoo.create("lenet", { classes: 3 });
 * assertEquals(net(zeros([1, 1, 28, 28])).shape, [1, 3]);
 * ```
 */
export function create(
  name: string,
  options?:
    & Readonly<Record<string, unknown>>
    & { readonly weights?: undefined },
): Module;
export function create(
  name: string,
  options: Readonly<Record<string, unknown>> & WeightsOptions,
): Promise<Module>;
export function create(
  name: string,
  options: Readonly<Record<string, unknown>> = {},
): Module | Promise<Module> {
  return entryOf(name).build(options);
}

/**
 * What is known of a network: its size, its input, its paper and how its forms differ.
 *
 * @throws {RangeError} For a name that isn't there, with the nearest one.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { zoo } from "@tessera/tessera";
 *
 * assertEquals(zoo.describe("vgg16").parameters, 138_357_544);
 * ```
 */
export function describe(name: string): Description {
  const { parameters, input, paper, variants } = entryOf(name);
  return { name, parameters, input, paper, variants, weights: weightsOf(name) };
}

function entryOf(name: string): Entry {
  if (Object.hasOwn(NETWORKS, name)) return NETWORKS[name];
  const guess = nearest(name, list());
  throw new RangeError(
    `Cannot find a network called "${name}"${
      guess ? `, did you mean "${guess}"?` : ""
    }: zoo.list() has their names`,
  );
}
