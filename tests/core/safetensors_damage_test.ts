import { assert, assertEquals } from "@std/assert";
import { FileFormatError } from "../../core/errors.ts";
import {
  decodeSafetensors,
  encodeSafetensors,
} from "../../core/formats/safetensors.ts";
import type { DType } from "../../wgsl/op.ts";
import { host } from "../support/plan.ts";

/** Pseudo-random integers below n, the same for the same seed. */
function dice(seed: number): (n: number) => number {
  let state = seed >>> 0;
  return (n) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * n);
  };
}

const SPLICES = [
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

/** A file that one to three random faults have been put into. */
function mutate(
  source: Uint8Array,
  roll: (n: number) => number,
): Uint8Array<ArrayBuffer> {
  let bytes = [...source];
  const header = Number(new DataView(source.buffer).getBigUint64(0, true));
  for (let faults = 1 + roll(3); faults > 0; faults--) {
    const at = 8 + roll(header);
    const splice = [...new TextEncoder().encode(SPLICES[roll(SPLICES.length)])];
    const kind = roll(8);
    if (kind < 2) bytes[roll(bytes.length)] = roll(256);
    else if (kind === 2) bytes[roll(8)] ^= 1 << roll(8);
    else if (kind === 3) bytes[at] = 0x30 + roll(10);
    else if (kind === 4) bytes = bytes.slice(0, roll(bytes.length));
    else if (kind === 5) bytes.push(...splice);
    else {
      bytes.splice(at, kind === 6 ? 0 : 1 + roll(6), ...splice);
      if (roll(4) > 0) {
        // With a length that still fits, so that the fault reaches the parser.
        const grown = header + bytes.length - source.length;
        const word = new DataView(new ArrayBuffer(8));
        word.setBigUint64(0, BigInt(Math.max(0, grown)), true);
        bytes.splice(0, 8, ...new Uint8Array(word.buffer));
      }
    }
  }
  return Uint8Array.from(bytes);
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
    U32: [4, (at) => view.getUint32(at, true)],
    U8: [1, (at) => view.getUint8(at)],
    BOOL: [1, (at) => view.getUint8(at)],
  };
  const [size, read] = readers[dtype];
  const values: number[] = [];
  for (let at = begin; at < end; at += size) values.push(read(start + at));
  return values;
}

Deno.test("2,000 damaged files are read rightly or refused, and nothing else happens", () => {
  const roll = dice(20);
  const kinds: DType[] = ["f32", "f16", "f64", "i32", "u32", "bool"];
  const source = encodeSafetensors(
    new Map(kinds.map((dtype, i) => [
      `layer${i}`,
      host([1, 0, 1, 0, 1, 1], i % 2 ? [6] : [2, 3], dtype),
    ])),
    new Map([["format", "pt"]]),
  );
  let read = 0;
  for (let i = 0; i < 2000; i++) {
    const bytes = mutate(source, roll);
    try {
      const { tensors } = decodeSafetensors(bytes);
      read++;
      for (const [name, { data }] of tensors) {
        assertEquals([...data], readPlainly(bytes, name));
      }
    } catch (error) {
      if (!(error instanceof FileFormatError)) throw error;
      assert(error.offset >= 0 && error.offset <= bytes.length);
    }
  }
  assert(read > 50 && read < 500, `${read} of 2,000 were accepted`);
});
