/** The plain loops of elementwise references. */
import type { DType, HostArray } from "../op.ts";
import { broadcastStrides, contiguousView, sizeOf } from "../shape.ts";

/** Fills `y` with `compute` of the operands' elements at each place, broadcasting them. Booleans are stored as 0 and 1. */
export function eachElement(
  operands: readonly HostArray[],
  y: HostArray,
  compute: (...values: number[]) => number | boolean,
): void {
  const { shape, data } = y;
  const strides = operands.map((x) =>
    broadcastStrides(contiguousView(x), shape)
  );
  const place = shape.map(() => 0);
  const at = operands.map(() => 0);
  const count = sizeOf(shape);
  const truth = y.dtype === "bool";
  for (let i = 0; i < count; i++) {
    const value = compute(...operands.map((x, k) => x.data[at[k]]));
    data[i] = truth ? Number(Boolean(value)) : Number(value);
    // To the next place: the last axis moves on, and those that end start over.
    for (let d = shape.length - 1; d >= 0; d--) {
      place[d]++;
      strides.forEach((steps, k) => at[k] += steps[d]);
      if (place[d] < shape[d]) break;
      strides.forEach((steps, k) => at[k] -= steps[d] * shape[d]);
      place[d] = 0;
    }
  }
}

/** A value as a dtype computes with it: what storing it in an array of the dtype would leave of it. */
export function as(value: number, dtype: DType): number {
  switch (dtype) {
    case "bool":
      return value === 0 ? 0 : 1;
    case "u32":
      return value >>> 0;
    case "i32":
      return value | 0;
    case "f16":
      return Math.f16round(value);
    case "f32":
      return Math.fround(value);
    case "f64":
      return value;
  }
}
