/**
 * numpy's npy format: one array a file. A text header gives the element type, the shape and whether the first axis varies fastest; then come
 * the elements.
 *
 * Source: NumPy Enhancement Proposal 1, "A Simple File Format for NumPy Arrays". Arrays of Python objects, which numpy would unpickle, are
 * refused like every other type that no tensor has.
 */
import type { HostArray } from "../../wgsl/op.ts";
import { formatShape, sizeOf, stridesOf } from "../../wgsl/shape.ts";
import {
  bytesOf,
  decodeElements,
  dtypeFor,
  type ElementType,
  extentOf,
  gatherBytes,
  placeOf,
  swapBytes,
  tooLarge,
} from "./elements.ts";
import {
  encodeElements,
  writtenType,
  type WrittenTypes,
} from "./elements_write.ts";
import { readNpyHeader } from "./npy_header.ts";
import { type Refuse, refuser, viewOf } from "./refuse.ts";

/** numpy's names of the element types, without the byte order. */
const TYPES: ReadonlyMap<string, ElementType> = new Map([
  ["f8", "F64"],
  ["f4", "F32"],
  ["f2", "F16"],
  ["i8", "I64"],
  ["i4", "I32"],
  ["i2", "I16"],
  ["i1", "I8"],
  ["u8", "U64"],
  ["u4", "U32"],
  ["u2", "U16"],
  ["u1", "U8"],
  ["b1", "BOOL"],
]);

/**
 * Reads an npy file of version 1.0, 2.0 or 3.0, of either byte order and either order of axes. The array is a copy, of a type that
 * `elements.ts` lists. `file` names the bytes in errors.
 *
 * @throws {FileFormatError} when the bytes break a rule of the format or hold an element type or a value that has no place here
 */
export function decodeNpy(bytes: Uint8Array, file = "npy data"): HostArray {
  return readNpy(bytes, refuser(file));
}

/** As {@linkcode decodeNpy}, for bytes that may be part of a file. */
export function readNpy(bytes: Uint8Array, refuse: Refuse): HostArray {
  const layout = readNpyLayout(bytes, refuse);
  const { type, bigEndian, shape, fortranOrder, end } = layout;
  const size = bytesOf(type);
  let from = bytes.subarray(end);
  if (bigEndian) from = swapBytes(from, size);
  const strides = fortranOrder
    ? shape.map((_, d) => sizeOf(shape.slice(0, d)))
    : stridesOf(shape);
  const order = { shape, strides, offset: 0 };
  const inOrder = gatherBytes(from, size, order);
  const data = decodeElements(
    type,
    inOrder,
    (index, rule) =>
      refuse(end + size * placeOf(index, order), `the array ${rule}`),
  );
  return { shape, dtype: dtypeFor(type), data };
}

/** How an array's elements lie in its file. */
interface NpyLayout {
  readonly type: ElementType;
  readonly bigEndian: boolean;
  readonly shape: readonly number[];
  readonly fortranOrder: boolean;
  /** The first byte of the elements. */
  readonly end: number;
}

/**
 * Reads from the start of an npy file, all of it or `NPY_HEADER_BYTES`, how the elements lie in it. They must be as many as a file of `total`
 * bytes has room for.
 */
export function readNpyLayout(
  bytes: Uint8Array,
  refuse: Refuse,
  total: number = bytes.length,
): NpyLayout {
  const header = readNpyHeader(bytes, refuse, total);
  const { descr, shape, fortranOrder, end } = header;
  const { type, bigEndian } = readType(descr, header.descrAt, refuse);
  const extent = extentOf(type, shape) ??
    refuse(header.shapeAt, `the array ${tooLarge(shape)}`);
  if (extent !== total - end) {
    refuse(
      Math.min(end + extent, total),
      `an array of ${descr} ${
        formatShape(shape)
      } takes ${extent} bytes but the file has ${total - end} after its header`,
    );
  }
  return { type, bigEndian, shape, fortranOrder, end };
}

function readType(
  descr: string,
  at: number,
  refuse: Refuse,
): { readonly type: ElementType; readonly bigEndian: boolean } {
  const type = TYPES.get(descr.slice(1));
  const order = descr[0];
  const anyOrder = order === "|" && type !== undefined && bytesOf(type) === 1;
  if (type && (order === "<" || order === ">" || anyOrder)) {
    return { type, bigEndian: order === ">" && bytesOf(type) > 1 };
  }
  if (descr.startsWith("|O")) {
    return refuse(
      at,
      "the array holds pickled Python objects, which are not read",
    );
  }
  return refuse(
    at,
    `the array has type ${JSON.stringify(descr)}: expected < or > and one of ${
      [...TYPES.keys()].join(", ")
    }`,
  );
}

/** Characters that numpy leaves room for, so that the first axis can grow without moving the elements. */
const AXIS_CHARACTERS = 21;

/**
 * Writes an npy file of version 1.0, the same bytes as numpy 1.24 writes.
 *
 * @throws {TypeError} when the type asked for doesn't exist in numpy (bfloat16) or isn't of the array's kind
 * @throws {RangeError} when an integer doesn't fit the type asked for, or the array has more than 64 axes
 */
export function encodeNpy(
  { shape, dtype, data }: HostArray,
  types: WrittenTypes = {},
): Uint8Array<ArrayBuffer> {
  const type = writtenType(dtype, types);
  const name = [...TYPES].find(([, known]) => known === type)?.[0];
  if (name === undefined) {
    throw new TypeError(
      `Cannot write an npy file of ${type}: numpy has no such type, F32 holds the values`,
    );
  }
  if (shape.length > 64) {
    throw new RangeError(
      `Cannot write an npy file of ${shape.length} axes: numpy has 64 at most`,
    );
  }
  const tuple = shape.length === 1 ? `${shape[0]},` : shape.join(", ");
  const dict = `{'descr': '${
    bytesOf(type) === 1 ? "|" : "<"
  }${name}', 'fortran_order': False, 'shape': (${tuple}), }`;
  const growth = shape.length > 0
    ? AXIS_CHARACTERS - String(shape[0]).length
    : 0;
  const text = new TextEncoder().encode(dict + " ".repeat(growth));
  const values = encodeElements(data, dtype, type, "the array");
  const start = Math.ceil((10 + text.length + 1) / 64) * 64;
  const bytes = new Uint8Array(start + values.length);
  bytes.set([0x93, ...new TextEncoder().encode("NUMPY"), 1, 0]);
  viewOf(bytes).setUint16(8, start - 10, true);
  bytes.set(text, 10);
  bytes.fill(0x20, 10 + text.length, start - 1);
  bytes[start - 1] = 0x0a;
  bytes.set(values, start);
  return bytes;
}
