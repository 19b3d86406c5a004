/** Sine, cosine, tangent of radians and their inverses. Integers give f32. */
import { inverseTrigonometric, trigonometric } from "./library.ts";
import { fromInput, fromOutput, unary } from "./unary.ts";

/** Sine. At most 3 ULP off, for arguments of any size. */
export const sin = unary({
  name: "sin",
  wgsl: "sin_(a)",
  functions: trigonometric,
  result: "float",
  value: Math.sin,
  accuracy: { ulps: 3 },
  flops: 30,
  gradient: fromInput((dy, x) => dy.mul(x.cos())),
});

/** Cosine. At most 3 ULP off, for arguments of any size. */
export const cos = unary({
  name: "cos",
  wgsl: "cos_(a)",
  functions: trigonometric,
  result: "float",
  value: Math.cos,
  accuracy: { ulps: 3 },
  flops: 30,
  gradient: fromInput((dy, x) => dy.mul(x.sin()).neg()),
});

/** Tangent. At most 5 ULP off, for arguments of any size. */
export const tan = unary({
  name: "tan",
  wgsl: "tan_(a)",
  functions: trigonometric,
  result: "float",
  value: Math.tan,
  accuracy: { ulps: 5 },
  flops: 32,
  gradient: fromOutput((dy, y) => dy.mul(y.square().add(1))),
});

/** Arcsine, NaN outside -1 to 1. At most 2.5 ULP off. */
export const asin = unary({
  name: "asin",
  wgsl: "asin_(a)",
  functions: inverseTrigonometric,
  result: "float",
  value: Math.asin,
  accuracy: { ulps: 2.5 },
  flops: 30,
  gradient: fromInput((dy, x) => dy.mul(x.square().neg().add(1).rsqrt())),
});

/** Arccosine, NaN outside -1 to 1. At most 1.5 ULP off. */
export const acos = unary({
  name: "acos",
  wgsl: "acos_(a)",
  functions: inverseTrigonometric,
  result: "float",
  value: Math.acos,
  accuracy: { ulps: 1.5 },
  flops: 30,
  gradient: fromInput((dy, x) => dy.mul(x.square().neg().add(1).rsqrt()).neg()),
});

/** Arctangent. At most 3 ULP off. */
export const atan = unary({
  name: "atan",
  wgsl: "atan_(a)",
  functions: inverseTrigonometric,
  result: "float",
  value: Math.atan,
  accuracy: { ulps: 3 },
  flops: 20,
  gradient: fromInput((dy, x) => dy.div(x.square().add(1))),
});
