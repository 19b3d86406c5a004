/**
 * CIFAR-10 and CIFAR-100: 32×32 pictures in colour, in ten classes or a hundred, 50,000 to train with and 10,000 to test with.
 *
 * Source: Alex Krizhevsky, "Learning Multiple Layers of Features from Tiny Images" (2009), and the format on
 * <https://www.cs.toronto.edu/~kriz/cifar.html>, "Binary version": one byte of label (CIFAR-100: two, coarse and fine), then 1,024 bytes each of
 * red, green and blue, row by row. A file holds nothing else.
 */
import { FileFormatError } from "../../core/errors.ts";
import {
  CIFAR100_CLASSES,
  CIFAR100_SUPERCLASSES,
  CIFAR10_CLASSES,
} from "./cifar_classes.ts";
import { ArrayDataset } from "./dataset.ts";
import { download, type DownloadOptions, type RemoteFile } from "./download.ts";
import { readTar } from "./tar.ts";

/** Which part of CIFAR-10 to read, and from where. */
export interface CifarOptions extends DownloadOptions {
  /** @default "train" */
  readonly split?: "train" | "test";
  /**
   * The archive of the binary version (`.tar.gz`), a folder that holds it, or a folder of its `.bin` files.
   * @default the cache, to which the archive is downloaded if it isn't there
   */
  readonly path?: string;
}

/** Which part of CIFAR-100 to read, from where, and which of its labels. */
export interface Cifar100Options extends CifarOptions {
  /** The hundred classes, or the twenty superclasses that they are grouped into. @default "fine" */
  readonly labels?: "fine" | "coarse";
}

/** Red, green and blue of 32×32 pixels. */
const SHAPE = [3, 32, 32];
const PIXELS = 3 * 32 * 32;

/** Five times what the largest file of the sets has: 10,000 pictures of CIFAR-10, 50,000 of CIFAR-100. */
const MAX_BYTES = 5 * 50_000 * (2 + PIXELS);

/** What tells one of the sets from the other. */
interface Kind {
  readonly title: string;
  /** How it is called, for messages. */
  readonly call: string;
  readonly folder: string;
  readonly archive: RemoteFile;
  /** The folder in the archive. */
  readonly inner: string;
  readonly files: Readonly<Record<"train" | "test", readonly string[]>>;
  /** Numbers of classes that the bytes before the pixels choose from. */
  readonly labels: readonly number[];
}

const CIFAR10: Kind = {
  title: "CIFAR-10",
  call: "cifar10",
  folder: "cifar-10",
  archive: {
    name: "cifar-10-binary.tar.gz",
    urls: ["https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz"],
    bytes: 170_052_171,
    sha256: "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
  },
  inner: "cifar-10-batches-bin",
  files: {
    train: [1, 2, 3, 4, 5].map((n) => `data_batch_${n}.bin`),
    test: ["test_batch.bin"],
  },
  labels: [10],
};

const CIFAR100: Kind = {
  title: "CIFAR-100",
  call: "cifar100",
  folder: "cifar-100",
  archive: {
    name: "cifar-100-binary.tar.gz",
    urls: ["https://www.cs.toronto.edu/~kriz/cifar-100-binary.tar.gz"],
    bytes: 168_513_733,
    sha256: "58a81ae192c23a4be8b1804d68e518ed807d710a4eb253b1f2a199162a40d8ec",
  },
  inner: "cifar-100-binary",
  files: { train: ["train.bin"], test: ["test.bin"] },
  labels: [20, 100],
};

/**
 * Reads CIFAR-10, from `path` or from the cache; if it isn't in the cache, its archive of 170 MB is downloaded. The archive is unpacked in memory
 * at each call; a folder of its files is read faster.
 *
 * Throws a FileFormatError for damaged files, Deno.errors.NotFound if `path` hasn't the files, and a DownloadError when no server gives the archive.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { nn } from "@tessera/tessera";
 *
 * // One black picture of class 0.
 * const path = await Deno.makeTempDir();
 * await Deno.writeFile(`${path}/test_batch.bin`, new Uint8Array(1 + 3 * 32 * 32));
 *
 * const test = await nn.cifar10({ split: "test", path });
 * assertEquals([test.length, test.shape, test.classes[test.get(0).label]], [1, [3, 32, 32], "airplane"]);
 * await Deno.remove(path, { recursive: true });
 * ```
 */
export function cifar10(options: CifarOptions = {}): Promise<ArrayDataset> {
  return read(CIFAR10, options, 0, CIFAR10_CLASSES);
}

