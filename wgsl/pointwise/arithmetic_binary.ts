/** Arithmetic of two operands. Operands broadcast and meet in PyTorch's dtype; integers wrap around. */
import { binary } from "./binary.ts";
import {
  arithmetic,
  division,
  inverseTrigonometric,
  power as powerSet,
} from "./library.ts";
import { zerosLike } from "./scalar.ts";
import { choose } from "./select.ts";
import {
  floorDivide as floored,
  integerFloorDivide,
  integerPower,
  integerRemainder,
  power,
  remainder as rest,
} from "./special.ts";

/** a + b; of two bools, whether any holds. */
export const add = binary({
  name: "add",
  wgsl: "add",
  functions: arithmetic,
  result: "same",
  value: (a, b) => a + b,
  accuracy: { ulps: 0.5 },
  gradient: { saves: {}, left: ({ dy }) => dy, right: ({ dy }) => dy },
});

/** a - b. Two bools are refused, as in PyTorch. */
export const sub = binary({
  name: "sub",
  wgsl: "sub",
  functions: arithmetic,
  result: "same",
  refusesBool: true,
  value: (a, b) => a - b,
  accuracy: { ulps: 0.5 },
  gradient: { saves: {}, left: ({ dy }) => dy, right: ({ dy }) => dy.neg() },
});

/** a·b; of two bools, whether both hold. */
export const mul = binary({
  name: "mul",
  wgsl: "mul",
  functions: arithmetic,
  result: "same",
  value: (a, b) => a * b,
  valueInteger: Math.imul,
  accuracy: { ulps: 0.5 },
  gradient: {
    saves: { inputs: [0, 1] },
    savesBeside: () => ({}),
    left: ({ dy, b }) => dy.mul(b),
    right: ({ dy, a }) => dy.mul(a),
  },
});

/** a / b, as exact as the device divides. Integers give f32. */
export const div = binary({
  name: "div",
  wgsl: "div",
  functions: arithmetic,
  result: "float",
  value: (a, b) => a / b,
  accuracy: { ulps: 0.5 },
  gradient: {
    saves: { inputs: [0, 1] },
    savesBeside: (side) => side === "right" ? {} : { inputs: [0] },
    left: ({ dy, b }) => dy.div(b),
    right: ({ dy, a, b, apply }) => {
      const quotient = typeof a === "number"
        ? apply(div, [b], { scalar: a, side: "left" })[0]
        : a.div(b);
      return dy.mul(quotient).div(b).neg();
    },
  },
});

/**
 * a^b by C's rules: a⁰ and 1^b are 1, even for NaN. At most 1.5 ULP off.
 *
 * Integers wrap around; a negative exponent gives 0 (1 and -1 keep their powers), and a negative number as exponent is a DTypeError.
 */
export const pow = binary({
  name: "pow",
  wgsl: "pow_",
  functions: powerSet,
  result: "same",
  refusesBool: true,
  value: power,
  valueInteger: integerPower,
  refusesInteger: (b) => b < 0 ? "integers have no negative powers" : undefined,
  accuracy: { ulps: 1.5 },
  flops: 80,
  trips: 32,
  gradient: {
    saves: { inputs: [0, 1], outputs: [0] },
    savesBeside(side, scalar) {
      if (side === "right") return scalar === 0 ? {} : { inputs: [0] };
      return { inputs: scalar === 0 ? [0] : [], outputs: [0] };
    },
    left({ dy, a, b, apply }) {
      if (b === 0) return zerosLike(dy, apply);
      if (typeof b === "number") return dy.mul(a.pow(b - 1).mul(b));
      const slope = b.mul(a.pow(b.sub(1)));
      return choose(apply, b.eq(0), 0, dy.mul(slope));
    },
    right({ dy, a, b, y, apply }) {
      if (typeof a === "number") {
        const slope = dy.mul(y).mul(Math.log(a));
        return a === 0 ? choose(apply, b.ge(0), 0, slope) : slope;
      }
      const still = a.eq(0).logicalAnd(b.ge(0));
      return choose(apply, still, 0, dy.mul(y).mul(a.log()));
    },
  },
});

