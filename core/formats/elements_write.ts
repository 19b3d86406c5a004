/** Writing elements: as a tensor has them, or converted to a type that another program expects. */
import type { DType, HostData } from "../../wgsl/op.ts";
import type { ElementType } from "./elements.ts";

/** Which element type each dtype is written as. */
export type WrittenTypes = Readonly<Partial<Record<DType, ElementType>>>;

/** Element types that keep every value. */
const NATURAL: Readonly<Record<DType, ElementType>> = {
  f64: "F64",
  f32: "F32",
  f16: "F16",
  i32: "I32",
  u32: "U32",
  bool: "BOOL",
};

/** The least and greatest value of an integer type. */
const RANGES: ReadonlyMap<ElementType, readonly [number, number]> = new Map([
  ["I64", [-Infinity, Infinity]],
  ["I32", [-(2 ** 31), 2 ** 31 - 1]],
  ["I16", [-(2 ** 15), 2 ** 15 - 1]],
  ["I8", [-128, 127]],
  ["U64", [0, Infinity]],
  ["U32", [0, 2 ** 32 - 1]],
  ["U16", [0, 65535]],
  ["U8", [0, 255]],
]);

/** The element type that arrays of a dtype are written as. */
export function writtenType(
  dtype: DType,
  types: WrittenTypes = {},
): ElementType {
  const type = types[dtype] ?? NATURAL[dtype];
  const fits = dtype.startsWith("f")
    ? /^B?F/.test(type)
    : RANGES.has(type) || type === NATURAL[dtype];
  if (fits) return type;
  throw new TypeError(
    `Cannot write ${dtype} as ${type}: expected ${
      dtype.startsWith("f")
        ? "F64, F32, F16 or BF16"
        : `${dtype === "bool" ? "BOOL or " : ""}an integer type`
    }`,
  );
}

/**
 * The elements as little-endian bytes of a type. Floats are rounded to the nearest value, ties to even.
 *
 * @throws {RangeError} For an integer that the type doesn't have.
 */
export function encodeElements(
  data: HostData,
  dtype: DType,
  type: ElementType,
  name: string,
): Uint8Array {
  if (type === NATURAL[dtype]) return bytesOfArray(data);
  const range = RANGES.get(type);
  if (range) {
    const [least, greatest] = range;
    const at = data.findIndex((value) => value < least || value > greatest);
    if (at >= 0) {
      throw new RangeError(
        `Cannot write ${name} as ${type}: element ${at} is ${
          data[at]
        }, which doesn't fit`,
      );
    }
  }
  return bytesOfArray(convert(data, type));
}

function bytesOfArray(array: ArrayBufferView): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}

function convert(data: HostData, type: ElementType): ArrayBufferView {
  switch (type) {
    case "F64":
      return new Float64Array(data);
    case "F32":
      return new Float32Array(data);
    case "F16":
      return new Float16Array(data);
    case "BF16":
      return toBfloat16(data);
    case "I64":
      return BigInt64Array.from(data, BigInt);
    case "U64":
      return BigUint64Array.from(data, BigInt);
    case "I32":
      return new Int32Array(data);
    case "U32":
      return new Uint32Array(data);
    case "I16":
      return new Int16Array(data);
    case "U16":
      return new Uint16Array(data);
    case "I8":
      return new Int8Array(data);
    case "U8":
    case "BOOL":
      return new Uint8Array(data);
  }
}

/** The upper halves of float32, rounded. f64 is rounded to f32 first. */
function toBfloat16(data: HostData): Uint16Array {
  const bits = new Uint32Array(new Float32Array(data).buffer);
  return Uint16Array.from(bits, (word) => {
    // A NaN stays one: rounding could carry into infinity, or a payload in the lower half be lost.
    if ((word & 0x7fffffff) > 0x7f800000) return (word >>> 16) | 0x40;
    const tie = (word >>> 16) & 1;
    return (word + 0x7fff + tie) >>> 16;
  });
}
