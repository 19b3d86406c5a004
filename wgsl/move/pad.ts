/** Padding: borders around a tensor, and room between its elements. */
import { ShapeError } from "../errors.ts";
import {
  ALIGN,
  bind,
  linearGrid,
  rankWords,
  splitBox,
  windowOf,
  words,
} from "../launch.ts";
import type { Box } from "../launch.ts";
import type { Launch, Meta, Op, Plan, Request } from "../op.ts";
import { formatShape, itemBytes, sizeOf, stridesOf } from "../shape.ts";
import { bitsDeclarations, bitsOf, convert } from "./convert.ts";
import { copyLaunches } from "./copy_plan.ts";
import { arange, fillPlan } from "./fill.ts";
import { scatterAdd } from "./gather.ts";
import code from "./pad.wgsl" with { type: "text" };
import { checkRank, eachPlace, walkOf, WORKGROUP } from "./walk.ts";

const kernel = { label: "wgsl/move/pad.wgsl", code };

/** What stands in the border: one value, x mirrored about its edge elements, or its edge elements repeated. */
export type PadMode = "constant" | "reflect" | "replicate";

/** How far a tensor is padded, one number for each axis. */
export interface PadAttrs {
  readonly before: readonly number[];
  readonly after: readonly number[];
  /** Distance in y between neighbouring elements of x, for mode "constant". @default all 1 */
  readonly steps?: readonly number[];
  /** @default "constant" */
  readonly mode?: PadMode;
  /** What the padding holds in mode "constant". @default 0 */
  readonly value?: number;
}

/**
 * Puts a border around x.
 *
 * `x: [n, ..] → [before + (n − 1)·step + 1 + after, ..]`, each axis with its own amounts. Mode "reflect" needs amounts below n, as in PyTorch, and
 * "replicate" a non-empty axis. Throws a ShapeError for amounts that don't fit.
 */
export const pad: Op<PadAttrs> = {
  name: "pad",
  strided: true,
  infer([x], attrs) {
    const { before, after, steps, mode = "constant" } = attrs;
    for (const list of [before, after, steps ?? before]) {
      if (list.length === x.shape.length) continue;
      throw new ShapeError(
        `Cannot pad ${
          formatShape(x.shape)
        } by ${list.length} amounts: expected one for each of its ${x.shape.length} axes`,
        [x.shape],
      );
    }
    const shape = x.shape.map((n, d) => {
      checkAmount(x, d, before[d], "before", mode);
      checkAmount(x, d, after[d], "after", mode);
      const step = steps?.[d] ?? 1;
      if (!Number.isInteger(step) || step < 1) {
        throw new ShapeError(
          `Cannot pad ${
            formatShape(x.shape)
          } with step ${step} on axis ${d}: steps are whole numbers from 1`,
          [x.shape],
        );
      }
      if (step > 1 && mode !== "constant") {
        throw new ShapeError(
          `Cannot pad ${
            formatShape(x.shape)
          } with step ${step} in mode ${mode}: only mode constant takes steps`,
          [x.shape],
        );
      }
      return before[d] + (n === 0 ? 0 : (n - 1) * step + 1) + after[d];
    });
    return [{ shape, dtype: x.dtype }];
  },
  variants: [
    {
      name: "tiled",
      applies: ({ attrs: { mode = "constant" } }) => mode === "constant",
      plan: fillAndCopy,
    },
    { name: "naive", plan },
  ],
  reference([x], [y], attrs) {
    const { mode = "constant", value = 0 } = attrs;
    const axes = axesOf(x.shape, stridesOf(x.shape), y.shape, attrs);
    const filler = convert(value, "f64", y.dtype);
    eachPlace(y.shape, (place, i) => {
      let at = 0;
      for (let d = 0; d < axes.length && at >= 0; d++) {
        const from = sourceOf(axes[d], place[d], mode);
        at = from < 0 ? -1 : at + from * axes[d].xStride;
      }
      y.data[i] = at < 0 ? filler : x.data[at];
    });
  },
  gradient: {
    rule({ grads: [grad], attrs, inputMetas: [x], outputMetas: [y], apply }) {
      if (!grad) return [null];
      const { before, steps, mode = "constant" } = attrs;
      let result = grad;
      x.shape.forEach((n, d) => {
        const size = y.shape[d];
        if (size === n) return;
        if (mode === "constant") {
          const step = steps?.[d] ?? 1;
          const end = before[d] + (n === 0 ? 0 : (n - 1) * step + 1);
          result = result.slice(d, before[d], end, step);
          return;
        }
        // Each border element goes back to where it was copied from; the axes are undone one after the other.
        const [places] = apply(arange, [], {
          start: -before[d],
          step: 1,
          length: size,
          dtype: "i32",
        });
        const from = mode === "replicate"
          ? places.clamp({ min: 0, max: n - 1 })
          : places.abs().sub(n - 1).abs().neg().add(n - 1);
        const ones = x.shape.map((_, axis) => axis === d ? -1 : 1);
        const index = from.reshape(ones).expand(result.shape);
        result = apply(scatterAdd, [result, index], { axis: d, size: n })[0];
      });
      return [result];
    },
  },
};

