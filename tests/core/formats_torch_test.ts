import { assertEquals } from "@std/assert";
import { FileFormatError } from "../../core/errors.ts";
import type { PickleKey } from "../../core/formats/pickle.ts";
import { decodeTorch, type TorchTree } from "../../core/formats/torch.ts";
import { writeZip } from "../../core/formats/zip_write.ts";
import type { DType, HostArray } from "../../wgsl/op.ts";
import { assertFailsLater } from "../support/errors.ts";
import {
  archive,
  pickle,
  refusesPickle,
  storage,
  tensor,
  text,
  tuple,
} from "../support/pickles.ts";
import { host } from "../support/plan.ts";

async function fixture(name: string): Promise<Uint8Array<ArrayBuffer>> {
  const url = new URL(`../fixtures/formats/${name}`, import.meta.url);
  return await Deno.readFile(url);
}

/** What formats.py keeps. */
const TYPES: readonly (readonly [string, DType, number[]])[] = [
  ["f8", "f64", [0.1, -1e300, Infinity]],
  ["f4", "f32", [1.5, -0, Infinity]],
  ["f2", "f16", [0.5, 65504, -6e-8]],
  ["bf16", "f32", [1.5, -0, 2 ** 127 * 1.765625]],
  ["i8", "i32", [-(2 ** 31), 2 ** 31 - 1, 7]],
  ["i4", "i32", [-(2 ** 31), 2 ** 31 - 1, 7]],
  ["i2", "i32", [-(2 ** 15), 2 ** 15 - 1, 7]],
  ["i1", "i32", [-128, 127, 7]],
  ["u1", "u32", [0, 255, 7]],
  ["b1", "bool", [1, 0, 1]],
];

for (const form of ["zip", "legacy", "protocol4"]) {
  Deno.test(`a checkpoint that PyTorch wrote is read: every type, layout and kind of value (${form})`, async () => {
    const value = await decodeTorch(await fixture(`checkpoint_${form}.pth`));
    const counted = Array.from({ length: 24 }, (_, i) => i);
    const transposed = Array.from(
      { length: 24 },
      (_, i) => Math.floor(i / 6) + 4 * (Math.floor(i / 2) % 3) + 12 * (i % 2),
    );
    assertEquals(
      value,
      new Map<PickleKey, TorchTree<HostArray>>([
        [
          "types",
          new Map(
            TYPES.map((
              [name, dtype, values],
            ) => [name, host(values, [3], dtype)]),
          ),
        ],
        ["whole", host(counted, [2, 3, 4])],
        ["transposed", host(transposed, [4, 3, 2])],
        ["slice", host([16, 18, 20, 22], [2, 2])],
        ["expanded", host([3, 3, 3, 3, 3, 3], [2, 3])],
        ["empty", host([], [0, 3])],
        ["scalar", host([-2.5], [])],
        ["parameter", host([1, 2], [2])],
        ["size", [2, 3]],
        ["list", [
          1,
          -1,
          300,
          70000,
          -(2 ** 31),
          2 ** 40,
          2n ** 70n,
          0.5,
          true,
          false,
          null,
          "größe",
        ]],
        ["tuples", [[], [1], [1, 2], [1, 2, 3], [1, 2, 3, 4]]],
        ["__proto__", "plain"],
        [7, new Map([["ordered", new Map([["a", 1], ["b", 2]])]])],
      ]),
    );
  });
}

Deno.test("storages are held against their tensors, and their values against the types of tensors", async () => {
  const header = 30 + 8 + 20;
  const floats = tensor(storage("FloatStorage", 2), 0, [2], [1]);
  // The storage's entry follows the pickle's.
  const after = (opcodes: string) => 2 + opcodes.length + 1;
  await refusesPickle(
    floats,
    after(floats),
    'storage "x/data/0" of 2 F32 takes 8 bytes but has 4',
    [1, 2, 3, 4],
  );
  // Element 1 of the tensor is the third of the storage.
  const bools = tensor(storage("BoolStorage", 3), 0, [2], [2]);
  await refusesPickle(
    bools,
    after(bools) + header + 2,
    'storage "0" has the bool 2: expected 0 or 1',
    [1, 0, 2],
  );
  const repeated = tensor(storage("ByteStorage", 1), 0, [255, 255, 255, 255], [
    0,
    0,
    0,
    0,
  ]);
  const length = (await archive(repeated, [1])).length;
  const most = 4 * length + 2 ** 24;
  await refusesPickle(
    repeated,
    0,
    `its tensors take 4228250625 bytes, expected at most ${most}`,
    [1],
  );
});

