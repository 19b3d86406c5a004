import { assertEquals, assertRejects } from "@std/assert";
import { FileFormatError } from "../../core/errors.ts";
import { cifar10, cifar100 } from "../../nn/data/cifar.ts";
import { DownloadError } from "../../nn/data/download.ts";
import { mnist } from "../../nn/data/mnist.ts";
import {
  cifarFile,
  concat,
  gzip,
  idxFile,
  randomBytes,
  tar,
  withFolder,
  withServer,
} from "../support/data_files.ts";
import { dice } from "../support/mutate.ts";

/** Two pictures a file, labelled 2n and 2n + 1 mod 10. */
function batch(n: number): Uint8Array<ArrayBuffer> {
  return cifarFile([[2 * n % 10], [(2 * n + 1) % 10]], dice(n));
}

const TRAIN = [1, 2, 3, 4, 5].map((n) => ({
  name: `cifar-10-batches-bin/data_batch_${n}.bin`,
  data: batch(n),
}));

const ARCHIVE = await gzip(tar([
  { name: "cifar-10-batches-bin/", type: "5" },
  ...TRAIN,
  { name: "cifar-10-batches-bin/test_batch.bin", data: batch(6) },
]));

/** CIFAR-100's file of three pictures: coarse and fine labels. */
const HUNDRED = cifarFile([[19, 0], [0, 99], [7, 42]], dice(9));

Deno.test("CIFAR-10 is read from an archive, from a folder that holds it, and from a folder of its files", async () => {
  await withFolder(async (folder) => {
    const archive = `${folder}/cifar-10-binary.tar.gz`;
    const inner = `${folder}/x/cifar-10-batches-bin`;
    await Deno.writeFile(archive, ARCHIVE);
    await Deno.mkdir(inner, { recursive: true });
    for (const { name, data } of TRAIN) {
      await Deno.writeFile(`${folder}/x/${name}`, data);
    }
    const pixels = concat(
      ...TRAIN.flatMap(({ data }) => [
        data.subarray(1, 3073),
        data.subarray(3074),
      ]),
    );
    for (const path of [archive, folder, `${folder}/x`, inner]) {
      const data = await cifar10({ path });
      assertEquals([data.length, data.shape], [10, [3, 32, 32]]);
      assertEquals([...data.labels], [2, 3, 4, 5, 6, 7, 8, 9, 0, 1]);
      assertEquals(data.images, pixels);
      assertEquals(data.classes[data.get(8).label], "airplane");
    }
    const test = await cifar10({ path: archive, split: "test" });
    assertEquals([...test.labels], [2, 3]);
  });
});

Deno.test("CIFAR-100 has a hundred classes or twenty superclasses", async () => {
  await withFolder(async (path) => {
    await Deno.writeFile(`${path}/test.bin`, HUNDRED);
    const fine = await cifar100({ path, split: "test" });
    assertEquals(
      [...fine.labels].map((label) => fine.classes[label]),
      ["apple", "worm", "leopard"],
    );
    assertEquals([...fine.get(1).image], [...HUNDRED.subarray(3076, 6148)]);
    const coarse = await cifar100({ path, split: "test", labels: "coarse" });
    assertEquals(
      [...coarse.labels].map((label) => coarse.classes[label]),
      ["vehicles_2", "aquatic_mammals", "insects"],
    );
    assertEquals(
      [fine, coarse].map(({ classes }) => new Set(classes).size),
      [100, 20],
    );
    assertEquals(fine.classes, fine.classes.toSorted());
  });
});

Deno.test("CIFAR files with a picture cut short or a label out of range are refused", async () => {
  await withFolder(async (path) => {
    const file = `${path}/test.bin`;
    await Deno.writeFile(file, HUNDRED.subarray(0, 5000));
    const short = await assertRejects(
      () => cifar100({ path, split: "test" }),
      FileFormatError,
    );
    assertEquals(
      short.message,
      `Cannot read ${file} at byte 5000: the file ends 1926 bytes into a picture's 3074`,
    );
    await Deno.writeFile(file, cifarFile([[0, 1], [20, 1]], dice(1)));
    const coarse = await assertRejects(
      () => cifar100({ path, split: "test" }),
      FileFormatError,
    );
    assertEquals(
      coarse.message,
      `Cannot read ${file} at byte 3074: label 20, where 0 to 19 belongs`,
    );
    assertEquals([coarse.offset, coarse.rule], [3074, "label"]);
  });
});

