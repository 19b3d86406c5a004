/** Pooling to a size, by norms, and undone, as functions. */
import { tidy } from "../core/scope.ts";
import { apply, type Tensor } from "../core/tensor.ts";
import { adaptiveAvgPool2d as adaptiveAvgOp } from "../wgsl/pool/adaptive_avg_pool2d.ts";
import { adaptiveMaxPool2d as adaptiveMaxOp } from "../wgsl/pool/adaptive_max_pool2d.ts";
import { ShapeError } from "../wgsl/errors.ts";
import { maxUnpool2d as maxUnpoolOp } from "../wgsl/pool/max_unpool2d.ts";
import { expectPlanes } from "../wgsl/pool/window.ts";
import { avgPool2d } from "./functional.ts";
import { pair, type Size2d } from "./geometry.ts";

/** Height and width of an output: one number for both, or `[height, width]`, where null keeps the input's. */
export type OutputSize2d =
  | number
  | readonly [height: number | null, width: number | null];

/**
 * The average of each window, windows being spread so that the output has the size asked for.
 *
 * `x: [N, C, H, W] → [N, C, OH, OW]`; output row i averages rows ⌊i·H/OH⌋ to below ⌈(i + 1)·H/OH⌉, and columns likewise. Size 1 is global average
 * pooling (Lin, Chen and Yan 2013, arXiv:1312.4400, section 3.2).
 *
 * @throws {ShapeError} when x isn't of rank 4 or has empty planes, or a size isn't a positive integer
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { adaptiveAvgPool2d, init, tensor } from "@tessera/tessera";
 *
 * await init();
 * const x = tensor([[[[1, 2, 3], [4, 5, 6]]]]);
 * assertEquals(await adaptiveAvgPool2d(x, 1).array(), [[[[3.5]]]]);
 * assertEquals(await adaptiveAvgPool2d(x, [1, 2]).array(), [[[[3, 4]]]]);
 * ```
 */
export function adaptiveAvgPool2d(x: Tensor, size: OutputSize2d): Tensor {
  const pooled = outputSize(x, size);
  const [{ shape }] = adaptiveAvgOp.infer([x], { size: pooled });
  // A reduction shares each sum among many invocations, where a window has only one.
  if (shape[2] * shape[3] === 1) return x.mean([2, 3], { keepDims: true });
  return apply(adaptiveAvgOp, [x], { size: pooled })[0];
}

/**
 * The largest value of each window, windows being spread as those of {@linkcode adaptiveAvgPool2d}.
 *
 * `x: [N, C, H, W] → [N, C, OH, OW]`
 *
 * @throws {ShapeError} when x isn't of rank 4 or has empty planes, or a size isn't a positive integer
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { adaptiveMaxPool2d, init, tensor } from "@tessera/tessera";
 *
 * await init();
 * const x = tensor([[[[1, 2, 3], [4, 5, 6]]]]);
 * assertEquals(await adaptiveMaxPool2d(x, [1, 2]).array(), [[[[5, 6]]]]);
 * ```
 */
export function adaptiveMaxPool2d(x: Tensor, size: OutputSize2d): Tensor {
  const [values, indices] = adaptiveMaxPool2dWithIndices(x, size);
  indices.dispose();
  return values;
}

/**
 * As {@linkcode adaptiveMaxPool2d}, with the position of each maximum in its H·W plane as i32.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { adaptiveMaxPool2dWithIndices, init, tensor } from "@tessera/tessera";
 *
 * await init();
 * const x = tensor([[[[1, 2, 3], [6, 5, 4]]]]);
 * const [values, indices] = adaptiveMaxPool2dWithIndices(x, 1);
 * assertEquals(await values.array(), [[[[6]]]]);
 * assertEquals(await indices.array(), [[[[3]]]]);
 * ```
 */
export function adaptiveMaxPool2dWithIndices(
  x: Tensor,
  size: OutputSize2d,
): [Tensor, Tensor] {
  const attrs = { size: outputSize(x, size) };
  const [values, indices] = apply(adaptiveMaxOp, [x], attrs);
  return [values, indices];
}

