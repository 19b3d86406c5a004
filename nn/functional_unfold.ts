/** Sliding windows as columns, and back, as functions. */
import { apply, type Tensor } from "../core/tensor.ts";
import {
  fold as foldOp,
  unfold as unfoldOp,
  type UnfoldAttrs,
} from "../wgsl/unfold/unfold.ts";
import { pair, type Size2d } from "./geometry.ts";

/** Options of {@linkcode unfold} and {@linkcode fold}. */
export interface UnfoldOptions {
  /** Step from one place of the window to the next. @default 1 */
  readonly stride?: Size2d;
  /** Zeros above and below, left and right. @default 0 */
  readonly padding?: Size2d;
  /** Step between the cells of the window. @default 1 */
  readonly dilation?: Size2d;
}

/**
 * The elements under each place of a sliding window, as columns: im2col. A convolution is the product of its kernels' matrix with them.
 *
 * `x: [N, C, H, W] → [N, C·kh·kw, L]`, L = OH·OW places in row-major order, OH = floor((H + 2·padding - dilation·(kh - 1) - 1) / stride) + 1.
 *
 * @throws {ShapeError} when x isn't of rank 4 or no window fits
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { init, tensor, unfold } from "@tessera/tessera";
 *
 * await init();
 * const x = tensor([[[[1, 2, 3], [4, 5, 6]]]]);
 * assertEquals(await unfold(x, 2).array(), [[[1, 2], [2, 3], [4, 5], [5, 6]]]);
 * ```
 */
export function unfold(
  x: Tensor,
  kernel: Size2d,
  options: UnfoldOptions = {},
): Tensor {
  return apply(unfoldOp, [x], attrsOf(kernel, options))[0];
}

/**
 * Columns added back to where {@linkcode unfold} took them from: col2im. Overlapping windows add up.
 *
 * `x: [N, C·kh·kw, L] → [N, C, H, W]`, `size` being `[H, W]`.
 *
 * @throws {ShapeError} when x isn't what unfold gives for planes of that size
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { fold, init, tensor } from "@tessera/tessera";
 *
 * await init();
 * const columns = tensor([[[1, 2], [2, 3], [4, 5], [5, 6]]]);
 * assertEquals(await fold(columns, [2, 3], 2).array(), [[[
 *   [1, 4, 3],
 *   [4, 10, 6],
 * ]]]);
 * ```
 */
export function fold(
  x: Tensor,
  size: Size2d,
  kernel: Size2d,
  options: UnfoldOptions = {},
): Tensor {
  const attrs = { ...attrsOf(kernel, options), size: pair(size) };
  return apply(foldOp, [x], attrs)[0];
}

function attrsOf(kernel: Size2d, options: UnfoldOptions): UnfoldAttrs {
  const { stride = 1, padding = 0, dilation = 1 } = options;
  return {
    kernel: pair(kernel),
    stride: pair(stride),
    padding: pair(padding),
    dilation: pair(dilation),
  };
}
