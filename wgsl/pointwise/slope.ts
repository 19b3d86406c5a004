/**
 * Gradients of the activation functions that most networks use, as ops of (∂loss/∂y, y): one launch each, where tensor calls would take two
 * to four. They are linear in the first operand, so their gradient by that is themselves.
 */
import { binary } from "./binary.ts";
import { slope } from "./library.ts";
import { zerosLike } from "./scalar.ts";

/** dy where y is above 0 (or NaN), else 0. */
export const reluSlope = binary({
  name: "reluSlope",
  wgsl: "relu_slope",
  functions: slope,
  result: "same",
  value: (dy, y) => y <= 0 ? 0 : dy,
  gradient: {
    saves: { inputs: [1] },
    left: ({ dy, b, apply }) =>
      typeof b === "number"
        ? apply(reluSlope, [dy], { scalar: b })[0]
        : apply(reluSlope, [dy, b], {})[0],
    right: ({ dy, apply }) => zerosLike(dy, apply),
  },
});

/** dy·y·(1 - y). */
export const sigmoidSlope = binary({
  name: "sigmoidSlope",
  wgsl: "sigmoid_slope",
  functions: slope,
  result: "same",
  value: (dy, y) => dy * (y * (1 - y)),
  flops: 3,
  gradient: {
    saves: { inputs: [0, 1] },
    left: ({ dy, b, apply }) =>
      typeof b === "number"
        ? dy.mul(b * (1 - b))
        : apply(sigmoidSlope, [dy, b], {})[0],
    right: ({ dy, a, b }) => dy.mul(a).mul(b.mul(-2).add(1)),
  },
});

/** dy·(1 - y²). */
export const tanhSlope = binary({
  name: "tanhSlope",
  wgsl: "tanh_slope",
  functions: slope,
  result: "same",
  value: (dy, y) => dy * (1 - y * y),
  flops: 3,
  gradient: {
    saves: { inputs: [0, 1] },
    left: ({ dy, b, apply }) =>
      typeof b === "number"
        ? dy.mul(1 - b * b)
        : apply(tanhSlope, [dy, b], {})[0],
    right: ({ dy, a, b }) => dy.mul(a).mul(b).mul(-2),
  },
});
