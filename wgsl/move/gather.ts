/**
 * Picking elements by index, and adding them back where they were picked from.
 *
 * Indices are i32 or u32 and count from 0. On a GPU nothing can be thrown for an index that turns out to be outside its axis, so a gather
 * gives NaN there (0 for integers and bool) and a scatter leaves the entry out; the references throw a RangeError. Callers check
 * what they know on the host.
 */
import { DTypeError, ShapeError } from "../errors.ts";
import type { Meta, Op, Request } from "../op.ts";
import {
  formatShape,
  normalizeAxis,
  sameShape,
  sizeOf,
  stridesOf,
} from "../shape.ts";
import { gatherPlan } from "./gather_plan.ts";
import { pad } from "./pad.ts";
import { checkIndex, entryOf } from "./indices.ts";
import {
  canScatterByEntries,
  scatterAddPlan,
  scatterByEntriesPlan,
} from "./scatter_plan.ts";
import { eachPlace } from "./walk.ts";

export { oneHot, type OneHotAttrs } from "./one_hot.ts";

/** The axis along which elements are picked; negative counts from the end. */
export interface GatherAttrs {
  readonly axis: number;
}

/** The axis along which elements are added, and its size in the result. */
export interface ScatterAddAttrs {
  readonly axis: number;
  readonly size: number;
}

/**
 * Picks one element of x for each element of the index.
 *
 * `x: [.., A, ..], index: [.., I, ..] → [.., I, ..]`, where y[.., i, ..] = x[.., index[.., i, ..], ..]. PyTorch's `torch.gather`: the index has
 * x's rank, and on the other axes may be shorter than x. Throws a ShapeError or DTypeError for an index that doesn't fit.
 */
export const gather: Op<GatherAttrs> = {
  name: "gather",
  strided: true,
  infer([x, index], { axis }) {
    checkIndex(index, "gather");
    const at = axisOf(x, axis, "gather");
    if (index.shape.length !== x.shape.length) {
      throw new ShapeError(
        `Cannot gather from ${formatShape(x.shape)} with an index of shape ${
          formatShape(index.shape)
        }: both must have ${x.shape.length} axes`,
        [x.shape, index.shape],
      );
    }
    index.shape.forEach((n, d) => {
      if (d === at || n <= x.shape[d]) return;
      throw new ShapeError(
        `Cannot gather from ${formatShape(x.shape)} with an index of shape ${
          formatShape(index.shape)
        }: size ${n} of axis ${d} is over ${x.shape[d]}`,
        [x.shape, index.shape],
      );
    });
    checkEntries(x, at, index);
    return [{ shape: index.shape, dtype: x.dtype }];
  },
  variants: [{
    name: "naive",
    plan: (request) =>
      gatherPlan(
        request,
        axisOf(request.inputs[0], request.attrs.axis, "gather"),
        request.inputs[1].strides,
      ),
  }],
  reference([x, index], [y], { axis }) {
    const at = axisOf(x, axis, "gather");
    const strides = stridesOf(x.shape);
    eachPlace(y.shape, (place, i) => {
      const entry = entryOf(index, i, x.shape[at], at, "gather");
      let from = entry * strides[at];
      place.forEach((p, d) => from += d === at ? 0 : p * strides[d]);
      y.data[i] = x.data[from];
    });
  },
  gradient: {
    saves: { inputs: [1] },
    rule(
      { grads: [grad], inputs, inputMetas: [x], outputMetas, attrs, apply },
    ) {
      if (!grad) return [null, null];
      const axis = axisOf(x, attrs.axis, "gather");
      const [added] = apply(scatterAdd, [grad, inputs[1]], {
        axis,
        size: x.shape[axis],
      });
      const { shape } = outputMetas[0];
      const after = x.shape.map((n, d) => d === axis ? 0 : n - shape[d]);
      if (after.every((n) => n === 0)) return [added, null];
      const before = after.map(() => 0);
      return [apply(pad, [added], { before, after, value: 0 })[0], null];
    },
  },
};

/**
 * Picks slices of x along an axis: rows of a table, images of a batch.
 *
 * `x: [.., A, ..], index: [I] → [.., I, ..]`, where y[.., i, ..] = x[.., index[i], ..]. PyTorch's `torch.index_select`.
 */
