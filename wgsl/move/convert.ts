/** Conversion of one element from a dtype to another: on the host, and its twin in WGSL. */
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
  return dtype === "f16"
    ? `alias T = f16;
fn from_bits(bits: u32) -> T { return f16(bitcast<f32>(bits)); }`
    : `alias T = u32;
fn from_bits(bits: u32) -> T { return bits; }`;
}
