import { assert, assertEquals } from "@std/assert";
import { FileFormatError } from "../../core/errors.ts";
import { crc32 } from "../../core/formats/crc32.ts";
import { encodeNpy } from "../../core/formats/npy.ts";
import { decodeNpz, encodeNpz } from "../../core/formats/npz.ts";
import { writeZip } from "../../core/formats/zip_write.ts";
import type { DType, HostArray } from "../../wgsl/op.ts";
import { assertFailsLater } from "../support/errors.ts";
import { host } from "../support/plan.ts";

async function fixture(name: string): Promise<Uint8Array<ArrayBuffer>> {
  const url = new URL(`../fixtures/formats/${name}`, import.meta.url);
  return await Deno.readFile(url);
}

async function refuses(
  bytes: Uint8Array,
  offset: number,
  rule: string,
): Promise<void> {
  const message = `Cannot read x.npz: ${rule} (byte ${offset})`;
  const reading = decodeNpz(bytes, "x.npz");
  const error = await assertFailsLater(reading, FileFormatError, message);
  assertEquals([error.file, error.offset, error.rule], ["x.npz", offset, rule]);
}

/** A copy with little-endian numbers written over it: places with their bytes. */
function patch(
  bytes: Uint8Array<ArrayBuffer>,
  ...changes: readonly (readonly [number, readonly number[]])[]
): Uint8Array<ArrayBuffer> {
  const copy = bytes.slice();
  for (const [at, values] of changes) {
    copy.set(values, at < 0 ? bytes.length + at : at);
  }
  return copy;
}

/** What formats.py writes. */
const VALUES: readonly (readonly [string, DType, number[]])[] = [
  ["f8", "f64", [0.1, -1e300, Infinity]],
  ["f4", "f32", [1.5, -0, Infinity]],
  ["f2", "f16", [0.5, 65504, -6e-8]],
  ["i8", "i32", [-(2 ** 31), 2 ** 31 - 1, 7]],
  ["i4", "i32", [-(2 ** 31), 2 ** 31 - 1, 7]],
  ["i2", "i32", [-(2 ** 15), 2 ** 15 - 1, 7]],
  ["i1", "i32", [-128, 127, 7]],
  ["u8", "u32", [0, 2 ** 32 - 1, 7]],
  ["u4", "u32", [0, 2 ** 32 - 1, 7]],
  ["u2", "u32", [0, 65535, 7]],
  ["u1", "u32", [0, 255, 7]],
  ["b1", "bool", [1, 0, 1]],
];

const MATRIX = host([0, 1, 2, 3, 4, 5], [2, 3]);

Deno.test("files that numpy wrote are read: every type in both byte orders, deflated, with 64-bit sizes", async () => {
  const types = new Map<string, HostArray>(
    VALUES.map(([name, dtype, values]) => [name, host(values, [3], dtype)]),
  );
  assertEquals(await decodeNpz(await fixture("big_endian.npz")), types);
  types.set("größe", MATRIX);
  assertEquals(await decodeNpz(await fixture("types.npz")), types);
  assertEquals(
    await decodeNpz(await fixture("deflated.npz")),
    new Map([
      ["matrix", MATRIX],
      ["zeros", host(new Array(4096).fill(0), [64, 64])],
    ]),
  );
  assertEquals(
    await decodeNpz(await fixture("wide.npz")),
    new Map([["matrix", MATRIX], ["again", MATRIX]]),
  );
});

Deno.test("an npz file has the bytes that numpy gives it", async () => {
  // The types that tensors have, in the order of the file.
  const types = ["f8", "f4", "f2", "i4", "u4", "b1"];
  const arrays = VALUES.filter(([name]) => types.includes(name)).map((
    [name, dtype, values],
  ) => [name, host(values, [3], dtype)] as const);
  const bytes = await encodeNpz(new Map([...arrays, ["größe", MATRIX]]));
  assertEquals(bytes, await fixture("natural.npz"));
});

Deno.test("arrays come back from an npz file as they were written, compressed or not", async () => {
  const arrays = new Map([
    ["conv1.weight", host([1.5, -0, NaN, Infinity], [2, 2])],
    ["__proto__", host([1, 0], [2], "bool")],
    ["none", host([], [0, 3], "i32")],
    ["large", host(new Array(70_000).fill(0.25), [70_000])],
  ]);
  const stored = await encodeNpz(arrays);
  const deflated = await encodeNpz(arrays, { compress: true });
  assertEquals(await decodeNpz(stored), arrays);
  assertEquals(await decodeNpz(deflated), arrays);
  assert(deflated.length < stored.length / 50);
  assertEquals(await decodeNpz(await encodeNpz(new Map())), new Map());
  const labels = new Map([["y", host([3], [1], "i32")]]);
  const wide = await encodeNpz(labels, { types: { i32: "I64" } });
  assertEquals(await decodeNpz(wide), labels);
  await assertFailsLater(
    encodeNpz(new Map([["\0", MATRIX]])),
    TypeError,
    'Cannot write an array named "\\u0000": names in a zip archive are UTF-8 without NUL, 65,531 bytes at most',
  );
});

Deno.test("the checksum is zip's", () => {
  const text = new TextEncoder().encode("123456789");
  assertEquals(crc32(text), 0xcbf43926);
  assertEquals(crc32(new Uint8Array(0)), 0);
});

