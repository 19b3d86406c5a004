/**
 * Folding axes away: sums, means, products, extremes, and whether any or all elements are true.
 *
 * Axes come normalised and ascending; an empty list folds nothing, all of them give one result. NaN, infinities and empty axes behave as
 * in PyTorch. Sums and products of f16 are accumulated in f32, those of bool counted in i32; those of i32 and u32 wrap around at 32
 * bits, where PyTorch widens to 64.
 */
import type { Tensor } from "../../core/tensor.ts";
import { DTypeError, ShapeError } from "../errors.ts";
import { isFloat } from "../move/convert.ts";
import { eachPlace } from "../move/walk.ts";
import type { Gradient, GradientContext, HostArray, Meta, Op } from "../op.ts";
import { formatShape, normalizeAxis, sizeOf } from "../shape.ts";
import { foldDType, type FoldName, foldOf } from "./fold.ts";
import { foldVariants } from "./variants.ts";

/** Which axes to fold, counted from the start and ascending, and whether they stay as axes of size 1. */
export interface ReduceAttrs {
  readonly axes: readonly number[];
  readonly keepDims: boolean;
}

/** Total of each fold over no elements, and how its reference takes one more. */
const FOLDS: Readonly<
  Record<FoldName, { empty: number; next(total: number, x: number): number }>
> = {
  sum: { empty: 0, next: (total, x) => total + x },
  mean: { empty: 0, next: (total, x) => total + x },
  prod: { empty: 1, next: (total, x) => total * x },
  max: { empty: -Infinity, next: Math.max },
  min: { empty: Infinity, next: Math.min },
  any: { empty: 0, next: (total, x) => x === 0 ? total : 1 },
  all: { empty: 1, next: (total, x) => x === 0 ? 0 : total },
};

/** Sum over axes; 0 over none. Long sums are added in slots, so that their error stays near that of pairwise summation. */
export const sum: Op<ReduceAttrs> = reduceOp("sum", {
  rule: ({ grads: [grad], inputMetas: [x], attrs }) => [
    grad && grad.reshape(keptShape(x, attrs)).expand(x.shape),
  ],
});

/**
 * Mean over axes, of floats; NaN over none. `y = Σ x / n`
 *
 * The sum is that of {@linkcode sum}, but for f16 it is divided before it is rounded, so that it can't overflow there.
 */
export const mean: Op<ReduceAttrs> = reduceOp("mean", {
  rule: ({ grads: [grad], inputMetas: [x], attrs }) => [
    grad && grad.div(countOf(x, attrs)).reshape(keptShape(x, attrs))
      .expand(x.shape),
  ],
});

/**
 * Product over axes; 1 over none.
 *
 * The gradient is the product of the others also where elements are 0, and so is the gradient's own gradient.
 */
export const prod: Op<ReduceAttrs> = reduceOp("prod", {
  saves: { inputs: [0] },
  rule: prodGradient,
});

/** Largest element along axes; NaN if there is one. The gradient is shared evenly by equal elements, as that of PyTorch's `amax`. */
export const max: Op<ReduceAttrs> = reduceOp("max", {
  saves: { inputs: [0], outputs: [0] },
  rule: extremeGradient,
});

/** Smallest element along axes; NaN if there is one. The gradient is shared evenly by equal elements, as that of PyTorch's `amin`. */
export const min: Op<ReduceAttrs> = reduceOp("min", {
  saves: { inputs: [0], outputs: [0] },
  rule: extremeGradient,
});

/** Whether any element along axes isn't 0, as bool; NaN isn't 0. False over none. */
export const any: Op<ReduceAttrs> = reduceOp("any");

/** Whether all elements along axes aren't 0, as bool; NaN isn't 0. True over none. */
export const all: Op<ReduceAttrs> = reduceOp("all");

