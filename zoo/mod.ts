/** The classic convolutional networks. */
export {
  lenet,
  type LeNetOptions,
  SmallLeNet,
  TutorialLeNet,
} from "./lenet.ts";
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