function outputSize(x: Tensor, size: OutputSize2d): [number, number] {
  expectPlanes(x.shape);
  if (typeof size === "number") return [size, size];
  return [size[0] ?? x.shape[2], size[1] ?? x.shape[3]];
}

/** Options of {@linkcode lpPool2d}. */
export interface LPPoolOptions {
  /** @default the kernel's size */
  readonly stride?: Size2d;
  /** Whether a last window that hangs over the edge counts. @default false */
  readonly ceilMode?: boolean;
}

/**
 * The p-norm of each window without the absolute value: (Σ xᵖ)^(1/p), as in PyTorch.
 *
 * `x: [N, C, H, W] → [N, C, OH, OW]`. An odd p gives NaN where the sum is negative. A window that hangs over the edge is taken as if its mean
 * went on beyond it. The gradient is NaN where the sum is 0, but for p = 1.
 *
 * @throws {RangeError} when p isn't a positive number
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { init, lpPool2d, tensor } from "@tessera/tessera";
 *
 * await init();
 * const x = tensor([[[[3, 4], [0, 0]]]]);
 * assertEquals(await lpPool2d(x, 2, 2).array(), [[[[5]]]]);
 * ```
 */
export function lpPool2d(
  x: Tensor,
  p: number,
  kernel: Size2d,
  options: LPPoolOptions = {},
): Tensor {
  if (!(p > 0 && p < Infinity)) {
    throw new RangeError(
      `Cannot pool by the norm of order ${p}: expected a positive number`,
    );
  }
  const [height, width] = pair(kernel);
  return tidy(() =>
    avgPool2d(x.pow(p), kernel, options).mul(height * width).pow(1 / p)
  );
}

/** Options of {@linkcode maxUnpool2d}: those of the pooling that is undone. */
export interface MaxUnpoolOptions {
  /** @default the kernel's size */
  readonly stride?: Size2d;
  /** @default 0 */
  readonly padding?: Size2d;
  /** Height and width of what was pooled, which may be lost in pooling. @default the smallest that pools to x's */
  readonly outputSize?: Size2d;
}

/**
 * The partial inverse of max pooling: maxima at the places that `maxPool2dWithIndices` gave, 0 elsewhere.
 *
 * `x, indices: [N, C, OH, OW] → [N, C, H, W]`, H = (OH - 1)·stride - 2·padding + kernel or the output size, which may differ from that by less than
 * the stride. (Zeiler & Fergus 2013, arXiv:1311.2901, section 2.1.) Where indices repeat, the last counts.
 *
 * @throws {ShapeError} when the indices don't have x's shape or the output size can't be right
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { init, maxPool2dWithIndices, maxUnpool2d, tensor } from "@tessera/tessera";
 *
 * await init();
 * const x = tensor([[[[1, 2, 5, 3], [4, 3, 1, 2]]]]);
 * const [values, indices] = maxPool2dWithIndices(x, 2);
 * assertEquals(await maxUnpool2d(values, indices, 2).array(), [[[
 *   [0, 0, 5, 0],
 *   [4, 0, 0, 0],
 * ]]]);
 * ```
 */
export function maxUnpool2d(
  x: Tensor,
  indices: Tensor,
  kernel: Size2d,
  options: MaxUnpoolOptions = {},
): Tensor {
  expectPlanes(x.shape);
  const { stride = kernel, padding = 0, outputSize } = options;
  const [kernels, steps, borders] = [kernel, stride, padding].map(pair);
  const least = (d: 0 | 1): number =>
    (x.shape[d + 2] - 1) * steps[d] - 2 * borders[d] + kernels[d];
  const usual: [number, number] = [least(0), least(1)];
  const size = outputSize === undefined ? usual : pair(outputSize);
  if (size.some((n, d) => Math.abs(n - usual[d]) >= steps[d])) {
    throw new ShapeError(
      `Cannot unpool to ${size.join(" x ")}: expected less than the stride [${
        steps.join(", ")
      }] from ${usual.join(" x ")}`,
      [x.shape],
    );
  }
  return apply(maxUnpoolOp, [x, indices], { size })[0];
}
