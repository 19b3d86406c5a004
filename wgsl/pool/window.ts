/**
 * The sliding window of pooling: its attributes, the checks on them, and the sizes that follow.
 *
 * Along one axis, window `o` covers the input positions `o·stride − padding + i·dilation` for i = 0 … kernel − 1.
 */
import { DTypeError, ShapeError } from "../errors.ts";
import type { DType, Meta, Shape } from "../op.ts";
import { formatShape, sameShape } from "../shape.ts";

/** Height and width. */
export type Pair = readonly [height: number, width: number];

/** A window that slides over planes. Sizes in elements. */
export interface PoolWindow {
  readonly kernel: Pair;
  readonly stride: Pair;
  /** Rows above and below, columns left and right. At most half the kernel. */
  readonly padding: Pair;
  /** @default [1, 1] */
  readonly dilation?: Pair;
  /** Whether a last window that only partly lies on the padded input counts. */
  readonly ceilMode: boolean;
}

/** The dilation of a window without one. */
const NONE: Pair = [1, 1];

/** Elements that one axis of a window spans. */
function extent(kernel: number, dilation: number): number {
  return dilation * (kernel - 1) + 1;
}

/**
 * Output height and width of pooling a tensor `[N, C, H, W]`: ⌊(H + 2p − d(k − 1) − 1) / s⌋ + 1, or with ⌈ ⌉ in ceil mode, where a last
 * window that would start in the padding below or to the right is dropped.
 *
 * @throws {ShapeError} when the input isn't of rank 4, the window's numbers make no sense or no window fits
 */
export function pooledSize(shape: Shape, window: PoolWindow): [number, number] {
  expectPlanes(shape);
  checkWindow(window);
  return [
    pooledLength(shape, window, 0, "height"),
    pooledLength(shape, window, 1, "width"),
  ];
}

/** Checks that a tensor to pool has the axes `[N, C, H, W]`. */
export function expectPlanes(shape: Shape): void {
  if (shape.length === 4) return;
  throw new ShapeError(
    `Cannot pool ${
      formatShape(shape)
    }: expected 4 axes [batch, channels, height, width] but found ${shape.length}${
      shape.length === 3
        ? `; unsqueeze(0) makes one image a batch, ${
          formatShape([1, ...shape])
        }`
        : ""
    }`,
    [shape],
  );
}

function checkWindow(
  { kernel, stride, padding, dilation = NONE }: PoolWindow,
): void {
  const at = (name: string, [h, w]: Pair, least: number) => {
    if ([h, w].every((n) => Number.isInteger(n) && n >= least)) return;
    throw new ShapeError(
      `Cannot pool with ${name} [${h}, ${w}]: expected two ${
        least === 1 ? "positive integers" : "integers that are not negative"
      }`,
    );
  };
  at("kernel", kernel, 1);
  at("stride", stride, 1);
  at("dilation", dilation, 1);
  at("padding", padding, 0);
  const half = kernel.map((k) => Math.floor(k / 2));
  if (padding.some((p, d) => p > half[d])) {
    throw new ShapeError(
      `Cannot pool with a ${kernel.join(" x ")} kernel and padding [${
        padding.join(", ")
      }]: padding can be at most half the kernel, [${half.join(", ")}]`,
    );
  }
}

function pooledLength(
  shape: Shape,
  { kernel, stride, padding, dilation = NONE, ceilMode }: PoolWindow,
  axis: 0 | 1,
  name: string,
): number {
  const size = shape[axis + 2];
  const [k, s, p, d] = [kernel, stride, padding, dilation].map((x) => x[axis]);
  expectExtent(shape, axis, name);
  const steps = (size + 2 * p - extent(k, d)) / s;
  let length = (ceilMode ? Math.ceil(steps) : Math.floor(steps)) + 1;
  if (ceilMode && (length - 1) * s >= size + p) length--;
  if (length > 0) return length;
  const round = ceilMode ? "ceil" : "floor";
  throw new ShapeError(
    `Cannot pool ${formatShape(shape)} with a ${
      kernel.join(" x ")
    } kernel: output ${name} ${round}((${size} + 2*${p} - ${d}*(${k} - 1) - 1) / ${s}) + 1 = ${length} is not positive`,
    [shape],
  );
}

/** Checks that planes to pool are not empty along an axis. */
export function expectExtent(shape: Shape, axis: 0 | 1, name: string): void {
  if (shape[axis + 2] > 0) return;
  throw new ShapeError(
    `Cannot pool ${formatShape(shape)}: its ${name} is 0`,
    [shape],
  );
}

/** Checks that an operand has the shape that another decides. `what` says whose shape it should be. */
export function expectShape(
  found: Shape,
  expected: Shape,
  call: string,
  what: string,
): void {
  if (sameShape(found, expected)) return;
  throw new ShapeError(
    `Cannot ${call}: expected ${what} ${formatShape(expected)} but found ${
      formatShape(found)
    }`,
    [found, expected],
  );
}

/** Checks that values to pool are of a floating-point type. */
export function expectFloat({ dtype }: Meta): void {
  const floats: readonly DType[] = ["f32", "f16", "f64"];
  if (floats.includes(dtype)) return;
  throw new DTypeError(
    `Cannot pool ${dtype}: expected one of ${floats.join(", ")}`,
    [dtype],
  );
}

/** Checks that indices are i32, as max pooling makes them. */
export function expectIndices({ dtype }: Meta): void {
  if (dtype === "i32") return;
  throw new DTypeError(`Cannot pool by ${dtype} indices: expected i32`, [
    dtype,
  ]);
}

/** For each window along one axis, the positions that it covers, in order and without those in the padding. */
export function covered(
  size: number,
  windows: number,
  { kernel, stride, padding, dilation = NONE }: PoolWindow,
  axis: 0 | 1,
): number[][] {
  return Array.from({ length: windows }, (_, o) => {
    const start = o * stride[axis] - padding[axis];
    return Array.from(
      { length: kernel[axis] },
      (_, i) => start + i * dilation[axis],
    ).filter((at) => at >= 0 && at < size);
  });
}

/** Most windows that cover one position, along each axis. */
export function windowsOver(
  { kernel, stride, dilation = NONE }: PoolWindow,
): Pair {
  return [
    Math.ceil(extent(kernel[0], dilation[0]) / stride[0]),
    Math.ceil(extent(kernel[1], dilation[1]) / stride[1]),
  ];
}

/** The shape `[N, C, H, W]` of a pooling's input, from a tensor of its output's shape and the input's height and width. */
export function inputShape(output: Meta, inputSize: Pair): number[] {
  return [...output.shape.slice(0, 2), ...inputSize];
}

/** Overrides that say how large the window is. */
export function kernelOverrides(
  { kernel }: PoolWindow,
): Record<string, number> {
  return { KERNEL_H: kernel[0], KERNEL_W: kernel[1] };
}

/** Overrides that say where windows start. */
export function stepOverrides(
  { stride, padding }: PoolWindow,
): Record<string, number> {
  return {
    STRIDE_H: stride[0],
    STRIDE_W: stride[1],
    PADDING_H: padding[0],
    PADDING_W: padding[1],
  };
}

/** Overrides that say how many windows cover a position. */
export function coverOverrides(window: PoolWindow): Record<string, number> {
  const [WINDOWS_H, WINDOWS_W] = windowsOver(window);
  return { WINDOWS_H, WINDOWS_W };
}
