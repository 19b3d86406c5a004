/**
 * Which dtype operands meet in: PyTorch's rules.
 *
 * bool < u32 < i32 < f16 < f32 < f64. A tensor of rank 0 counts only where it is of a higher kind (truth, integer, float) than those with axes,
 * and a plain number only where it is of a higher kind than all tensors: an integer then means i32, any other number f32. So `x.mul(0.5)`
 * keeps f16 and makes f32 of integers.
 *
 * u32 with i32, or with a negative integer, gives i32: there are no 64-bit integers here, so u32 values from 2^31 on wrap around.
 */
import { DTypeError } from "../errors.ts";
import type { DType, Meta } from "../op.ts";
import { rangeOf } from "../move/convert.ts";

const ORDER: readonly DType[] = ["bool", "u32", "i32", "f16", "f32", "f64"];

/** 0 for truth values, 1 for integers, 2 for floats. */
function kindOf(dtype: DType): number {
  return dtype === "bool" ? 0 : isInteger(dtype) ? 1 : 2;
}

/** Whether a dtype holds integers. */
export function isInteger(dtype: DType): dtype is "i32" | "u32" {
  return dtype === "i32" || dtype === "u32";
}

function higher(a: DType, b: DType): DType {
  return ORDER.indexOf(a) >= ORDER.indexOf(b) ? a : b;
}

/**
 * The dtype of an operation on tensors and plain numbers. `what` names the call in the error.
 *
 * Throws a DTypeError for an integer outside the range of the integer dtype that comes out.
 */
export function promote(
  tensors: readonly Meta[],
  numbers: readonly number[],
  what: string,
): DType {
  const highest = (dtypes: readonly DType[]): DType | undefined =>
    dtypes.length === 0 ? undefined : dtypes.reduce(higher);
  const dtypesOf = (metas: readonly Meta[]) => metas.map(({ dtype }) => dtype);
  const wide = highest(dtypesOf(tensors.filter(({ shape }) => shape.length)));
  const scalar = highest(dtypesOf(tensors.filter((t) => !t.shape.length)));
  const plain = highest(
    numbers.map((n) => Number.isInteger(n) ? "i32" : "f32"),
  );
  const met = meet(meet(wide, scalar), plain);
  if (met === undefined) throw new DTypeError(`Cannot ${what}: no operand`);
  if (!isInteger(met)) return met;
  const result = met === "u32" && numbers.some((n) => n < 0) ? "i32" : met;
  const [least, most] = rangeOf(result);
  for (const n of numbers) {
    if (n >= least && n <= most) continue;
    throw new DTypeError(
      `Cannot ${what} ${n} and ${result} values: ${result} holds ${least} to ${most}, convert the tensor with to("f32") first`,
      [result],
    );
  }
  return result;
}

/** The first, unless the second is of a higher kind. */
function meet(a: DType | undefined, b: DType | undefined): DType | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return kindOf(b) > kindOf(a) ? higher(a, b) : a;
}

/** The dtype in which float functions compute: floats keep theirs, others become f32. */
export function floatOf(dtype: DType): DType {
  return kindOf(dtype) === 2 ? dtype : "f32";
}
