/** Negative log-likelihood of labels, with those that are ignored, and its gradient: one launch each, where gathering and masking would take five. */
import { DTypeError, ShapeError } from "../errors.ts";
import {
  bind,
  type Box,
  linearGrid,
  splitBox,
  storageType,
  type Walk,
  windowOf,
  words,
} from "../launch.ts";
import { bitsOf } from "../move/convert.ts";
import type {
  DType,
  HostArray,
  Launch,
  Limits,
  Meta,
  Op,
  Plan,
  Shape,
} from "../op.ts";
import { formatShape, itemBytes, sameShape, sizeOf } from "../shape.ts";
import backwardCode from "./nll_backward.wgsl" with { type: "text" };
import code from "./nll.wgsl" with { type: "text" };

const NLL = { label: "wgsl/softmax/nll.wgsl", code };
const BACKWARD = {
  label: "wgsl/softmax/nll_backward.wgsl",
  code: backwardCode,
};

/** Invocations of a workgroup, as written in the kernels. */
const WORKGROUP = 64;

/** Attributes of `nllLoss`. */
export interface NllLossAttrs {
  /** The label that counts nowhere. One that the labels' type doesn't hold is none. */
  readonly ignoreIndex: number;
}

/** Attributes of `nllLossBackward`. */
export interface NllLossBackwardAttrs extends NllLossAttrs {
  /** The size of the axis of classes. */
  readonly classes: number;
}

/**
 * Minus the logarithm of each label's probability, and what it counts in an average: `losses[n, …] = -x[n, labels[n, …], …]` and 1, or 0 and 0 where the label is
 * ignored.
 *
 * `x: [N, C, …], labels: [N, …] of i32 or u32 → losses, counts: [N, …]` of x's type; `[C]` and `[]` are one sample. On a GPU a label outside 0 … C - 1 gives NaN;
 * the reference throws a RangeError. Throws a ShapeError or DTypeError for labels that don't fit.
 */
export const nllLoss: Op<NllLossAttrs> = {
  name: "nllLoss",
  infer([x, labels]) {
    const { classes, shape } = sizesOf(x.shape);
    checkLabels(labels, shape, x);
    checkFloat(x);
    if (x.shape.length === 0 || classes === 0 && sizeOf(shape) > 0) {
      throw new ShapeError(
        `Cannot take the likelihood of labels in ${
          formatShape(x.shape)
        }: expected [C] or [N, C, …] with classes`,
        [x.shape, labels.shape],
      );
    }
    const y = { shape, dtype: x.dtype };
    return [y, y];
  },
  variants: [{
    name: "naive",
    plan: ({ inputs: [x, labels], attrs, limits }) =>
      planForward(x, labels.dtype, attrs, limits),
  }],
  reference([x, labels], [losses, counts], { ignoreIndex }) {
    const { classes, places } = sizesOf(x.shape);
    eachLabel(labels, classes, ignoreIndex, (label, i) => {
      const n = Math.floor(i / places);
      const at = (n * classes + label) * places + i % places;
      losses.data[i] = label < 0 ? 0 : -x.data[at];
      counts.data[i] = label < 0 ? 0 : 1;
    });
  },
  gradient: {
    saves: { inputs: [1], outputs: [1] },
    rule({ grads: [dy], inputs, outputs, inputMetas: [x], attrs, apply }) {
      if (!dy) return [null, null];
      const { classes } = sizesOf(x.shape);
      // As one elementwise call with what dy is made of, where calls are fused; ignored labels get none in any case.
      const counted = dy.mul(outputs[1]);
      const given = [counted, inputs[1]];
      return [apply(nllLossBackward, given, { ...attrs, classes })[0], null];
    },
  },
};

/**
 * Gradient of {@linkcode nllLoss} in x: `dx[n, c, …] = -dy[n, …]` for the label's class, 0 for the others and for ignored labels.
 *
 * `dy: [N, …], labels: [N, …] → dx: [N, C, …]`, or from scalars `[C]`.
 */
export const nllLossBackward: Op<NllLossBackwardAttrs> = {
  name: "nllLossBackward",
  infer([dy, labels], { classes }) {
    checkLabels(labels, dy.shape, dy);
    checkFloat(dy);
    const [images, ...places] = dy.shape;
    const shape = dy.shape.length === 0
      ? [classes]
      : [images, classes, ...places];
    return [{ shape, dtype: dy.dtype }];
  },
  variants: [{
    name: "naive",
    plan: ({ inputs: [, labels], outputs: [dx], attrs, limits }) =>
      planBackward(dx, labels.dtype, attrs, limits),
  }],
  reference([dy, labels], [dx], { classes, ignoreIndex }) {
    const { places } = sizesOf(dx.shape);
    dx.data.fill(0);
    eachLabel(labels, classes, ignoreIndex, (label, i) => {
      if (label < 0) return;
      const n = Math.floor(i / places);
      dx.data[(n * classes + label) * places + i % places] = -dy.data[i];
    });
  },
  gradient: {
    saves: { inputs: [1] },
    rule: ({ grads: [g], inputs, attrs: { ignoreIndex }, apply }) => [
      g && apply(nllLoss, [g, inputs[1]], { ignoreIndex })[0],
      null,
    ],
  },
};

/** The sizes of `[N, C, P]` that a shape stands for, and the shape of its labels. */
function sizesOf(shape: Shape) {
  if (shape.length === 1) {
    return { images: 1, classes: shape[0], places: 1, shape: [] };
  }
  const [images = 0, classes = 0, ...rest] = shape;
  return { images, classes, places: sizeOf(rest), shape: [images, ...rest] };
}