/** The larger; NaN wins over numbers, and 0 over -0. Where both are equal, each gets half of the gradient. */
export const maximum = binary({
  name: "maximum",
  wgsl: "maximum",
  functions: arithmetic,
  result: "same",
  value: Math.max,
  gradient: {
    saves: { inputs: [0, 1] },
    left: ({ dy, a, b, apply }) =>
      choose(apply, a.lt(b), 0, choose(apply, a.eq(b), dy.mul(0.5), dy)),
    right: ({ dy, a, b, apply }) =>
      choose(apply, b.lt(a), 0, choose(apply, b.eq(a), dy.mul(0.5), dy)),
  },
});

/** The smaller; NaN wins over numbers, and -0 over 0. Where both are equal, each gets half of the gradient. */
export const minimum = binary({
  name: "minimum",
  wgsl: "minimum",
  functions: arithmetic,
  result: "same",
  value: Math.min,
  gradient: {
    saves: { inputs: [0, 1] },
    left: ({ dy, a, b, apply }) =>
      choose(apply, a.gt(b), 0, choose(apply, a.eq(b), dy.mul(0.5), dy)),
    right: ({ dy, a, b, apply }) =>
      choose(apply, b.gt(a), 0, choose(apply, b.eq(a), dy.mul(0.5), dy)),
  },
});

const ZERO_DIVISOR = "integers can't be divided by it";

/** a - b·⌊a / b⌋, which has the sign of b, as in Python. Exact for floats of any size; 0 for an integer divisor of 0, where PyTorch raises an error. */
export const remainder = binary({
  name: "remainder",
  wgsl: "remainder",
  functions: division,
  result: "same",
  refusesBool: true,
  value: rest,
  valueInteger: integerRemainder,
  refusesInteger: (b) => b === 0 ? ZERO_DIVISOR : undefined,
  accuracy: { ulps: 0.5 },
  flops: 10,
  trips: 32,
  gradient: {
    saves: { inputs: [0, 1] },
    savesBeside: (side) => side === "right" ? {} : { inputs: [0] },
    left: ({ dy }) => dy,
    right: ({ dy, a, b, apply }) => {
      const quotient = typeof a === "number"
        ? apply(floorDivide, [b], { scalar: a, side: "left" })[0]
        : a.floorDivide(b);
      return dy.mul(quotient).neg();
    },
  },
});

/**
 * ⌊a / b⌋; 0 for an integer divisor of 0, where PyTorch raises an error.
 *
 * For floats it is computed as PyTorch does, so from 2^22 on it can be 1 too small: at most 2 ULP off.
 */
export const floorDivide = binary({
  name: "floorDivide",
  wgsl: "floor_divide",
  functions: division,
  result: "same",
  refusesBool: true,
  value: floored,
  valueInteger: integerFloorDivide,
  refusesInteger: (b) => b === 0 ? ZERO_DIVISOR : undefined,
  accuracy: { ulps: 2 },
  flops: 12,
  trips: 32,
  gradient: {
    saves: {},
    left: ({ dy, apply }) => zerosLike(dy, apply),
    right: ({ dy, apply }) => zerosLike(dy, apply),
  },
});

/** The angle of the point (b, a), from -π to π, by the signs of zeros too. Integers give f32. At most 3 ULP off. */
export const atan2 = binary({
  name: "atan2",
  wgsl: "atan2_",
  functions: inverseTrigonometric,
  result: "float",
  value: Math.atan2,
  accuracy: { ulps: 3 },
  flops: 25,
  gradient: {
    saves: { inputs: [0, 1] },
    left: ({ dy, a, b }) => {
      const square = typeof b === "number" ? b * b : b.square();
      return dy.mul(b).div(a.square().add(square));
    },
    right: ({ dy, a, b }) => {
      const square = typeof a === "number" ? a * a : a.square();
      return dy.mul(a).div(b.square().add(square)).neg();
    },
  },
});
