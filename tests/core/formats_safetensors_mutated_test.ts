import { assert, assertEquals } from "@std/assert";
import {
  decodeSafetensors,
  encodeSafetensors,
} from "../../core/formats/safetensors.ts";
import type { DType } from "../../wgsl/op.ts";
import { mutate, type Roll, survive } from "../support/mutate.ts";
import { host } from "../support/plan.ts";

/** Pieces of headers. */
const TOKENS = [
  '"w":',
  '"a":{"dtype":"F32","shape":[0],"data_offsets":[0,0]},',
  '"__proto__":',
  "[",
  "]",
  "{",
  "}",
  ",",
  "0",
  "-",
  "1e9",
  "4294967296",
  "9007199254740993",
  '"',
  "\\",
  "\\u0000",
  "null",
  " ",
];

/** A file with faults, mostly in its header and mostly with a length that still fits, so that they reach the parser. */
function damage(source: Uint8Array, roll: Roll): Uint8Array<ArrayBuffer> {
  if (roll(4) === 0) return mutate(source, roll, TOKENS);
  const end = 8 + Number(new DataView(source.buffer).getBigUint64(0, true));
  const header = mutate(source.subarray(8, end), roll, TOKENS);
  const bytes = new Uint8Array(8 + header.length + source.length - end);
  const length = header.length + (roll(8) === 0 ? roll(9) - 4 : 0);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(length), true);
  bytes.set(header, 8);
  bytes.set(source.subarray(end), 8 + header.length);
  return bytes;
}

/** Reads one array as simply as can be, for a file that has been accepted. */
function readPlainly(bytes: Uint8Array<ArrayBuffer>, name: string): number[] {
  const view = new DataView(bytes.buffer);
  const start = 8 + Number(view.getBigUint64(0, true));
  const header = JSON.parse(new TextDecoder().decode(bytes.slice(8, start)));
  const { dtype, data_offsets: [begin, end] } = header[name];
  const readers: Record<string, [number, (at: number) => number]> = {
    F64: [8, (at) => view.getFloat64(at, true)],
    F32: [4, (at) => view.getFloat32(at, true)],
    F16: [2, (at) => view.getFloat16(at, true)],
    I64: [8, (at) => Number(view.getBigInt64(at, true))],
    I32: [4, (at) => view.getInt32(at, true)],
    I16: [2, (at) => view.getInt16(at, true)],
    I8: [1, (at) => view.getInt8(at)],
    U64: [8, (at) => Number(view.getBigUint64(at, true))],
    U32: [4, (at) => view.getUint32(at, true)],
    U16: [2, (at) => view.getUint16(at, true)],
    U8: [1, (at) => view.getUint8(at)],
    BOOL: [1, (at) => view.getUint8(at)],
  };
  const [size, read] = readers[dtype];
  const values: number[] = [];
  for (let at = begin; at < end; at += size) values.push(read(start + at));
  return values;
}

Deno.test("20,000 damaged safetensors files are read rightly or refused, and nothing else happens", async () => {
  const kinds: DType[] = ["f32", "f16", "f64", "i32", "u32", "bool"];
  const source = encodeSafetensors(
    new Map(kinds.map((dtype, i) => [
      `layer${i}`,
      host([1, 0, 1, 0, 1, 1], i % 2 ? [6] : [2, 3], dtype),
    ])),
    new Map([["format", "pt"]]),
  );
  const read = await survive(20_000, {
    seed: 20,
    make: (roll) => damage(source, roll),
    read: (bytes) => decodeSafetensors(bytes),
    check({ tensors }, bytes) {
      for (const [name, { data }] of tensors) {
        assertEquals([...data], readPlainly(bytes, name));
      }
    },
  });
  assert(read > 500 && read < 5000, `${read} of 20,000 were read`);
});
