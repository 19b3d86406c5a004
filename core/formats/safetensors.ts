/**
 * The safetensors format (https://github.com/huggingface/safetensors): named arrays in one file.
 *
 * Eight bytes give the length of a header, a JSON object from names to `{ dtype, shape, data_offsets }` and, under `__metadata__`, from
 * strings to strings. Then come the arrays' bytes without a hole, little-endian, as on every machine that has WebGPU. Reading is strict:
 * whatever breaks a rule of the format is refused with the byte at which it does, before any memory is taken for the arrays.
 */
import type { DType, HostArray, HostData, Shape } from "../../wgsl/op.ts";
import { formatShape, sizeOf } from "../../wgsl/shape.ts";
import { FileFormatError } from "../errors.ts";
import { emptyData } from "../host.ts";
import { type Entry, readHeader, type Refuse } from "./safetensors_header.ts";

/** What a file holds. */
export interface Safetensors {
  /** By name, in the order of their bytes. */
  readonly tensors: Map<string, HostArray>;
  readonly metadata: Map<string, string>;
}

/** Longest header, in bytes, that the format allows. */
const MAX_HEADER_BYTES = 100_000_000;

/** How an element type of the format is read. */
interface Codec {
  /** Of one element. */
  readonly bytes: number;
  readonly dtype: DType;
  /** Converts the elements in `from`; returns the first that can't be kept, and why. Absent where the bytes are those of the dtype. */
  convert?(from: DataView, to: HostData): Refusal | undefined;
}

interface Refusal {
  readonly index: number;
  readonly rule: string;
}

const CODECS: ReadonlyMap<string, Codec> = new Map<string, Codec>([
  ["F64", { bytes: 8, dtype: "f64" }],
  ["F32", { bytes: 4, dtype: "f32" }],
  ["F16", { bytes: 2, dtype: "f16" }],
  ["BF16", { bytes: 2, dtype: "f32", convert: widenBfloat16 }],
  ["I64", { bytes: 8, dtype: "i32", convert: narrowInt64 }],
  ["I32", { bytes: 4, dtype: "i32" }],
  ["U32", { bytes: 4, dtype: "u32" }],
  ["U8", { bytes: 1, dtype: "u32", convert: widenUint8 }],
  ["BOOL", { bytes: 1, dtype: "bool", convert: checkBool }],
]);

/** Element types that files are written with. */
const WRITTEN: Readonly<Record<DType, string>> = {
  f64: "F64",
  f32: "F32",
  f16: "F16",
  i32: "I32",
  u32: "U32",
  bool: "BOOL",
};

/**
 * Reads a safetensors file.
 *
 * F32, F16, F64, I32 and U32 keep their type, BOOL becomes bool; BF16 is widened to f32 and U8 to u32, both without loss; I64 becomes i32
 * where all of its values fit. The arrays are copies. `file` names the bytes in errors.
 *
 * @throws {FileFormatError} when the bytes break a rule of the format or hold an element type or a value that has no place here
 */
export function decodeSafetensors(
  bytes: Uint8Array,
  file = "safetensors data",
): Safetensors {
  const refuse: Refuse = (offset, rule) => {
    throw new FileFormatError(
      `Cannot read ${file}: ${rule} (byte ${offset})`,
      file,
      offset,
      rule,
    );
  };
  const start = headerEnd(bytes, refuse);
  const { entries, metadata } = readHeader(
    bytes.subarray(8, start),
    8,
    refuse,
  );
  entries.sort((a, b) => a.begin - b.begin || a.end - b.end);
  const codecs = entries.map((entry) => checkEntry(entry, refuse));
  checkLayout(entries, start, bytes.length, refuse);
  const tensors = new Map<string, HostArray>();
  entries.forEach(({ name, shape, begin, end }, i) => {
    const { dtype, convert, bytes: size } = codecs[i];
    const data = emptyData(dtype, sizeOf(shape));
    const from = bytes.subarray(start + begin, start + end);
    if (convert) {
      const view = new DataView(from.buffer, from.byteOffset, from.length);
      const refusal = convert(view, data);
      if (refusal) {
        const at = start + begin + refusal.index * size;
        refuse(at, `${JSON.stringify(name)} ${refusal.rule}`);
      }
    } else new Uint8Array(data.buffer).set(from);
    tensors.set(name, { shape, dtype, data });
  });
  return { tensors, metadata };
}

