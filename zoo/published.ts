/** What is published of each network: its size, its input, its paper, and how its forms differ. */

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

/** What is the same whatever weights there are. */
type Published = Omit<Description, "name" | "weights">;

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

function vgg(parameters: number): Published {
  return {
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

function resnet(parameters: number, deep: boolean): Published {
  const variants: Record<string, string> = deep
    ? {
      "v1.5": "a stage strides in its 3×3 convolution, as torchvision's",
      v1: "a stage strides in its first 1×1 convolution, as the paper's",
    }
    : {
      "v1.5": "the paper's and torchvision's alike",
      v1: "the same: what a basic block strides in is not in question",
    };
  return { parameters, input: IMAGENET, paper: RESNET, variants };
}

function resnetV2(parameters: number): Published {
  return {
    parameters,
    input: IMAGENET,
    paper: RESNET_V2,
    variants: {
      paper:
        "batch norm and ReLU before each convolution; projections start from the activated input, as in the authors' code",
    },
  };
}

function densenet(parameters: number): Published {
  return {
    parameters,
    input: IMAGENET,
    paper: DENSENET,
    variants: { paper: "DenseNet-BC of table 1, as torchvision's" },
  };
}

/** By name, in the order that `list` gives. */
export const PUBLISHED: Readonly<Record<string, Published>> = {
  lenet: {
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
  vgg11: vgg(132_863_336),
  vgg13: vgg(133_047_848),
  vgg16: vgg(138_357_544),
  vgg19: vgg(143_667_240),
  vgg11_bn: vgg(132_868_840),
  vgg13_bn: vgg(133_053_736),
  vgg16_bn: vgg(138_365_992),
  vgg19_bn: vgg(143_678_248),
  nin: {
    parameters: 1_992_166,
    input: [1, 224, 224],
    paper: NIN,
    variants: {
      d2l: "AlexNet's windows on 224×224 pictures of 1 channel",
      paper: "the authors' network for CIFAR-10, 32×32 pictures of 3 channels",
    },
  },
  googlenet: {
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
    parameters: 11_188_288,
    input: IMAGENET,
    paper: BN_INCEPTION,
    variants: {
      paper:
        "5×5 as two 3×3, batch norm, a separable first convolution unless separable is false",
    },
  },
  inception_v3: {
    parameters: 27_161_264,
    input: LARGE,
    paper: INCEPTION_V3,
    variants: {
      torchvision:
        "with its auxiliary head unless auxLogits is false; four blocks on the 17×17 grid, where table 1 has five",
    },
  },
  inception_v4: {
    parameters: 42_679_816,
    input: LARGE,
    paper: INCEPTION_V4,
    variants: { paper: "figures 3 to 9, without auxiliary heads" },
  },
  resnet18: resnet(11_689_512, false),
  resnet34: resnet(21_797_672, false),
  resnet50: resnet(25_557_032, true),
  resnet101: resnet(44_549_160, true),
  resnet152: resnet(60_192_808, true),
  plain18: resnet(11_515_688, false),
  plain34: resnet(21_623_848, false),
  resnet18_d2l: {
    parameters: 11_178_378,
    input: [1, 96, 96],
    paper: RESNET,
    variants: { d2l: "convolutions with biases, 1 channel, 10 classes" },
  },
  resnetv2_18: resnetV2(11_687_720),
  resnetv2_34: resnetV2(21_795_880),
  resnetv2_50: resnetV2(25_549_352),
  resnetv2_101: resnetV2(44_541_480),
  resnetv2_152: resnetV2(60_185_128),
  densenet121: densenet(7_978_856),
  densenet161: densenet(28_681_000),
  densenet169: densenet(14_149_480),
  densenet201: densenet(20_013_928),
  densenet_d2l: {
    parameters: 758_226,
    input: [1, 96, 96],
    paper: DENSENET,
    variants: {
      d2l: "blocks of four 3×3 convolutions with biases, growth 32, 1 channel",
    },
  },
};
