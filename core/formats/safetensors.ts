/**
 * The safetensors format (https://github.com/huggingface/safetensors): named arrays in one file.
 *
 * Eight bytes give the length of a header, a JSON object from names to `{ dtype, shape, data_offsets }` and, under `__metadata__`, from
 * strings to strings. Then come the arrays' bytes without a hole, little-endian, as on every machine that has WebGPU. Reading is strict:
 * whatever breaks a rule of the format is refused with the byte at which it does, before any memory is taken for the arrays.
 */
import type { HostArray, HostData, Shape } from "../../wgsl/op.ts";
import { formatShape, sizeOf } from "../../wgsl/shape.ts";
import {
  bytesOf,
  decodeElements,
  dtypeFor,
  ELEMENT_TYPES,
  type ElementType,
  extentOf,
  isElementType,
  tooLarge,
} from "./elements.ts";
import {
  encodeElements,
  writtenType,
  type WrittenTypes,
} from "./elements_write.ts";
import { type Refuse, refuser, viewOf } from "./refuse.ts";
import { type Entry, readHeader } from "./safetensors_header.ts";

/** What a file holds. */
export interface Safetensors {
  /** By name, in the order of their bytes. */
  readonly tensors: Map<string, HostArray>;
  readonly metadata: Map<string, string>;
}

/** Longest header, in bytes, that the format allows. */
const MAX_HEADER_BYTES = 100_000_000;

/**
 * Reads a safetensors file.
 *
 * The arrays are copies, of the types that `elements.ts` lists. `file` names the bytes in errors.
 *
 * @throws {FileFormatError} when the bytes break a rule of the format or hold an element type or a value that has no place here
 */
export function decodeSafetensors(
  bytes: Uint8Array,
  file = "safetensors data",
): Safetensors {
  const refuse = refuser(file);
  const { entries, metadata, start } = layOut(bytes, refuse);
  const tensors = new Map<string, HostArray>();
  for (const { name, shape, begin, end, type } of entries) {
    const from = bytes.subarray(start + begin, start + end);
    const data = decodeElements(type, from, (index, rule) => {
      const at = start + begin + index * bytesOf(type);
      return refuse(at, `${JSON.stringify(name)} ${rule}`);
    });
    tensors.set(name, { shape, dtype: dtypeFor(type), data });
  }
  return { tensors, metadata };
}

/** The metadata of a safetensors file. The header is checked as a whole, the arrays' values are not. */
export function decodeMetadata(
  bytes: Uint8Array,
  file: string,
): Map<string, string> {
  return layOut(bytes, refuser(file)).metadata;
}

/** An array whose description has been checked. */
interface Checked extends Entry {
  readonly type: ElementType;
}

/** What the header says, held against the file; the arrays in the order of their bytes. */
function layOut(
  bytes: Uint8Array,
  refuse: Refuse,
): {
  readonly entries: Checked[];
  readonly metadata: Map<string, string>;
  readonly start: number;
} {
  const start = headerEnd(bytes, refuse);
  const header = readHeader(bytes.subarray(8, start), 8, refuse);
  header.entries.sort((a, b) => a.begin - b.begin || a.end - b.end);
  const entries = header.entries.map((entry) => checkEntry(entry, refuse));
  checkLayout(entries, start, bytes.length, refuse);
  return { entries, metadata: header.metadata, start };
}

/** Where the header ends, from the file's first eight bytes. */
function headerEnd(bytes: Uint8Array, refuse: Refuse): number {
  if (bytes.length < 8) {
    return refuse(
      0,
      `a file of ${bytes.length} bytes is too short for the length of its header`,
    );
  }
  const length = viewOf(bytes).getBigUint64(0, true);
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
function checkEntry(entry: Entry, refuse: Refuse): Checked {
  const { name, dtype, shape, begin, end, at } = entry;
  const label = JSON.stringify(name);
  if (!isElementType(dtype)) {
    return refuse(
      at,
      `${label} has type ${JSON.stringify(dtype)}: expected one of ${
        ELEMENT_TYPES.join(", ")
      }`,
    );
  }
  const extent = extentOf(dtype, shape) ??
    refuse(at, `${label} ${tooLarge(shape)}`);
  if (end - begin !== extent) {
    refuse(
      at,
      `${label} of ${dtype} ${
        formatShape(shape)
      } takes ${extent} bytes but its data_offsets are [${begin}, ${end}]`,
    );
  }
  return { ...entry, type: dtype };
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

/**
 * Writes a safetensors file. The same arrays in the same order give the same bytes; wider element types come first, so that all are aligned.
 *
 * @throws {TypeError} when an array is named `__metadata__`, has another number of elements than its shape, or can't have the type asked for
 * @throws {RangeError} when an integer doesn't fit the type asked for
 */
export function encodeSafetensors(
  tensors: ReadonlyMap<string, HostArray>,
  metadata: ReadonlyMap<string, string> = new Map(),
  types: WrittenTypes = {},
): Uint8Array<ArrayBuffer> {
  const order = [...tensors].map(([name, { shape, dtype, data }]) => {
    checkWritable(name, shape, data);
    const type = writtenType(dtype, types);
    const values = encodeElements(data, dtype, type, quote(name));
    return { name, shape, type, values };
  }).sort((a, b) => bytesOf(b.type) - bytesOf(a.type));
  const fields: string[] = [];
  if (metadata.size > 0) {
    const strings = [...metadata].map(([key, value]) =>
      `${quote(key)}:${quote(value)}`
    );
    fields.push(`"__metadata__":{${strings.join(",")}}`);
  }
  let length = 0;
  for (const { name, shape, type, values } of order) {
    const end = length + values.length;
    fields.push(
      `${quote(name)}:{"dtype":"${type}","shape":[${
        shape.join(",")
      }],"data_offsets":[${length},${end}]}`,
    );
    length = end;
  }
  const header = new TextEncoder().encode(`{${fields.join(",")}}`);
  const start = 8 + Math.ceil(header.length / 8) * 8;
  const bytes = new Uint8Array(start + length);
  viewOf(bytes).setBigUint64(0, BigInt(start - 8), true);
  bytes.set(header, 8);
  bytes.fill(0x20, 8 + header.length, start);
  let at = start;
  for (const { values } of order) {
    bytes.set(values, at);
    at += values.length;
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
