/**
 * The element types that files hold, and what becomes of them.
 *
 * | in the file                | in a tensor | how                                             |
 * | -------------------------- | ----------- | ----------------------------------------------- |
 * | F32, F16, F64, I32, U32    | the same    | bit by bit                                      |
 * | BF16                       | f32         | widened, without loss                           |
 * | I16, I8; U16, U8           | i32; u32    | widened                                         |
 * | I64; U64                   | i32; u32    | where all values fit; otherwise the file is refused |
 * | BOOL                       | bool        | bytes other than 0 and 1 are refused            |
 */
import type { DType, HostData } from "../../wgsl/op.ts";
import { formatShape, sizeOf, stridesOf } from "../../wgsl/shape.ts";
import { emptyData } from "../host.ts";
import { viewOf } from "./refuse.ts";

/** An element type that files hold, by safetensors' names. */
export type ElementType =
  | "F64"
  | "F32"
  | "F16"
  | "BF16"
  | "I64"
  | "I32"
  | "I16"
  | "I8"
  | "U64"
  | "U32"
  | "U16"
  | "U8"
  | "BOOL";

/** Ends the reading at an element that can't be kept. */
export type RefuseElement = (index: number, rule: string) => never;

/** How an element type is read. */
interface Codec {
  /** Of one element. */
  readonly bytes: number;
  readonly dtype: DType;
  /** Reads the elements one by one. Absent where the bytes are those of the dtype. */
  decode?(from: DataView, to: HostData, refuse: RefuseElement): void;
}

const CODECS: Readonly<Record<ElementType, Codec>> = {
  F64: { bytes: 8, dtype: "f64" },
  F32: { bytes: 4, dtype: "f32" },
  F16: { bytes: 2, dtype: "f16" },
  BF16: { bytes: 2, dtype: "f32", decode: widenBfloat16 },
  I64: { bytes: 8, dtype: "i32", decode: narrowInt64 },
  I32: { bytes: 4, dtype: "i32" },
  I16: { bytes: 2, dtype: "i32", decode: widen((v, i) => v.getInt16(i, true)) },
  I8: { bytes: 1, dtype: "i32", decode: widen((v, i) => v.getInt8(i)) },
  U64: { bytes: 8, dtype: "u32", decode: narrowUint64 },
  U32: { bytes: 4, dtype: "u32" },
  U16: {
    bytes: 2,
    dtype: "u32",
    decode: widen((v, i) => v.getUint16(i, true)),
  },
  U8: { bytes: 1, dtype: "u32", decode: widen((v, i) => v.getUint8(i)) },
  BOOL: { bytes: 1, dtype: "bool", decode: checkBool },
};

/** Every element type, in the order in which messages list them. */
export const ELEMENT_TYPES = Object.keys(CODECS) as readonly ElementType[];

/** Whether a file's name of an element type is one that is read. */
export function isElementType(name: string): name is ElementType {
  return Object.hasOwn(CODECS, name);
}

/** Bytes of one element. */
export function bytesOf(type: ElementType): number {
  return CODECS[type].bytes;
}

/** The dtype that elements of a type are read as. */
export function dtypeFor(type: ElementType): DType {
  return CODECS[type].dtype;
}

/**
 * The bytes that an array takes, or undefined for a shape that no memory could hold. Axes of size 0 are left out of that judgement, so that
 * no huge axis hides behind an empty one.
 */
export function extentOf(
  type: ElementType,
  shape: readonly number[],
): number | undefined {
  const bytes = CODECS[type].bytes;
  const extent = sizeOf(shape.filter((n) => n !== 0)) * bytes;
  return Number.isSafeInteger(extent) ? sizeOf(shape) * bytes : undefined;
}

/** What is wrong with a shape that {@linkcode extentOf} has no bytes for. */
export function tooLarge(shape: readonly number[]): string {
  return `has shape ${formatShape(shape)}, which is too large`;
}

/** Reads little-endian elements. A copy. */
export function decodeElements(
  type: ElementType,
  from: Uint8Array,
  refuse: RefuseElement,
): HostData {
  const { bytes, dtype, decode } = CODECS[type];
  const data = emptyData(dtype, from.length / bytes);
  if (decode) decode(viewOf(from), data, refuse);
  else new Uint8Array(data.buffer).set(from);
  return data;
}

