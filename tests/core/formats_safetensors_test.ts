import { assert, assertEquals, assertThrows } from "@std/assert";
import { FileFormatError } from "../../core/errors.ts";
import {
  decodeSafetensors,
  encodeSafetensors,
} from "../../core/formats/safetensors.ts";
import type { WrittenTypes } from "../../core/formats/elements_write.ts";
import type { HostArray } from "../../wgsl/op.ts";
import { assertFails } from "../support/errors.ts";
import { host } from "../support/plan.ts";

/** A file from its header, as text or as a value, and its data. */
function fileOf(
  header: unknown,
  data: Iterable<number> = [],
): Uint8Array<ArrayBuffer> {
  const text = typeof header === "string" ? header : JSON.stringify(header);
  const json = new TextEncoder().encode(text);
  const values = Uint8Array.from(data);
  const bytes = new Uint8Array(8 + json.length + values.length);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(json.length), true);
  bytes.set(json, 8);
  bytes.set(values, 8 + json.length);
  return bytes;
}

/** The error of reading a file: its facts. */
function refusal(bytes: Uint8Array): [number, string] {
  const error = assertThrows(
    () => decodeSafetensors(bytes, "w.safetensors"),
    FileFormatError,
  );
  assertEquals(error.file, "w.safetensors");
  assertEquals(
    error.message,
    `Cannot read w.safetensors: ${error.rule} (byte ${error.offset})`,
  );
  return [error.offset, error.rule];
}

function one(dtype: string, shape: number[], data_offsets: number[]) {
  return { w: { dtype, shape, data_offsets } };
}

Deno.test("arrays of every type come back from a safetensors file as they were written", () => {
  const tensors = new Map<string, HostArray>([
    ["conv1.weight", host([1.5, -0, NaN, Infinity, 1e-40, 3], [2, 3])],
    ["half", host([0.5, 65504, 6e-8], [3], "f16")],
    ["double", host([Math.PI], [], "f64")],
    ["int", host([-(2 ** 31), 2 ** 31 - 1], [2, 1], "i32")],
    ["word", host([2 ** 32 - 1], [1], "u32")],
    ["mask", host([1, 0, 1], [3], "bool")],
    ["none", host([], [4, 0], "f32")],
    ["__proto__", host([7], [1])],
    ['名前 "\\\n\u{1f600}', host([8], [1])],
  ]);
  const metadata = new Map([["format", "pt"], ["__proto__", "ü"]]);
  const bytes = encodeSafetensors(tensors, metadata);
  // From the middle of a buffer, where nothing is aligned.
  const shifted = new Uint8Array(bytes.length + 3);
  shifted.set(bytes, 3);
  const back = decodeSafetensors(shifted.subarray(3));
  assertEquals(back.metadata, metadata);
  assertEquals(
    [...back.tensors.keys()].toSorted(),
    [
      ...tensors.keys(),
    ].toSorted(),
  );
  for (const [name, want] of tensors) {
    const got = back.tensors.get(name)!;
    assertEquals([got.dtype, got.shape], [want.dtype, want.shape]);
    assertEquals([...got.data], [...want.data]);
  }
  assert(Object.is(back.tensors.get("conv1.weight")!.data[1], -0));
});

Deno.test("the bytes of a safetensors file are those of the format", () => {
  const bytes = encodeSafetensors(
    new Map([["b", host([1], [1], "bool")], ["a", host([1], [1])]]),
    new Map([["k", "v"]]),
  );
  const header =
    `{"__metadata__":{"k":"v"},"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"BOOL","shape":[1],"data_offsets":[4,5]}}`;
  const padded = header.padEnd(Math.ceil(header.length / 8) * 8, " ");
  assertEquals(bytes, fileOf(padded, [0, 0, 128, 63, 1]));
});

