/**
 * MNIST: 28×28 grey pictures of handwritten digits, 60,000 to train with and 10,000 to test with.
 *
 * Source: Yann LeCun, Léon Bottou, Yoshua Bengio and Patrick Haffner, "Gradient-based learning applied to document recognition",
 * Proceedings of the IEEE 86 (1998). The page it was published on no longer has it: the servers below are PyTorch's and TensorFlow's.
 * The files' sizes are those of that page; the sums are those that both servers' files have.
 */
import type { ArrayDataset } from "./dataset.ts";
import { download, type DownloadOptions, type RemoteFile } from "./download.ts";
import { findIdx, idxNames, readIdxPair } from "./idx_pair.ts";

/** Which part of MNIST to read, and from where. */
export interface MnistOptions extends DownloadOptions {
  /** @default "train" */
  readonly split?: "train" | "test";
  /** A folder with the IDX files, gzipped or not. @default the cache, to which they are downloaded if they aren't there */
  readonly path?: string;
}

const SERVERS = [
  "https://ossci-datasets.s3.amazonaws.com/mnist",
  "https://storage.googleapis.com/cvdf-datasets/mnist",
];

const CLASSES: readonly string[] = "0123456789".split("");

/** Sizes and sums of the gzipped files. */
const FILES: Readonly<Record<string, readonly [number, string]>> = {
  "train-images-idx3-ubyte": [
    9_912_422,
    "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
  ],
  "train-labels-idx1-ubyte": [
    28_881,
    "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
  ],
  "t10k-images-idx3-ubyte": [
    1_648_877,
    "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
  ],
  "t10k-labels-idx1-ubyte": [
    4_542,
    "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
  ],
};

/**
 * Reads MNIST, from a folder or from the cache; what isn't in the cache is downloaded, 12 MB for both parts.
 *
 * Throws a FileFormatError for damaged files, Deno.errors.NotFound for files missing in `path`, and a DownloadError when no server gives
 * one.
 *
 * @example
 * ```ts ignore
 * const train = await nn.mnist();
 * const test = await nn.mnist({ split: "test" });
 * ```
 *
 * @example From a folder
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { nn } from "@tessera/tessera";
 *
 * // One black picture, labelled 7.
 * const path = await Deno.makeTempDir();
 * const images = new Uint8Array(16 + 784);
 * images.set([0, 0, 8, 3, 0, 0, 0, 1, 0, 0, 0, 28, 0, 0, 0, 28]);
 * await Deno.writeFile(`${path}/t10k-images-idx3-ubyte`, images);
 * await Deno.writeFile(`${path}/t10k-labels-idx1-ubyte`, Uint8Array.of(0, 0, 8, 1, 0, 0, 0, 1, 7));
 *
 * const test = await nn.mnist({ split: "test", path });
 * assertEquals([test.length, test.get(0).label, test.shape], [1, 7, [1, 28, 28]]);
 * await Deno.remove(path, { recursive: true });
 * ```
 */
export async function mnist(options: MnistOptions = {}): Promise<ArrayDataset> {
  const { split = "train", path } = options;
  const [images, labels] = idxNames(split);
  const find = (name: string) =>
    path === undefined
      ? download(remoteFile(name), {
        ...options,
        folder: "mnist",
        instead: "pass mnist({ path: FOLDER })",
      })
      : findIdx("MNIST", name, path);
  return readIdxPair(await find(images), await find(labels), CLASSES);
}

function remoteFile(name: string): RemoteFile {
  const [bytes, sha256] = FILES[name];
  const urls = SERVERS.map((server) => `${server}/${name}.gz`);
  return { name: `${name}.gz`, urls, bytes, sha256 };
}
