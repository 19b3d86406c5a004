/** The WGSL functions of the family, by theme, with what each theme is built on. Kernels of other families can append them too, to fuse an op into their store. */
import activationCode from "./functions/activation.wgsl" with { type: "text" };
import arithmeticCode from "./functions/arithmetic.wgsl" with { type: "text" };
import bitsCode from "./functions/bits.wgsl" with { type: "text" };
import divisionCode from "./functions/division.wgsl" with { type: "text" };
import errorFunctionCode from "./functions/error_function.wgsl" with {
  type: "text",
};
import exponentialCode from "./functions/exponential.wgsl" with {
  type: "text",
};
import hyperbolicCode from "./functions/hyperbolic.wgsl" with { type: "text" };
import integerCode from "./functions/integer.wgsl" with { type: "text" };
import inverseTrigonometricCode from "./functions/inverse_trigonometric.wgsl" with {
  type: "text",
};
import logicalCode from "./functions/logical.wgsl" with { type: "text" };
import powerCode from "./functions/power.wgsl" with { type: "text" };
import slopeCode from "./functions/slope.wgsl" with { type: "text" };
import trigonometricCode from "./functions/trigonometric.wgsl" with {
  type: "text",
};

/** A file of WGSL functions and those that it calls into. */
export interface FunctionSet {
  readonly code: string;
  readonly needs: readonly FunctionSet[];
}

/** Tests and cases by the bits of an f32. */
export const bits: FunctionSet = { code: bitsCode, needs: [] };
/** Arithmetic, comparison and rounding of f32. */
export const arithmetic: FunctionSet = { code: arithmeticCode, needs: [bits] };
/** Arithmetic and comparison of X = i32 or u32. */
export const integer: FunctionSet = { code: integerCode, needs: [] };
/** Truth and choice, over any X; `truthy` comes with {@linkcode bits} or {@linkcode integer}. */
export const logical: FunctionSet = { code: logicalCode, needs: [] };
/** Remainder and floored quotient of f32. */
export const division: FunctionSet = {
  code: divisionCode,
  needs: [bits, arithmetic],
};
/** Exponentials and logarithms. */
export const exponential: FunctionSet = {
  code: exponentialCode,
  needs: [bits],
};
/** Powers. */
export const power: FunctionSet = {
  code: powerCode,
  needs: [bits, exponential],
};
/** Sine, cosine, tangent. */
export const trigonometric: FunctionSet = {
  code: trigonometricCode,
  needs: [bits],
};
/** Arcsine, arccosine, arctangent. */
export const inverseTrigonometric: FunctionSet = {
  code: inverseTrigonometricCode,
  needs: [bits],
};
/** Hyperbolic functions and the logistic curve. */
export const hyperbolic: FunctionSet = {
  code: hyperbolicCode,
  needs: [bits, exponential],
};
/** The error function. */
export const errorFunction: FunctionSet = {
  code: errorFunctionCode,
  needs: [bits, exponential],
};
/** Activation functions. */
export const activation: FunctionSet = {
  code: activationCode,
  needs: [bits, arithmetic, exponential, hyperbolic, errorFunction],
};

/** Gradients of activation functions by their outputs. */
export const slope: FunctionSet = {
  code: slopeCode,
  needs: [bits, arithmetic],
};

/** The text of some sets and all that they need, each once. */
export function functionsOf(sets: readonly FunctionSet[]): string {
  const seen = new Set<FunctionSet>();
  const visit = (set: FunctionSet) => {
    set.needs.forEach(visit);
    seen.add(set);
  };
  sets.forEach(visit);
  return [...seen].map(({ code }) => code).join("\n");
}