function reduceOp(
  name: FoldName,
  gradient?: Gradient<ReduceAttrs>,
): Op<ReduceAttrs> {
  return {
    name,
    strided: true,
    infer: ([x], attrs) => {
      for (const axis of attrs.axes) {
        normalizeAxis(axis, x.shape.length, `take the ${name}`);
      }
      if (name === "mean" && !isFloat(x.dtype)) {
        throw new DTypeError(
          `Cannot take the mean of ${x.dtype}: expected a float dtype`,
          [x.dtype],
        );
      }
      if (name === "max" || name === "min") checkNotEmpty(name, x, attrs.axes);
      return [{
        shape: attrs.keepDims
          ? keptShape(x, attrs)
          : x.shape.filter((_, d) => !attrs.axes.includes(d)),
        dtype: foldDType(name, x.dtype),
      }];
    },
    variants: foldVariants({
      fold: (dtype) => foldOf(name, dtype),
      axes: (attrs) => attrs.axes,
      keepDims: (attrs) => attrs.keepDims,
      empty: name === "mean" ? NaN : FOLDS[name].empty,
    }),
    reference: ([x], [y], attrs) => referenceFold(name, x, y, attrs),
    gradient,
  };
}

/** Refuses a choice among no elements. `what` names the call. */
export function checkNotEmpty(
  what: string,
  { shape }: Meta,
  axes: readonly number[],
): void {
  const empty = axes.find((d) => shape[d] === 0);
  const kept = shape.filter((_, d) => !axes.includes(d));
  if (empty === undefined || sizeOf(kept) === 0) return;
  throw new ShapeError(
    `Cannot take the ${what} of ${
      formatShape(shape)
    } along axis ${empty}: it has no elements to choose from, name other axes`,
    [shape],
  );
}

/** The shape of the result with the folded axes left in as 1. */
function keptShape({ shape }: Meta, { axes }: ReduceAttrs): number[] {
  return shape.map((n, d) => axes.includes(d) ? 1 : n);
}

/** How many elements each result is folded from. A scalar is its own only element. */
function countOf({ shape }: Meta, { axes }: ReduceAttrs): number {
  return axes.reduce((n, d) => n * (shape[d] ?? 1), 1);
}

function referenceFold(
  name: FoldName,
  x: HostArray,
  y: HostArray,
  attrs: ReduceAttrs,
): void {
  const { empty, next } = FOLDS[name];
  const totals = new Float64Array(y.data.length).fill(empty);
  const wraps = name === "prod" && (y.dtype === "i32" || y.dtype === "u32");
  const kept = keptShape(x, attrs);
  eachPlace(x.shape, (place, i) => {
    let at = 0;
    kept.forEach((n, d) => at = at * n + (n === 1 ? 0 : place[d]));
    totals[at] = wraps
      ? Math.imul(totals[at], x.data[i])
      : next(totals[at], x.data[i]);
  });
  if (name === "mean") {
    const count = countOf(x, attrs);
    // The kernels keep the total in f32, where it may overflow though the mean wouldn't.
    const keep = y.dtype === "f64" ? Number : Math.fround;
    totals.forEach((total, i) => totals[i] = keep(total) / count);
  }
  y.data.set(totals);
}

function extremeGradient({
  grads: [grad],
  inputs: [x],
  outputs: [y],
  inputMetas: [meta],
  attrs,
}: GradientContext<ReduceAttrs>): (Tensor | null)[] {
  if (!grad) return [null];
  const shape = keptShape(meta, attrs);
  const ties = x.eq(y.reshape(shape)).to(meta.dtype);
  const count = ties.sum([...attrs.axes], { keepDims: true });
  return [ties.mul(grad.reshape(shape)).div(count)];
}

/**
 * ∂y/∂xᵢ is the product of the other elements. Dividing y by xᵢ fails at 0, so zeros are left out of the product p and counted apart: with
 * no other zero the derivative is p / xᵢ (p where xᵢ itself is 0), with one other zero xⱼ it is xⱼ times that, which is 0 but has a
 * derivative, and with more it is 0 and flat.
 */
function prodGradient({
  grads: [grad],
  inputs: [x],
  inputMetas: [meta],
  attrs,
}: GradientContext<ReduceAttrs>): (Tensor | null)[] {
  if (!grad) return [null];
  const over = (t: Tensor) => t.sum([...attrs.axes], { keepDims: true });
  const zero = x.eq(0).to(meta.dtype);
  const filled = x.mul(zero.neg().add(1)).add(zero);
  const others = filled.prod([...attrs.axes], { keepDims: true }).div(filled);
  const zeros = over(zero).sub(zero);
  const small = x.mul(zero);
  const otherSmall = over(small).sub(small);
  const factor = zeros.eq(0).to(meta.dtype)
    .add(zeros.eq(1).to(meta.dtype).mul(otherSmall));
  return [grad.reshape(keptShape(meta, attrs)).mul(others).mul(factor)];
}