Deno.test("types that tensors don't have are widened or narrowed where no value is lost", () => {
  const read = (dtype: string, shape: number[], data: number[]) => {
    const bytes = fileOf(one(dtype, shape, [0, data.length]), data);
    const { tensors } = decodeSafetensors(bytes);
    const { dtype: kind, data: values } = tensors.get("w")!;
    return [kind, ...values];
  };
  assertEquals(read("BF16", [2], [0x80, 0x3f, 0xc0, 0xff]), ["f32", 1, NaN]);
  assertEquals(read("U8", [2], [0, 255]), ["u32", 0, 255]);
  const least = [0, 0, 0, 128, 255, 255, 255, 255];
  const most = [255, 255, 255, 127, 0, 0, 0, 0];
  assertEquals(read("I64", [2], [...least, ...most]), [
    "i32",
    -(2 ** 31),
    2 ** 31 - 1,
  ]);
  assertEquals(read("U64", [1], [255, 255, 255, 255, 0, 0, 0, 0]), [
    "u32",
    2 ** 32 - 1,
  ]);
  assertEquals(read("I16", [2], [0, 128, 255, 127]), ["i32", -32768, 32767]);
  assertEquals(read("U16", [2], [0, 128, 255, 255]), ["u32", 32768, 65535]);
  assertEquals(read("I8", [2], [128, 127]), ["i32", -128, 127]);
});

Deno.test("files that another program wrote are read, bfloat16 and bytes included", async () => {
  const read = async (name: string) => {
    const url = new URL(
      `../fixtures/lenet/${name}.safetensors`,
      import.meta.url,
    );
    return decodeSafetensors(await Deno.readFile(url), name);
  };
  for (const form of ["sigmoid28", "relu32", "small28"]) {
    const { tensors, metadata } = await read(form);
    assert(metadata.has("torch"));
    assertEquals(tensors.get("logits")!.shape, [8, 10]);
    assertEquals([...tensors.get("labels")!.data], [9, 2, 1, 1, 6, 1, 4, 6]);
    let parameters = 0;
    for (const [name, { data, shape, dtype }] of tensors) {
      assert(data.every(Number.isFinite), name);
      if (!name.startsWith("grad.")) continue;
      parameters += data.length;
      const value = tensors.get(name.slice(5))!;
      assertEquals([value.shape, value.dtype, dtype], [shape, "f32", "f32"]);
    }
    assertEquals(parameters, form === "small28" ? 8490 : 61706);
  }
  const { tensors } = await read("curve");
  const [losses, single] = ["losses", "losses.float32"].map((name) =>
    tensors.get(name)!
  );
  assertEquals([losses.dtype, single.dtype], ["f64", "f32"]);
  losses.data.forEach((loss, i) => {
    assert(Math.abs(loss - single.data[i]) < 1e-4);
  });
  const images = tensors.get("images")!;
  assertEquals([images.dtype, images.shape], ["u32", [400, 1, 28, 28]]);
  assert(images.data.some((value) => value === 255));
});

Deno.test("values that have no place in a tensor are refused at their byte", () => {
  const big = fileOf(one("I64", [2], [0, 16]), [
    ...[1, 0, 0, 0, 0, 0, 0, 0],
    ...[0, 0, 0, 128, 0, 0, 0, 0],
  ]);
  assertEquals(refusal(big), [
    big.length - 8,
    '"w" has the 64-bit value 2147483648, which doesn\'t fit i32',
  ]);
  const word = fileOf(one("U64", [1], [0, 8]), [0, 0, 0, 0, 1, 0, 0, 0]);
  assertEquals(refusal(word), [
    word.length - 8,
    '"w" has the 64-bit value 4294967296, which doesn\'t fit u32',
  ]);
  const bool = fileOf(one("BOOL", [2], [0, 2]), [1, 2]);
  assertEquals(refusal(bool), [
    bool.length - 1,
    '"w" has the bool 2: expected 0 or 1',
  ]);
});

Deno.test("a safetensors file with a wrong length is refused", () => {
  assertEquals(refusal(new Uint8Array(7)), [
    0,
    "a file of 7 bytes is too short for the length of its header",
  ]);
  assertEquals(refusal(Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0)), [
    0,
    "a header of 1 bytes doesn't fit a file of 8",
  ]);
  assertEquals(refusal(new Uint8Array(8).fill(255)), [
    0,
    "a header of 18446744073709551615 bytes is longer than the 100000000 that the format allows",
  ]);
  const w = one("U8", [2], [0, 2]);
  const length = JSON.stringify(w).length;
  assertEquals(refusal(fileOf(w, [1])), [
    8 + length + 1,
    "the arrays take 2 bytes but the file has 1 after its header",
  ]);
  assertEquals(refusal(fileOf(w, [1, 2, 3])), [
    8 + length + 2,
    "the arrays take 2 bytes but the file has 3 after its header",
  ]);
});

