/**
 * Transforms of pictures and batches, under torchvision's names: functions in lower case take their numbers, those in upper case make a function that
 * can stand in {@linkcode Compose} and draw random numbers anew for each image.
 */
export {
  CenterCrop,
  Compose,
  Compose as compose,
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
  affine,
  type AffineOptions,
  centerCrop,
  crop,
  hflip,
  normalize,
  pad,
  type Padding,
  type PadOptions,
  resize,
  resizedCrop,
  type ResizedCropOptions,
  type ResizeOptions,
  rotate,
  type RotateOptions,
  toTensor,
  vflip,
  type WarpOptions,
} from "./functional.ts";
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
