/** Colours and contents changed by random numbers: one draw a picture, and one for each image of a batch. */
import { nextRandom, randn, tensor } from "../../core/create.ts";
import { ShapeError } from "../../wgsl/errors.ts";
import { permutation } from "../../wgsl/random/philox.ts";
import { formatShape } from "../../wgsl/shape.ts";
import { eraseBatch, perChannel } from "./batch.ts";
import { boxRows, drawBox } from "./boxes.ts";
import type { TensorTransform } from "./compose.ts";
import { normals, type Range, rows, uniforms, within } from "./draws.ts";
import { adjusting, ADJUSTMENTS } from "./functional_color.ts";
import {
  either,
  onPictures,
  probability,
  sizeOfVisual,
  type Transform,
} from "./visual.ts";

/** Options of {@linkcode ColorJitter}: for each property ±a number around unchanged, or the range of its factors. */
export interface ColorJitterOptions {
  /** @default 0 */
  readonly brightness?: number | Range;
  /** @default 0 */
  readonly contrast?: number | Range;
  /** @default 0 */
  readonly saturation?: number | Range;
  /** Up to ½. @default 0 */
  readonly hue?: number | Range;
}

type Property = keyof typeof ADJUSTMENTS;

const PROPERTIES: readonly Property[] = [
  "brightness",
  "contrast",
  "saturation",
  "hue",
];

/** The range of a property's factors, or undefined where it stays. */
function factorsOf(
  property: Property,
  value: number | Range,
): Range | undefined {
  const hue = property === "hue";
  const [centre, low, high] = hue ? [0, -0.5, 0.5] : [1, 0, Infinity];
  const range: Range = typeof value === "number"
    ? [hue ? -value : Math.max(0, centre - value), centre + value]
    : value;
  const negative = typeof value === "number" && !(value >= 0);
  if (
    negative || !(range[0] >= low && range[0] <= range[1] && range[1] <= high)
  ) {
    throw new RangeError(
      `Cannot change the ${property} between ${range[0]} and ${
        range[1]
      }: expected ${
        hue ? "bounds within -0.5 and 0.5" : "bounds of 0 or more"
      }, in order`,
    );
  }
  return range[0] === centre && range[1] === centre ? undefined : range;
}

/**
 * Brightness, contrast, saturation and hue changed by factors of their ranges, in random order.
 *
 * Each image of a batch has its factors; the order is one for the batch, where torchvision has one for a call as well.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { init, nn, rand } from "@tessera/tessera";
 *
 * await init({ seed: 0 });
 * const jitter = nn.transforms.ColorJitter({ brightness: 0.4, hue: 0.1 });
 * assertEquals(jitter(rand([8, 3, 16, 16])).shape, [8, 3, 16, 16]);
 * ```
 */
export function ColorJitter(options: ColorJitterOptions): Transform {
  const changes = PROPERTIES.flatMap((property) => {
    const range = factorsOf(property, options[property] ?? 0);
    if (!range) return [];
    return [adjusting(
      ADJUSTMENTS[property],
      (n) => rows(n, 1).map(([u]) => within(range, u)),
    )];
  });
  return (x) => {
    const inOrder: Transform = (y) => {
      const order = permutation(changes.length, nextRandom([changes.length]));
      return order.reduce((z, at) => changes[at](z), y);
    };
    return either(
      x,
      inOrder,
      (batch) => changes.length === 0 ? batch.alias() : inOrder(batch),
    );
  };
}

/**
 * Deviations and directions of ImageNet's colours, of values from 0 to 1: eigenvalues and eigenvectors of their covariance, as Facebook published them
 * with its implementation of ResNet (github.com/facebook/fb.resnet.torch, datasets/imagenet.lua, 2016); the paper gives no numbers. Rows are red, green
 * and blue, columns belong to the values.
 */
const IMAGENET_VALUES = [0.2175, 0.0188, 0.0045] as const;
const IMAGENET_VECTORS = [
  [-0.5675, 0.7192, 0.4009],
  [-0.5808, -0.0045, -0.8140],
  [-0.5836, -0.6948, 0.4203],
] as const;

/** Options of {@linkcode PCANoise}. */
export interface PCANoiseOptions {
  /** Deviation of the factors. @default 0.1 */
  readonly std?: number;
  /** Eigenvalues, one a component. @default ImageNet's */
  readonly eigenvalues?: readonly number[];
  /** Eigenvectors: a row a channel, a column a component. @default ImageNet's */
  readonly eigenvectors?: readonly (readonly number[])[];
}