Deno.test("an archive that is damaged is refused, and a folder without the files is named", async () => {
  await withFolder(async (path) => {
    const missing = await assertRejects(
      () => cifar10({ path }),
      Deno.errors.NotFound,
    );
    assertEquals(
      missing.message,
      `Cannot read CIFAR-10: neither data_batch_1.bin nor cifar-10-batches-bin nor cifar-10-binary.tar.gz is in ${path}`,
    );
    const archive = `${path}/cifar-10-binary.tar.gz`;
    await Deno.writeFile(archive, ARCHIVE.subarray(0, ARCHIVE.length - 4));
    const cut = await assertRejects(() => cifar10({ path }), FileFormatError);
    assertEquals([cut.file, cut.rule], [archive, "gzip"]);
  });
});

Deno.test("CIFAR that no server gives says how to go on without", async () => {
  await withFolder(async (cache) => {
    await withServer(
      () => new Response("no", { status: 404 }),
      async (base) => {
        const options = { cache, mirrors: [base], onProgress() {} };
        const error = await assertRejects(
          () => cifar100(options),
          DownloadError,
        );
        assertEquals(
          error.message,
          `Cannot download cifar-100-binary.tar.gz: no server gave it
  ${base}/cifar-100-binary.tar.gz: the server answered 404
Get it by other means and pass cifar100({ path: FOLDER }), or put it into ${cache}/cifar-100`,
        );
      },
    );
  });
});

Deno.test("what is in the cache is read without asking anyone", async () => {
  await withFolder(async (cache) => {
    await Deno.mkdir(`${cache}/cifar-10`);
    await Deno.writeFile(`${cache}/cifar-10/cifar-10-binary.tar.gz`, ARCHIVE);
    assertEquals((await cifar10({ cache, mirrors: [] })).length, 10);
  });
});

Deno.test("MNIST is read from a folder and from the cache, gzipped or not", async () => {
  await withFolder(async (cache) => {
    const folder = `${cache}/mnist`;
    const images = randomBytes(3 * 784, dice(4));
    await Deno.mkdir(folder);
    await Deno.writeFile(
      `${folder}/t10k-images-idx3-ubyte.gz`,
      await gzip(idxFile([3, 28, 28], images)),
    );
    await Deno.writeFile(
      `${folder}/t10k-labels-idx1-ubyte.gz`,
      await gzip(idxFile([3], [7, 2, 1])),
    );
    const sources = [{ path: folder }, { cache, mirrors: [] }];
    for (const source of sources) {
      const data = await mnist({ ...source, split: "test" });
      assertEquals([data.length, data.shape], [3, [1, 28, 28]]);
      assertEquals(data.images, images);
      assertEquals(data.classes[data.get(0).label], "7");
    }
    const error = await assertRejects(
      () => mnist({ path: folder }),
      Deno.errors.NotFound,
    );
    assertEquals(
      error.message,
      `Cannot read MNIST: neither train-images-idx3-ubyte.gz nor train-images-idx3-ubyte is in ${folder}`,
    );
  });
});

Deno.test("MNIST from a server is held against its published sum", async () => {
  await withFolder(async (cache) => {
    await withServer(() => new Response(new Uint8Array(4542)), async (base) => {
      await Deno.mkdir(`${cache}/mnist`);
      await Deno.writeFile(
        `${cache}/mnist/t10k-images-idx3-ubyte.gz`,
        await gzip(idxFile([0, 28, 28], [])),
      );
      const options = { cache, mirrors: [base], onProgress() {} };
      const error = await assertRejects(
        () => mnist({ ...options, split: "test" }),
        DownloadError,
      );
      assertEquals(
        error.message,
        `Cannot download t10k-labels-idx1-ubyte.gz: no server gave it
  ${base}/t10k-labels-idx1-ubyte.gz: the file's SHA-256 is 53a396d808dd391e83dae392ebeab5d2a08beb8037f0960d6bf56aaa0d348035, where f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6 belongs
Get it by other means and pass mnist({ path: FOLDER }), or put it into ${cache}/mnist`,
      );
    });
  });
});