Deno.test("tensors that share a storage, and ordered dicts of Python 2, are read", async () => {
  const bytes = storage("ByteStorage", 4);
  const both = tuple(
    tensor(bytes, 0, [2, 2], [1, 2]),
    tensor(bytes, 3, [], []),
  );
  assertEquals(await decodeTorch(await archive(both, [1, 2, 3, 4])), [
    host([1, 3, 2, 4], [2, 2], "u32"),
    host([4], [], "u32"),
  ]);
  const pairs = `ccollections\nOrderedDict\n](](U\x01aNee\x85R`;
  assertEquals(await decodeTorch(await archive(pairs)), new Map([["a", null]]));
});

Deno.test("an archive without a pickle, or with the bytes of numbers in the other order, is refused", async () => {
  const none = await writeZip(new Map([["x.npy", new Uint8Array(1)]]));
  const fails = (bytes: Uint8Array, message: string) =>
    assertFailsLater(decodeTorch(bytes, "x.pth"), FileFormatError, message);
  await fails(
    none,
    `Cannot read x.pth: the archive lacks its data.pkl (byte ${none.length})`,
  );
  for (const word of ["big", "middle", "little-endian"]) {
    const order = new TextEncoder().encode(word);
    const other = await writeZip(
      new Map([["x/byteorder", order], ["x/data.pkl", pickle("N")]]),
    );
    await fails(
      other,
      "Cannot read x.pth: its numbers are not little-endian (byte 61)",
    );
  }
});

Deno.test("a file of before version 1.6 is refused where its parts don't fit", async () => {
  const little = `}${text("little_endian")}\x88s`;
  const parts = {
    magic: "\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19",
    version: "M\xe9\x03",
    system: little,
    value: tensor(storage("ByteStorage", 2), 0, [2], [1]),
    keys: `]${text("0")}a`,
  };
  const file = (changes: Partial<typeof parts>, tail: readonly number[]) => {
    const pickles = Object.values({ ...parts, ...changes }).map(pickle);
    return Uint8Array.from([
      ...pickles.flatMap((bytes) => [...bytes]),
      ...tail,
    ]);
  };
  const elements = [2, 0, 0, 0, 0, 0, 0, 0, 8, 9];
  assertEquals(await decodeTorch(file({}, elements)), host([8, 9], [2], "u32"));
  const sizes = Object.values(parts).map((part) => part.length + 3);
  const startOf = (part: number) =>
    sizes.slice(0, part).reduce((sum, n) => sum + n, 0);
  const cases: [Uint8Array, number, string][] = [
    [
      file({ magic: "\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x1a" }, elements),
      0,
      "the magic number is another",
    ],
    [
      file({ version: "M\xe8\x03" }, elements),
      startOf(1),
      "the version is not 1001",
    ],
    [
      file({ system: little.replace("\x88", "\x89") }, elements),
      startOf(2),
      "its numbers are not little-endian",
    ],
    [
      file({ keys: `]${text("1")}a` }, elements),
      startOf(4),
      "the storages that it lists are not those that it uses",
    ],
    [
      file({}, elements.slice(0, 7)),
      startOf(5),
      'storage "0" should have 2 elements of U8, the file has none',
    ],
    [
      file({}, [3, ...elements.slice(1)]),
      startOf(5),
      'storage "0" should have 2 elements of U8, the file has 3',
    ],
    [
      file({}, elements.slice(0, 9)),
      startOf(5),
      'storage "0" should have 2 elements of U8, the file has fewer',
    ],
    [
      file({}, [...elements, 0]),
      startOf(5) + 10,
      "the file goes on after its last storage",
    ],
  ];
  for (const [bytes, at, rule] of cases) {
    await assertFailsLater(
      decodeTorch(bytes, "x.pt"),
      FileFormatError,
      `Cannot read x.pt: ${rule} (byte ${at})`,
    );
  }
});
