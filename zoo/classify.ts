/** Telling what is in a picture. */
import { noGrad } from "../core/autograd.ts";
import type { FileSource } from "../core/formats/source.ts";
import { scope, tidy } from "../core/scope.ts";
import type { Tensor } from "../core/tensor.ts";
import { decodeImage, type Image } from "../nn/data/image.ts";
import type { Module } from "../nn/module.ts";
import {
  centerCrop,
  normalize,
  resize,
  toTensor,
} from "../nn/transforms/functional.ts";
import { entryOfNetwork } from "./weights.ts";
import type { Preprocessing } from "./weights_entry.ts";

/** Options of {@linkcode classify}. */
export interface ClassifyOptions {
  /** How many classes to name, the most probable first. @default 5 */
  readonly top?: number;
  /** How the picture becomes an input. @default as for the weights that the network was built with */
  readonly preprocessing?: Preprocessing;
  /** Names of the classes, in the order of the outputs. @default those of the weights */
  readonly classes?: readonly string[];
}

/** A class that a picture may be of. */
export interface Prediction {
  readonly name: string;
  /** 0 to 1; those of all classes add up to 1. */
  readonly probability: number;
  /** Number of the class. */
  readonly index: number;
}

/**
 * The most probable classes of a picture: a PNG or JPEG from its path, URL or bytes, or an image that is decoded. The network runs in evaluation mode and
 * without recording; its mode is put back.
 *
 * @throws {TypeError} For a network that wasn't built with published weights, unless `preprocessing` and `classes` are given.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { init, nn, zoo } from "@tessera/tessera";
 *
 * await init();
 * const net = await zoo.lenet({ weights: "fashion-mnist" });
 * const { images } = await nn.fashionMnist({ split: "test" });
 * const picture = { width: 28, height: 28, data: images.slice(0, 28 * 28) };
 * const [best] = await zoo.classify(net, picture, { top: 1 });
 * assertEquals(best.name, "Ankle boot");
 * ```
 */
export async function classify(
  net: Module,
  image: FileSource | Image,
  options: ClassifyOptions = {},
): Promise<Prediction[]> {
  const entry = entryOfNetwork(net);
  const { top = 5, preprocessing = entry?.preprocessing } = options;
  const classes = options.classes ?? entry?.classes();
  if (!preprocessing || !classes) {
    throw new TypeError(
      "Cannot classify with this network: it wasn't built with published weights, so pass { preprocessing, classes }",
    );
  }
  if (!(Number.isInteger(top) && top > 0)) {
    throw new RangeError(
      `Cannot name ${top} classes: expected a whole number from 1`,
    );
  }
  const picture = isImage(image) ? image : await decodeImage(image);
  using _ = scope();
  const values = await probabilities(net, preprocess(picture, preprocessing))
    .read();
  if (values.length !== classes.length) {
    throw new RangeError(
      `Cannot name the classes: the network has ${values.length} outputs, and there are ${classes.length} names`,
    );
  }
  return Array.from(values, Number)
    .map((probability, index) => ({ name: classes[index], probability, index }))
    .sort((a, b) => b.probability - a.probability)
    .slice(0, top);
}

/**
 * A picture as an input of a network: resized, its middle cut out, normalised, as torchvision 0.14 does it (transforms/_presets.py). Where the
 * network takes grey pictures, colours become grey first, as by Pillow's `convert("L")`. `[height, width, 3 or 1] → [1, C, crop, crop]`
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { init, zoo } from "@tessera/tessera";
 *
 * await init();
 * const { preprocessing } = zoo.describeWeights("resnet18", "imagenet");
 * const picture = { width: 300, height: 260, data: new Uint8Array(300 * 260 * 3) };
 * assertEquals(zoo.preprocess(picture, preprocessing).shape, [1, 3, 224, 224]);
 * ```
 */
export function preprocess(image: Image, how: Preprocessing): Tensor {
  const { channels, resize: size, crop, interpolation, mean, std } = how;
  const sized = resize(withChannels(image, channels), size, { interpolation });
  return tidy(() =>
    normalize(toTensor(centerCrop(sized, crop)), mean, std).unsqueeze(0)
  );
}

function probabilities(net: Module, x: Tensor): Tensor {
  const { training } = net;
  net.eval();
  try {
    return noGrad(() => net(x).softmax(1));
  } finally {
    net.train(training);
  }
}

function isImage(image: FileSource | Image): image is Image {
  return typeof image === "object" && "data" in image;
}

/** A picture in grey or in colours. */
function withChannels(image: Image, channels: 1 | 3): Image {
  const { width, height, data } = image;
  const pixels = width * height;
  if (data.length === channels * pixels) return image;
  const made = new Uint8Array(channels * pixels);
  for (let i = 0; i < pixels; i++) {
    if (channels === 3) made.fill(data[i], 3 * i, 3 * i + 3);
    // ITU-R 601-2 in multiples of 2⁻¹⁶, rounded (Pillow 9.4, src/libImaging/Convert.c)
    else {
      const [r, g, b] = data.subarray(3 * i, 3 * i + 3);
      made[i] = (19595 * r + 38470 * g + 7471 * b + 0x8000) >> 16;
    }
  }
  return { width, height, data: made };
}
