/**
 * Softmax and log-softmax along an axis, and their gradients.
 *
 * Float inputs of any strides; f16 is computed in f32. A row with NaN or +∞, or of -∞ only, is NaN throughout, as in PyTorch. A scalar is a
 * row of one along axis 0.
 */
import { DTypeError, ShapeError } from "../errors.ts";
import type { HostArray, Meta, Op } from "../op.ts";
import { formatShape, normalizeAxis, sameShape } from "../shape.ts";
import { backwardVariants } from "./backward.ts";
import { forwardVariants } from "./forward.ts";
import type { AlongAxis } from "./rows.ts";

/**
 * Exponentials that add up to 1: y = exp(x - max x) / Σ exp(x - max x) along the axis.
 *
 * `x: [.., n, ..] → y: [.., n, ..]`. Throws a DTypeError for integers and a ShapeError for an axis that isn't there.
 */
export const softmax: Op<AlongAxis> = {
  name: "softmax",
  strided: true,
  infer: ([x], { axis }) => [inferRows("softmax", x, axis)],
  variants: forwardVariants(false),
  reference([x], [y], { axis }) {
    eachRow(x, axis, (at) => {
      const highest = at.reduce((m, i) => Math.max(m, x.data[i]), -Infinity);
      const sum = at.reduce((s, i) => s + Math.exp(x.data[i] - highest), 0);
      for (const i of at) y.data[i] = Math.exp(x.data[i] - highest) / sum;
    });
  },
  gradient: {
    saves: { outputs: [0] },
    rule: ({ grads: [dy], outputs: [y], attrs, apply }) => [
      dy && apply(softmaxBackward, [y, dy], attrs)[0],
    ],
  },
};

/**
 * Logarithm of the softmax: y = x - max x - log Σ exp(x - max x) along the axis.
 *
 * `x: [.., n, ..] → y: [.., n, ..]`. Throws a DTypeError for integers and a ShapeError for an axis that isn't there.
 */
export const logSoftmax: Op<AlongAxis> = {
  name: "logSoftmax",
  strided: true,
  infer: ([x], { axis }) => [inferRows("logSoftmax", x, axis)],
  variants: forwardVariants(true),
  reference([x], [y], { axis }) {
    eachRow(x, axis, (at) => {
      const highest = at.reduce((m, i) => Math.max(m, x.data[i]), -Infinity);
      const sum = at.reduce((s, i) => s + Math.exp(x.data[i] - highest), 0);
      for (const i of at) y.data[i] = x.data[i] - highest - Math.log(sum);
    });
  },
  gradient: {
    saves: { outputs: [0] },
    rule: ({ grads: [dy], outputs: [y], attrs, apply }) => [
      dy && apply(logSoftmaxBackward, [y, dy], attrs)[0],
    ],
  },
};

/**
 * Gradient of `softmax` from its output: dx = y · (dy - Σ dy · y) along the axis.
 *
 * `y, dy: [.., n, ..] → dx: [.., n, ..]`.
 */
export const softmaxBackward: Op<AlongAxis> = {
  name: "softmaxBackward",
  strided: true,
  infer: ([y, dy], { axis }) => [inferBackward("softmax", y, dy, axis)],
  variants: backwardVariants(false),
  reference([y, dy], [dx], { axis }) {
    eachRow(y, axis, (at) => {
      const sum = at.reduce((s, i) => s + dy.data[i] * y.data[i], 0);
      for (const i of at) dx.data[i] = y.data[i] * (dy.data[i] - sum);
    });
  },
  gradient: {
    saves: { inputs: [0, 1] },
    rule({ grads: [g], inputs: [y, dy], attrs, needs, apply }) {
      if (!g) return [null, null];
      const along = [attrs.axis];
      const sum = (a: typeof y, b: typeof y) =>
        a.mul(b).sum(along, { keepDims: true });
      return [
        needs[0] ? g.mul(dy.sub(sum(dy, y))).sub(dy.mul(sum(g, y))) : null,
        needs[1] ? apply(softmaxBackward, [y, g], attrs)[0] : null,
      ];
    },
  },
};

/**
 * Gradient of `logSoftmax` from its output: dx = dy - exp(y) · Σ dy along the axis.
 *
 * `y, dy: [.., n, ..] → dx: [.., n, ..]`.
 */
export const logSoftmaxBackward: Op<AlongAxis> = {
  name: "logSoftmaxBackward",
  strided: true,
  infer: ([y, dy], { axis }) => [inferBackward("logSoftmax", y, dy, axis)],
  variants: backwardVariants(true),
  reference([y, dy], [dx], { axis }) {
    eachRow(y, axis, (at) => {
      const sum = at.reduce((s, i) => s + dy.data[i], 0);
      for (const i of at) dx.data[i] = dy.data[i] - Math.exp(y.data[i]) * sum;
    });
  },
  gradient: {
    saves: { inputs: [0, 1] },
    rule({ grads: [g], inputs: [y, dy], attrs, needs }) {
      if (!g) return [null, null];
      const along = [attrs.axis];
      const weighted = g.mul(y.exp());
      return [
        needs[0] ? weighted.mul(dy.sum(along, { keepDims: true })).neg() : null,
        needs[1] ? g.sub(weighted.sum(along, { keepDims: true })) : null,
      ];
    },
  },
};

function inferRows(name: string, x: Meta, axis: number): Meta {
  normalizeAxis(axis, x.shape.length, `take the ${name}`);
  if (x.dtype !== "f32" && x.dtype !== "f16" && x.dtype !== "f64") {
    throw new DTypeError(
      `Cannot take the ${name} of ${x.dtype}: expected floats, convert with to("f32")`,
      [x.dtype],
    );
  }
  return { shape: x.shape, dtype: x.dtype };
}

function inferBackward(name: string, y: Meta, dy: Meta, axis: number): Meta {
  if (!sameShape(y.shape, dy.shape)) {
    throw new ShapeError(
      `Cannot take the gradient of ${name} for ${formatShape(y.shape)} from ${
        formatShape(dy.shape)
      }: both must have the same shape`,
      [y.shape, dy.shape],
    );
  }
  if (y.dtype !== dy.dtype) {
    throw new DTypeError(
      `Cannot take the gradient of ${name} for ${y.dtype} from ${dy.dtype}: both must have the same element type`,
      [y.dtype, dy.dtype],
    );
  }
  return inferRows(name, y, axis);
}

/** Calls `visit` with the positions of each row's elements along an axis. */
function eachRow(
  { shape, data }: HostArray,
  axis: number,
  visit: (at: readonly number[]) => void,
): void {
  const n = shape[axis] ?? 1;
  const step = shape.slice(axis + 1).reduce((a, b) => a * b, 1);
  for (let row = 0; row < data.length / n; row++) {
    const first = Math.floor(row / step) * step * n + row % step;
    visit(Array.from({ length: n }, (_, i) => first + i * step));
  }
}
