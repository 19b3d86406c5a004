import { assert, assertEquals } from "@std/assert";
import { FileFormatError } from "../../core/errors.ts";
import type { WrittenTypes } from "../../core/formats/elements_write.ts";
import { decodeNpy, encodeNpy } from "../../core/formats/npy.ts";
import type { HostArray } from "../../wgsl/op.ts";
import { assertFails } from "../support/errors.ts";
import { host } from "../support/plan.ts";

async function fixture(name: string): Promise<Uint8Array<ArrayBuffer>> {
  const url = new URL(`../fixtures/formats/${name}`, import.meta.url);
  return await Deno.readFile(url);
}

/** A file from its header's text and its data. */
function fileOf(
  header: string,
  data: Iterable<number> = [],
  version: readonly [number, number] = [1, 0],
): Uint8Array {
  const text = new TextEncoder().encode(header);
  const length = new Uint8Array(version[0] === 1 ? 2 : 4);
  length.set([text.length & 255, text.length >> 8]);
  const magic = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59];
  return Uint8Array.from([...magic, ...version, ...length, ...text, ...data]);
}

function header(descr: string, shape: string, fortran = "False"): string {
  return `{'descr': '${descr}', 'fortran_order': ${fortran}, 'shape': ${shape}, }\n`;
}

/** The error of reading a file: its facts. */
function refuses(bytes: Uint8Array, offset: number, rule: string): void {
  const message = `Cannot read x.npy: ${rule} (byte ${offset})`;
  const read = () => decodeNpy(bytes, "x.npy");
  const error = assertFails(read, FileFormatError, message);
  assertEquals([error.file, error.offset, error.rule], ["x.npy", offset, rule]);
}

Deno.test("files that numpy wrote are read, whatever their version and order", async () => {
  const read = async (name: string): Promise<unknown[]> => {
    const { shape, dtype, data } = decodeNpy(await fixture(name), name);
    return [shape, dtype, [...data]];
  };
  const counted = (n: number) => Array.from({ length: n }, (_, i) => i);
  const matrix = [[2, 3], "f32", counted(6)];
  assertEquals(await read("matrix.npy"), matrix);
  assertEquals(await read("version2.npy"), matrix);
  assertEquals(await read("version3.npy"), matrix);
  assertEquals(await read("scalar.npy"), [[], "f32", [-2.5]]);
  assertEquals(await read("empty.npy"), [[0, 4], "i32", []]);
  assertEquals(await read("fortran.npy"), [[2, 3, 4], "i32", counted(24)]);
});

Deno.test("an npy file has the bytes that numpy gives it", async () => {
  const matrix = host([0, 1, 2, 3, 4, 5], [2, 3]);
  assertEquals(encodeNpy(matrix), await fixture("matrix.npy"));
  assertEquals(encodeNpy(host([-2.5], [])), await fixture("scalar.npy"));
  const empty = host([], [0, 4], "i32");
  assertEquals(encodeNpy(empty), await fixture("empty.npy"));
});

Deno.test("arrays of every type come back from an npy file as they were written", () => {
  const arrays = [
    host([1.5, -0, NaN, Infinity], [2, 2]),
    host([0.5, 65504], [2], "f16"),
    host([Math.PI], [1, 1, 1], "f64"),
    host([-(2 ** 31)], [], "i32"),
    host([2 ** 32 - 1], [1], "u32"),
    host([1, 0], [2], "bool"),
    host([], [0], "f32"),
  ];
  for (const array of arrays) {
    const bytes = encodeNpy(array);
    assertEquals(bytes.length % 64, array.data.byteLength % 64);
    // From the middle of a buffer, where nothing is aligned.
    const shifted = Uint8Array.from([1, 2, 3, ...bytes]).subarray(3);
    assertEquals(decodeNpy(shifted), array);
  }
  const long = host([7], new Array(64).fill(1));
  assertEquals(decodeNpy(encodeNpy(long)), long);
});

Deno.test("a header may have its fields in any order, spaces, double quotes and Python 2's integers", () => {
  const text =
    `{"shape":(2L ,1 ) , 'descr'\t: '<u2','fortran_order':True}  \n `;
  const { shape, dtype, data } = decodeNpy(fileOf(text, [1, 0, 0, 1]));
  assertEquals([shape, dtype, [...data]], [[2, 1], "u32", [1, 256]]);
});

Deno.test("arrays whose first axis varies fastest are put in order, whatever their elements' size and byte order", () => {
  for (const size of [1, 2, 4, 8]) {
    for (const order of ["<", ">"]) {
      const data = [1, 4, 2, 5, 3, 6].flatMap((value) => {
        const bytes = new Array<number>(size).fill(0);
        bytes[order === "<" ? 0 : size - 1] = value;
        return bytes;
      });
      const text = header(`${order}u${size}`, "(2, 3)", "True");
      const { data: values } = decodeNpy(fileOf(text, data));
      assertEquals([...values], [1, 2, 3, 4, 5, 6], `${order}u${size}`);
    }
  }
});

Deno.test("values that have no place in a tensor are refused at their byte", () => {
  const big = fileOf(header("<i8", "(2,)"), [
    ...[1, 0, 0, 0, 0, 0, 0, 0],
    ...[0, 0, 0, 128, 0, 0, 0, 0],
  ]);
  const rule =
    "the array has the 64-bit value 2147483648, which doesn't fit i32";
  refuses(big, big.length - 8, rule);
  // [[0, 1], [2, 0]] by columns: the 2 is second in the file and third by rows.
  const bool = fileOf(header("|b1", "(2, 2)", "True"), [0, 2, 1, 0]);
  const found = "the array has the bool 2: expected 0 or 1";
  refuses(bool, bool.length - 3, found);
});

