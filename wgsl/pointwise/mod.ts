/** Ops that compute each element by itself: one or more operands of any strides, which broadcast. */
import * as activations from "./activation.ts";
import * as arithmeticBinary from "./arithmetic_binary.ts";
import * as arithmeticUnary from "./arithmetic_unary.ts";
import type { BinaryOp } from "./binary.ts";
import * as comparisons from "./comparison.ts";
import * as exponentials from "./exponential.ts";
import * as trigonometrics from "./trigonometric.ts";
import type { AnyUnaryOp } from "./unary.ts";

export * from "./activation.ts";
export * from "./arithmetic_binary.ts";
export * from "./arithmetic_unary.ts";
export type { BinaryAttrs, BinaryOp } from "./binary.ts";
export * from "./comparison.ts";
export * from "./exponential.ts";
export {
  clamp,
  type ClampAttrs,
  where,
  type WhereAttrs,
  whereCall,
} from "./select.ts";
export * from "./trigonometric.ts";
export type { Accuracy, AnyUnaryOp, NoAttrs, UnaryOp } from "./unary.ts";

/** All ops of one operand, by name. */
export const UNARY_OPS: Readonly<Record<string, AnyUnaryOp>> = {
  ...arithmeticUnary,
  ...exponentials,
  ...trigonometrics,
  ...activations,
};

/** All ops of two operands, by name. */
export const BINARY_OPS: Readonly<Record<string, BinaryOp>> = {
  ...arithmeticBinary,
  ...comparisons,
};
