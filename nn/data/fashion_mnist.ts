/**
 * Fashion-MNIST: 28×28 grey pictures of clothes in ten classes, as many of each.
 *
 * Source: Han Xiao, Kashif Rasul and Roland Vollgraf, "Fashion-MNIST: a Novel Image Dataset for Benchmarking Machine Learning Algorithms",
 * arXiv:1708.07747. The files beside this one, their licence and how they were made: `fashion-mnist/README.md`.
 */
import type { ArrayDataset } from "./dataset.ts";
import { download, type DownloadOptions, type RemoteFile } from "./download.ts";
import { findIdx, idxNames, readIdxPair } from "./idx_pair.ts";

/** Which part of Fashion-MNIST to read, and from where. */
export interface FashionMnistOptions extends DownloadOptions {
  /** @default "train" */
  readonly split?: "train" | "test";
  /** A folder with the original IDX files, gzipped or not. @default the part that comes with the library */
  readonly path?: string;
  /** Whether to read all of it from the cache, to which it is downloaded if it isn't there. @default false */
  readonly full?: boolean;
}

const SERVERS = [
  "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com",
  "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion",
];

/** Sizes and sums of the gzipped files. */
const FILES: Readonly<Record<string, readonly [number, string]>> = {
  "train-images-idx3-ubyte": [
    26_421_880,
    "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
  ],
  "train-labels-idx1-ubyte": [
    29_515,
    "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
  ],
  "t10k-images-idx3-ubyte": [
    4_422_102,
    "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
  ],
  "t10k-labels-idx1-ubyte": [
    5_148,
    "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
  ],
};

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
 * (60,000 and 10,000) from a folder that holds the original files, or with `full` from the cache; what isn't there is downloaded, 31 MB
 * for both parts.
 *
 * Throws a FileFormatError for damaged files, Deno.errors.NotFound for files missing in `path`, and a DownloadError when no server gives
 * one.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { nn } from "@tessera/tessera";
 *
 * const { images, labels, count, classes } = await nn.fashionMnist({ split: "test" });
 * assertEquals(count, 2000);
 * assertEquals(images.length, 2000 * 28 * 28);
 * assertEquals(classes[labels[0]], "Ankle boot");
 * ```
 */
export async function fashionMnist(
  options: FashionMnistOptions = {},
): Promise<ArrayDataset> {
  const { split = "train", path, full = false } = options;
  const find = (name: string): Promise<string> | URL => {
    if (path !== undefined) return findIdx("Fashion-MNIST", name, path);
    return full
      ? download(remoteFile(name), {
        ...options,
        folder: "fashion-mnist",
        instead: "pass fashionMnist({ path: FOLDER })",
      })
      : new URL(`./fashion-mnist/${name}.gz`, import.meta.url);
  };
  const [images, labels] = idxNames(split);
  return readIdxPair(await find(images), await find(labels), CLASSES);
}

function remoteFile(name: string): RemoteFile {
  const [bytes, sha256] = FILES[name];
  const urls = SERVERS.map((server) => `${server}/${name}.gz`);
  return { name: `${name}.gz`, urls, bytes, sha256 };
}
