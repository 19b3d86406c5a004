/** Arithmetic on shapes and strides. */
import { ShapeError } from "./errors.ts";
import type { DType, Meta, Shape, View } from "./op.ts";

/** Number of elements. The empty shape is a scalar. */
export function sizeOf(shape: Shape): number {
  let size = 1;
  for (const n of shape) size *= n;
  return size;
}

/** Row-major strides in elements. */
export function stridesOf(shape: Shape): number[] {
  const strides = new Array<number>(shape.length);
  let step = 1;
  for (let d = shape.length - 1; d >= 0; d--) {
    strides[d] = step;
    step *= shape[d];
  }
  return strides;
}

/** Bytes that one element takes on a device. `bool` is stored as a 32-bit word. */
export function itemBytes(dtype: DType): number {
  return dtype === "f16" ? 2 : dtype === "f64" ? 8 : 4;
}

/** A contiguous view of a whole buffer. */
export function contiguousView({ shape, dtype }: Meta): View {
  return { shape, dtype, strides: stridesOf(shape), offset: 0 };
}

/** Whether the elements stand in row-major order without gaps, wherever they start. */
export function isContiguous({ shape, strides }: View): boolean {
  let step = 1;
  for (let d = shape.length - 1; d >= 0; d--) {
    if (shape[d] !== 1 && strides[d] !== step) return sizeOf(shape) === 0;
    step *= shape[d];
  }
  return true;
}

/** Whether two shapes are the same. */
export function sameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((n, d) => n === b[d]);
}

/** A shape as it stands in messages: `[2, 3]`. */
export function formatShape(shape: Shape): string {
  return `[${shape.join(", ")}]`;
}

/** Counts a negative axis from the end. `what` names the call in the error. */
export function normalizeAxis(
  axis: number,
  rank: number,
  what: string,
): number {
  if (!Number.isInteger(axis) || axis < -rank || axis >= Math.max(rank, 1)) {
    throw new ShapeError(
      rank === 0
        ? `Cannot ${what} along axis ${axis}: a scalar has no axes`
        : `Cannot ${what} along axis ${axis}: expected an integer from ${-rank} to ${
          rank - 1
        } for a tensor of rank ${rank}`,
    );
  }
  return axis < 0 ? axis + rank : axis;
}

/** Several axes, counted from the start and ascending; all of them when none are named. */
export function normalizeAxes(
  axes: number | readonly number[] | undefined,
  rank: number,
  what: string,
): number[] {
  if (axes === undefined) return Array.from({ length: rank }, (_, d) => d);
  const list = typeof axes === "number" ? [axes] : axes;
  const normal = list.map((axis) => normalizeAxis(axis, rank, what));
  if (new Set(normal).size !== normal.length) {
    throw new ShapeError(
      `Cannot ${what} along axes ${formatShape(list)}: an axis is named twice`,
    );
  }
  return normal.sort((a, b) => a - b);
}

/** The shape that both broadcast to, by numpy's rule. `what` names the call in the error. */
export function broadcastShapes(a: Shape, b: Shape, what: string): number[] {
  const rank = Math.max(a.length, b.length);
  const out = new Array<number>(rank);
  for (let d = 1; d <= rank; d++) {
    const m = a[a.length - d] ?? 1;
    const n = b[b.length - d] ?? 1;
    if (m !== n && m !== 1 && n !== 1) {
      throw new ShapeError(
        `Cannot ${what} ${formatShape(a)} and ${
          formatShape(b)
        }: sizes ${m} and ${n} of axis ${-d} differ and neither is 1`,
        [a, b],
      );
    }
    out[rank - d] = m === 1 ? n : m;
  }
  return out;
}

/** The strides with which a view walks a shape that it broadcasts to: 0 along repeated axes. */
export function broadcastStrides(view: View, shape: Shape): number[] {
  const lead = shape.length - view.shape.length;
  return shape.map((n, d) =>
    d < lead || (view.shape[d - lead] === 1 && n !== 1)
      ? 0
      : view.strides[d - lead]
  );
}
