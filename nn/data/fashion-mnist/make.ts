/**
 * Makes the files beside this one from all of Fashion-MNIST, as Debian's package `dataset-fashion-mnist` installs it:
 *
 *     deno run --allow-read --allow-write nn/data/fashion-mnist/make.ts [FOLDER]
 *
 * The first 1,000 training and 200 test pictures of each class are kept, in their original order. gzip's header gets no time stamp, so
 * the same input gives the same bytes; the SHA-256 sums that the script prints are those in README.md.
 */
import { readIdx } from "../idx.ts";

const PARTS = [
  { prefix: "train", perClass: 1000 },
  { prefix: "t10k", perClass: 200 },
];
const CLASSES = 10;

/** Positions of the first `perClass` labels of each class, in order. */
function firstOfEach(labels: Uint8Array, perClass: number): number[] {
  const taken = new Uint32Array(CLASSES);
  const kept: number[] = [];
  labels.forEach((label, i) => {
    if (taken[label]++ < perClass) kept.push(i);
  });
  return kept;
}

/** The chosen items of an IDX file, as a new one. */
async function take(
  file: string,
  kept: number[],
): Promise<Uint8Array<ArrayBuffer>> {
  const { shape, data } = await readIdx(file);
  const sizes = [kept.length, ...shape.slice(1)];
  const item = data.length / shape[0];
  const start = 4 + 4 * sizes.length;
  const out = new Uint8Array(start + kept.length * item);
  const header = new DataView(out.buffer);
  header.setUint32(0, 0x0800 + sizes.length);
  sizes.forEach((size, d) => header.setUint32(4 + 4 * d, size));
  kept.forEach((from, to) => {
    out.set(data.subarray(from * item, (from + 1) * item), start + to * item);
  });
  return out;
}

async function gzip(
  bytes: Uint8Array<ArrayBuffer>,
): Promise<Uint8Array<ArrayBuffer>> {
  const packed = new Blob([bytes]).stream()
    .pipeThrough(new CompressionStream("gzip"));
  return await new Response(packed).bytes();
}

async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", bytes);
  return new Uint8Array(digest).toHex();
}

const from = Deno.args[0] ?? "/usr/share/datasets/fashion-mnist";
for (const { prefix, perClass } of PARTS) {
  const { data } = await readIdx(`${from}/${prefix}-labels-idx1-ubyte.gz`);
  const kept = firstOfEach(data, perClass);
  for (const kind of ["images-idx3", "labels-idx1"]) {
    const name = `${prefix}-${kind}-ubyte.gz`;
    const bytes = await gzip(await take(`${from}/${name}`, kept));
    await Deno.writeFile(new URL(name, import.meta.url), bytes);
    console.log(`${await sha256(bytes)}  ${name}`);
  }
}
