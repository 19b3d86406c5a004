/** The classic convolutional networks. */
export {
  lenet,
  type LeNetOptions,
  SmallLeNet,
  TutorialLeNet,
} from "./lenet.ts";
