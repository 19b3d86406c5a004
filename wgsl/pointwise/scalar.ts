/** Numbers and tensors that stand for each other: arguments of kernels, and gradients of operands that were broadcast or converted. */
import type { Tensor } from "../../core/tensor.ts";
import { f32, type Float } from "../launch.ts";
import { isFloat } from "../move/convert.ts";
import { full } from "../move/fill.ts";
import type { Apply, DType, Meta } from "../op.ts";
import { sameShape } from "../shape.ts";
import { as } from "./loops.ts";

/** A number as a kernel's argument, in the dtype that the kernel's operands are converted to. */
export function numberIn(n: number, dtype: DType): number | Float {
  const value = as(n, dtype);
  return isFloat(dtype) ? f32(value) : value;
}

/** A gradient in the shape and dtype of the operand that it belongs to. */
export function fitTo(gradient: Tensor, operand: Meta): Tensor {
  const summed = sameShape(gradient.shape, operand.shape)
    ? gradient
    : gradient.sumTo(operand.shape);
  return summed.dtype === operand.dtype ? summed : summed.to(operand.dtype);
}

/** Zeros in the shape and dtype of a gradient, whatever that holds: 0·∞ would be NaN. */
export function zerosLike({ shape, dtype }: Tensor, apply: Apply): Tensor {
  return apply(full, [], { shape, dtype, value: 0 })[0];
}
