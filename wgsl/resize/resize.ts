/**
 * Resizing along an axis, by the nearest element or linearly between two, and its gradient, each the other's adjoint.
 *
 * Bilinear resizing is linear resizing of the rows and then of the columns.
 */
import { DTypeError, ShapeError } from "../errors.ts";
import type { DType, Meta, Op, Plan, Request, View } from "../op.ts";
import { passTrips, planeLaunches, windowPasses } from "../pool/launches.ts";
import { formatShape, normalizeAxis, sizeOf } from "../shape.ts";
import backwardCode from "./resize_backward.wgsl" with { type: "text" };
import tiledCode from "./resize_tiled.wgsl" with { type: "text" };
import code from "./resize.wgsl" with { type: "text" };

const FORWARD = { label: "wgsl/resize/resize.wgsl", code };
const TILED = { label: "wgsl/resize/resize_tiled.wgsl", code: tiledCode };
const BACKWARD = {
  label: "wgsl/resize/resize_backward.wgsl",
  code: backwardCode,
};

/** Most outputs that an invocation of the tiled kernel owns. */
const MOST_TILE = 8;

/**
 * Where output `o` looks: at ⌊o·scale⌋ for "nearest", at (o + ½)·scale − ½ for "linear" and at o·scale for "corners", which lays the first and last
 * elements of both on each other.
 */
export type ResizeMode = "nearest" | "linear" | "corners";

/** Attributes of `resize`. */
export interface ResizeAttrs {
  readonly axis: number;
  /** Length of the output along the axis. */
  readonly size: number;
  readonly mode: ResizeMode;
  /** Outputs to an input, where they are not size / length exactly. The mode "corners" doesn't look at it. */
  readonly factor?: number;
}

/** Attributes of `resizeBackward`: those of the forward op and the length of its input along the axis. */
export interface ResizeBackwardAttrs extends ResizeAttrs {
  readonly length: number;
}

/**
 * A tensor with more or fewer elements along an axis.
 *
 * `x: [.., n, ..] → [.., size, ..]`, each output from where PyTorch's `interpolate` takes it. Places are computed in f32 on a GPU, so that they are
 * off by up to 2⁻²³ of the axis's length, as in PyTorch.
 */
export const resize: Op<ResizeAttrs> = {
  name: "resize",
  infer([x], attrs) {
    return [resized(x, attrs, attrs.size)];
  },
  variants: [
    { name: "tiled", plan: planTiled },
    { name: "naive", plan: planNaive },
  ],
  reference([x], [y], attrs) {
    const [outer, length, inner] = blocksOf(x, attrs.axis);
    const taps = tapsOf(length, attrs);
    eachBlock(outer, inner, (p, i) => {
      taps.forEach(({ first, next, part }, o) => {
        const a = x.data[(p * length + first) * inner + i];
        const b = x.data[(p * length + next) * inner + i];
        y.data[(p * taps.length + o) * inner + i] = attrs.mode === "nearest"
          ? a
          : (1 - part) * a + part * b;
      });
    });
  },
  gradient: {
    rule({ attrs, grads: [dy], inputMetas: [x], apply }) {
      if (!dy) return [null];
      const axis = normalizeAxis(attrs.axis, x.shape.length, "resize");
      const length = x.shape[axis];
      return apply(resizeBackward, [dy], { ...attrs, length });
    },
  },
};

/**
 * Gradient of `resize`: each input element sums the outputs that it counts in, by its weight there.
 *
 * `dy: [.., size, ..] → dx: [.., length, ..]`
 */
export const resizeBackward: Op<ResizeBackwardAttrs> = {
  name: "resizeBackward",
  infer([dy], attrs) {
    const x = resized(dy, attrs, attrs.length);
    const [y] = resize.infer([x], attrs);
    const axis = normalizeAxis(attrs.axis, dy.shape.length, "resize");
    if (dy.shape[axis] !== attrs.size) {
      throw new ShapeError(
        `Cannot go back through resizing: expected a gradient ${
          formatShape(y.shape)
        } but found ${formatShape(dy.shape)}`,
        [dy.shape, y.shape],
      );
    }
    return [x];
  },
  variants: [{ name: "naive", plan: planBackward }],
  reference([dy], [dx], attrs) {
    const { length } = attrs;
    const [outer, , inner] = blocksOf(dx, attrs.axis);
    const taps = tapsOf(length, attrs);
    const sums = new Float64Array(dx.data.length);
    eachBlock(outer, inner, (p, i) => {
      taps.forEach(({ first, next, part }, o) => {
        const dv = dy.data[(p * taps.length + o) * inner + i];
        if (part < 1) {
          sums[(p * length + first) * inner + i] += (1 - part) * dv;
        }
        if (part > 0) sums[(p * length + next) * inner + i] += part * dv;
      });
    });
    dx.data.set(sums);
  },
  gradient: {
    rule({ attrs: { length: _, ...attrs }, grads: [ddx], apply }) {
      return ddx ? apply(resize, [ddx], attrs) : [null];
    },
  },
};

/** Shape and dtype with another length along the axis. */
function resized(
  x: Meta,
  { axis, size, factor }: ResizeAttrs,
  to: number,
): Meta {
  const floats: readonly DType[] = ["f32", "f16", "f64"];
  if (!floats.includes(x.dtype)) {
    throw new DTypeError(
      `Cannot resize ${x.dtype}: expected one of ${floats.join(", ")}`,
      [x.dtype],
    );
  }
  const at = normalizeAxis(axis, x.shape.length, "resize");
  if (!Number.isInteger(size) || size < 1) {
    throw new ShapeError(
      `Cannot resize axis ${axis} of ${
        formatShape(x.shape)
      } to ${size}: expected a positive integer`,
      [x.shape],
    );
  }
  if (factor !== undefined && !(factor > 0 && factor < Infinity)) {
    throw new ShapeError(
      `Cannot resize by a factor of ${factor}: expected a positive number`,
    );
  }
  if (x.shape[at] === 0) {
    throw new ShapeError(
      `Cannot resize axis ${axis} of ${formatShape(x.shape)}: it is empty`,
      [x.shape],
    );
  }
  return { shape: x.shape.with(at, to), dtype: x.dtype };
}

