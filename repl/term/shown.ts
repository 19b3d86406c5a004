/** What can be shown, as pictures: tensors, layers' weights, data sets, pixels and files. */
import { noGrad } from "../../core/autograd.ts";
import { ShapeError } from "../../core/errors.ts";
import type { FileSource } from "../../core/formats/source.ts";
import { scope } from "../../core/scope.ts";
import { Tensor } from "../../core/tensor.ts";
import { decodeImage, type Image } from "../../nn/data/image.ts";
import type {
  Dataset,
  Example,
  Examples,
  ImageArrays,
} from "../../nn/data/dataset.ts";
import { Module } from "../../nn/module.ts";
import { formatShape, sizeOf } from "../../wgsl/shape.ts";
import { nameOf } from "./numbers.ts";
import type { Picture } from "./picture.ts";
import { type Range, spanOf } from "./tile.ts";

/** What {@linkcode show} takes. Strings, URLs and bytes without sizes are PNG or JPEG files. */
export type Showable =
  | Tensor
  | Module
  | FileSource
  | Image
  | ImageData
  | Dataset
  | ArrayLike<number>;

/** How to read it. */
export interface ReadOptions {
  /** Size of a picture, for plain arrays: values row by row, those of a pixel together. */
  readonly width?: number;
  readonly height?: number;
  /** Shows every channel by itself, also where there are one or three. */
  readonly maps?: boolean;
  /** How many pictures are read. */
  readonly most: number;
}

/** Some of the pictures that something consists of. */
export interface Shown {
  readonly pictures: readonly Picture[];
  /** How many there are in all. */
  readonly count: number;
  /** Where they are maps of several examples or filters: how many each has. */
  readonly perExample?: number;
}

/** The first pictures of something. */
export async function picturesOf(
  x: Showable,
  options: ReadOptions,
): Promise<Shown> {
  if (x instanceof Tensor) return await ofTensor(x, options);
  if (x instanceof Module) return await ofTensor(weightOf(x), options);
  if (typeof x === "string" || x instanceof URL) return await ofFile(x);
  if (typeof x === "object" && x !== null) {
    if ("images" in x && "shape" in x) return ofDataset(x, options.most);
    if ("get" in x) return await ofExamples(x, options.most);
    if ("data" in x && "width" in x) {
      const { width, height } = x;
      return ofArray(x.data, { ...options, width, height });
    }
    if (options.width !== undefined || options.height !== undefined) {
      return ofArray(x as ArrayLike<number>, options);
    }
    if (x instanceof Uint8Array) return await ofFile(x);
  }
  throw new TypeError(
    `Cannot show ${
      nameOf(x)
    }: expected a tensor, a layer with filters, a picture's path, URL or bytes, or pixels with { width, height }`,
  );
}

async function ofFile(source: FileSource): Promise<Shown> {
  const { width, height, data } = await decodeImage(source);
  const channels = 3;
  const range: Range = [0, 255];
  return {
    pictures: [{ pixels: data, width, height, channels, range }],
    count: 1,
  };
}

/** The filters of a layer, or of the first layer below that has some. */
function weightOf(module: Module): Tensor {
  for (const [, layer] of module.namedModules()) {
    const { weight } = layer as Module & { readonly weight?: unknown };
    if (weight instanceof Tensor && weight.rank === 4) return weight;
    // Filters of sequences: a picture of channels by time for each.
    if (weight instanceof Tensor && weight.rank === 3) {
      return weight.detach().unsqueeze(1);
    }
  }
  throw new TypeError(
    `Cannot show ${module.constructor.name}: it has no convolution, whose filters are pictures`,
  );
}

/** `[H, W]`, `[C, H, W]` and `[N, C, H, W]` are examples of channels. */
async function ofTensor(x: Tensor, options: ReadOptions): Promise<Shown> {
  if (x.rank < 2 || x.rank > 4 || x.size === 0) {
    throw new ShapeError(
      `Cannot show a tensor of shape ${
        formatShape(x.shape)
      } as pictures: expected [H, W], [C, H, W] or [N, C, H, W]${
        x.rank === 1 ? ", a row of numbers is for plot() and hist()" : ""
      }`,
      [x.shape],
    );
  }
  const [n, c, height, width] = [1, 1, ...x.shape].slice(-4);
  const whole = !options.maps && (c === 1 || c === 3);
  const [count, channels] = whole ? [n, c] : [n * c, 1];
  const some = Math.min(count, options.most);
  const values = await readFirst(x, [count, channels, height, width], some);
  const pixels = height * width * channels;
  const label = (i: number): Pick<Picture, "label"> => {
    if (count === 1) return {};
    if (whole || n === 1 || c === 1) return { label: String(i) };
    return { label: `${Math.floor(i / c)},${i % c}` };
  };
  const pictures = Array.from({ length: some }, (_, i): Picture => {
    const part = values.subarray(i * pixels, (i + 1) * pixels);
    const size = { width, height, ...label(i) };
    if (channels !== 3) return { pixels: part, ...size };
    const [low, high] = spanOf([part]);
    const range = low >= 0 && high <= 1 ? { range: [0, 1] as const } : {};
    return { pixels: interleave(part, 3), channels: 3, ...size, ...range };
  });
  return {
    pictures,
    count,
    ...(!whole && n > 1 && c > 1 ? { perExample: c } : {}),
  };
}