Deno.test("arrays that overlap, leave a hole or don't have their shape's length are refused", () => {
  const a = { dtype: "U8", shape: [2], data_offsets: [0, 2] };
  const at = (b: unknown) => fileOf({ a, b }, [1, 2, 3, 4]);
  assertEquals(refusal(at({ ...a, data_offsets: [1, 3] })), [
    65,
    '"b" starts at 1 of the data where 2 is next: an overlap',
  ]);
  assertEquals(refusal(at({ ...a, data_offsets: [3, 5] })), [
    65,
    '"b" starts at 3 of the data where 2 is next: a hole',
  ]);
  assertEquals(refusal(fileOf(one("F32", [2], [0, 4]), [1, 2, 3, 4])), [
    13,
    '"w" of F32 [2] takes 8 bytes but its data_offsets are [0, 4]',
  ]);
  assertEquals(refusal(fileOf(one("F32", [1], [4, 0]))), [
    13,
    '"w" of F32 [1] takes 4 bytes but its data_offsets are [4, 0]',
  ]);
  assertEquals(refusal(fileOf(one("F32", [2 ** 40, 2 ** 40, 0], [0, 0]))), [
    13,
    '"w" has shape [1099511627776, 1099511627776, 0], which is too large',
  ]);
  assertEquals(refusal(fileOf(one("F8_E5M2", [1], [0, 1]), [1])), [
    13,
    '"w" has type "F8_E5M2": expected one of F64, F32, F16, BF16, I64, I32, I16, I8, U64, U32, U16, U8, BOOL',
  ]);
});

Deno.test("a header that isn't exactly the format's JSON is refused at the byte where it differs", () => {
  const entry = '{"dtype":"U8","shape":[1],"data_offsets":[0,1]}';
  const cases: [string, number, string][] = [
    ["", 0, "the header lacks { here"],
    [" {}", 0, "the header lacks { here"],
    ["[]", 0, "the header lacks { here"],
    ["{}\n", 2, "the header lacks spaces to its end here"],
    ["{}{", 2, "the header lacks spaces to its end here"],
    ['{"w":1}', 5, "the header lacks { here"],
    [`{"w":${entry},}`, 53, 'the header lacks " here'],
    [`{"w":${entry}`, 52, "the header lacks } here"],
    ['{"w', 3, "the header lacks the end of a string here"],
    [
      '{"\\ud800":1}',
      1,
      "the header holds a string that is not valid JSON in UTF-8",
    ],
    [
      '{"\\x":1}',
      1,
      "the header holds a string that is not valid JSON in UTF-8",
    ],
    [`{"w":${entry},"w":${entry}}`, 53, '"w" is there twice'],
    [`{"w":${entry},"\\u0077":${entry}}`, 53, '"w" is there twice'],
    [
      '{"w":{"dtype":"U8","dtype":"U8"}}',
      19,
      '"dtype" is there twice',
    ],
    [
      '{"__metadata__":{"a":"1","a":"2"}}',
      25,
      '"a" is there twice',
    ],
    ['{"__metadata__":{"a":1}}', 21, 'the header lacks " here'],
    [
      '{"w":{"dtype":"U8","shape":[1]}}',
      5,
      '"w" is described incompletely: expected dtype, shape and data_offsets of two numbers',
    ],
    [
      '{"w":{"dtype":"U8","shape":[1],"data_offsets":[1]}}',
      5,
      '"w" is described incompletely: expected dtype, shape and data_offsets of two numbers',
    ],
    [
      '{"w":{"dtype":"U8","strides":[1]}}',
      19,
      '"w" has a field "strides": expected dtype, shape and data_offsets',
    ],
    ...["-1", "1.0", "1e0", "01", "9007199254740992", '"1"', "null"].map((
      n,
    ): [string, number, string] => [
      `{"w":{"shape":[${n}]}}`,
      15 + (n.startsWith("1") ? 1 : 0),
      n.startsWith("1")
        ? "the header lacks ] here"
        : "the header lacks an integer from 0 to 2^53 - 1 here",
    ]),
  ];
  for (const [header, at, rule] of cases) {
    assertEquals(refusal(fileOf(header, [1])), [8 + at, rule], header);
  }
  const utf8 = fileOf('{"w?":1}');
  utf8[11] = 0xff;
  assertEquals(refusal(utf8)[0], 9);
});