function checkLabels(labels: Meta, expected: Shape, x: Meta): void {
  if (labels.dtype !== "i32" && labels.dtype !== "u32") {
    throw new DTypeError(
      `Cannot take the likelihood of ${labels.dtype} labels: expected i32 or u32`,
      [labels.dtype],
    );
  }
  if (sameShape(labels.shape, expected)) return;
  throw new ShapeError(
    `Cannot take the likelihood of labels ${formatShape(labels.shape)} in ${
      formatShape(x.shape)
    }: expected labels ${formatShape(expected)}`,
    [x.shape, labels.shape],
  );
}

function checkFloat({ dtype }: Meta): void {
  if (dtype === "f32" || dtype === "f16" || dtype === "f64") return;
  throw new DTypeError(
    `Cannot take the likelihood in ${dtype}: expected f32, f16 or f64`,
    [dtype],
  );
}

/** Calls back with each label, or -1 where it is ignored. */
function eachLabel(
  { data, shape }: HostArray,
  classes: number,
  ignoreIndex: number,
  visit: (label: number, i: number) => void,
): void {
  for (let i = 0; i < sizeOf(shape); i++) {
    const label = Number(data[i]);
    if (label !== ignoreIndex && !(label >= 0 && label < classes)) {
      throw new RangeError(
        `Cannot take the likelihood of label ${label} at ${i}: expected 0 to ${
          classes - 1
        }`,
      );
    }
    visit(label === ignoreIndex ? -1 : label, i);
  }
}

/** Whether a label is ignored, and its bits. */
function ignoredWords(ignoreIndex: number, dtype: DType): number[] {
  const holds = Number.isInteger(ignoreIndex) &&
    (dtype === "u32"
      ? ignoreIndex >= 0 && ignoreIndex < 2 ** 32
      : ignoreIndex >= -(2 ** 31) && ignoreIndex < 2 ** 31);
  return holds ? [1, ignoreIndex >>> 0] : [0, 0];
}

/** How `[N, C, P]` and `[N, P]` are walked over a box of `[N, C, P]`, and the boxes that fit bindings. */
function boxesOf(x: Meta, labels: DType, limits: Limits) {
  const { images, classes, places } = sizesOf(x.shape);
  const whole: Walk = {
    strides: [classes * places, places, 1],
    offset: 0,
    dtype: x.dtype,
  };
  const small: Walk = { strides: [places, 0, 1], offset: 0, dtype: x.dtype };
  const given: Walk = { ...small, dtype: labels };
  const boxes = sizeOf([images, classes, places]) === 0
    ? []
    : splitBox([images, classes, places], [whole, small, given], limits);
  return { boxes, whole, small, given, classes, places };
}

function planForward(
  x: Meta,
  labels: DType,
  { ignoreIndex }: NllLossAttrs,
  limits: Limits,
): Plan {
  const { boxes, whole, small, given, classes, places } = boxesOf(
    x,
    labels,
    limits,
  );
  const launches = boxes.map((box: Box): Launch => {
    const [images, length, width] = box.size;
    const from = windowOf(whole, box);
    const at = windowOf(given, box);
    const to = windowOf(small, box);
    const count = images * width;
    return {
      kernel: NLL,
      declarations: declarationsOf(x.dtype, labels),
      bindings: [
        bind("input", 0, "read", from),
        bind("input", 1, "read", at),
        bind("output", 0, "write", to),
        bind("output", 1, "write", to),
      ],
      params: words(
        ...[images, width, classes, box.start[1], length],
        ...ignoredWords(ignoreIndex, labels),
        ...[from.base, classes * places, places],
        ...[at.base, to.base, to.base, places],
        bitsOf(NaN, "f32"),
      ),
      workgroups: linearGrid(count, WORKGROUP, limits),
      trips: 0,
      flops: count,
      bytes: count * (4 + 3 * itemBytes(x.dtype)),
    };
  });
  return { launches };
}

function planBackward(
  dx: Meta,
  labels: DType,
  { ignoreIndex }: NllLossBackwardAttrs,
  limits: Limits,
): Plan {
  const { boxes, whole, small, given, classes, places } = boxesOf(
    dx,
    labels,
    limits,
  );
  const launches = boxes.map((box: Box): Launch => {
    const [images, length, width] = box.size;
    const from = windowOf(small, box);
    const at = windowOf(given, box);
    const to = windowOf(whole, box);
    const count = images * length * width;
    return {
      kernel: BACKWARD,
      declarations: declarationsOf(dx.dtype, labels),
      bindings: [
        bind("input", 0, "read", from),
        bind("input", 1, "read", at),
        bind("output", 0, "write", to),
      ],
      params: words(
        ...[images, length, width, box.start[1]],
        ...ignoredWords(ignoreIndex, labels),
        ...[from.base, at.base, to.base],
        ...[places, classes * places, places],
      ),
      workgroups: linearGrid(count, WORKGROUP, limits),
      trips: 0,
      flops: 0,
      bytes: images * width * (4 + itemBytes(dx.dtype)) +
        count * itemBytes(dx.dtype),
    };
  });
  return { launches };
}

function declarationsOf(dtype: DType, labels: DType): string {
  return `alias T = ${storageType(dtype)};\nalias L = ${storageType(labels)};`;
}
