import { assert, assertEquals } from "@std/assert";
import { decodeNpy, encodeNpy } from "../../core/formats/npy.ts";
import { decodeNpz, encodeNpz } from "../../core/formats/npz.ts";
import { readZip, unpack } from "../../core/formats/zip.ts";
import { refuser } from "../../core/formats/refuse.ts";
import { writeZip } from "../../core/formats/zip_write.ts";
import type { HostArray } from "../../wgsl/op.ts";
import { mutate, type Roll, survive } from "../support/mutate.ts";
import { host } from "../support/plan.ts";

const TOKENS = [
  ..."{}()[],:'\" \nL0-",
  "1e9",
  "True",
  "False",
  "'<f8'",
  "'>i2'",
  "'|b1'",
  "'|O'",
  "'descr': ",
  "'fortran_order': ",
  "'shape': ",
  "(3, 2)",
  "(6,)",
  "9007199254740993",
  "4294967296",
];

/** An array as its own kind of number, read as simply as can be from a file that has been accepted. */
function readPlainly(bytes: Uint8Array<ArrayBuffer>): [number[], number[]] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const [start, length] = bytes[6] === 1
    ? [10, view.getUint16(8, true)]
    : [12, view.getUint32(8, true)];
  const end = start + length;
  const json = new TextDecoder().decode(bytes.subarray(start, end))
    .replaceAll(/(\d)L/g, "$1").replaceAll("'", '"').replaceAll("(", "[")
    .replaceAll(")", "]").replaceAll("True", "true")
    .replaceAll("False", "false").replaceAll(/,(\s*[\]}])/g, "$1");
  const { descr, fortran_order, shape } = JSON.parse(json);
  const little = descr[0] !== ">";
  const readers: Record<string, (at: number) => number> = {
    f8: (at) => view.getFloat64(at, little),
    f4: (at) => view.getFloat32(at, little),
    f2: (at) => view.getFloat16(at, little),
    i8: (at) => Number(view.getBigInt64(at, little)),
    i4: (at) => view.getInt32(at, little),
    i2: (at) => view.getInt16(at, little),
    i1: (at) => view.getInt8(at),
    u8: (at) => Number(view.getBigUint64(at, little)),
    u4: (at) => view.getUint32(at, little),
    u2: (at) => view.getUint16(at, little),
    u1: (at) => view.getUint8(at),
    b1: (at) => view.getUint8(at),
  };
  const size = Number(descr[2]);
  /** The elements at the places that the axes from `axis` on lead to. */
  const visit = (axis: number, places: number[]): number[] => {
    if (axis === shape.length) {
      return places.map((at) => readers[descr.slice(1)](at));
    }
    const inner: number[] = fortran_order
      ? shape.slice(0, axis)
      : shape.slice(axis + 1);
    const step = inner.reduce((product, n) => product * n, size);
    return places.flatMap((at) =>
      Array.from(
        { length: shape[axis] },
        (_, i) => visit(axis + 1, [at + i * step]),
      ).flat()
    );
  };
  return [shape, visit(0, [end])];
}

function checkArray(
  { shape, data }: HostArray,
  bytes: Uint8Array<ArrayBuffer>,
) {
  assertEquals([[...shape], [...data]], readPlainly(bytes));
}

/** An npy file with faults, mostly with a length of the header that still fits. */
function damage(
  source: Uint8Array<ArrayBuffer>,
  roll: Roll,
): Uint8Array<ArrayBuffer> {
  const bytes = mutate(source, roll, TOKENS);
  if (roll(4) > 0 && bytes.length >= 12 && bytes[6] === source[6]) {
    const grown = source[8] + bytes.length - source.length;
    bytes[8] = Math.max(0, grown);
  }
  return bytes;
}

async function fixture(name: string): Promise<Uint8Array<ArrayBuffer>> {
  const url = new URL(`../fixtures/formats/${name}`, import.meta.url);
  return await Deno.readFile(url);
}

const SOURCES = await Promise.all([
  encodeNpy(host([1, 0, 1, 0, 1, 1], [2, 3], "bool")),
  encodeNpy(host([1.5, -2, 3, 4, 5, 6], [2, 3])),
  ...["version2.npy", "version3.npy", "fortran.npy", "scalar.npy", "empty.npy"]
    .map(fixture),
]);

Deno.test("20,000 damaged npy files are read rightly or refused, and nothing else happens", async () => {
  const read = await survive(20_000, {
    seed: 21,
    make: (roll) => damage(SOURCES[roll(SOURCES.length)], roll),
    read: (bytes) => decodeNpy(bytes),
    check: checkArray,
  });
  assert(read > 1000 && read < 8000, `${read} of 20,000 were read`);
});

Deno.test("20,000 damaged npz files are read rightly or refused, and nothing else happens", async () => {
  const arrays = new Map([
    ["a", host([1, 2, 3, 4, 5, 6], [2, 3])],
    ["b", host([1, 0], [2], "bool")],
  ]);
  const sources = [
    await encodeNpz(arrays),
    await encodeNpz(arrays, { compress: true }),
    await fixture("wide.npz"),
  ];
  const originals = await Promise.all(sources.map((bytes) => decodeNpz(bytes)));
  /** What the file at hand was made of: the archive, or the npy file in it. */
  let archive = 0;
  let inner: Uint8Array<ArrayBuffer> | undefined;
  const read = await survive(20_000, {
    seed: 22,
    async make(roll) {
      inner = undefined;
      archive = roll(sources.length);
      if (roll(2) === 0) {
        return mutate(sources[archive], roll, [
          "PK\x01\x02",
          "PK\x05\x06",
          "\x01\x00",
        ]);
      }
      inner = damage(SOURCES[roll(SOURCES.length)], roll);
      return await writeZip(new Map([["a.npy", inner]]), {
        compress: roll(4) === 0,
      });
    },
    read: (bytes) => decodeNpz(bytes),
    check(arrays) {
      // Checksums guard the contents, so faults elsewhere change nothing.
      if (!inner) assertEquals(arrays, originals[archive]);
      else checkArray(arrays.get("a")!, inner);
    },
  });
  assert(read > 500 && read < 8000, `${read} of 20,000 were read`);
});

Deno.test("any one damaged byte of a compressed archive is refused or changes nothing", async () => {
  const source = await encodeNpz(new Map([["a", host([1, 2], [2])]]), {
    compress: true,
  });
  const want = await decodeNpz(source);
  let at = 0;
  const read = await survive(source.length, {
    seed: 23,
    make(roll) {
      const bytes = source.slice();
      bytes[at++] ^= 1 << roll(8);
      return bytes;
    },
    read: (bytes) => decodeNpz(bytes),
    check: (arrays) => assertEquals(arrays, want),
  });
  const entry = readZip(source, refuser("x")).get("a.npy")!;
  assertEquals((await unpack(source, entry, refuser("x"))).length, entry.size);
  // Dates, versions, attributes: what no reader depends on.
  assert(read < 50, `${read} were read`);
});