Deno.test("arrays are written as the types asked for, rounded to even", () => {
  const tensors = new Map<string, HostArray>([
    ["w", host([1 + 2 ** -8, 1 + 3 * 2 ** -8, 3.4e38, NaN, -0], [5])],
    ["i", host([-1, 2], [2], "i32")],
    ["u", host([255], [1], "u32")],
    ["b", host([1, 0], [2], "bool")],
  ]);
  const types = { f32: "BF16", i32: "I64", u32: "U8", bool: "U8" } as const;
  const bytes = encodeSafetensors(tensors, new Map(), types);
  const start = 8 + Number(new DataView(bytes.buffer).getBigUint64(0, true));
  const minusOne = new Array(8).fill(255);
  assertEquals([...bytes.slice(start)], [
    ...[...minusOne, 2, 0, 0, 0, 0, 0, 0, 0],
    ...[0x80, 0x3f, 0x82, 0x3f, 0x80, 0x7f, 0xc0, 0x7f, 0x00, 0x80],
    ...[255, 1, 0],
  ]);
  const back = decodeSafetensors(bytes).tensors;
  assertEquals([...back.get("w")!.data], [1, 1.015625, Infinity, NaN, -0]);
  const half = encodeSafetensors(tensors, new Map(), { f32: "F16" });
  assertEquals(decodeSafetensors(half).tensors.get("w")!.dtype, "f16");
});

Deno.test("a NaN stays a NaN in bfloat16, whatever its payload", () => {
  const bits = Uint32Array.of(0x7f800001, 0xffffffff);
  const data = new Float32Array(bits.buffer);
  const w: HostArray = { shape: [2], dtype: "f32", data };
  const bytes = encodeSafetensors(new Map([["w", w]]), new Map(), {
    f32: "BF16",
  });
  assertEquals([...bytes.slice(-4)], [0xc0, 0x7f, 0xff, 0xff]);
});

Deno.test("an array can't be written as a type that doesn't hold it", () => {
  const write = (array: HostArray, types: WrittenTypes) => () =>
    encodeSafetensors(new Map([["w", array]]), new Map(), types);
  assertFails(
    write(host([1, 256], [2], "i32"), { i32: "U8" }),
    RangeError,
    'Cannot write "w" as U8: element 1 is 256, which doesn\'t fit',
  );
  assertFails(
    write(host([-1], [1], "i32"), { i32: "U64" }),
    RangeError,
    'Cannot write "w" as U64: element 0 is -1, which doesn\'t fit',
  );
  assertFails(
    write(host([1], [1]), { f32: "I32" }),
    TypeError,
    "Cannot write f32 as I32: expected F64, F32, F16 or BF16",
  );
  assertFails(
    write(host([1], [1], "i32"), { i32: "F32" }),
    TypeError,
    "Cannot write i32 as F32: expected an integer type",
  );
});

Deno.test("an array can't be written under the format's own name, with a wrong shape or an unpaired surrogate", () => {
  const write = (name: string, array: HostArray) =>
    assertThrows(() => encodeSafetensors(new Map([[name, array]])), TypeError)
      .message;
  assertEquals(
    write("__metadata__", host([1], [1])),
    "Cannot write an array named __metadata__: the format keeps this name for itself",
  );
  assertEquals(
    write("w", { ...host([1], [1]), shape: [2, 2] }),
    'Cannot write "w": its shape [2, 2] has 4 elements but its data has 1',
  );
  assertEquals(
    write("\ud800", host([1], [1])),
    'Cannot write the string "\\ud800": half of a surrogate pair has no UTF-8',
  );
});
