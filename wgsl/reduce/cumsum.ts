/** Running sums along an axis. */
import { computeType, storageType } from "../launch.ts";
import type { Op, Request } from "../op.ts";
import { normalizeAxis, sizeOf } from "../shape.ts";
import { foldDType } from "./fold.ts";
import { operandOf } from "./parts.ts";
import { Scratch } from "./plan.ts";
import { isDirect, type Scan, scanBlocked, scanDirect } from "./scan.ts";

/** Along which axis, counted from the start, and whether from its end. */
export interface CumsumAttrs {
  readonly axis: number;
  readonly reverse: boolean;
}

/** Rows that are enough to keep a device busy with one invocation each. */
const MANY_ROWS = 64;

/** Rows up to this length aren't worth more than one launch. */
const SHORT_ROW = 256;

/**
 * Running sum along an axis: y[j] = x[0] + … + x[j], or x[j] + … + x[n - 1] in reverse.
 *
 * `x: [.., n, ..] → y: [.., n, ..]`. f16 is accumulated in f32; bool counts in i32; i32 and u32 wrap around at 32 bits. A scalar is a row of
 * one along axis 0. Throws a ShapeError for an axis that isn't there.
 */
export const cumsum: Op<CumsumAttrs> = {
  name: "cumsum",
  strided: true,
  infer([x], { axis }) {
    normalizeAxis(axis, x.shape.length, "take the cumsum");
    return [{ shape: x.shape, dtype: foldDType("sum", x.dtype) }];
  },
  variants: [
    {
      name: "blocked",
      applies(request) {
        const scan = scanOf(request);
        return !isDirect(scan, request.limits) ||
          (scan.n > SHORT_ROW && sizeOf(scan.kept) < MANY_ROWS);
      },
      plan(request) {
        if (isEmpty(request)) return { launches: [] };
        const scratch = new Scratch();
        const launches = scanBlocked(scanOf(request), request.limits, scratch);
        return { launches, scratch: scratch.sizes };
      },
    },
    {
      name: "naive",
      applies: (request) => isDirect(scanOf(request), request.limits),
      plan(request) {
        if (isEmpty(request)) return { launches: [] };
        return { launches: scanDirect(scanOf(request), request.limits) };
      },
    },
  ],
  reference([x], [y], { axis, reverse }) {
    const n = x.shape[axis] ?? 1;
    const step = x.shape.slice(axis + 1).reduce((a, b) => a * b, 1);
    for (let row = 0; row < x.data.length / n; row++) {
      const first = Math.floor(row / step) * step * n + row % step;
      let sum = 0;
      for (let j = 0; j < n; j++) {
        const at = first + (reverse ? n - 1 - j : j) * step;
        sum += x.data[at];
        y.data[at] = sum;
      }
    }
  },
  gradient: {
    rule: ({ grads: [dy], attrs: { axis, reverse }, apply }) => [
      dy && apply(cumsum, [dy], { axis, reverse: !reverse })[0],
    ],
  },
};

function scanOf(
  { inputs: [x], outputs: [y], attrs: { axis, reverse } }: Request<CumsumAttrs>,
): Scan {
  const rest = x.shape.map((_, d) => d).filter((d) => d !== axis);
  const axes = x.shape.length === 0 ? [] : [...rest, axis];
  const from = operandOf("input", 0, x, axes);
  const to = operandOf("output", 0, y, axes);
  const scalar = axes.length === 0 ? [0] : [];
  return {
    kept: rest.map((d) => x.shape[d]),
    n: x.shape[axis] ?? 1,
    reverse,
    input: { ...from, strides: [...from.strides, ...scalar] },
    output: { ...to, strides: [...to.strides, ...scalar] },
    types: {
      element: storageType(x.dtype),
      accumulator: computeType(y.dtype),
      result: storageType(y.dtype),
    },
  };
}

function isEmpty({ outputs: [y] }: Request<CumsumAttrs>): boolean {
  return sizeOf(y.shape) === 0;
}
