/**
 * Transforms of pictures and batches, under torchvision's names: functions in lower case take their numbers, those in upper case make a function that
 * can stand in {@linkcode Compose} and draw random numbers anew for each image.
 *
 * A picture (bytes on the host) gets Pillow's bytes. A batch (a tensor) is transformed on the device, by one launch for crops, mirror images and turns,
 * as `DataLoader`'s `transform` does it. Numbers come from the stream that `init({ seed })` starts.
 *
 * Which is faster? On a software adapter of 2 cores, in ms for 64 pictures of 32×32 and of 224×224, batch against pictures one by one on one core:
 * colours 13 : 20 and 279 : 572, hue 16 : 17 and 416 : 492, resized crops 4 : 12 and 104 : 136, bilinear turns 4.3 : 3.2 and 130 : 91, crops
 * 3.8 : 2.3 and 92 : 42, mirror images 3.5 : 0.4 and 101 : 12. So there colours and resized crops belong on batches, and crops and mirror images on
 * pictures, before they become a batch.
 */
export {
  CenterCrop,
  Compose,
  type Composed,
  Normalize,
  Pad,
  type Picturing,
  Resize,
  type Step,
  type TensorTransform,
  ToTensor,
} from "./compose.ts";
export type { Range } from "./draws.ts";
export {
  centerCrop,
  crop,
  normalize,
  pad,
  type Padding,
  type PadOptions,
  resize,
  resizedCrop,
  type ResizedCropOptions,
  type ResizeOptions,
  toTensor,
} from "./functional.ts";
export {
  affine,
  type AffineOptions,
  hflip,
  rotate,
  type RotateOptions,
  vflip,
  type WarpOptions,
} from "./functional_warp.ts";
export {
  adjustBrightness,
  adjustContrast,
  adjustHue,
  adjustSaturation,
} from "./functional_color.ts";
export type { Fill, PaddingMode } from "./geometry.ts";
export {
  ColorJitter,
  type ColorJitterOptions,
  PCANoise,
  type PCANoiseOptions,
  RandomErasing,
  type RandomErasingOptions,
} from "./random_color.ts";
export {
  RandomAffine,
  type RandomAffineOptions,
  RandomCrop,
  type RandomCropOptions,
  RandomHorizontalFlip,
  RandomResizedCrop,
  type RandomResizedCropOptions,
  RandomRotation,
  type RandomRotationOptions,
  RandomVerticalFlip,
} from "./random_geometry.ts";
export type { Interpolation } from "./resample.ts";
export type { Size, Transform, Visual } from "./visual.ts";