function widenBfloat16(from: DataView, to: HostData): void {
  const bits = new Uint32Array(to.buffer);
  for (let i = 0; i < bits.length; i++) {
    bits[i] = from.getUint16(2 * i, true) << 16;
  }
}

/** A reader of elements of 1 or 2 bytes. */
function widen(get: (from: DataView, at: number) => number): Codec["decode"] {
  return (from, to) => {
    const bytes = from.byteLength / Math.max(to.length, 1);
    for (let i = 0; i < to.length; i++) to[i] = get(from, bytes * i);
  };
}

function narrowInt64(
  from: DataView,
  to: HostData,
  refuse: RefuseElement,
): void {
  for (let i = 0; i < to.length; i++) {
    const low = from.getInt32(8 * i, true);
    if (from.getInt32(8 * i + 4, true) !== low >> 31) {
      const value = from.getBigInt64(8 * i, true);
      refuse(i, `has the 64-bit value ${value}, which doesn't fit i32`);
    }
    to[i] = low;
  }
}

function narrowUint64(
  from: DataView,
  to: HostData,
  refuse: RefuseElement,
): void {
  for (let i = 0; i < to.length; i++) {
    if (from.getUint32(8 * i + 4, true) !== 0) {
      const value = from.getBigUint64(8 * i, true);
      refuse(i, `has the 64-bit value ${value}, which doesn't fit u32`);
    }
    to[i] = from.getUint32(8 * i, true);
  }
}

function checkBool(
  from: DataView,
  to: HostData,
  refuse: RefuseElement,
): void {
  for (let i = 0; i < to.length; i++) {
    const value = from.getUint8(i);
    if (value > 1) refuse(i, `has the bool ${value}: expected 0 or 1`);
    to[i] = value;
  }
}

/** The same elements with the bytes of each in the opposite order. */
export function swapBytes(from: Uint8Array, size: number): Uint8Array {
  const to = new Uint8Array(from.length);
  for (let start = 0; start < from.length; start += size) {
    for (let i = 0; i < size; i++) {
      to[start + i] = from[start + size - 1 - i];
    }
  }
  return to;
}

/** Where the elements of an array stand, counted in elements. */
export interface Strided {
  readonly shape: readonly number[];
  readonly strides: readonly number[];
  readonly offset: number;
}

/** Where the element with an index in row-major order stands. */
export function placeOf(
  index: number,
  { shape, strides, offset }: Strided,
): number {
  const steps = stridesOf(shape);
  return shape.reduce(
    (place, n, d) => place + (Math.floor(index / steps[d]) % n) * strides[d],
    offset,
  );
}

/** The bytes of a strided array's elements in row-major order. A copy unless they stand so already. */
export function gatherBytes(
  from: Uint8Array,
  size: number,
  { shape, strides, offset }: Strided,
): Uint8Array {
  const count = sizeOf(shape);
  let step = 1;
  const inOrder = shape.every((_, i) => {
    const d = shape.length - 1 - i;
    const fits = shape[d] <= 1 || strides[d] === step;
    step *= shape[d];
    return fits;
  });
  if (inOrder || count === 0) {
    return from.subarray(offset * size, (offset + count) * size);
  }
  const to = new Uint8Array(count * size);
  const copy = copier(viewOf(from), viewOf(to), size);
  const last = shape.length - 1;
  const index = new Array<number>(shape.length).fill(0);
  let at = offset;
  for (let i = 0; i < count;) {
    for (let j = 0; j < shape[last]; j++) copy(at + j * strides[last], i++);
    for (let d = last - 1; d >= 0; d--) {
      at += strides[d];
      if (++index[d] < shape[d]) break;
      at -= strides[d] * shape[d];
      index[d] = 0;
    }
  }
  return to;
}

/** Copies the element at one place to another, bit by bit. */
function copier(
  from: DataView,
  to: DataView,
  size: number,
): (source: number, target: number) => void {
  switch (size) {
    case 1:
      return (source, target) => to.setUint8(target, from.getUint8(source));
    case 2:
      return (source, target) =>
        to.setUint16(2 * target, from.getUint16(2 * source));
    case 4:
      return (source, target) =>
        to.setUint32(4 * target, from.getUint32(4 * source));
    default:
      return (source, target) =>
        to.setBigUint64(8 * target, from.getBigUint64(8 * source));
  }
}
