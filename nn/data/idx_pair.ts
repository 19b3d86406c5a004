/** Data sets of the MNIST family: a file of pictures and one of labels, in IDX format, for each of two parts. */
import { FileFormatError } from "../../core/errors.ts";
import { ArrayDataset } from "./dataset.ts";
import { type Idx, readIdx } from "./idx.ts";

/** Pictures have as many rows and columns. */
const SIDE = 28;

/** The names of a part's two files, pictures first, without `.gz`. */
export function idxNames(split: "train" | "test"): [string, string] {
  const prefix = split === "train" ? "train" : "t10k";
  return [`${prefix}-images-idx3-ubyte`, `${prefix}-labels-idx1-ubyte`];
}

/** Reads a part from its two files. Throws a FileFormatError where they break the format or don't fit together. */
export async function readIdxPair(
  imageFile: string | URL,
  labelFile: string | URL,
  classes: readonly string[],
): Promise<ArrayDataset> {
  const images = await readIdx(imageFile);
  const labels = await readIdx(labelFile);
  const [count, height, width] = images.shape;
  if (images.shape.length !== 3 || height !== SIDE || width !== SIDE) {
    const state = `${sizes(images)}, where [count, 28, 28] belongs`;
    throw broken(imageFile, 4, "shape", state);
  }
  if (labels.shape.length !== 1 || labels.shape[0] !== count) {
    const state = `${
      sizes(labels)
    }, where [${count}], one label a picture, belongs`;
    throw broken(labelFile, 4, "shape", state);
  }
  const wrong = labels.data.findIndex((label) => label >= classes.length);
  if (wrong >= 0) {
    const state = `label ${labels.data[wrong]}, where 0 to ${
      classes.length - 1
    } belongs`;
    throw broken(labelFile, 8 + wrong, "label", state);
  }
  return new ArrayDataset({
    images: images.data,
    labels: labels.data,
    count,
    shape: [1, SIDE, SIDE],
    classes,
  });
}

/** The path of one of a data set's files in a folder of the user's, gzipped or not. Throws Deno.errors.NotFound for none. */
export async function findIdx(
  set: string,
  name: string,
  folder: string,
): Promise<string> {
  for (const file of [`${folder}/${name}.gz`, `${folder}/${name}`]) {
    try {
      await Deno.stat(file);
      return file;
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
  throw new Deno.errors.NotFound(
    `Cannot read ${set}: neither ${name}.gz nor ${name} is in ${folder}`,
  );
}

function sizes({ shape }: Idx): string {
  return `sizes [${shape.join(", ")}]`;
}

function broken(
  location: string | URL,
  offset: number,
  rule: string,
  state: string,
): FileFormatError {
  const file = String(location);
  const message = `Cannot read ${file} at byte ${offset}: ${state}`;
  return new FileFormatError(message, file, offset, rule);
}
