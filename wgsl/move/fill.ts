/** Tensors made from a rule instead of from data: constants, sequences and the identity. */
import { DTypeError, ShapeError } from "../errors.ts";
import { computeType, f32, linearGrid, storageType, words } from "../launch.ts";
import type { DType, Launch, Limits, Op, Plan, Shape, View } from "../op.ts";
import { formatShape, itemBytes, sizeOf } from "../shape.ts";
import {
  bitsDeclarations,
  bitsOf,
  convert,
  isFloat,
  rangeOf,
} from "./convert.ts";
import eyeCode from "./eye.wgsl" with { type: "text" };
import fillCode from "./fill.wgsl" with { type: "text" };
import sequenceCode from "./sequence.wgsl" with { type: "text" };
import { bindRun, type Run, runsOf, WORKGROUP } from "./walk.ts";

const eyeKernel = { label: "wgsl/move/eye.wgsl", code: eyeCode };
const fillKernel = { label: "wgsl/move/fill.wgsl", code: fillCode };
const sequenceKernel = { label: "wgsl/move/sequence.wgsl", code: sequenceCode };

/** A constant tensor. */
export interface FullAttrs {
  readonly shape: Shape;
  readonly value: number;
  readonly dtype: DType;
}

/** `length` numbers, `step` apart, from `start` on. */
export interface ArangeAttrs {
  readonly start: number;
  readonly step: number;
  readonly length: number;
  readonly dtype: DType;
}

/** `length` evenly spaced numbers from `start` to `end`, both included. */
export interface LinspaceAttrs {
  readonly start: number;
  readonly end: number;
  readonly length: number;
  /** A float. @default "f32" */
  readonly dtype?: DType;
}

/** A matrix with ones on its diagonal. */
export interface EyeAttrs {
  readonly rows: number;
  readonly columns: number;
  readonly dtype: DType;
}

/**
 * Every element the same value. `→ shape`
 *
 * The value is converted as PyTorch's `torch.full` does: for i32 and u32 it loses its fraction, and a RangeError is thrown if it doesn't fit; for
 * bool anything but 0 is true.
 */
export const full: Op<FullAttrs> = {
  name: "full",
  infer(_, { shape, value, dtype }) {
    for (const n of shape) checkLength(n, "fill", formatShape(shape));
    if (dtype === "i32" || dtype === "u32") {
      const [least, greatest] = rangeOf(dtype);
      if (!(Math.trunc(value) >= least && Math.trunc(value) <= greatest)) {
        throw new RangeError(
          `Cannot fill ${dtype}${
            formatShape(shape)
          } with ${value}: expected a number from ${least} to ${greatest}`,
        );
      }
    }
    return [{ shape, dtype }];
  },
  variants: [{
    name: "naive",
    plan: ({ outputs: [y], attrs: { value }, limits }) =>
      fillPlan(y, convert(value, "f64", y.dtype), limits),
  }],
  reference(_, [y], { value }) {
    y.data.fill(convert(value, "f64", y.dtype));
  },
};

/**
 * A range of numbers: y[i] = start + i·step. `→ [length]`
 *
 * Throws a DTypeError for bool, and a RangeError where an integer dtype can't hold the numbers.
 */
export const arange: Op<ArangeAttrs> = {
  name: "arange",
  infer(_, { start, step, length, dtype }) {
    checkLength(length, "make a range of", `length ${length}`);
    if (dtype === "bool") {
      throw new DTypeError(
        "Cannot make a range of bool: expected a dtype of numbers",
        [dtype],
      );
    }
    if (dtype === "i32" || dtype === "u32") {
      const [least, greatest] = rangeOf(dtype);
      const ends = length === 0 ? [] : [start, start + (length - 1) * step];
      if (!Number.isInteger(start) || !Number.isInteger(step)) {
        throw new RangeError(
          `Cannot make a range of ${dtype} from ${start} by ${step}: both must be whole numbers`,
        );
      }
      if (ends.some((n) => n < least || n > greatest)) {
        throw new RangeError(
          `Cannot make a range of ${dtype} from ${ends[0]} to ${
            ends[1]
          }: expected numbers from ${least} to ${greatest}`,
        );
      }
    }
    return [{ shape: [length], dtype }];
  },
  variants: [{
    name: "naive",
    plan: ({ outputs: [y], attrs: { start, step }, limits }) =>
      sequencePlan(y, { start, step, end: 0, turn: 2 ** 32 - 1 }, limits),
  }],
  reference(_, [y], { start, step }) {
    for (let i = 0; i < y.data.length; i++) y.data[i] = start + i * step;
  },
};

