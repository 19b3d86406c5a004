import { assert, assertEquals, assertRejects } from "@std/assert";
import { FileFormatError } from "../../core/errors.ts";
import { parseIdx, readIdx } from "../../nn/data/idx.ts";

/** An IDX file: the header's four bytes, its sizes, then the elements. */
function idx(
  magic: number[],
  sizes: number[],
  data: number[],
): Uint8Array<ArrayBuffer> {
  const words = sizes.flatMap((n) => [
    (n >>> 24) & 255,
    (n >>> 16) & 255,
    (n >>> 8) & 255,
    n & 255,
  ]);
  return Uint8Array.from([...magic, ...words, ...data]);
}

function gzip(
  bytes: Uint8Array<ArrayBuffer>,
): Promise<Uint8Array<ArrayBuffer>> {
  const stream = new Blob([bytes]).stream();
  return new Response(stream.pipeThrough(new CompressionStream("gzip")))
    .bytes();
}

async function assertBroken(
  bytes: Uint8Array<ArrayBuffer>,
  offset: number,
  rule: string,
  state: string,
): Promise<void> {
  const error = await assertRejects(
    () => parseIdx(bytes, "x.idx"),
    FileFormatError,
  );
  assertEquals(error.message, `Cannot read x.idx at byte ${offset}: ${state}`);
  assertEquals(
    [error.file, error.offset, error.rule],
    ["x.idx", offset, rule],
  );
}

const MATRIX = idx([0, 0, 8, 2], [2, 3], [1, 2, 3, 4, 5, 255]);

Deno.test("an IDX file gives its sizes and its bytes in row-major order", async () => {
  const { shape, data } = await parseIdx(MATRIX, "x.idx");
  assertEquals(shape, [2, 3]);
  assertEquals([...data], [1, 2, 3, 4, 5, 255]);
  assertEquals(data.byteOffset, 0);
  assertEquals(data.buffer.byteLength, 6);
});

Deno.test("a gzipped IDX file is told from a plain one by its first bytes", async () => {
  const { shape, data } = await parseIdx(await gzip(MATRIX), "x.idx");
  assertEquals([shape, [...data]], [[2, 3], [1, 2, 3, 4, 5, 255]]);
});

Deno.test("an IDX file may have a size of 0", async () => {
  const { shape, data } = await parseIdx(idx([0, 0, 8, 2], [0, 28], []), "x");
  assertEquals([shape, data.length], [[0, 28], 0]);
});

Deno.test("IDX files are read from paths, file URLs and http URLs", async () => {
  const folder = await Deno.makeTempDir();
  const bytes = await gzip(MATRIX);
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    ({ url }) =>
      url.endsWith("/x.gz")
        ? new Response(bytes)
        : new Response("gone", { status: 404 }),
  );
  const base = `http://127.0.0.1:${server.addr.port}`;
  try {
    await Deno.writeFile(`${folder}/x.gz`, bytes);
    for (
      const location of [
        `${folder}/x.gz`,
        new URL(`file://${folder}/x.gz`),
        new URL(`${base}/x.gz`),
      ]
    ) {
      const { shape } = await readIdx(location);
      assertEquals(shape, [2, 3]);
    }
    const error = await assertRejects(
      () => readIdx(new URL(`${base}/y.gz`)),
      Deno.errors.NotFound,
    );
    assertEquals(
      error.message,
      `Cannot read ${base}/y.gz: the server answered 404`,
    );
  } finally {
    await server.shutdown();
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("an IDX file whose header is wrong is refused with the byte and the rule", async () => {
  await assertBroken(
    idx([0, 1, 8, 1], [1], [7]),
    0,
    "magic",
    "an IDX file starts with two zero bytes",
  );
  await assertBroken(
    idx([0, 0, 0x0d, 1], [1], [0, 0, 0, 0]),
    2,
    "type",
    "element type 0x0d, where only unsigned bytes (0x08) are read",
  );
  await assertBroken(
    idx([0, 0, 8, 0], [], [7]),
    3,
    "rank",
    "rank 0, where 1 to 4 fit",
  );
  await assertBroken(
    idx([0, 0, 8, 255], [], []),
    3,
    "rank",
    "rank 255, where 1 to 4 fit",
  );
});

Deno.test("an IDX file that ends early, wherever it is cut, is refused", async () => {
  for (let length = 0; length < 12; length++) {
    await assertBroken(
      MATRIX.slice(0, length),
      length,
      "header",
      "the file ends in its header",
    );
  }
  for (let length = 12; length < MATRIX.length; length++) {
    await assertBroken(
      MATRIX.slice(0, length),
      length,
      "length",
      "the file ends, but sizes [2, 3] ask for 18 bytes",
    );
  }
});

Deno.test("an IDX file that goes on after its last element is refused", async () => {
  await assertBroken(
    idx([0, 0, 8, 1], [2], [1, 2, 3]),
    10,
    "length",
    "more than the 10 bytes that sizes [2] ask for",
  );
});

Deno.test("a header that asks for more memory than any data set needs is refused", async () => {
  await assertBroken(
    idx([0, 0, 8, 3], [0xffffffff, 28, 28], [1]),
    4,
    "size",
    "sizes [4294967295, 28, 28] ask for 3367254359296 bytes, more than the 1073741824 that are read",
  );
});

Deno.test("a header that asks for what the file doesn't hold costs no memory", async () => {
  await assertBroken(
    idx([0, 0, 8, 1], [2 ** 30 - 8], [1]),
    9,
    "length",
    "the file ends, but sizes [1073741816] ask for 1073741824 bytes",
  );
});

Deno.test("gzip data that unpacks to more than the header says stops at the first chunk too many", async () => {
  const bomb = new Uint8Array(8 * 2 ** 20);
  bomb.set(idx([0, 0, 8, 1], [5], []));
  await assertBroken(
    await gzip(bomb),
    13,
    "length",
    "more than the 13 bytes that sizes [5] ask for",
  );
});

Deno.test("gzip data that is cut or damaged is refused", async () => {
  const packed = await gzip(MATRIX);
  for (const cut of [2, 10, packed.length - 9, packed.length - 1]) {
    const error = await assertRejects(
      () => parseIdx(packed.slice(0, cut), "x.gz"),
      FileFormatError,
    );
    assertEquals(error.rule, "gzip");
    assert(
      error.message.endsWith("the gzip data is damaged"),
      error.message,
    );
  }
  const sum = packed.slice();
  sum[packed.length - 8] ^= 1;
  const error = await assertRejects(
    () => parseIdx(sum, "x.gz"),
    FileFormatError,
  );
  assertEquals(error.rule, "gzip");
});
