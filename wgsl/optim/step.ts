/** What optimiser steps share: one pass over a parameter, its gradient and the optimiser's state, all of the same shape. */
import { DTypeError, ShapeError } from "../errors.ts";
import {
  bind,
  type Float,
  linearGrid,
  splitBox,
  storageType,
  windowOf,
  words,
} from "../launch.ts";
import type { Kernel, Meta, Plan, Request, Slot, Variant } from "../op.ts";
import { formatShape, itemBytes, sameShape, sizeOf } from "../shape.ts";

/** Invocations of a workgroup, as written in the kernels. */
const WORKGROUP = 64;

/** Elements that an invocation of the preferred variant owns. */
const ITEMS = 4;

/** A kernel that updates a parameter, and what it needs besides the operands. */
export interface StepKernel<Attrs> {
  readonly kernel: Kernel;
  /** Floating-point operations on one element. */
  readonly flops: number;
  /** Words of `Params` after the element count and the operands' bases. */
  params(attrs: Attrs): (number | Float)[];
}

/** Shape rule of a step: outputs are the operands that it overwrites. `names` are those of the operands after the parameter. */
export function inferStep(
  inputs: readonly Meta[],
  inPlace: readonly number[],
  names: readonly string[],
): Meta[] {
  const [param, ...others] = inputs;
  if (!["f32", "f16", "f64"].includes(param.dtype)) {
    throw new DTypeError(
      `Cannot step a parameter of ${param.dtype}: expected one of f32, f16, f64`,
      [param.dtype],
    );
  }
  others.forEach((other, i) => {
    if (!sameShape(other.shape, param.shape)) {
      throw new ShapeError(
        `Cannot step a parameter ${formatShape(param.shape)} with ${names[i]} ${
          formatShape(other.shape)
        }: expected the same shape`,
        [param.shape, other.shape],
      );
    }
    if (other.dtype !== param.dtype) {
      throw new DTypeError(
        `Cannot step a parameter of ${param.dtype} with ${
          names[i]
        } of ${other.dtype}: expected the same type`,
        [param.dtype, other.dtype],
      );
    }
  });
  return inPlace.map((i) => inputs[i]);
}

/** Variants of a step: several elements an invocation, and one. */
export function stepVariants<Attrs>(
  step: StepKernel<Attrs>,
  inPlace: readonly number[],
): Variant<Attrs>[] {
  return [
    { name: "several", plan: (r) => planStep(r, step, inPlace, ITEMS) },
    { name: "naive", plan: (r) => planStep(r, step, inPlace, 1) },
  ];
}

function planStep<Attrs>(
  { inputs, attrs, limits }: Request<Attrs>,
  { kernel, flops, params }: StepKernel<Attrs>,
  inPlace: readonly number[],
  items: number,
): Plan {
  const [param] = inputs;
  const n = sizeOf(param.shape);
  if (n === 0) return { launches: [] };
  const walks = inputs.map(({ dtype, offset }) => ({
    strides: [1],
    offset,
    dtype,
  }));
  const launches = splitBox([n], walks, limits).map((box) => {
    const [count] = box.size;
    const windows = walks.map((walk) => windowOf(walk, box));
    return {
      kernel,
      declarations: `alias T = ${storageType(param.dtype)};`,
      constants: { ITEMS: items },
      // What is overwritten is bound once, as an output that is also read.
      bindings: windows.map((window, i) => {
        const out = inPlace.indexOf(i);
        const [slot, index]: [Slot, number] = out < 0
          ? ["input", i]
          : ["output", out];
        return bind(slot, index, out < 0 ? "read" : "write", window);
      }),
      params: words(
        count,
        ...windows.map(({ base }) => base),
        ...params(attrs),
      ),
      workgroups: linearGrid(Math.ceil(count / items), WORKGROUP, limits),
      trips: items,
      flops: count * flops,
      bytes: count * itemBytes(param.dtype) * (inputs.length + inPlace.length),
    };
  });
  return { launches };
}
