/** Pictures in folders, a folder a class. */
import { FileFormatError } from "../../core/errors.ts";
import { type Example, type Examples, requireIndex } from "./dataset.ts";
import { DecodePool } from "./decode_pool.ts";
import { decodeImage, type Image } from "./image.ts";
import { drawingFrom, streamOf } from "./own_stream.ts";

/** Options of {@linkcode imageFolder}. */
export interface ImageFolderOptions {
  /**
   * Changes each picture after it is decoded: resizing to one size, cropping, augmentation. In a `DataLoader`, what it draws before it waits for anything
   * is random numbers of the picture's own: they follow from the seed, the pass and the place in it.
   */
  readonly transform?: (image: Image) => Image | Promise<Image>;
  /**
   * Threads that decode, beside the one that drives the device; 0 for none. They pay where pictures are large: with 2 on 2 cores, training on 500 JPEG
   * files of 320×240 took 0.76 of the time, while those of 32×32 took twice as long to read. Transforms stay in this thread.
   * @default 0
   */
  readonly workers?: number;
}

/** One file of an image folder. */
export interface ImageFile {
  readonly path: string;
  /** Index of its class. */
  readonly label: number;
}

const ENDINGS = [".png", ".jpg", ".jpeg"];

/**
 * Finds the pictures of a folder that has a folder a class: `path/cat/1.png`, `path/dog/x/2.jpeg`. Classes are the folders' names, sorted; a class's
 * pictures are all PNG and JPEG files in its folder and the folders in that, sorted by path. Names that begin with a dot are passed over.
 *
 * Pictures are decoded when an example is asked for, and not kept. They must have one size in the end: resize them in `transform`.
 *
 * Throws Deno.errors.NotFound if the folder isn't there, has no folders or one of these has no pictures.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { nn } from "@tessera/tessera";
 *
 * const folder = await Deno.makeTempDir();
 * const red = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGP4z8AAAAMBAQDJ/pLvAAAAAElFTkSuQmCC";
 * await Deno.mkdir(`${folder}/red`);
 * await Deno.writeFile(`${folder}/red/1.png`, Uint8Array.fromBase64(red));
 *
 * const data = await nn.imageFolder(folder);
 * const { image, shape } = await data.get(0);
 * assertEquals([data.length, data.classes, shape, [...image]], [1, ["red"], [3, 1, 1], [255, 0, 0]]);
 * await Deno.remove(folder, { recursive: true });
 * ```
 */
export async function imageFolder(
  path: string,
  options: ImageFolderOptions = {},
): Promise<ImageFolder> {
  const classes = (await entries(path)).folders;
  if (classes.length === 0) {
    throw new Deno.errors.NotFound(
      `Cannot read pictures in ${path}: expected a folder for each class, there is none`,
    );
  }
  const files: ImageFile[] = [];
  for (const [label, name] of classes.entries()) {
    const paths = await findImages(`${path}/${name}`);
    if (paths.length === 0) {
      throw new Deno.errors.NotFound(
        `Cannot read pictures in ${path}/${name}: no file ends in ${
          ENDINGS.join(", ")
        }`,
      );
    }
    files.push(...paths.map((path) => ({ path, label })));
  }
  return new ImageFolder(classes, files, options);
}

/**
 * Pictures in files, decoded one by one. Made by {@linkcode imageFolder}, or from files that are found otherwise.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { nn } from "@tessera/tessera";
 *
 * const data = new nn.ImageFolder(["cat", "dog"], [{ path: "pictures/1.jpg", label: 1 }]);
 * assertEquals([data.length, data.classes[data.files[0].label]], [1, "dog"]);
 * ```
 */
export class ImageFolder implements Examples {
  readonly #transform: ImageFolderOptions["transform"];
  readonly #pool: DecodePool | undefined;

  constructor(
    readonly classes: readonly string[],
    readonly files: readonly ImageFile[],
    options: ImageFolderOptions = {},
  ) {
    const { transform, workers = 0 } = options;
    if (!Number.isInteger(workers) || workers < 0) {
      throw new RangeError(
        `Cannot decode in ${workers} threads: expected an integer of 0 or more`,
      );
    }
    this.#transform = transform;
    this.#pool = workers > 0 ? new DecodePool(workers) : undefined;
  }

  get length(): number {
    return this.files.length;
  }

  /** Reads and decodes picture `index`, `[3, H, W]`, or `[1, H, W]` if a transform made it grey. */
  async get(index: number, draw?: number): Promise<Example> {
    requireIndex(index, this.length);
    const stream = draw === undefined ? undefined : streamOf(draw);
    const { path, label } = this.files[index];
    const decoded = await (this.#pool?.decode(path) ?? decodeImage(path));
    // Pictures are decoded in any order, so none may draw what is another's.
    const transform = () => this.#transform?.(decoded) ?? decoded;
    const image = await (stream ? drawingFrom(stream, transform) : transform());
    return { ...planes(image, path), label };
  }
}

/** Pixels `[H, W, C]` as `[C, H, W]`. */
function planes(
  { width, height, data }: Image,
  file: string,
): Pick<Example, "image" | "shape"> {
  const pixels = width * height;
  const channels = data.length / pixels;
  if (!Number.isInteger(channels) || channels < 1) {
    const rule = `${data.length} bytes for ${width}×${height} pixels`;
    throw new FileFormatError(`Cannot read ${file}: ${rule}`, file, 0, rule);
  }
  const image = new Uint8Array(data.length);
  for (let c = 0; c < channels; c++) {
    const start = c * pixels;
    for (let p = 0, from = c; p < pixels; p++, from += channels) {
      image[start + p] = data[from];
    }
  }
  return { image, shape: [channels, height, width] };
}

/** The paths of all pictures in a folder and those in it, sorted. */
async function findImages(folder: string): Promise<string[]> {
  const { folders, files } = await entries(folder);
  const deeper = await Promise.all(
    folders.map((name) => findImages(`${folder}/${name}`)),
  );
  const own = files.filter((name) =>
    ENDINGS.some((ending) => name.toLowerCase().endsWith(ending))
  );
  return [...own.map((name) => `${folder}/${name}`), ...deeper.flat()].sort();
}

/** The names of a folder's folders and files, sorted; links count as what they lead to. */
async function entries(
  path: string,
): Promise<{ readonly folders: string[]; readonly files: string[] }> {
  const folders: string[] = [];
  const files: string[] = [];
  for await (const { name, isSymlink, isDirectory } of Deno.readDir(path)) {
    if (name.startsWith(".")) continue;
    const folder = isSymlink
      ? (await Deno.stat(`${path}/${name}`)).isDirectory
      : isDirectory;
    (folder ? folders : files).push(name);
  }
  return { folders: folders.sort(), files: files.sort() };
}