/** The first positions of a tensor in the shape of a batch, and no more of it. */
function readFirst(
  x: Tensor,
  shape: readonly number[],
  count: number,
): Promise<Float32Array> {
  using _ = scope();
  return noGrad(() =>
    x.detach().reshape(shape).slice(0, 0, count).to("f32").read()
  ) as Promise<Float32Array>;
}

/** Channels one after the other become pixels one after the other. */
export function interleave(
  planes: ArrayLike<number>,
  channels: number,
): Float32Array {
  const size = planes.length / channels;
  const pixels = new Float32Array(planes.length);
  for (let c = 0; c < channels; c++) {
    for (let i = 0; i < size; i++) {
      pixels[i * channels + c] = planes[c * size + i];
    }
  }
  return pixels;
}

function ofDataset(
  { images, labels, classes, shape, count }: ImageArrays,
  most: number,
): Shown {
  const size = sizeOf(shape);
  return {
    count,
    pictures: Array.from({ length: Math.min(count, most) }, (_, i) => {
      const image = images.subarray(i * size, (i + 1) * size);
      return ofExample({ image, shape, label: labels[i] }, classes);
    }),
  };
}

async function ofExamples(data: Examples, most: number): Promise<Shown> {
  const pictures: Picture[] = [];
  for (let i = 0; i < Math.min(data.length, most); i++) {
    pictures.push(ofExample(await data.get(i), data.classes));
  }
  return { pictures, count: data.length };
}

/** An example with its class. Where its channels are neither one nor three, the first is shown. */
function ofExample(
  { image, shape, label }: Example,
  classes: readonly string[],
): Picture {
  const [channels, height, width] = shape;
  const depth = channels === 3 ? 3 : 1;
  const part = image.subarray(0, depth * height * width);
  return {
    pixels: depth === 3 ? interleave(part, 3) : part,
    width,
    height,
    channels: depth,
    label: classes[label] ?? String(label),
    ...(image instanceof Uint8Array ? { range: [0, 255] as const } : {}),
  };
}

/** Pixels of one, three or four values (the fourth is left out), or several grey pictures one after another. */
function ofArray(
  values: ArrayLike<number>,
  { width = 0, height = 0, most }: ReadOptions,
): Shown {
  const size = width * height;
  const parts = values.length / size;
  if (!(size > 0 && Number.isInteger(parts) && parts > 0)) {
    throw new RangeError(
      size > 0
        ? `Cannot show ${values.length} values as ${height}×${width} pixels: expected a multiple of ${size}`
        : `Cannot show ${values.length} values as pixels: pass their { width, height }`,
    );
  }
  const bytes = values instanceof Uint8Array ||
    values instanceof Uint8ClampedArray;
  const range = bytes ? { range: [0, 255] as const } : {};
  if (parts === 3 || parts === 4) {
    const pixels = parts === 3 ? values : withoutOpacity(values);
    return {
      pictures: [{ pixels, width, height, channels: 3, ...range }],
      count: 1,
    };
  }
  return {
    count: parts,
    pictures: Array.from({ length: Math.min(parts, most) }, (_, i) => ({
      pixels: Array.prototype.slice.call(values, i * size, (i + 1) * size),
      width,
      height,
      ...range,
      ...(parts > 1 ? { label: String(i) } : {}),
    })),
  };
}

/** Red, green and blue of pixels of four values. */
function withoutOpacity(values: ArrayLike<number>): Float32Array {
  const pixels = new Float32Array(values.length / 4 * 3);
  for (let i = 0, at = 0; at < pixels.length; i += 4) {
    for (let c = 0; c < 3; c++) pixels[at++] = values[i + c];
  }
  return pixels;
}
