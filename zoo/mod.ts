/** The classic convolutional networks. */
export {
  AlexNet,
  alexnet,
  type AlexNetOptions,
  PaperAlexNet,
} from "./alexnet.ts";
export {
  auxiliaryLoss,
  type AuxiliaryLossOptions,
  AuxiliaryNet,
} from "./auxiliary.ts";
export {
  D2lDenseBlock,
  d2lDenseNet,
  type D2lDenseNetOptions,
  DenseBlock,
  type DenseBlockOptions,
  DenseLayer,
  DenseNet,
  densenet121,
  densenet161,
  densenet169,
  densenet201,
  type DenseNetOptions,
  type DenseNetSizes,
  Transition,
} from "./densenet.ts";
export {
  GoogLeNet,
  googlenet,
  GoogLeNetAux,
  type GoogLeNetOptions,
  Inception,
  type InceptionOptions,
  NaiveInception,
} from "./googlenet.ts";
export {
  BasicConv2d,
  type ConvUnit,
  type ConvUnitOptions,
  Parallel,
  PlainConv2d,
} from "./inception_parts.ts";
export {
  BnInception,
  BnReduction,
  InceptionV2,
  inceptionV2,
  inceptionV2Block,
  type InceptionV2Options,
} from "./inception_v2.ts";
export {
  InceptionV3,
  inceptionV3,
  type InceptionV3Options,
} from "./inception_v3.ts";
export {
  InceptionA,
  InceptionAux,
  InceptionB,
  InceptionC,
  InceptionD,
  InceptionE,
} from "./inception_v3_blocks.ts";
export {
  InceptionV4,
  inceptionV4,
  InceptionV4A,
  InceptionV4B,
  InceptionV4C,
  type InceptionV4Options,
  InceptionV4ReductionA,
  InceptionV4ReductionB,
  inceptionV4Stem,
} from "./inception_v4.ts";
export {
  lenet,
  type LeNetOptions,
  SmallLeNet,
  TutorialLeNet,
} from "./lenet.ts";
export { nin, ninBlock, type NinOptions } from "./nin.ts";
export type { Description } from "./published.ts";
export { create, describe, list } from "./registry.ts";
export {
  d2lResnet18,
  type D2lResNetOptions,
  PadShortcut,
  Residual,
  type ResidualOptions,
} from "./residual.ts";
export {
  BasicBlock,
  type BlockOptions,
  Bottleneck,
  plain18,
  plain34,
  ResNet,
  resnet101,
  resnet152,
  resnet18,
  resnet34,
  resnet50,
  type ResNetOptions,
  type Shortcut,
} from "./resnet.ts";
export {
  PreActBasicBlock,
  PreActBottleneck,
  resnet101V2,
  resnet152V2,
  resnet18V2,
  resnet34V2,
  resnet50V2,
  ResNetV2,
  type ResNetV2Options,
} from "./resnet_v2.ts";
export {
  classify,
  type ClassifyOptions,
  type Prediction,
  preprocess,
} from "./classify.ts";
export { features } from "./features.ts";
export {
  Vgg,
  vgg11,
  vgg11Bn,
  vgg13,
  vgg13Bn,
  vgg16,
  vgg16Bn,
  vgg19,
  vgg19Bn,
  vggBlock,
  type VggOptions,
} from "./vgg.ts";
export {
  type Builder,
  describeWeights,
  type WeightsOptions,
} from "./weights.ts";
export type {
  NameRule,
  Preprocessing,
  WeightsEntry,
  WeightsSource,
} from "./weights_entry.ts";