/**
 * Evenly spaced numbers with exact ends. `→ [length]`
 *
 * Counted from the nearer end, as PyTorch does, so that the numbers are symmetric. A length of 1 gives the start.
 */
export const linspace: Op<LinspaceAttrs> = {
  name: "linspace",
  infer(_, { length, dtype = "f32" }) {
    checkLength(length, "space numbers over", `length ${length}`);
    if (!isFloat(dtype)) {
      throw new DTypeError(
        `Cannot space numbers of ${dtype} evenly: expected a float dtype`,
        [dtype],
      );
    }
    return [{ shape: [length], dtype }];
  },
  variants: [{
    name: "naive",
    plan: ({ outputs: [y], attrs, limits }) =>
      sequencePlan(y, {
        ...attrs,
        step: stepOf(attrs),
        turn: Math.ceil(attrs.length / 2),
      }, limits),
  }],
  reference(_, [y], attrs) {
    const { start, end, length } = attrs;
    const step = stepOf(attrs);
    const turn = Math.ceil(length / 2);
    for (let i = 0; i < length; i++) {
      y.data[i] = i < turn ? start + i * step : end - (length - 1 - i) * step;
    }
  },
};

/** The identity: ones where row and column are the same. `→ [rows, columns]` */
export const eye: Op<EyeAttrs> = {
  name: "eye",
  infer(_, { rows, columns, dtype }) {
    const shape = [rows, columns];
    for (const n of shape) checkLength(n, "fill", formatShape(shape));
    return [{ shape, dtype }];
  },
  variants: [{
    name: "naive",
    plan: ({ outputs: [y], attrs: { columns }, limits }) =>
      flatPlan(y, limits, 1, (run) => ({
        kernel: eyeKernel,
        declarations: bitsDeclarations(y.dtype),
        params: words(run.count, run.start, columns, bitsOf(1, y.dtype)),
        trips: 0,
      })),
  }],
  reference(_, [y], { rows, columns }) {
    y.data.fill(0);
    const ones = Math.min(rows, columns);
    for (let i = 0; i < ones; i++) y.data[i * columns + i] = 1;
  },
};

/** Launches that set every element of a contiguous output to one value, already of its dtype. */
export function fillPlan(
  output: View,
  value: number,
  limits: Limits,
  per = 4,
): Plan {
  return flatPlan(output, limits, per, ({ count }) => ({
    kernel: fillKernel,
    declarations: bitsDeclarations(output.dtype),
    constants: { PER: per },
    params: words(count, bitsOf(value, output.dtype)),
    trips: per,
  }));
}

/** A sequence that runs from its start up to element `turn`, and back from its end after that. */
interface Sequence {
  readonly start: number;
  readonly step: number;
  readonly end: number;
  readonly turn: number;
}

function sequencePlan(
  output: View,
  { start, step, end, turn }: Sequence,
  limits: Limits,
): Plan {
  const { dtype, shape: [length] } = output;
  const word = (value: number) => isFloat(dtype) ? f32(value) : value;
  return flatPlan(output, limits, 1, (run) => ({
    kernel: sequenceKernel,
    declarations: `alias T = ${storageType(dtype)};
alias C = ${computeType(dtype)};`,
    params: words(
      run.count,
      run.start,
      turn,
      length - 1,
      word(start),
      word(step),
      word(end),
    ),
    trips: 0,
  }));
}

/** Launches over a contiguous output and no input, one for each run that fits a binding. */
function flatPlan(
  output: View,
  limits: Limits,
  per: number,
  describe: (
    run: Run,
  ) => Pick<
    Launch,
    "kernel" | "declarations" | "constants" | "params" | "trips"
  >,
): Plan {
  const bytes = itemBytes(output.dtype);
  return {
    launches: runsOf(sizeOf(output.shape), bytes, limits).map((run) => ({
      ...describe(run),
      bindings: [bindRun("output", 0, "write", output, run)],
      workgroups: linearGrid(run.count, WORKGROUP * per, limits),
      flops: 0,
      bytes: run.count * bytes,
    })),
  };
}

function stepOf({ start, end, length }: LinspaceAttrs): number {
  return length > 1 ? (end - start) / (length - 1) : 0;
}

function checkLength(n: number, what: string, how: string): void {
  if (Number.isInteger(n) && n >= 0) return;
  throw new ShapeError(
    `Cannot ${what} ${how}: sizes are whole numbers from 0`,
  );
}