function checkAmount(
  { shape }: Meta,
  axis: number,
  amount: number,
  side: "before" | "after",
  mode: PadMode,
): void {
  const what = `Cannot pad ${
    formatShape(shape)
  } by ${amount} ${side} axis ${axis}`;
  if (!Number.isInteger(amount) || amount < 0) {
    throw new ShapeError(
      `${what}: amounts are whole numbers from 0 (slice to make a tensor smaller)`,
      [shape],
    );
  }
  const n = shape[axis];
  if (mode === "reflect" && amount > 0 && amount >= n) {
    throw new ShapeError(
      `${what} in mode reflect: the amount must be below the axis's size ${n}`,
      [shape],
    );
  }
  if (mode === "replicate" && amount > 0 && n === 0) {
    throw new ShapeError(
      `${what} in mode replicate: the axis is empty`,
      [shape],
    );
  }
}

/** One axis of a padding, perhaps of several that lie together and aren't padded. */
interface Axis {
  readonly size: number;
  readonly n: number;
  readonly before: number;
  readonly step: number;
  readonly xStride: number;
}

function axesOf(
  xShape: readonly number[],
  xStrides: readonly number[],
  yShape: readonly number[],
  { before, steps }: PadAttrs,
): Axis[] {
  return yShape.map((size, d) => ({
    size,
    n: xShape[d],
    before: before[d],
    step: steps?.[d] ?? 1,
    xStride: xStrides[d],
  }));
}

/** Merges neighbouring axes that aren't padded and lie together. Y is contiguous, so that only x can keep them apart. */
function mergeAxes(axes: readonly Axis[]): Axis[] {
  const merged: Axis[] = [];
  for (const axis of axes) {
    const last = merged.at(-1);
    if (
      last && last.size === last.n && axis.size === axis.n &&
      last.xStride === axis.xStride * axis.n
    ) {
      const size = last.size * axis.size;
      merged[merged.length - 1] = { ...axis, size, n: size };
    } else if (axis.size !== 1) merged.push(axis);
  }
  return merged;
}

/** The coordinate of x that a coordinate of y shows, or -1 for none. */
function sourceOf(
  { n, before, step, size }: Axis,
  place: number,
  mode: PadMode,
): number {
  if (size === n) return place;
  const from = place - before;
  if (mode === "replicate") return Math.min(Math.max(from, 0), n - 1);
  if (mode === "reflect") return n - 1 - Math.abs(n - 1 - Math.abs(from));
  if (from < 0 || from > (n - 1) * step || from % step !== 0) return -1;
  return from / step;
}

