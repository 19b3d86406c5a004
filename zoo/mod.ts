/** The classic convolutional networks. */
export {
  AlexNet,
  alexnet,
  type AlexNetOptions,
  PaperAlexNet,
} from "./alexnet.ts";
export {
  lenet,
  type LeNetOptions,
  SmallLeNet,
  TutorialLeNet,
} from "./lenet.ts";
export { nin, ninBlock, type NinOptions } from "./nin.ts";
export {
  BasicBlock,
  Bottleneck,
  ResNet,
  resnet101,
  resnet152,
  resnet18,
  resnet34,
  resnet50,
  type ResNetOptions,
} from "./resnet.ts";
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
