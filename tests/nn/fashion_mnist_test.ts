import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import { FileFormatError } from "../../core/errors.ts";
import { fashionMnist } from "../../nn/data/fashion_mnist.ts";

const PART = new URL("../../nn/data/fashion-mnist/", import.meta.url);

async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", bytes);
  return new Uint8Array(digest).toHex();
}

function countPerClass(labels: Uint8Array): number[] {
  const counts = new Array<number>(10).fill(0);
  for (const label of labels) counts[label]++;
  return counts;
}

/** Writes plain IDX files of two black pictures, with one thing wrong or none, and reads them. */
async function readFolder(
  { side = 28, labels = [3, 9] }: { side?: number; labels?: number[] } = {},
): Promise<Awaited<ReturnType<typeof fashionMnist>>> {
  const folder = await Deno.makeTempDir();
  const images = new Uint8Array(16 + 2 * side * 28);
  images.set([0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, side, 0, 0, 0, 28]);
  const path = `${folder}/t10k-labels-idx1-ubyte`;
  try {
    await Deno.writeFile(`${folder}/t10k-images-idx3-ubyte`, images);
    await Deno.writeFile(
      path,
      Uint8Array.from([0, 0, 8, 1, 0, 0, 0, labels.length, ...labels]),
    );
    return await fashionMnist({ split: "test", path: folder });
  } catch (error) {
    if (error instanceof Error) {
      error.message = error.message.replaceAll(folder, "FOLDER");
    }
    throw error;
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

// The expected values of the next two tests were computed with Python's gzip and hashlib modules from the original files.

Deno.test("the training part has 1,000 pictures a class, equal to the original's", async () => {
  const { images, labels, count, classes } = await fashionMnist({
    split: "train",
  });
  assertEquals(count, 10_000);
  assertEquals(images.length, 10_000 * 28 * 28);
  assertEquals(countPerClass(labels), new Array(10).fill(1000));
  assertEquals([...labels.subarray(0, 10)], [9, 0, 0, 3, 0, 2, 7, 2, 5, 5]);
  assertEquals(
    [labels[0], labels[1], labels[6]].map((label) => classes[label]),
    ["Ankle boot", "T-shirt/top", "Sneaker"],
  );
  // deno-fmt-ignore
  assertEquals([...images.subarray(14 * 28, 15 * 28)], [
    0, 0, 1, 4, 6, 7, 2, 0, 0, 0, 0, 0, 237, 226,
    217, 223, 222, 219, 222, 221, 216, 223, 229, 215, 218, 255, 77, 0,
  ]);
  assertEquals(
    await sha256(images),
    "e1427044c614fabc29feeff0f27e6b68f88a9ee2f2cfe7d783b9157159864883",
  );
  assertEquals(
    await sha256(labels),
    "2c02745d4ad8b4511333d0eca662ac5664a371860abaa4588b1670e7be59fbdf",
  );
});

Deno.test("the test part has 200 pictures a class, equal to the original's", async () => {
  const { images, labels, count } = await fashionMnist({ split: "test" });
  assertEquals(count, 2000);
  assertEquals(images.length, 2000 * 28 * 28);
  assertEquals(countPerClass(labels), new Array(10).fill(200));
  assertEquals([...labels.subarray(0, 10)], [9, 2, 1, 1, 6, 1, 4, 6, 5, 7]);
  // deno-fmt-ignore
  assertEquals([...images.subarray(14 * 28, 15 * 28)], [
    0, 0, 0, 0, 0, 0, 2, 4, 1, 0, 0, 0, 98, 136,
    110, 109, 110, 162, 135, 144, 149, 159, 167, 144, 158, 169, 119, 0,
  ]);
  assertEquals(
    await sha256(images),
    "96315b1732ab731e68b8def3c284f34b605f7deb7a61e683c7d786265c827c83",
  );
  assertEquals(
    await sha256(labels),
    "b2095bc797d1201e84da76c94012c02d0e6f07af0938df4e00120a3b42d1aa4c",
  );
});

Deno.test("the README of the part gives each file's SHA-256", async () => {
  const readme = await Deno.readTextFile(new URL("README.md", PART));
  const rows = [...readme.matchAll(/^\| `(\S+\.gz)`.*`([0-9a-f]{64})` \|$/gm)];
  assertEquals(rows.length, 4);
  for (const [, name, sum] of rows) {
    assertEquals(await sha256(await Deno.readFile(new URL(name, PART))), sum);
  }
});

Deno.test("the files of the part carry no time stamp, so making them again gives the same bytes", async () => {
  for await (const { name } of Deno.readDir(PART)) {
    if (!name.endsWith(".gz")) continue;
    const bytes = await Deno.readFile(new URL(name, PART));
    assertEquals([...bytes.subarray(3, 8)], [0, 0, 0, 0, 0], name);
  }
});

Deno.test("a folder of one's own is read, gzipped or not", async () => {
  const { images, labels, count } = await readFolder();
  assertEquals([count, images.length, [...labels]], [2, 1568, [3, 9]]);
  const { count: gzipped } = await fashionMnist({
    split: "test",
    path: decodeURIComponent(PART.pathname),
  });
  assertEquals(gzipped, 2000);
});

Deno.test("a folder without the files is named in the error", async () => {
  const folder = await Deno.makeTempDir();
  const error = await assertRejects(
    () => fashionMnist({ split: "train", path: folder }),
    Deno.errors.NotFound,
  );
  await Deno.remove(folder);
  assertEquals(
    error.message,
    `Cannot read Fashion-MNIST: neither train-images-idx3-ubyte.gz nor train-images-idx3-ubyte is in ${folder}`,
  );
});

Deno.test("pictures of another size, a label too few and a label out of range are refused", async () => {
  const side = await assertRejects(
    () => readFolder({ side: 27 }),
    FileFormatError,
  );
  assertEquals(
    side.message,
    "Cannot read FOLDER/t10k-images-idx3-ubyte at byte 4: sizes [2, 27, 28], where [count, 28, 28] belongs",
  );
  const few = await assertRejects(
    () => readFolder({ labels: [3] }),
    FileFormatError,
  );
  assertEquals(
    few.message,
    "Cannot read FOLDER/t10k-labels-idx1-ubyte at byte 4: sizes [1], where [2], one label a picture, belongs",
  );
  const range = await assertRejects(
    () => readFolder({ labels: [3, 10] }),
    FileFormatError,
  );
  assertEquals(
    range.message,
    "Cannot read FOLDER/t10k-labels-idx1-ubyte at byte 9: label 10, where 0 to 9 belongs",
  );
  assertEquals([range.rule, range.offset], ["label", 9]);
  assertMatch(range.file, /t10k-labels-idx1-ubyte$/);
});
