/** Order of elements as WGSL: every type as an integer that sorts like it. */
import type { DType } from "../op.ts";
import orderCode from "./order.wgsl" with { type: "text" };

/** Functions and constants that the keys use. */
export const orderLibrary = orderCode;

/** An i32 expression that orders elements `value` of a type. -0 stands level with 0; NaN is above or below everything. */
export function orderKey(dtype: DType, nan: "high" | "low"): string {
  switch (dtype) {
    case "i32":
      return "value";
    case "u32":
      return "bitcast<i32>(value ^ 0x80000000u)";
    case "bool":
      return "i32(value)";
    default:
      return `level_zeros(key_nan_${nan}(f32(value)))`;
  }
}
