/** Order of elements as WGSL: every type as an i32 key that sorts like it. */
import type { DType } from "../op.ts";
import orderCode from "./order.wgsl" with { type: "text" };

/** Functions and constants that the keys use. */
export const orderLibrary = orderCode;

/** The key of an element `value`. NaN is above or below everything; -0 is just below 0, and level with it after `levelKey`. */
export function keyOf(dtype: DType, nan: "high" | "low" = "high"): string {
  switch (dtype) {
    case "i32":
      return "value";
    case "u32":
      return "bitcast<i32>(value ^ 0x80000000u)";
    case "bool":
      return "i32(value)";
    default:
      return `key_nan_${nan}(f32(value))`;
  }
}

/** The element of a key `key`, as type T. */
export function valueOf(dtype: DType): string {
  switch (dtype) {
    case "i32":
      return "key";
    case "u32":
      return "bitcast<u32>(key) ^ 0x80000000u";
    case "bool":
      return "u32(key)";
    default:
      return "T(from_key(key))";
  }
}

/** A key `key` with -0 level with 0. */
export function levelKey(dtype: DType, key: string): string {
  const float = dtype === "f32" || dtype === "f16";
  return float ? `level_zeros(${key})` : key;
}