/**
 * AlexNet's colour noise: to every pixel of an image the same [p₁, p₂, p₃]·[α₁λ₁, α₂λ₂, α₃λ₃]ᵀ is added, with p the eigenvectors and λ the eigenvalues
 * of the colours' covariance and α normal numbers of deviation 0.1 drawn once an image (Krizhevsky, Sutskever and Hinton 2012, section 4.1).
 *
 * `[N, C, H, W] → the same`, of values from 0 to 1, before `Normalize`; nothing is clamped.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { init, nn, zeros } from "@tessera/tessera";
 *
 * await init({ seed: 0 });
 * const noisy = nn.transforms.PCANoise()(zeros([2, 3, 4, 4]));
 * const spread = noisy.max([2, 3]).sub(noisy.min([2, 3])); // none within a channel
 * assertEquals(await spread.array(), [[0, 0, 0], [0, 0, 0]]);
 * ```
 */
export function PCANoise(options: PCANoiseOptions = {}): TensorTransform {
  const {
    std = 0.1,
    eigenvalues = IMAGENET_VALUES,
    eigenvectors = IMAGENET_VECTORS,
  } = options;
  if (eigenvectors.some((row) => row.length !== eigenvalues.length)) {
    throw new RangeError(
      `Cannot make noise of ${eigenvalues.length} components: expected as many numbers in each row of the eigenvectors`,
    );
  }
  return (x) =>
    onPictures(x, (batch) => {
      const [n, c] = batch.shape;
      if (c !== eigenvectors.length) {
        throw new ShapeError(
          `Cannot add colour noise to ${
            formatShape(batch.shape)
          }: expected ${eigenvectors.length} channels, one for each row of the eigenvectors`,
          [batch.shape],
        );
      }
      const count = eigenvalues.length;
      const alphas = normals(n * count);
      const noise = new Float32Array(n * c);
      for (let i = 0; i < n * c; i++) {
        const first = Math.floor(i / c) * count;
        noise[i] = eigenvectors[i % c].reduce(
          (sum, p, k) => sum + p * std * alphas[first + k] * eigenvalues[k],
          0,
        );
      }
      const { dtype } = batch;
      return batch.add(tensor(noise, { shape: [n, c, 1, 1], dtype }));
    });
}

/** Options of {@linkcode RandomErasing}. */
export interface RandomErasingOptions {
  /** Probability that an image loses a box. @default 0.5 */
  readonly p?: number;
  /** Shares of the picture's area. @default [0.02, 0.33] */
  readonly scale?: Range;
  /** Height to width. @default [0.3, 3.3] */
  readonly ratio?: Range;
  /** What the box is filled with: a number, one a channel, or "random" for normal numbers. @default 0 */
  readonly value?: number | readonly number[] | "random";
}

/**
 * A box of random area, shape and place set to a value (Zhong et al. 2017, arXiv:1708.04896, algorithm 1). `[N, C, H, W] → the same`
 *
 * @example
 * ```ts
 * import { assert } from "@std/assert";
 * import { init, nn, ones } from "@tessera/tessera";
 *
 * await init({ seed: 0 });
 * const holes = nn.transforms.RandomErasing({ p: 1 })(ones([10, 3, 32, 32]));
 * const left = await holes.mean().item();
 * assert(left > 0.67 && left < 0.98);
 * ```
 */
export function RandomErasing(
  options: RandomErasingOptions = {},
): TensorTransform {
  const { p = 0.5, scale = [0.02, 0.33], ratio = [0.3, 3.3], value = 0 } =
    options;
  probability(p, "erase");
  // Boxes are drawn by width to height.
  const shape: Range = [1 / ratio[1], 1 / ratio[0]];
  return (x) =>
    onPictures(x, (batch) => {
      const sizes = sizeOfVisual(batch);
      const smaller = (
        b: { readonly height: number; readonly width: number },
      ) => b.height < sizes[0] && b.width < sizes[1];
      const chances = uniforms(batch.shape[0]);
      const boxes = boxRows(batch.shape[0]).map((u, i) => {
        const none = { top: 0, left: 0, height: 0, width: 0 };
        if (chances[i] >= p) return none;
        return drawBox(sizes, { scale, ratio: shape }, u, smaller) ?? none;
      });
      const content = value === "random"
        ? randn(batch.shape, { dtype: batch.dtype })
        : perChannel(typeof value === "number" ? [value] : value, batch);
      return eraseBatch(batch, boxes, content);
    });
}
