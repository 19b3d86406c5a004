/** Damaged and hostile files are refused at once, and before they take memory. */
import { assert } from "@std/assert";
import { FileFormatError } from "../../core/errors.ts";
import { decodeArrays } from "../../core/formats/arrays.ts";
import { encodeNpy } from "../../core/formats/npy.ts";
import { encodeNpz } from "../../core/formats/npz.ts";
import { encodeSafetensors } from "../../core/formats/safetensors.ts";
import { writeZip } from "../../core/formats/zip_write.ts";
import { dice } from "../support/mutate.ts";
import { pickle, storage, tensor } from "../support/pickles.ts";
import { host } from "../support/plan.ts";

type Bytes = Uint8Array<ArrayBuffer>;

/** What a refusal may take: half of them, and all but one in a hundred. */
const MEDIAN_MS = 1;
const LONGEST_MS = 10;

/** Elements of the files' large array, a MiB of floats. */
const LARGE = 2 ** 18;
const MIB = 2 ** 20;

/** How often a measurement is taken until it is good, since other work on the machine makes it worse and never better. */
const ROUNDS = 40;

/** How long a file takes to be refused. Throws if it is read. */
async function refusal(bytes: Bytes): Promise<number> {
  const start = performance.now();
  let value: unknown;
  try {
    value = await decodeArrays(bytes, "x");
  } catch (error) {
    if (error instanceof FileFormatError) return performance.now() - start;
    throw error;
  }
  throw new Error(`It was read: ${value}`);
}

/** Measures until nothing is amiss, and fails with what is in the last round. */
async function untilGood(measure: () => Promise<string>): Promise<void> {
  let amiss = "";
  for (let round = 0; round < ROUNDS; round++) {
    amiss = await measure();
    if (amiss === "") return;
    await new Promise((done) => setTimeout(done, Math.min(50 * round, 500)));
  }
  throw new Error(amiss);
}

function bytesOf(text: string): Bytes {
  return Uint8Array.from(text, (char) => char.charCodeAt(0));
}

/** The start of an npy file of float32 that says how many it has. */
function npyStart(count: number): Bytes {
  const text =
    `{'descr': '<f4', 'fortran_order': False, 'shape': (${count},), }`;
  const header = `${text.padEnd(117)}\n`;
  return bytesOf(`\x93NUMPY\x01\x00\x76\x00${header}`);
}

/** A safetensors file of a header alone. */
function safetensorsOf(header: string): Bytes {
  const length = new Uint8Array(8);
  new DataView(length.buffer).setUint32(0, header.length, true);
  return Uint8Array.from([...length, ...bytesOf(header)]);
}

/** `head` and zeros after it, `total` bytes. */
function padded(head: Bytes, total: number): Bytes {
  const bytes = new Uint8Array(total);
  bytes.set(head);
  return bytes;
}

const roll = dice(31);
const NOISE = Float32Array.from({ length: LARGE }, () => roll(2 ** 16));
const ARRAYS = new Map([
  ["first", host([1, 2, 3], [3])],
  ["large", host([...NOISE], [LARGE])],
]);

/** A good file of each format, about a MiB but for the old one of PyTorch's. */
async function goodFiles(): Promise<Map<string, Bytes>> {
  const raw = new Uint8Array(NOISE.buffer);
  // Its length as a 32-bit integer, since a byte doesn't hold it.
  const large = storage("FloatStorage", 4).replace("K\x04", "J\0\0\x04\0");
  const opcodes = tensor(large, 0, [2], [1]);
  return new Map([
    ["safetensors", encodeSafetensors(ARRAYS)],
    ["npy", encodeNpy(ARRAYS.get("large")!)],
    ["npz", await encodeNpz(ARRAYS)],
    ["deflated npz", await encodeNpz(ARRAYS, { compress: true })],
    [
      "PyTorch",
      await writeZip(
        new Map([["x/data.pkl", pickle(opcodes)], ["x/data/0", raw]]),
      ),
    ],
    [
      "PyTorch of before 1.6",
      await Deno.readFile(
        new URL("../fixtures/formats/plain_legacy.pth", import.meta.url),
      ),
    ],
  ]);
}

/** Where a file is cut: near its ends, each of which has faults of its own, and between. */
function cutsOf(length: number): number[] {
  const near = Array.from({ length: 60 }, (_, i) => 4 * i + 1);
  const between = Array.from({ length: 80 }, () => 1 + roll(length - 1));
  return [...near, ...near.map((n) => length - n), ...between]
    .filter((cut) => cut > 0 && cut < length);
}

for (const [format, good] of await goodFiles()) {
  Deno.test(`a file of ${format} that was cut anywhere is refused, mostly within a millisecond and 99 of 100 within ten`, async () => {
    await decodeArrays(good, "x");
    const files = cutsOf(good.length).map((cut) => good.slice(0, cut));
    await untilGood(async () => {
      const times: number[] = [];
      for (const bytes of files) times.push(await refusal(bytes));
      times.sort((a, b) => a - b);
      const median = times[times.length >> 1];
      const most = times[Math.floor(times.length * 0.99)];
      return median < MEDIAN_MS && most < LONGEST_MS
        ? ""
        : `The median is ${median} ms, and 1 of 100 takes ${most} ms`;
    });
  });
}

/** Small files that claim to be large, each lying elsewhere. */
async function hostileFiles(): Promise<[string, Bytes][]> {
  const zeros = new Uint8Array(60 * MIB);
  const zip = (...files: [string, Bytes][]) =>
    writeZip(new Map(files), { compress: true });
  const npz = (start: Bytes, length = zeros.length) =>
    zip(["a.npy", padded(start, length)]);
  // Version 2.0, with 48 MiB of header.
  const long = bytesOf("\x93NUMPY\x02\x00\x00\x00\x00\x03");
  const claim =
    '{"a":{"dtype":"F32","shape":[1125899906842624],"data_offsets":[0,4503599627370496]}}';
  const four = tensor(storage("FloatStorage", 4), 0, [2], [1]);
  return [
    ["npz: zeros without an array's header", await npz(bytesOf(""))],
    ["npz: a header of fewer elements", await npz(npyStart(8))],
    ["npz: a header of more elements", await npz(npyStart(2 ** 40))],
    ["npz: a header of 48 MiB", await npz(long)],
    ["npz: more than a small file may hold", await npz(long, 70 * MIB)],
    ["npy: 2^40 elements", npyStart(2 ** 40)],
    ["safetensors: 2^50 elements", safetensorsOf(claim)],
    ["safetensors: lists in lists", safetensorsOf(`{"a":${"[".repeat(MIB)}`)],
    ["PyTorch: a pickle of zeros", await zip(["x/data.pkl", zeros])],
    [
      "PyTorch: an order of bytes that is long",
      await zip(["x/byteorder", zeros], ["x/data.pkl", pickle("N")]),
    ],
    [
      "PyTorch: a storage of another length",
      await zip(["x/data.pkl", pickle(four)], ["x/data/0", zeros]),
    ],
  ];
}

Deno.test("a small file that claims to be large is refused within ten milliseconds, before it takes 16 MiB", async (t) => {
  for (const [what, bytes] of await hostileFiles()) {
    await t.step(what, async () => {
      assert(bytes.length < 2 * MIB);
      await untilGood(async () => {
        const before = Deno.memoryUsage().external;
        const time = await refusal(bytes);
        const taken = Deno.memoryUsage().external - before;
        return time < LONGEST_MS && taken < 16 * MIB
          ? ""
          : `It takes ${time} ms and ${taken} bytes`;
      });
    });
  }
});