Deno.test("an archive that was cut or changed is refused at the byte", async () => {
  const good = await encodeNpz(new Map([["a", host([1, 2], [2])]]));
  const start = 30 + 5 + 20;
  const central = start + 136;
  const end = central + 46 + 5;
  await refuses(
    new Uint8Array(3),
    3,
    "the file lacks the record that ends a zip archive",
  );
  await refuses(
    good.subarray(0, -1),
    good.length - 1,
    "the file lacks the record that ends a zip archive",
  );
  await refuses(
    good.subarray(1),
    end - 1,
    `the directory of 51 bytes at ${central} doesn't end at ${
      end - 1
    }, where the archive's last record starts`,
  );
  await refuses(
    patch(good, [start + 130, [9]]),
    start,
    '"a.npy" has a wrong checksum',
  );
  await refuses(
    patch(good, [central, [0]]),
    central,
    "the directory lacks entry 0 of the 1 that it counts",
  );
  await refuses(
    patch(good, [end + 10, [0]]),
    central,
    "the directory has more than the entries that it counts",
  );
  await refuses(
    patch(good, [end + 10, [9]]),
    end,
    "a directory of 51 bytes can't have 9 entries",
  );
  await refuses(
    patch(good, [central + 28, [9]]),
    central,
    "entry 0 of the directory reaches beyond its end",
  );
  await refuses(
    patch(good, [end + 4, [1]]),
    end,
    "the archive is one of several parts",
  );
  await refuses(
    patch(good, [0, [0]]),
    central,
    '"a.npy" has no header at 0, where the directory has it',
  );
  await refuses(
    patch(good, [30, [0x62]]),
    0,
    '"a.npy" is described differently in the directory',
  );
  await refuses(
    patch(good, [8, [8]]),
    0,
    '"a.npy" is described differently in the directory',
  );
  await refuses(
    patch(good, [central + 8, [1]]),
    central,
    '"a.npy" is encrypted',
  );
  await refuses(
    patch(good, [6, [1]]),
    0,
    '"a.npy" is described differently in the directory',
  );
  await refuses(
    patch(good, [central + 10, [12]]),
    central,
    '"a.npy" is packed by method 12, expected 0 (stored) or 8 (deflate)',
  );
  await refuses(
    patch(good, [central + 46, [0xff]]),
    central,
    "the name of an entry is not UTF-8",
  );
  await refuses(
    patch(good, [central + 24, [255, 255, 255, 255]]),
    central,
    '"a.npy" lacks its 64-bit sizes',
  );
});

Deno.test("entries may not overlap, reach into the directory or have one name", async () => {
  const npy = encodeNpy(host([1], [1]));
  const good = await writeZip(new Map([["a.npy", npy], ["b.npy", npy]]));
  const second = 55 + npy.length;
  const central = 2 * second;
  // The second entry's place is the first's, as in bombs that share one compressed block; its name as well.
  const shared = patch(good, [central + 51 + 42, [0, 0]], [central + 51 + 46, [
    0x61,
  ]]);
  await refuses(shared, central + 51, '"a.npy" is there twice');
  // A first entry that is as long as both.
  const long = second + npy.length;
  const sizes = [long & 255, long >> 8, 0, 0, long & 255, long >> 8, 0, 0];
  const overlap = patch(good, [18, sizes], [central + 20, sizes]);
  await refuses(overlap, second, '"b.npy" overlaps the entry before it');
  const reach = patch(good, [second + 18, sizes], [central + 51 + 20, sizes]);
  await refuses(
    reach,
    second,
    `"b.npy" of ${long} bytes reaches into the directory`,
  );
});

Deno.test("an entry that claims to unpack to more than it can, or than is reasonable, is refused before it is unpacked", async () => {
  const npy = encodeNpy(host(new Array(1000).fill(0), [1000]));
  const good = await writeZip(new Map([["a.npy", npy]]), { compress: true });
  const packed = good.length - 55 - 51 - 22;
  const claim = (size: number) => {
    const word = [0, 8, 16, 24].map((shift) => (size >>> shift) & 255);
    return patch(good, [22, word], [55 + packed + 24, word]);
  };
  const most = packed * 1032;
  await refuses(
    claim(most + 1),
    0,
    `"a.npy" can't have ${most + 1} bytes in the ${packed} that it takes`,
  );
  await refuses(
    claim(npy.length - 1),
    55,
    `"a.npy" should unpack to ${npy.length - 1} bytes, not to more`,
  );
  await refuses(
    claim(npy.length + 1),
    55,
    `"a.npy" should unpack to ${npy.length + 1} bytes, not to ${npy.length}`,
  );
  await refuses(
    patch(good, [55, [0xff]]),
    55,
    'the deflate data of "a.npy" is damaged',
  );
  const zeros = new Uint8Array(80_000_000);
  const bomb = await writeZip(new Map([["a.npy", zeros]]), { compress: true });
  const limit = 2 ** 26 + 100 * bomb.length;
  await refuses(
    bomb,
    bomb.length - 51 - 22,
    `the archive unpacks to 80000000 bytes, expected at most ${limit} for a file of ${bomb.length}`,
  );
});

Deno.test("an entry that isn't an array is refused by its name, a broken one with the rule of its format", async () => {
  const text = new TextEncoder().encode("hello");
  await refuses(
    await writeZip(new Map([["a.txt", text]])),
    0,
    '"a.txt" is not an npy file by its name',
  );
  const broken = new Map([["a.npy", text]]);
  const rule = 'in "a.npy", an npy file starts with the byte 0x93 and "NUMPY"';
  await refuses(await writeZip(broken), 55, rule);
  await refuses(await writeZip(broken, { compress: true }), 55, rule);
});
