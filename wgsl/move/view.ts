/** Looking at a tensor another way: no launch, the result shares the buffer. */
import { ShapeError } from "../errors.ts";
import type { Shape, View, ViewOp } from "../op.ts";
import { formatShape, sizeOf, stridesOf } from "../shape.ts";
import { pad } from "./pad.ts";

/** Axis `d` of the result is axis `axes[d]` of the input. */
export interface PermuteAttrs {
  readonly axes: readonly number[];
}

/** The shape of the result. */
export interface ShapeAttrs {
  readonly shape: Shape;
}

/** What is kept of each axis: every `steps[d]`-th element from `starts[d]` up to, but not including, `ends[d]`. */
export interface SliceAttrs {
  readonly starts: readonly number[];
  readonly ends: readonly number[];
  /** @default all 1 */
  readonly steps?: readonly number[];
}

/** The axes in another order. Throws a ShapeError unless each axis is named once. */
export const permute: ViewOp<PermuteAttrs> = {
  name: "permute",
  view(x, { axes }) {
    const rank = x.shape.length;
    const named = new Set(axes);
    const inside = axes.every((d) => Number.isInteger(d) && d >= 0 && d < rank);
    if (axes.length !== rank || named.size !== rank || !inside) {
      throw new ShapeError(
        `Cannot permute ${formatShape(x.shape)} to axes ${
          formatShape(axes)
        }: expected each of its ${rank} axes once`,
        [x.shape],
      );
    }
    return {
      ...x,
      shape: axes.map((d) => x.shape[d]),
      strides: axes.map((d) => x.strides[d]),
    };
  },
  gradient: {
    rule({ grads: [grad], attrs: { axes } }) {
      if (!grad) return [null];
      const inverse = new Array<number>(axes.length);
      axes.forEach((from, to) => inverse[from] = to);
      return [grad.permute(inverse)];
    },
  },
};

/** Axes of size 1 repeated, and new ones put in front, without a copy. `[3, 1] → [2, 3, 4]` */
export const expand: ViewOp<ShapeAttrs> = {
  name: "expand",
  view(x, { shape }) {
    const lead = shape.length - x.shape.length;
    const fits = lead >= 0 &&
      x.shape.every((n, d) => n === shape[lead + d] || n === 1);
    if (!fits || !shape.every(isSize)) {
      throw new ShapeError(
        `Cannot expand ${formatShape(x.shape)} to ${
          formatShape(shape)
        }: only axes of size 1 and new ones in front can grow`,
        [x.shape, shape],
      );
    }
    const strides = shape.map((n, d) =>
      d < lead || x.shape[d - lead] !== n ? 0 : x.strides[d - lead]
    );
    return { ...x, shape, strides };
  },
  gradient: {
    rule: ({ grads: [grad], inputMetas: [{ shape }] }) => [
      grad && grad.sumTo(shape),
    ],
  },
};

/** A box of x, or every step-th element of it. Throws a ShapeError for bounds outside x; callers clip theirs first. */
export const slice: ViewOp<SliceAttrs> = {
  name: "slice",
  view(x, { starts, ends, steps }) {
    let offset = x.offset;
    const step = (d: number) => steps?.[d] ?? 1;
    for (const list of [starts, ends, steps ?? starts]) {
      if (list.length === x.shape.length) continue;
      throw new ShapeError(
        `Cannot slice ${
          formatShape(x.shape)
        } with ${list.length} bounds: expected one for each of its ${x.shape.length} axes`,
        [x.shape],
      );
    }
    const shape = x.shape.map((n, d) => {
      const [start, end] = [starts[d], ends[d]];
      if (
        ![start, end, step(d)].every(Number.isInteger) || start < 0 ||
        end < start || end > n || step(d) < 1
      ) {
        throw new ShapeError(
          `Cannot slice axis ${d} of ${
            formatShape(x.shape)
          } from ${start} to ${end} in steps of ${
            step(d)
          }: expected 0 ≤ start ≤ end ≤ ${n} and a step from 1`,
          [x.shape],
        );
      }
      if (end > start) offset += start * x.strides[d];
      return Math.ceil((end - start) / step(d));
    });
    const strides = x.strides.map((stride, d) => stride * step(d));
    return { ...x, shape, strides, offset };
  },
  gradient: {
    rule({ grads: [grad], inputMetas: [x], outputMetas: [y], attrs, apply }) {
      if (!grad) return [null];
      const { starts, steps } = attrs;
      const step = (d: number) => steps?.[d] ?? 1;
      // Zeros around the gradient, and between its elements where some were stepped over.
      const after = x.shape.map((n, d) => {
        const size = y.shape[d];
        return n - starts[d] - (size === 0 ? 0 : (size - 1) * step(d) + 1);
      });
      return [apply(pad, [grad], { before: starts, after, steps })[0]];
    },
  },
};