/** Where the header ends, from the file's first eight bytes. */
function headerEnd(bytes: Uint8Array, refuse: Refuse): number {
  if (bytes.length < 8) {
    return refuse(
      0,
      `a file of ${bytes.length} bytes is too short for the length of its header`,
    );
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const length = view.getBigUint64(0, true);
  if (length > MAX_HEADER_BYTES) {
    return refuse(
      0,
      `a header of ${length} bytes is longer than the ${MAX_HEADER_BYTES} that the format allows`,
    );
  }
  if (length > bytes.length - 8) {
    return refuse(
      0,
      `a header of ${length} bytes doesn't fit a file of ${bytes.length}`,
    );
  }
  return 8 + Number(length);
}

/** Holds an array's type, shape and length against each other. */
function checkEntry(
  { name, dtype, shape, begin, end, at }: Entry,
  refuse: Refuse,
): Codec {
  const label = JSON.stringify(name);
  const codec = CODECS.get(dtype);
  if (!codec) {
    return refuse(
      at,
      `${label} has type ${JSON.stringify(dtype)}: expected one of ${
        [...CODECS.keys()].join(", ")
      }`,
    );
  }
  // Without the zeros, so that no huge axis hides behind an empty one.
  const extent = sizeOf(shape.filter((n) => n !== 0)) * codec.bytes;
  if (!Number.isSafeInteger(extent)) {
    refuse(at, `${label} has shape ${formatShape(shape)}, which is too large`);
  }
  const bytes = sizeOf(shape) * codec.bytes;
  if (end - begin !== bytes) {
    refuse(
      at,
      `${label} of ${dtype} ${
        formatShape(shape)
      } takes ${bytes} bytes but its data_offsets are [${begin}, ${end}]`,
    );
  }
  return codec;
}

/** Checks that the arrays, in order of their bytes, fill the file without hole or overlap. */
function checkLayout(
  entries: readonly Entry[],
  start: number,
  length: number,
  refuse: Refuse,
): void {
  let filled = 0;
  for (const { name, begin, end, at } of entries) {
    if (begin !== filled) {
      const what = begin < filled ? "an overlap" : "a hole";
      refuse(
        at,
        `${
          JSON.stringify(name)
        } starts at ${begin} of the data where ${filled} is next: ${what}`,
      );
    }
    filled = end;
  }
  if (filled !== length - start) {
    refuse(
      Math.min(start + filled, length),
      `the arrays take ${filled} bytes but the file has ${
        length - start
      } after its header`,
    );
  }
}

function widenBfloat16(from: DataView, to: HostData): undefined {
  const bits = new Uint32Array(to.buffer);
  for (let i = 0; i < bits.length; i++) {
    bits[i] = from.getUint16(2 * i, true) << 16;
  }
}

function widenUint8(from: DataView, to: HostData): undefined {
  for (let i = 0; i < to.length; i++) to[i] = from.getUint8(i);
}

function narrowInt64(from: DataView, to: HostData): Refusal | undefined {
  for (let i = 0; i < to.length; i++) {
    const low = from.getInt32(8 * i, true);
    if (from.getInt32(8 * i + 4, true) !== low >> 31) {
      const value = from.getBigInt64(8 * i, true);
      return {
        index: i,
        rule: `has the 64-bit value ${value}, which doesn't fit i32`,
      };
    }
    to[i] = low;
  }
}

function checkBool(from: DataView, to: HostData): Refusal | undefined {
  for (let i = 0; i < to.length; i++) {
    const value = from.getUint8(i);
    if (value > 1) {
      return { index: i, rule: `has the bool ${value}: expected 0 or 1` };
    }
    to[i] = value;
  }
}

/**
 * Writes a safetensors file. The same arrays in the same order give the same bytes; wider element types come first, so that all are aligned.
 *
 * @throws {TypeError} when an array is named `__metadata__` or has another number of elements than its shape
 */
export function encodeSafetensors(
  tensors: ReadonlyMap<string, HostArray>,
  metadata: ReadonlyMap<string, string> = new Map(),
): Uint8Array<ArrayBuffer> {
  const order = [...tensors].sort(([, a], [, b]) =>
    b.data.BYTES_PER_ELEMENT - a.data.BYTES_PER_ELEMENT
  );
  const fields: string[] = [];
  if (metadata.size > 0) {
    const strings = [...metadata].map(([key, value]) =>
      `${quote(key)}:${quote(value)}`
    );
    fields.push(`"__metadata__":{${strings.join(",")}}`);
  }
  let length = 0;
  for (const [name, { shape, dtype, data }] of order) {
    checkWritable(name, shape, data);
    const end = length + data.byteLength;
    fields.push(
      `${quote(name)}:{"dtype":"${WRITTEN[dtype]}","shape":[${
        shape.join(",")
      }],"data_offsets":[${length},${end}]}`,
    );
    length = end;
  }
  const header = new TextEncoder().encode(`{${fields.join(",")}}`);
  const start = 8 + Math.ceil(header.length / 8) * 8;
  const bytes = new Uint8Array(start + length);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(start - 8), true);
  bytes.set(header, 8);
  bytes.fill(0x20, 8 + header.length, start);
  let at = start;
  for (const [, { data }] of order) {
    const from = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    bytes.set(from, at);
    at += from.length;
  }
  return bytes;
}

function checkWritable(name: string, shape: Shape, data: HostData): void {
  if (name === "__metadata__") {
    throw new TypeError(
      "Cannot write an array named __metadata__: the format keeps this name for itself",
    );
  }
  if (data.length === sizeOf(shape)) return;
  throw new TypeError(
    `Cannot write ${quote(name)}: its shape ${formatShape(shape)} has ${
      sizeOf(shape)
    } elements but its data has ${data.length}`,
  );
}

/** A string as JSON. */
function quote(text: string): string {
  if (text.isWellFormed()) return JSON.stringify(text);
  throw new TypeError(
    `Cannot write the string ${
      JSON.stringify(text)
    }: half of a surrogate pair has no UTF-8`,
  );
}
