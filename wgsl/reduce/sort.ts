/** Sorting along the last axis. */
import type { Op } from "../op.ts";
import { scatterAdd } from "../move/gather.ts";
import { canRank, sortPlan } from "./sort_plan.ts";

/** Which way to sort. */
export interface SortAttrs {
  readonly descending: boolean;
}

/**
 * Sorts the last axis: its values in order, and where each stood.
 *
 * `x: [.., n] → values: [.., n], indices: i32 [.., n]`. Equal elements keep their order, in either direction; -0 is equal to 0, and NaN is
 * above everything, as in PyTorch's stable sort. A scalar is a row of one.
 */
export const sort: Op<SortAttrs> = {
  name: "sort",
  infer: ([{ shape, dtype }]) => [
    { shape, dtype },
    { shape, dtype: "i32" },
  ],
  variants: [
    { name: "merge", plan: (request) => sortPlan(request, false) },
    {
      name: "naive",
      applies: ({ inputs: [{ shape }], limits }) =>
        canRank(shape.at(-1) ?? 1, limits),
      plan: (request) => sortPlan(request, true),
    },
  ],
  reference([x], [values, indices], { descending }) {
    const n = x.shape.at(-1) ?? 1;
    for (let first = 0; first < x.data.length; first += n) {
      const row = x.data.subarray(first, first + n);
      const places = Array.from(row, (_, i) => i);
      places.sort((i, j) =>
        descending ? compare(row[j], row[i]) : compare(row[i], row[j])
      );
      places.forEach((place, i) => {
        values.data[first + i] = row[place];
        indices.data[first + i] = place;
      });
    }
  },
  gradient: {
    saves: { outputs: [1] },
    rule({ grads: [grad], outputs: [, indices], inputMetas: [x], apply }) {
      if (!grad || x.shape.length === 0) return [grad];
      const axis = x.shape.length - 1;
      return apply(scatterAdd, [grad, indices], { axis, size: x.shape[axis] });
    },
  },
};

/** Ascending, with NaN above everything. */
function compare(a: number, b: number): number {
  if (Number.isNaN(a) || Number.isNaN(b)) {
    return Number(Number.isNaN(a)) - Number(Number.isNaN(b));
  }
  return a < b ? -1 : a > b ? 1 : 0;
}