Deno.test("a file that isn't npy, ends early or goes on is refused", () => {
  refuses(
    new Uint8Array(0),
    0,
    'an npy file starts with the byte 0x93 and "NUMPY"',
  );
  const version = (text: string) =>
    `version ${text} of the format, expected 1.0, 2.0 or 3.0`;
  refuses(fileOf("", [], [4, 0]), 6, version("4.0"));
  refuses(fileOf("", [], [1, 1]), 6, version("1.1"));
  const good = fileOf(header("<f4", "(2,)"), [0, 0, 128, 63, 0, 0, 0, 64]);
  refuses(good.subarray(0, 6), 6, version("?.?"));
  refuses(good.subarray(0, 9), 9, "the file ends in its header");
  const length = good.length - 8 - 10;
  refuses(
    good.subarray(0, 20),
    8,
    `a header of ${length} bytes doesn't fit a file of 20`,
  );
  const takes = (got: number) =>
    `an array of <f4 [2] takes 8 bytes but the file has ${got} after its header`;
  refuses(good.subarray(0, -1), good.length - 1, takes(7));
  refuses(Uint8Array.from([...good, 0]), good.length, takes(9));
  // What a header asks for is never allocated before it is found in the file.
  refuses(
    fileOf(header("<f8", "(1125899906842623,)")),
    72 + 11,
    "an array of <f8 [1125899906842623] takes 9007199254740984 bytes but the file has 0 after its header",
  );
  refuses(
    fileOf(header("<f4", "(4294967296, 4294967296, 0)")),
    60,
    "the array has shape [4294967296, 4294967296, 0], which is too large",
  );
});

Deno.test("types that no tensor has are refused, pickled objects above all", async () => {
  refuses(
    await fixture("object.npy"),
    20,
    "the array holds pickled Python objects, which are not read",
  );
  for (
    const descr of ["<c8", "|S4", "<U3", "<M8[ns]", "=f4", "|f4", "f4", ""]
  ) {
    refuses(
      fileOf(header(descr, "(1,)"), [0, 0, 0, 0]),
      20,
      `the array has type ${
        JSON.stringify(descr)
      }: expected < or > and one of f8, f4, f2, i8, i4, i2, i1, u8, u4, u2, u1, b1`,
    );
  }
  refuses(
    fileOf("{'descr': [('x', '<f4')], 'fortran_order': False, 'shape': (1,)}"),
    20,
    "the array holds records, which no tensor does",
  );
});

Deno.test("a header that isn't exactly the dict of an array is refused where it differs", () => {
  const cases: [string, number, string][] = [
    ["", 0, "the header lacks { here"],
    [
      "{}",
      0,
      "the header is incomplete: expected descr, fortran_order and shape",
    ],
    ["{'descr': '<f4'", 15, "the header lacks } here"],
    ["{'descr' '<f4'}", 9, "the header lacks : here"],
    ["{'descr", 1, "the header lacks a plain string here"],
    ["{'a\\x62'", 1, "the header lacks a plain string here"],
    ["{1: 2}", 1, "the header lacks a string here"],
    ["{'descr': '<f4', 'descr': '<f4'}", 17, '"descr" is there twice'],
    ["{'fortran_order': 0}", 18, "the header lacks True or False here"],
    ["{'shape': 3}", 10, "the header lacks ( here"],
    ["{'shape': (3)}", 12, "the header lacks the comma of a tuple of one here"],
    ["{'shape': (3, 4}", 15, "the header lacks ) here"],
    ...["-1", "1.5", "01", "9007199254740992", "x"].map((
      n,
    ): [string, number, string] => [
      `{'shape': (2, ${n}, )}`,
      n === "1.5" ? 15 : 14,
      n === "1.5"
        ? "the header lacks ) here"
        : "the header lacks an integer from 0 to 2^53 - 1 here",
    ]),
    [
      "{'__class__': 1}",
      1,
      'the header has a field "__class__": expected descr, fortran_order and shape',
    ],
    [
      `{'shape': (${"1,".repeat(65)})}`,
      11 + 128,
      "the header lacks the end of a shape of 64 axes, numpy's most, here",
    ],
  ];
  for (const [text, at, rule] of cases) refuses(fileOf(text), 10 + at, rule);
  const good = header("<f4", "()");
  const trailing = `${good}; import os`;
  refuses(
    fileOf(trailing, [0, 0, 0, 0]),
    10 + good.length,
    "the header lacks white space to its end here",
  );
});

Deno.test("arrays are written as the types asked for, except those that numpy lacks", () => {
  const labels = host([3, -1], [2], "i32");
  const bytes = encodeNpy(labels, { i32: "I64" });
  assert(new TextDecoder().decode(bytes).includes("'<i8'"));
  assertEquals(decodeNpy(bytes), labels);
  const write = (array: HostArray, types: WrittenTypes) => () =>
    encodeNpy(array, types);
  assertFails(
    write(host([1], [1]), { f32: "BF16" }),
    TypeError,
    "Cannot write an npy file of BF16: numpy has no such type, F32 holds the values",
  );
  assertFails(
    write(labels, { i32: "U8" }),
    RangeError,
    "Cannot write the array as U8: element 1 is -1, which doesn't fit",
  );
  assertFails(
    write(host([1], new Array(65).fill(1)), {}),
    RangeError,
    "Cannot write an npy file of 65 axes: numpy has 64 at most",
  );
});
