/** Exponentials, logarithms, hyperbolic functions, the error function. Integers give f32. */
import { errorFunction, exponential, hyperbolic } from "./library.ts";
import { sigmoidSlope, tanhSlope } from "./slope.ts";
import { erf as erfOf } from "./special.ts";
import { fromInput, fromOutput, unary } from "./unary.ts";

/** e^x. At most 1.5 ULP off. */
export const exp = unary({
  name: "exp",
  wgsl: "exp_(a)",
  functions: exponential,
  result: "float",
  value: Math.exp,
  accuracy: { ulps: 1.5 },
  flops: 20,
  gradient: fromOutput((dy, y) => dy.mul(y)),
});

/** e^x - 1, with all digits near 0. At most 1.5 ULP off. */
export const expm1 = unary({
  name: "expm1",
  wgsl: "expm1_(a)",
  functions: exponential,
  result: "float",
  value: Math.expm1,
  accuracy: { ulps: 1.5 },
  flops: 22,
  gradient: fromOutput((dy, y) => dy.mul(y.add(1))),
});

/** ln x: -∞ at 0, NaN below. At most 1 ULP off. */
export const log = unary({
  name: "log",
  wgsl: "log_(a)",
  functions: exponential,
  result: "float",
  value: Math.log,
  accuracy: { ulps: 1 },
  flops: 25,
  gradient: fromInput((dy, x) => dy.div(x)),
});

/** log₂ x, exact for powers of 2. At most 2 ULP off. */
export const log2 = unary({
  name: "log2",
  wgsl: "log2_(a)",
  functions: exponential,
  result: "float",
  value: Math.log2,
  accuracy: { ulps: 2 },
  flops: 25,
  gradient: fromInput((dy, x) => dy.div(x.mul(Math.LN2))),
});

/** log₁₀ x. At most 2 ULP off. */
export const log10 = unary({
  name: "log10",
  wgsl: "log10(a)",
  functions: exponential,
  result: "float",
  value: Math.log10,
  accuracy: { ulps: 2 },
  flops: 26,
  gradient: fromInput((dy, x) => dy.div(x.mul(Math.LN10))),
});

/** ln(1 + x), with all digits near 0. At most 1.5 ULP off. */
export const log1p = unary({
  name: "log1p",
  wgsl: "log1p(a)",
  functions: exponential,
  result: "float",
  value: Math.log1p,
  accuracy: { ulps: 1.5 },
  flops: 28,
  gradient: fromInput((dy, x) => dy.div(x.add(1))),
});

/** (e^x - e^-x) / 2. At most 2 ULP off. */
export const sinh = unary({
  name: "sinh",
  wgsl: "sinh_(a)",
  functions: hyperbolic,
  result: "float",
  value: Math.sinh,
  accuracy: { ulps: 2 },
  flops: 32,
  gradient: fromInput((dy, x) => dy.mul(x.cosh())),
});

/** (e^x + e^-x) / 2. At most 1.5 ULP off. */
export const cosh = unary({
  name: "cosh",
  wgsl: "cosh_(a)",
  functions: hyperbolic,
  result: "float",
  value: Math.cosh,
  accuracy: { ulps: 1.5 },
  flops: 22,
  gradient: fromInput((dy, x) => dy.mul(x.sinh())),
});

/** (e^x - e^-x) / (e^x + e^-x). At most 1.5 ULP off. */
export const tanh = unary({
  name: "tanh",
  wgsl: "tanh_(a)",
  functions: hyperbolic,
  result: "float",
  value: Math.tanh,
  accuracy: { ulps: 1.5 },
  flops: 35,
  gradient: fromOutput((dy, y, _, apply) => apply(tanhSlope, [dy, y], {})[0]),
});

/** 1 / (1 + e^-x). At most 3.5 ULP off down to -88, where e^-x ends; 0 below, as in PyTorch. */
export const sigmoid = unary({
  name: "sigmoid",
  wgsl: "sigmoid(a)",
  functions: hyperbolic,
  result: "float",
  value: (x) => 1 / (1 + Math.exp(-x)),
  accuracy: { ulps: 3.5, from: -88 },
  flops: 22,
  gradient: fromOutput((dy, y, _, apply) =>
    apply(sigmoidSlope, [dy, y], {})[0]
  ),
});

/** The error function, 2/√π·∫₀ˣ exp(-t²) dt. At most 1.5 ULP off. */
export const erf = unary({
  name: "erf",
  wgsl: "erf(a)",
  functions: errorFunction,
  result: "float",
  value: erfOf,
  accuracy: { ulps: 1.5 },
  flops: 55,
  gradient: fromInput((dy, x) =>
    dy.mul(x.square().neg().exp().mul(2 / Math.sqrt(Math.PI)))
  ),
});
