/** Transforms one after another, and those that always do the same. */
import { tidy } from "../../core/scope.ts";
import { Tensor } from "../../core/tensor.ts";
import type { Image } from "../data/image.ts";
import {
  centerCrop,
  normalize,
  pad,
  type Padding,
  type PadOptions,
  resize,
  type ResizeOptions,
  toTensor,
} from "./functional.ts";
import type { Size, Transform } from "./visual.ts";

/** A function from a picture to a tensor. */
export type Picturing = (image: Image) => Tensor;

/** A function of tensors, as `DataLoader` takes it for its batches. */
export type TensorTransform = (x: Tensor) => Tensor;

/** What can stand in {@linkcode Compose}. */
export type Step = Transform | Picturing | TensorTransform;

/** What steps make together: from a picture to a tensor where `ToTensor` is among them, else what each step takes to the same. */
export type Composed<Steps extends readonly Step[]> = Picturing extends
  Steps[number] ? Picturing
  : Steps[number] extends Transform ? Transform
  : TensorTransform;

/**
 * Transforms one after another. Tensors between them are freed.
 *
 * @example The preprocessing that torchvision's ImageNet weights want:
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { init, nn } from "@tessera/tessera";
 *
 * await init();
 * const t = nn.transforms;
 * const preprocess = t.Compose([
 *   t.Resize(256),
 *   t.CenterCrop(224),
 *   t.ToTensor(),
 *   t.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]),
 * ]);
 * const black = { width: 300, height: 400, data: new Uint8Array(360000) };
 * assertEquals(preprocess(black).shape, [3, 224, 224]);
 * ```
 *
 * @example Augmentation of batches, each image with numbers of its own:
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { init, nn, rand } from "@tessera/tessera";
 *
 * await init({ seed: 0 });
 * const t = nn.transforms;
 * const augment = t.Compose([
 *   t.RandomCrop(32, { padding: 4 }),
 *   t.RandomHorizontalFlip(),
 *   t.Normalize([0.5], [0.5]),
 * ]);
 * assertEquals(augment(rand([64, 3, 32, 32])).shape, [64, 3, 32, 32]);
 * ```
 */
export function Compose<const Steps extends readonly Step[]>(
  steps: Steps,
): Composed<Steps> {
  const run = (x: Image | Tensor): Image | Tensor =>
    tidy(() =>
      steps.reduce<Image | Tensor>(
        // Whether each step takes what the one before gives is what `Composed` asks of the first argument.
        (value, step) => (step as (x: Image | Tensor) => Image | Tensor)(value),
        x instanceof Tensor ? x.alias() : x,
      )
    );
  return run as Composed<Steps>;
}

/**
 * {@linkcode resize} as a transform.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { nn } from "@tessera/tessera";
 *
 * const picture = { width: 4, height: 3, data: new Uint8Array(36) };
 * assertEquals(nn.transforms.Resize(6)(picture).width, 8);
 * ```
 */
export function Resize(size: Size, options: ResizeOptions = {}): Transform {
  return (x) => resize(x, size, options);
}

/**
 * {@linkcode centerCrop} as a transform.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { nn } from "@tessera/tessera";
 *
 * const picture = { width: 4, height: 3, data: new Uint8Array(36) };
 * assertEquals(nn.transforms.CenterCrop(2)(picture).width, 2);
 * ```
 */
export function CenterCrop(size: Size): Transform {
  return (x) => centerCrop(x, size);
}

/**
 * {@linkcode pad} as a transform.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { nn } from "@tessera/tessera";
 *
 * const picture = { width: 4, height: 3, data: new Uint8Array(36) };
 * assertEquals(nn.transforms.Pad(2)(picture).width, 8);
 * ```
 */
export function Pad(padding: Padding, options: PadOptions = {}): Transform {
  return (x) => pad(x, padding, options);
}

/**
 * {@linkcode toTensor} as a transform.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { init, nn } from "@tessera/tessera";
 *
 * await init();
 * const picture = { width: 4, height: 3, data: new Uint8Array(36) };
 * assertEquals(nn.transforms.ToTensor()(picture).shape, [3, 3, 4]);
 * ```
 */
export function ToTensor(): Picturing {
  return toTensor;
}

/**
 * {@linkcode normalize} as a transform, of tensors only.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { init, nn, tensor } from "@tessera/tessera";
 *
 * await init();
 * const y = nn.transforms.Normalize([0.5], [0.25])(tensor([[[0, 1]]]));
 * assertEquals(await y.array(), [[[-2, 2]]]);
 * ```
 */
export function Normalize(
  mean: readonly number[],
  std: readonly number[],
): TensorTransform {
  return (x) => normalize(x, mean, std);
}