export const indexSelect: Op<GatherAttrs> = {
  name: "indexSelect",
  strided: true,
  infer([x, index], { axis }) {
    checkIndex(index, "select");
    const at = axisOf(x, axis, "select");
    if (index.shape.length !== 1) {
      throw new ShapeError(
        `Cannot select from ${formatShape(x.shape)} with an index of shape ${
          formatShape(index.shape)
        }: the index must have one axis`,
        [x.shape, index.shape],
      );
    }
    checkEntries(x, at, index);
    const shape = x.shape.map((n, d) => d === at ? index.shape[0] : n);
    return [{ shape, dtype: x.dtype }];
  },
  variants: [{
    name: "naive",
    plan(request) {
      const [x, index] = request.inputs;
      const axis = axisOf(x, request.attrs.axis, "select");
      const strides = x.shape.map((_, d) => d === axis ? index.strides[0] : 0);
      return gatherPlan(request, axis, strides);
    },
  }],
  reference([x, index], [y], { axis }) {
    const at = axisOf(x, axis, "select");
    const strides = stridesOf(x.shape);
    eachPlace(y.shape, (place, i) => {
      const entry = entryOf(index, place[at], x.shape[at], 0, "select");
      let from = entry * strides[at];
      place.forEach((p, d) => from += d === at ? 0 : p * strides[d]);
      y.data[i] = x.data[from];
    });
  },
  gradient: {
    saves: { inputs: [1] },
    rule(
      { grads: [grad], inputs, inputMetas: [x], outputMetas, attrs, apply },
    ) {
      if (!grad) return [null, null];
      const axis = axisOf(x, attrs.axis, "select");
      const ones = x.shape.map((_, d) => d === axis ? -1 : 1);
      const index = inputs[1].reshape(ones).expand(outputMetas[0].shape);
      const size = x.shape[axis];
      return [apply(scatterAdd, [grad, index], { axis, size })[0], null];
    },
  },
};

/**
 * Adds each element of the source to the place along an axis that the index names.
 *
 * `source, index: [.., I, ..] → [.., size, ..]`: zeros, plus y[.., index[.., i, ..], ..] += source[.., i, ..] for i in ascending order. The
 * adjoint of `gather`. Throws a ShapeError or DTypeError for an index that doesn't fit the source.
 */
export const scatterAdd: Op<ScatterAddAttrs> = {
  name: "scatterAdd",
  strided: true,
  infer([source, index], { axis, size }) {
    checkIndex(index, "scatter");
    const at = axisOf(source, axis, "scatter");
    if (source.dtype === "bool") {
      throw new DTypeError(
        "Cannot scatter bool: sums are of numbers, so convert the source first",
        [source.dtype],
      );
    }
    if (!sameShape(source.shape, index.shape)) {
      throw new ShapeError(
        `Cannot scatter ${formatShape(source.shape)} with an index of shape ${
          formatShape(index.shape)
        }: both must have the same shape`,
        [source.shape, index.shape],
      );
    }
    if (!Number.isInteger(size) || size < 0) {
      throw new ShapeError(
        `Cannot scatter ${
          formatShape(source.shape)
        } along axis ${at}: size ${size} is not a whole number from 0`,
        [source.shape],
      );
    }
    const shape = source.shape.map((n, d) => d === at ? size : n);
    return [{ shape, dtype: source.dtype }];
  },
  variants: [
    {
      name: "entries",
      applies: (request) => canScatterByEntries(request, scatterAxis(request)),
      plan: (request) => scatterByEntriesPlan(request, scatterAxis(request)),
    },
    {
      name: "naive",
      plan: (request) => scatterAddPlan(request, scatterAxis(request)),
    },
  ],
  reference([source, index], [y], { axis }) {
    const at = axisOf(source, axis, "scatter");
    const strides = stridesOf(y.shape);
    // Sums are kept in float64 and rounded once.
    const sums = new Float64Array(y.data.length);
    eachPlace(source.shape, (place, i) => {
      const entry = entryOf(index, i, y.shape[at], at, "scatter");
      let to = entry * strides[at];
      place.forEach((p, d) => to += d === at ? 0 : p * strides[d]);
      sums[to] += source.data[i];
    });
    y.data.set(sums);
  },
  gradient: {
    saves: { inputs: [1] },
    rule({ grads: [grad], inputs, attrs: { axis }, apply }) {
      if (!grad) return [null, null];
      return [apply(gather, [grad, inputs[1]], { axis })[0], null];
    },
  },
};

/** The axis counted from the start; a scalar has none to pick along. */
function axisOf({ shape }: Meta, axis: number, what: string): number {
  if (shape.length === 0) {
    throw new ShapeError(
      `Cannot ${what} along axis ${axis}: a scalar has no axes`,
      [shape],
    );
  }
  return normalizeAxis(axis, shape.length, what);
}

function checkEntries(x: Meta, axis: number, index: Meta): void {
  if (x.shape[axis] > 0 || sizeOf(index.shape) === 0) return;
  throw new ShapeError(
    `Cannot pick from ${formatShape(x.shape)}: axis ${axis} is empty`,
    [x.shape, index.shape],
  );
}

function scatterAxis({ inputs: [x], attrs }: Request<ScatterAddAttrs>): number {
  return axisOf(x, attrs.axis, "scatter");
}
