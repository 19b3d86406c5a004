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
  const columns = shape.at(-1) ?? 1;
  const rows = sizeOf(shape.slice(0, -1));
  const strides = operands.map((x) =>
    broadcastStrides(contiguousView(x), shape)
  );
  const [aStep = 0, bStep = 0, cStep = 0] = strides.map((s) => s.at(-1) ?? 0);
  const [a, b, c] = operands.map((x) => x.data);
  const truth = y.dtype === "bool";
  let i = 0;
  for (let row = 0; row < rows; row++) {
    let [aAt, bAt = 0, cAt = 0] = startsOf(row, shape, strides);
    for (let column = 0; column < columns; column++) {
      const value = c
        ? compute(a[aAt], b[bAt], c[cAt])
        : b
        ? compute(a[aAt], b[bAt])
        : compute(a[aAt]);
      data[i++] = truth ? Number(Boolean(value)) : Number(value);
      aAt += aStep;
      bAt += bStep;
      cAt += cStep;
    }
  }
}

/** The place of a row's first element in each operand. */
function startsOf(
  row: number,
  shape: readonly number[],
  strides: readonly (readonly number[])[],
): number[] {
  const starts = strides.map(() => 0);
  let rest = row;
  for (let d = shape.length - 2; d >= 0; d--) {
    const at = rest % shape[d];
    rest = (rest - at) / shape[d];
    strides.forEach((steps, k) => starts[k] += at * steps[d]);
  }
  return starts;
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
