/**
 * Where the extremes along an axis stand.
 *
 * Indices are i32. Among equals the first counts, -0 being equal to 0, and NaN counts as the extreme of either kind: the rules of PyTorch's
 * `argmax` and `argmin`.
 */
import { storageType } from "../launch.ts";
import type { DType, Op } from "../op.ts";
import { normalizeAxis } from "../shape.ts";
import type { Fold } from "./fold.ts";
import { keyOf, levelKey, orderLibrary } from "./order.ts";
import { checkNotEmpty } from "./reduce.ts";
import { foldVariants } from "./variants.ts";

/** Along which axis, counted from the start, and whether it stays as an axis of size 1. */
export interface ArgAttrs {
  readonly axis: number;
  readonly keepDims: boolean;
}

/** Index of the largest element along an axis, i32. A scalar has axis 0. */
export const argMax: Op<ArgAttrs> = argOp("argMax");

/** Index of the smallest element along an axis, i32. A scalar has axis 0. */
export const argMin: Op<ArgAttrs> = argOp("argMin");

function argOp(name: "argMax" | "argMin"): Op<ArgAttrs> {
  return {
    name,
    strided: true,
    infer([x], { axis, keepDims }) {
      normalizeAxis(axis, x.shape.length, `take the ${name}`);
      checkNotEmpty(name, x, [axis]);
      const shape = keepDims
        ? x.shape.map((n, d) => d === axis ? 1 : n)
        : x.shape.filter((_, d) => d !== axis);
      return [{ shape, dtype: "i32" }];
    },
    variants: foldVariants({
      fold: (dtype) => argFold(name, dtype),
      axes: ({ axis }) => [axis],
      keepDims: ({ keepDims }) => keepDims,
    }),
    reference([x], [y], { axis }) {
      const size = x.shape[axis] ?? 1;
      const step = x.shape.slice(axis + 1).reduce((a, b) => a * b, 1);
      const sign = name === "argMax" ? 1 : -1;
      for (let row = 0; row < y.data.length; row++) {
        const first = Math.floor(row / step) * step * size + row % step;
        let best = 0;
        for (let i = 1; i < size; i++) {
          const held = sign * x.data[first + best * step];
          const value = sign * x.data[first + i * step];
          if (Number.isNaN(held)) break;
          if (value > held || Number.isNaN(value)) best = i;
        }
        y.data[row] = best;
      }
    },
  };
}

/** The accumulator is a key and its place: the larger key wins, then the earlier place. */
function argFold(name: "argMax" | "argMin", dtype: DType): Fold {
  const key = name === "argMax"
    ? levelKey(dtype, keyOf(dtype))
    : `~(${levelKey(dtype, keyOf(dtype, "low"))})`;
  return {
    element: storageType(dtype),
    accumulator: "vec2i",
    result: "i32",
    bytes: 8,
    identity: "vec2i(LOWEST, HIGHEST)",
    load: `vec2i(${key}, i32(place))`,
    combine: "select(a, b, b.x > a.x || (b.x == a.x && b.y < a.y))",
    store: "a.y",
    library: orderLibrary,
  };
}