/** The part of an axis of x that a box of y shows; one element if it shows none. */
function sourceRange(
  axis: Axis,
  start: number,
  size: number,
  mode: PadMode,
): { start: number; size: number } {
  if (axis.size === axis.n) return { start, size };
  let least = Infinity;
  let greatest = -1;
  for (let place = start; place < start + size; place++) {
    const from = sourceOf(axis, place, mode);
    if (from < 0) continue;
    least = Math.min(least, from);
    greatest = Math.max(greatest, from);
  }
  return greatest < 0
    ? { start: 0, size: 1 }
    : { start: least, size: greatest - least + 1 };
}

/** The padding everywhere, then x over its place. */
function fillAndCopy(
  { inputs: [x], outputs: [y], attrs, limits }: Request<PadAttrs>,
): Plan {
  const { before, steps, value = 0 } = attrs;
  let { offset } = y;
  before.forEach((n, d) => offset += n * y.strides[d]);
  const strides = y.strides.map((stride, d) => stride * (steps?.[d] ?? 1));
  const fill = fillPlan(y, convert(value, "f64", y.dtype), limits);
  const copies = copyLaunches(
    x.shape,
    { slot: "input", index: 0, walk: walkOf(x) },
    { slot: "output", index: 0, walk: { strides, offset, dtype: y.dtype } },
    "tiled",
    limits,
  );
  return { launches: [...fill.launches, ...copies] };
}

/** One kernel that finds out for each element of y where it comes from. */
function plan(
  { inputs: [x], outputs: [y], attrs, limits }: Request<PadAttrs>,
): Plan {
  const { mode = "constant" } = attrs;
  const value = convert(attrs.value ?? 0, "f64", y.dtype);
  if (sizeOf(y.shape) === 0) return { launches: [] };
  if (sizeOf(x.shape) === 0) return fillPlan(y, value, limits);
  const axes = mergeAxes(axesOf(x.shape, x.strides, y.shape, attrs));
  checkRank(axes.length);
  const shape = axes.map(({ size }) => size);
  const yWalk = { ...walkOf(y), strides: stridesOf(shape) };
  const xWalk = { ...walkOf(x), strides: axes.map(({ xStride }) => xStride) };
  // A box of y shows a part of x that is no larger along any axis, though it may lie differently in its aligned window.
  const spare = {
    ...limits,
    maxStorageBufferBindingSize: limits.maxStorageBufferBindingSize -
      2 * ALIGN,
  };
  const launches = splitBox(shape, [xWalk, yWalk], spare).map((box) =>
    launchOf(box)
  );
  return { launches };

  function launchOf(box: Box): Launch {
    const parts = axes.map((axis, d) =>
      sourceRange(axis, box.start[d], box.size[d], mode)
    );
    const from = windowOf(xWalk, {
      start: parts.map(({ start }) => start),
      size: parts.map(({ size }) => size),
    });
    const to = windowOf(yWalk, box);
    const count = sizeOf(box.size);
    let base = from.base;
    parts.forEach(({ start }, d) => base -= start * xWalk.strides[d]);
    return {
      kernel,
      declarations: bitsDeclarations(y.dtype),
      constants: {
        RANK: axes.length,
        MODE: ["constant", "reflect", "replicate"].indexOf(mode),
      },
      bindings: [
        bind("input", 0, "read", from),
        bind("output", 0, "write", to),
      ],
      params: words(
        count,
        base,
        to.base,
        bitsOf(value, y.dtype),
        ...rankWords(box.size, 1),
        ...rankWords(box.start, 0),
        ...rankWords(axes.map(({ before }) => before), 0),
        ...rankWords(axes.map(({ step }) => step), 1),
        ...rankWords(axes.map(({ n }) => n), 1),
        ...rankWords(xWalk.strides, 0),
        ...rankWords(yWalk.strides, 0),
      ),
      workgroups: linearGrid(count, WORKGROUP, limits),
      trips: axes.length,
      flops: 0,
      bytes: (sizeOf(parts.map(({ size }) => size)) + count) *
        itemBytes(y.dtype),
    };
  }
}
