/** Copying: any view becomes contiguous, in any dtype. */
import type { DType, Op, Plan, Request } from "../op.ts";
import { convert, isFloat } from "./convert.ts";
import { copyLaunches, type CopyMethod } from "./copy_plan.ts";
import { walkOf } from "./walk.ts";

/** The dtype of the copy. */
export interface CopyAttrs {
  readonly dtype: DType;
}

/**
 * A contiguous copy of a view, converted to a dtype. `x: any shape, any strides → the same shape`
 *
 * As in PyTorch, a float loses its fraction on its way to an integer, i32 and u32 keep their bits between each other, and anything but zero
 * (NaN too) is true. Where PyTorch leaves the result open, floats beyond an integer's range become its nearest end, and NaN becomes 0.
 */
export const copy: Op<CopyAttrs> = {
  name: "copy",
  strided: true,
  infer: ([{ shape }], { dtype }) => [{ shape, dtype }],
  variants: [
    { name: "tiled", plan: (request) => plan(request, "tiled") },
    { name: "naive", plan: (request) => plan(request, "naive") },
  ],
  reference([x], [y]) {
    for (let i = 0; i < y.data.length; i++) {
      y.data[i] = convert(x.data[i], x.dtype, y.dtype);
    }
  },
  gradient: {
    rule({ grads: [grad], inputMetas: [{ dtype }], apply }) {
      if (!grad || !isFloat(dtype)) return [null];
      return [apply(copy, [grad], { dtype })[0]];
    },
  },
};

function plan(
  { inputs: [x], outputs: [y], limits }: Request<CopyAttrs>,
  method: CopyMethod,
): Plan {
  return {
    launches: copyLaunches(
      y.shape,
      { slot: "input", index: 0, walk: walkOf(x) },
      { slot: "output", index: 0, walk: walkOf(y) },
      method,
      limits,
    ),
  };
}
