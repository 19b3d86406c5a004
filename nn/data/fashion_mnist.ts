/**
 * Fashion-MNIST: 28×28 grey pictures of clothes in ten classes, as many of each.
 *
 * Source: Han Xiao, Kashif Rasul and Roland Vollgraf, "Fashion-MNIST: a Novel Image Dataset for Benchmarking Machine Learning Algorithms",
 * arXiv:1708.07747. The files beside this one, their licence and how they were made: `fashion-mnist/README.md`.
 */
import { FileFormatError } from "../../core/errors.ts";
import { type Idx, readIdx } from "./idx.ts";
import { ArrayDataset } from "./dataset.ts";

/** Which part of Fashion-MNIST to read, and from where. */
export interface FashionMnistOptions {
  /** @default "train" */
  readonly split?: "train" | "test";
  /** A folder with the original IDX files, gzipped or not. @default the part that comes with the library */
  readonly path?: string;
}

const SIDE = 28;

const CLASSES: readonly string[] = [
  "T-shirt/top",
  "Trouser",
  "Pullover",
  "Dress",
  "Coat",
  "Sandal",
  "Shirt",
  "Sneaker",
  "Bag",
  "Ankle boot",
];

/**
 * Reads Fashion-MNIST: by default the balanced part that comes with the library (10,000 training and 2,000 test pictures), or all of it
 * (60,000 and 10,000) from a folder that holds the original files.
 *
 * Throws a FileFormatError for damaged files, and Deno.errors.NotFound for missing ones.
 *
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { fashionMnist } from "./fashion_mnist.ts";
 *
 * const { images, labels, count, classes } = await fashionMnist({ split: "test" });
 * assertEquals(count, 2000);
 * assertEquals(images.length, 2000 * 28 * 28);
 * assertEquals(classes[labels[0]], "Ankle boot");
 * ```
 */
export async function fashionMnist(
  options: FashionMnistOptions = {},
): Promise<ArrayDataset> {
  const { split = "train", path } = options;
  const prefix = split === "train" ? "train" : "t10k";
  const images = await find(`${prefix}-images-idx3-ubyte`, path);
  const labels = await find(`${prefix}-labels-idx1-ubyte`, path);
  const [count, height, width] = images.idx.shape;
  if (images.idx.shape.length !== 3 || height !== SIDE || width !== SIDE) {
    throw broken(
      images,
      4,
      "shape",
      `sizes [${images.idx.shape.join(", ")}], where [count, 28, 28] belongs`,
    );
  }
  if (labels.idx.shape.length !== 1 || labels.idx.shape[0] !== count) {
    throw broken(
      labels,
      4,
      "shape",
      `sizes [${
        labels.idx.shape.join(", ")
      }], where [${count}], one label a picture, belongs`,
    );
  }
  const wrong = labels.idx.data.findIndex((label) => label >= CLASSES.length);
  if (wrong >= 0) {
    throw broken(
      labels,
      8 + wrong,
      "label",
      `label ${labels.idx.data[wrong]}, where 0 to 9 belongs`,
    );
  }
  return new ArrayDataset({
    images: images.idx.data,
    labels: labels.idx.data,
    count,
    shape: [1, SIDE, SIDE],
    classes: CLASSES,
  });
}

interface Found {
  readonly file: string;
  readonly idx: Idx;
}

/** Reads a file of the set, looking for it gzipped first when the folder is the user's. */
async function find(name: string, path?: string): Promise<Found> {
  if (path === undefined) {
    const url = new URL(`./fashion-mnist/${name}.gz`, import.meta.url);
    return { file: url.href, idx: await readIdx(url) };
  }
  for (const file of [`${path}/${name}.gz`, `${path}/${name}`]) {
    try {
      return { file, idx: await readIdx(file) };
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
  throw new Deno.errors.NotFound(
    `Cannot read Fashion-MNIST: neither ${name}.gz nor ${name} is in ${path}`,
  );
}

function broken(
  { file }: Found,
  offset: number,
  rule: string,
  state: string,
): FileFormatError {
  const message = `Cannot read ${file} at byte ${offset}: ${state}`;
  return new FileFormatError(message, file, offset, rule);
}
