/** Joining tensors along an axis. */
import { DTypeError, ShapeError } from "../errors.ts";
import type { Meta, Op, Plan, Request } from "../op.ts";
import { formatShape, normalizeAxis, sizeOf } from "../shape.ts";
import { copyLaunches, type CopyMethod } from "./copy_plan.ts";
import { walkOf } from "./walk.ts";

/** The axis along which tensors are joined; negative counts from the end. */
export interface ConcatAttrs {
  readonly axis: number;
}

/**
 * Puts tensors one after the other. `[.., A, ..], [.., B, ..], … → [.., A + B + …, ..]`
 *
 * One copy into the output for each input. Throws a ShapeError where other axes differ in size, and a DTypeError for mixed dtypes.
 */
export const concat: Op<ConcatAttrs> = {
  name: "concat",
  strided: true,
  infer(inputs, { axis }) {
    if (inputs.length === 0) {
      throw new ShapeError("Cannot concatenate no tensors: give at least one");
    }
    const [first, ...others] = inputs;
    const at = axisOf(first, axis);
    for (const other of others) checkPair(first, other, at);
    const size = inputs.reduce((sum, { shape }) => sum + shape[at], 0);
    const shape = first.shape.map((n, d) => d === at ? size : n);
    return [{ shape, dtype: first.dtype }];
  },
  variants: [
    { name: "tiled", plan: (request) => plan(request, "tiled") },
    { name: "naive", plan: (request) => plan(request, "naive") },
  ],
  reference(inputs, [y], { axis }) {
    const at = axisOf(y, axis);
    const inner = sizeOf(y.shape.slice(at + 1));
    const outer = sizeOf(y.shape.slice(0, at));
    const row = y.shape[at] * inner;
    let start = 0;
    for (const { data, shape } of inputs) {
      const run = shape[at] * inner;
      for (let o = 0; o < outer; o++) {
        for (let i = 0; i < run; i++) {
          y.data[o * row + start + i] = data[o * run + i];
        }
      }
      start += run;
    }
  },
  gradient: {
    rule({ grads: [grad], inputMetas, attrs, needs }) {
      if (!grad) return inputMetas.map(() => null);
      const axis = axisOf(inputMetas[0], attrs.axis);
      let end = 0;
      return inputMetas.map(({ shape }, i) => {
        const start = end;
        end += shape[axis];
        return needs[i] ? grad.slice(axis, start, end) : null;
      });
    },
  },
};

function plan(
  { inputs, outputs: [y], attrs, limits }: Request<ConcatAttrs>,
  method: CopyMethod,
): Plan {
  const axis = axisOf(y, attrs.axis);
  let start = 0;
  const launches = inputs.flatMap((x, index) => {
    const offset = y.offset + start * y.strides[axis];
    start += x.shape[axis];
    return copyLaunches(
      x.shape,
      { slot: "input", index, walk: walkOf(x) },
      { slot: "output", index: 0, walk: { ...walkOf(y), offset } },
      method,
      limits,
    );
  });
  return { launches };
}

function axisOf({ shape }: Meta, axis: number): number {
  if (shape.length === 0) {
    throw new ShapeError(
      "Cannot concatenate scalars: they have no axes, stack them instead",
      [shape],
    );
  }
  return normalizeAxis(axis, shape.length, "concatenate");
}

function checkPair(a: Meta, b: Meta, axis: number): void {
  const what = `Cannot concatenate ${formatShape(a.shape)} and ${
    formatShape(b.shape)
  } along axis ${axis}`;
  if (a.dtype !== b.dtype) {
    throw new DTypeError(
      `Cannot concatenate ${a.dtype} and ${b.dtype}: convert one to the other first`,
      [a.dtype, b.dtype],
    );
  }
  if (a.shape.length !== b.shape.length) {
    throw new ShapeError(
      `${what}: they have ${a.shape.length} and ${b.shape.length} axes`,
      [a.shape, b.shape],
    );
  }
  a.shape.forEach((n, d) => {
    if (d === axis || n === b.shape[d]) return;
    throw new ShapeError(
      `${what}: sizes ${n} and ${b.shape[d]} of axis ${d} differ`,
      [a.shape, b.shape],
    );
  });
}
