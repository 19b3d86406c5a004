/** Adaptive pooling as functions. */
import { apply, type Tensor } from "../core/tensor.ts";
import { adaptiveAvgPool2d as adaptiveAvgOp } from "../wgsl/pool/adaptive_avg_pool2d.ts";
import { adaptiveMaxPool2d as adaptiveMaxOp } from "../wgsl/pool/adaptive_max_pool2d.ts";
import { expectPlanes } from "../wgsl/pool/window.ts";

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

/** As {@linkcode adaptiveMaxPool2d}, with the position of each maximum in its H·W plane as i32. */
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