/** Inputs to an output, by PyTorch's rules. */
function scaleOf(length: number, { size, mode, factor }: ResizeAttrs): number {
  if (mode === "corners") return size === 1 ? 0 : (length - 1) / (size - 1);
  // PyTorch shortens the way for these, and so takes no notice of the factor.
  const plain = size === length || size === 2 * length;
  if (factor === undefined || (mode === "nearest" && plain)) {
    return length / size;
  }
  return 1 / factor;
}

/** The two elements that an output lies between, and how much the second counts. */
interface Tap {
  readonly first: number;
  readonly next: number;
  readonly part: number;
}

function tapsOf(length: number, attrs: ResizeAttrs): Tap[] {
  const scale = scaleOf(length, attrs);
  const last = length - 1;
  return Array.from({ length: attrs.size }, (_, o) => {
    if (attrs.mode === "nearest") {
      // PyTorch's, and so in f32 whatever the tensor's type.
      const place = Math.fround(o * Math.fround(scale));
      const first = Math.min(Math.floor(place), last);
      return { first, next: first, part: 0 };
    }
    const place = attrs.mode === "corners"
      ? o * scale
      : Math.max((o + 0.5) * scale - 0.5, 0);
    const first = Math.min(Math.floor(place), last);
    const part = Math.min(place - first, 1);
    return { first, next: Math.min(first + 1, last), part };
  });
}

/** Elements before an axis, along it and after it. */
function blocksOf(
  { shape }: Meta,
  axis: number,
): [outer: number, length: number, inner: number] {
  const at = normalizeAxis(axis, shape.length, "resize");
  const outer = sizeOf(shape.slice(0, at));
  return [outer, shape[at], sizeOf(shape.slice(at + 1))];
}

function eachBlock(
  outer: number,
  inner: number,
  visit: (p: number, i: number) => void,
): void {
  for (let p = 0; p < outer; p++) {
    for (let i = 0; i < inner; i++) visit(p, i);
  }
}

const MODES = { nearest: 0, linear: 1, corners: 2 } as const;

/** A request whose operands are the planes [P, 1, N, I] around the axis. */
function asPlanes<Attrs extends ResizeAttrs>(
  request: Request<Attrs>,
): Request<Attrs> {
  const planes = (view: View): View => {
    const [outer, length, inner] = blocksOf(view, request.attrs.axis);
    return { ...view, shape: [outer, 1, length, inner] };
  };
  return {
    ...request,
    inputs: request.inputs.map(planes),
    outputs: request.outputs.map(planes),
  };
}

function planTiled(request: Request<ResizeAttrs>): Plan {
  const { attrs } = request;
  const [, length, inner] = blocksOf(request.inputs[0], attrs.axis);
  const outputs = attrs.size * inner;
  const TILE = Math.min(MOST_TILE, outputs);
  const tiles = Math.ceil(outputs / TILE);
  return {
    launches: planeLaunches(asPlanes(request), {
      kernel: TILED,
      constants: { MODE: MODES[attrs.mode], SCALE: scaleOf(length, attrs) },
      sizes: { TILE },
      invocations: tiles,
      params: [length, attrs.size, inner, tiles],
      trips: TILE,
      flops: outputs * (attrs.mode === "nearest" ? 0 : 4),
    }),
  };
}

function planNaive(request: Request<ResizeAttrs>): Plan {
  const { attrs } = request;
  const [, length, inner] = blocksOf(request.inputs[0], attrs.axis);
  return {
    launches: planeLaunches(asPlanes(request), {
      kernel: FORWARD,
      constants: { MODE: MODES[attrs.mode], SCALE: scaleOf(length, attrs) },
      invocations: attrs.size * inner,
      params: [length, attrs.size, inner],
      trips: 0,
      flops: attrs.size * inner * (attrs.mode === "nearest" ? 0 : 4),
    }),
  };
}

/** Stands for the inverse of scale 0, where all outputs look at the first element. */
const HUGE = 2 ** 30;

function planBackward(request: Request<ResizeBackwardAttrs>): Plan {
  const { attrs, limits } = request;
  const { length, size } = attrs;
  const [, , inner] = blocksOf(request.outputs[0], attrs.axis);
  const scale = scaleOf(length, attrs);
  const INVERSE = scale === 0 ? HUGE : 1 / scale;
  const MARGIN = 0.25 + size * 2 ** -21;
  const seen = Math.min(size, Math.ceil(2 * INVERSE + 2 * MARGIN) + 2);
  const flops = attrs.mode === "nearest" ? 1 : 2;
  return {
    launches: windowPasses(1, seen, limits).flatMap((pass) =>
      planeLaunches(asPlanes(request), {
        kernel: BACKWARD,
        constants: {
          MODE: MODES[attrs.mode],
          SCALE: scale,
          INVERSE,
          MARGIN,
          COLUMN_START: pass.COLUMN_START,
          COLUMN_END: pass.COLUMN_END,
        },
        invocations: length * inner,
        params: [length, size, inner],
        trips: passTrips(pass),
        flops: size * inner * flops,
      })
    ),
  };
}