/**
 * Reads CIFAR-100, with its hundred classes or its twenty superclasses, as {@linkcode cifar10} does. The archive has 169 MB.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { nn } from "@tessera/tessera";
 *
 * // One black picture of class 0.
 * const path = await Deno.makeTempDir();
 * await Deno.writeFile(`${path}/test.bin`, new Uint8Array(2 + 3 * 32 * 32));
 *
 * const test = await nn.cifar100({ split: "test", labels: "coarse", path });
 * assertEquals([test.length, test.shape, test.classes[test.get(0).label]], [1, [3, 32, 32], "aquatic_mammals"]);
 * await Deno.remove(path, { recursive: true });
 * ```
 */
export function cifar100(
  options: Cifar100Options = {},
): Promise<ArrayDataset> {
  return options.labels === "coarse"
    ? read(CIFAR100, options, 0, CIFAR100_SUPERCLASSES)
    : read(CIFAR100, options, 1, CIFAR100_CLASSES);
}

/** The files of a part, in order, by what messages call them. */
type Files = readonly (readonly [string, Uint8Array<ArrayBuffer>])[];

async function read(
  kind: Kind,
  options: CifarOptions,
  column: number,
  classes: readonly string[],
): Promise<ArrayDataset> {
  const { split = "train", path } = options;
  const names = kind.files[split];
  const files = path === undefined
    ? await unpack(
      await download(kind.archive, {
        ...options,
        folder: kind.folder,
        instead: `pass ${kind.call}({ path: FOLDER })`,
      }),
      names,
    )
    : await open(kind, names, path);
  const size = kind.labels.length + PIXELS;
  for (const [file, bytes] of files) check(file, bytes, kind.labels);
  const total = files.reduce((sum, [, { length }]) => sum + length, 0);
  const count = total / size;
  const images = new Uint8Array(count * PIXELS);
  const labels = new Uint8Array(count);
  let i = 0;
  for (const [, bytes] of files) {
    for (let at = 0; at < bytes.length; at += size) {
      labels[i] = bytes[at + column];
      const pixels = bytes.subarray(at + kind.labels.length, at + size);
      images.set(pixels, PIXELS * i++);
    }
  }
  return new ArrayDataset({ images, labels, count, shape: SHAPE, classes });
}

/** Reads a part's files from where the user says they are. */
async function open(
  { title, archive, inner }: Kind,
  names: readonly string[],
  path: string,
): Promise<Files> {
  if ((await statOf(path))?.isFile) return unpack(path, names);
  for (const folder of [path, `${path}/${inner}`]) {
    if (!await statOf(`${folder}/${names[0]}`)) continue;
    return Promise.all(
      names.map((name) => `${folder}/${name}`)
        .map(async (file) => [file, await Deno.readFile(file)] as const),
    );
  }
  const packed = `${path}/${archive.name}`;
  if (await statOf(packed)) return unpack(packed, names);
  throw new Deno.errors.NotFound(
    `Cannot read ${title}: neither ${
      names[0]
    } nor ${inner} nor ${archive.name} is in ${path}`,
  );
}

async function unpack(path: string, names: readonly string[]): Promise<Files> {
  const { readable } = await Deno.open(path);
  const stream = readable.pipeThrough(new DecompressionStream("gzip"));
  const found = await readTar(stream, path, { names, maxBytes: MAX_BYTES });
  return names.map((name) => [`${path}: ${name}`, found.get(name)!]);
}

/** Refuses a file that doesn't hold whole pictures with labels in range. */
function check(
  file: string,
  bytes: Uint8Array,
  labels: readonly number[],
): void {
  const refuse = (offset: number, rule: string, state: string) =>
    new FileFormatError(
      `Cannot read ${file} at byte ${offset}: ${state}`,
      file,
      offset,
      rule,
    );
  const size = labels.length + PIXELS;
  const rest = bytes.length % size;
  if (rest !== 0) {
    const state = `the file ends ${rest} bytes into a picture's ${size}`;
    throw refuse(bytes.length, "length", state);
  }
  for (let at = 0; at < bytes.length; at += size) {
    const wrong = labels.findIndex((n, d) => bytes[at + d] >= n);
    if (wrong >= 0) {
      const found = bytes[at + wrong];
      const state = `label ${found}, where 0 to ${labels[wrong] - 1} belongs`;
      throw refuse(at + wrong, "label", state);
    }
  }
}

async function statOf(path: string): Promise<Deno.FileInfo | undefined> {
  try {
    return await Deno.stat(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}
