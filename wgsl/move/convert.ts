/** Conversion of one element from a dtype to another: on the host, and its twin in WGSL. */
import { storageType } from "../launch.ts";
import type { DType } from "../op.ts";

/** Least and greatest integer of a dtype. */
const RANGE = {
  i32: [-(2 ** 31), 2 ** 31 - 1],
  u32: [0, 2 ** 32 - 1],
} as const;

/** Whether a dtype holds fractions. */
export function isFloat(dtype: DType): boolean {
  return dtype === "f32" || dtype === "f16" || dtype === "f64";
}

/** Least and greatest integer that an integer dtype holds. */
export function rangeOf(dtype: "i32" | "u32"): readonly [number, number] {
  return RANGE[dtype];
}

/**
 * The value that an element of `from` becomes in `to`, before the rounding that storing it in a typed array does.
 *
 * As in PyTorch: a float loses its fraction on its way to an integer, i32 and u32 keep their bits between each other, and
 * anything but zero (NaN too) is true. Where PyTorch leaves the result open, floats outside an integer's range become its nearest
 * end, and NaN becomes 0.
 */
export function convert(value: number, from: DType, to: DType): number {
  switch (to) {
    case "bool":
      return value !== 0 ? 1 : 0;
    case "i32":
    case "u32": {
      if (!isFloat(from)) return to === "i32" ? value | 0 : value >>> 0;
      const [least, greatest] = RANGE[to];
      if (Number.isNaN(value)) return 0;
      return Math.trunc(Math.min(Math.max(value, least), greatest));
    }
    default:
      return value;
  }
}

/** The bits, as a word, with which a kernel's `from_bits` makes a value of a dtype: those of an f32 for f16. */
export function bitsOf(value: number, dtype: DType): number {
  if (!isFloat(dtype)) return value >>> 0;
  const rounded = dtype === "f16" ? Math.f16round(value) : value;
  return new Uint32Array(Float32Array.of(rounded).buffer)[0];
}

/** Declares the type T under which a dtype's elements are moved as bits, and how a word becomes one. */
export function bitsDeclarations(dtype: DType): string {
  const bits = dtype === "f16" ? "f16(bitcast<f32>(bits))" : "bits";
  return `alias T = ${bitsType(dtype)};
fn from_bits(bits: u32) -> T { return ${bits}; }`;
}

/** Declares how one element is converted on the GPU: S, the type of elements of `from`, D, that of `to`, and `convert` between them. */
export function convertDeclarations(from: DType, to: DType): string {
  // Nothing to convert: moved as bits, so that NaN payloads and subnormals survive drivers that flush them.
  const same = from === to;
  const source = same ? bitsType(from) : storageType(from);
  const target = same ? bitsType(to) : storageType(to);
  return `alias S = ${source};
alias D = ${target};
fn convert(value: S) -> D {
  ${same ? "return value;" : conversion(from, to)}
}`;
}

/** The WGSL type under which a dtype's elements are moved unchanged. */
function bitsType(dtype: DType): string {
  return dtype === "f16" ? "f16" : "u32";
}

function conversion(from: DType, to: DType): string {
  const float = isFloat(from);
  if (to === "bool") {
    return float
      ? "return select(0u, 1u, (bitcast<u32>(f32(value)) & 0x7fffffffu) != 0u);"
      : "return select(0u, 1u, value != 0);";
  }
  // NaN compares false with everything, or true with some drivers: it is told by its bits and dealt with first.
  if (float && to === "i32") {
    return `let x = f32(value);
  if ((bitcast<u32>(x) & 0x7fffffffu) > 0x7f800000u) { return 0; }
  if (x >= 2147483648.0) { return 2147483647; }
  if (x <= -2147483648.0) { return -2147483647 - 1; }
  return i32(x);`;
  }
  if (float && to === "u32") {
    return `let x = f32(value);
  if ((bitcast<u32>(x) & 0x7fffffffu) > 0x7f800000u) { return 0u; }
  if (x >= 4294967296.0) { return 4294967295u; }
  if (x <= 0.0) { return 0u; }
  return u32(x);`;
  }
  return to === "f16" ? "return f16(f32(value));" : "return D(value);";
}
