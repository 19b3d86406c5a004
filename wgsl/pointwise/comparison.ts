/** Comparisons and logic of two operands, which broadcast. Results are bool; NaN is unequal to all, and true. */
import { binary } from "./binary.ts";
import {
  arithmetic,
  bits,
  type FunctionSet,
  integer,
  logical,
} from "./library.ts";

/** Whether a = b. */
export const eq = binary({
  name: "eq",
  wgsl: "eq",
  functions: arithmetic,
  result: "bool",
  value: (a, b) => a === b,
});

/** Whether a ≠ b. */
export const ne = binary({
  name: "ne",
  wgsl: "ne",
  functions: arithmetic,
  result: "bool",
  value: (a, b) => a !== b,
});

/** Whether a < b. */
export const lt = binary({
  name: "lt",
  wgsl: "lt",
  functions: arithmetic,
  result: "bool",
  value: (a, b) => a < b,
});

/** Whether a ≤ b. */
export const le = binary({
  name: "le",
  wgsl: "le",
  functions: arithmetic,
  result: "bool",
  value: (a, b) => a <= b,
});

/** Whether a > b. */
export const gt = binary({
  name: "gt",
  wgsl: "gt",
  functions: arithmetic,
  result: "bool",
  value: (a, b) => a > b,
});

/** Whether a ≥ b. */
export const ge = binary({
  name: "ge",
  wgsl: "ge",
  functions: arithmetic,
  result: "bool",
  value: (a, b) => a >= b,
});

const truth: FunctionSet = { ...logical, needs: [bits] };

/** Whether neither a nor b is 0. */
export const logicalAnd = binary({
  name: "logicalAnd",
  wgsl: "logical_and",
  functions: truth,
  integerFunctions: [integer, logical],
  result: "bool",
  value: (a, b) => a !== 0 && b !== 0,
});

/** Whether a or b isn't 0. */
export const logicalOr = binary({
  name: "logicalOr",
  wgsl: "logical_or",
  functions: truth,
  integerFunctions: [integer, logical],
  result: "bool",
  value: (a, b) => a !== 0 || b !== 0,
});

/** Whether just one of a and b isn't 0. */
export const logicalXor = binary({
  name: "logicalXor",
  wgsl: "logical_xor",
  functions: truth,
  integerFunctions: [integer, logical],
  result: "bool",
  value: (a, b) => (a !== 0) !== (b !== 0),
});
