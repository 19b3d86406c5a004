/** Signs, squares, roots, rounding, and questions about a single value. */
import { arithmetic, bits } from "./library.ts";
import { roundHalfEven } from "./special.ts";
import { flat, fromInput, fromOutput, unary } from "./unary.ts";

/** -x. Unsigned integers wrap around. */
export const neg = unary({
  name: "neg",
  wgsl: "neg(a)",
  wgslInteger: "neg(a)",
  functions: arithmetic,
  result: "same",
  value: (x) => -x,
  gradient: { of: "nothing", rule: (dy) => dy.neg() },
});

/** |x|. Its derivative at 0 is taken to be 0. The least i32 stays what it is. */
export const abs = unary({
  name: "abs",
  wgsl: "abs_(a)",
  wgslInteger: "abs_(a)",
  functions: arithmetic,
  result: "same",
  value: Math.abs,
  gradient: fromInput((dy, x) => dy.mul(x.sign())),
});

/** -1, 0 or 1 by the sign; 0 for NaN, as in PyTorch. */
export const sign = unary({
  name: "sign",
  wgsl: "sign_(a)",
  wgslInteger: "sign_(a)",
  functions: arithmetic,
  result: "same",
  value: (x) => x > 0 ? 1 : x < 0 ? -1 : 0,
  gradient: flat,
});

/** x², rounded correctly. Integers wrap around. */
export const square = unary({
  name: "square",
  wgsl: "square(a)",
  wgslInteger: "square(a)",
  functions: arithmetic,
  result: "same",
  value: (x) => x * x,
  valueInteger: (x) => Math.imul(x, x),
  accuracy: { ulps: 0.5 },
  gradient: fromInput((dy, x) => dy.mul(x.mul(2))),
});

/** 1 / x, as exact as the device divides. */
export const reciprocal = unary({
  name: "reciprocal",
  wgsl: "reciprocal(a)",
  functions: arithmetic,
  result: "float",
  value: (x) => 1 / x,
  accuracy: { ulps: 0.5 },
  gradient: fromOutput((dy, y) => dy.mul(y.square()).neg()),
});

/** √x, NaN below 0. As exact as the device's. */
export const sqrt = unary({
  name: "sqrt",
  wgsl: "sqrt_(a)",
  functions: arithmetic,
  result: "float",
  value: Math.sqrt,
  accuracy: { ulps: 0.5 },
  gradient: fromOutput((dy, y) => dy.div(y.mul(2))),
});

/** 1 / √x. At most 1.5 ULP off. */
export const rsqrt = unary({
  name: "rsqrt",
  wgsl: "rsqrt(a)",
  functions: arithmetic,
  result: "float",
  value: (x) => 1 / Math.sqrt(x),
  accuracy: { ulps: 1.5 },
  flops: 2,
  gradient: fromOutput((dy, y) => dy.mul(y.mul(y.square())).mul(-0.5)),
});

/** The greatest integer that isn't above x. */
export const floor = unary({
  name: "floor",
  wgsl: "floor_(a)",
  wgslInteger: "a",
  functions: arithmetic,
  result: "same",
  value: Math.floor,
  gradient: flat,
});

/** The least integer that isn't below x. */
export const ceil = unary({
  name: "ceil",
  wgsl: "ceil_(a)",
  wgslInteger: "a",
  functions: arithmetic,
  result: "same",
  value: Math.ceil,
  gradient: flat,
});

/** The nearest integer; halves go to the even one. */
export const round = unary({
  name: "round",
  wgsl: "round_(a)",
  wgslInteger: "a",
  functions: arithmetic,
  result: "same",
  value: roundHalfEven,
  gradient: flat,
});

/** x without its fraction. */
export const trunc = unary({
  name: "trunc",
  wgsl: "trunc_(a)",
  wgslInteger: "a",
  functions: arithmetic,
  result: "same",
  value: Math.trunc,
  gradient: flat,
});

/** Whether x is NaN. */
export const isNan = unary({
  name: "isNan",
  wgsl: "is_nan(a)",
  wgslInteger: "false",
  functions: bits,
  result: "bool",
  value: Number.isNaN,
});

/** Whether x is ∞ or -∞. */
export const isInf = unary({
  name: "isInf",
  wgsl: "is_inf(a)",
  wgslInteger: "false",
  functions: bits,
  result: "bool",
  value: (x) => Math.abs(x) === Infinity,
});

/** Whether x is neither infinite nor NaN. */
export const isFinite = unary({
  name: "isFinite",
  wgsl: "is_finite(a)",
  wgslInteger: "true",
  functions: bits,
  result: "bool",
  value: Number.isFinite,
});

/** Whether x is 0 or -0. */
export const logicalNot = unary({
  name: "logicalNot",
  wgsl: "!truthy(a)",
  wgslInteger: "!truthy(a)",
  functions: bits,
  result: "bool",
  value: (x) => x === 0,
});