/** The same elements, in row-major order, in another shape. Throws a ShapeError where the input's strides don't allow it without a copy. */
export const reshape: ViewOp<ShapeAttrs> = {
  name: "reshape",
  view(x, attrs) {
    const shape = resolveShape(x.shape, attrs.shape);
    const strides = reshapedStrides(x, shape);
    if (!strides) {
      throw new ShapeError(
        `Cannot reshape ${formatShape(x.shape)} to ${
          formatShape(shape)
        } without a copy: its strides are ${formatShape(x.strides)}`,
        [x.shape, shape],
      );
    }
    return { ...x, shape, strides };
  },
  gradient: {
    rule: ({ grads: [grad], inputMetas: [{ shape }] }) => [
      grad && grad.reshape(shape),
    ],
  },
};

/**
 * The strides with which a view is walked in another shape of as many elements, or undefined where only a copy can have that shape.
 *
 * Axes of the view that lie together without gaps form a run, and each run must be filled by whole axes of the new shape.
 */
export function reshapedStrides(x: View, shape: Shape): number[] | undefined {
  if (sizeOf(shape) === 0) return stridesOf(shape);
  const strides = new Array<number>(shape.length).fill(1);
  let to = shape.length - 1;
  let run = 1;
  let step = x.strides[x.strides.length - 1];
  for (let from = x.shape.length - 1; from >= 0; from--) {
    run *= x.shape[from];
    const joins = from > 0 &&
      (x.shape[from - 1] === 1 || x.strides[from - 1] === run * step);
    if (joins) continue;
    let filled = 1;
    for (; to >= 0 && (filled < run || shape[to] === 1); to--) {
      strides[to] = filled * step;
      filled *= shape[to];
    }
    if (filled !== run) return undefined;
    run = 1;
    step = x.strides[from - 1];
  }
  return strides;
}

/**
 * The shape that `[…]` is reshaped to: one size may be -1 and follows from the others. Throws a ShapeError if the elements don't fill it.
 */
export function resolveShape(from: Shape, to: Shape): number[] {
  const what = `Cannot reshape ${formatShape(from)} to ${formatShape(to)}`;
  const open = to.indexOf(-1);
  if (to.some((n, d) => d !== open && !isSize(n))) {
    throw new ShapeError(
      `${what}: sizes are whole numbers from 0, and one of them may be -1`,
      [from, to],
    );
  }
  const size = sizeOf(from);
  if (open < 0) {
    if (sizeOf(to) === size) return [...to];
    throw new ShapeError(
      `${what}: ${size} elements do not fill ${sizeOf(to)}`,
      [from, to],
    );
  }
  const rest = sizeOf(to.filter((_, d) => d !== open));
  if (rest === 0) {
    throw new ShapeError(
      `${what}: -1 could be any size beside an empty axis, name it`,
      [from, to],
    );
  }
  if (size % rest !== 0) {
    throw new ShapeError(
      `${what}: ${size} elements do not divide by ${rest}`,
      [from, to],
    );
  }
  return to.map((n, d) => d === open ? size / rest : n);
}

function isSize(n: number): boolean {
  return Number.isInteger(n) && n >= 0;
}
