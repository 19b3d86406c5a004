/** Layers as functions: what the classes in nn/layers call with their parameters. */
import { isRecording } from "../core/autograd.ts";
import { tidy } from "../core/scope.ts";
import { apply, type Tensor } from "../core/tensor.ts";
import { conv2d as convOp } from "../wgsl/conv/conv2d.ts";
import { ShapeError } from "../wgsl/errors.ts";
import { matmul as matmulOp } from "../wgsl/matmul/matmul.ts";
import { avgPool2d as avgPoolOp } from "../wgsl/pool/avg_pool2d.ts";
import {
  maxPool2d as maxPoolOp,
  type MaxPool2dAttrs,
} from "../wgsl/pool/max_pool2d.ts";
import { maxPool2dValues as maxPoolValuesOp } from "../wgsl/pool/max_pool2d_values.ts";
import { formatShape } from "../wgsl/shape.ts";
import {
  type Padding2d,
  pair,
  sameBorder,
  sides,
  type Size2d,
} from "./geometry.ts";

export type { Padding2d, Size2d } from "./geometry.ts";

/** Options of {@linkcode conv2d} beside its bias, as layers take them. */
export interface ConvOptions {
  /** @default 1 */
  readonly stride?: Size2d;
  /** Zeros around the input; "same" gives the output the input's size and needs stride 1. @default 0 */
  readonly padding?: Padding2d | "same";
  /** Step between the taps of the kernel. @default 1 */
  readonly dilation?: Size2d;
  /** Parts that channels are divided into, each with kernels of its own. @default 1 */
  readonly groups?: number;
}

/** Options of {@linkcode conv2d}. */
export interface Conv2dFunctionOptions extends ConvOptions {
  /** `[K]`, added to each output channel. */
  readonly bias?: Tensor;
}

/**
 * Cross-correlation of pictures with kernels, what the field calls convolution.
 *
 * `x: [N, C, H, W], w: [K, C/groups, R, S] → [N, K, OH, OW]`, OH = floor((H + top + bottom - dilation·(R - 1) - 1) / stride) + 1.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { conv2d, init, tensor } from "@tessera/tessera";
 *
 * await init();
 * const x = tensor([[[[1, 2, 3], [4, 5, 6], [7, 8, 9]]]]);
 * const difference = tensor([[[[-1, 1]]]]);
 * assertEquals(await conv2d(x, difference).array(), [[[[1, 1], [1, 1], [1, 1]]]]);
 * const y = conv2d(x, difference, { padding: "same" });
 * assertEquals(y.shape, [1, 1, 3, 3]);
 * ```
 */
export function conv2d(
  x: Tensor,
  w: Tensor,
  options: Conv2dFunctionOptions = {},
): Tensor {
  const { bias, padding = 0, groups = 1 } = options;
  const stride = pair(options.stride ?? 1);
  const dilation = pair(options.dilation ?? 1);
  const attrs = {
    stride,
    padding: padding === "same"
      ? sameBorder([w.shape[2], w.shape[3]], stride, dilation)
      : sides(padding),
    dilation,
    groups,
  };
  return apply(convOp, bias ? [x, w, bias] : [x, w], attrs)[0];
}

/** Options of {@linkcode maxPool2d}. */
export interface MaxPoolOptions {
  /** @default the kernel's size */
  readonly stride?: Size2d;
  /** Border that never wins, at most half the kernel. @default 0 */
  readonly padding?: Size2d;
  /** Step between the cells of a window. @default 1 */
  readonly dilation?: Size2d;
  /** Whether a last window that hangs over the edge counts. @default false */
  readonly ceilMode?: boolean;
}

/**
 * The largest value of each window. `x: [N, C, H, W] → [N, C, OH, OW]`
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { init, maxPool2d, tensor } from "@tessera/tessera";
 *
 * await init();
 * const x = tensor([[[[1, 2, 3, 4], [5, 6, 7, 8]]]]);
 * assertEquals(await maxPool2d(x, 2).array(), [[[[6, 8]]]]);
 * const y = maxPool2d(x, [2, 3], { stride: 1 });
 * assertEquals(await y.array(), [[[[7, 8]]]]);
 * ```
 */
export function maxPool2d(
  x: Tensor,
  kernel: Size2d,
  options: MaxPoolOptions = {},
): Tensor {
  // Only the gradient reads the indices, and writing them takes time.
  if (!isRecording() || !x.requiresGrad) {
    return apply(maxPoolValuesOp, [x], maxPoolAttrs(kernel, options))[0];
  }
  const [values, indices] = maxPool2dWithIndices(x, kernel, options);
  indices.dispose();
  return values;
}

/**
 * As {@linkcode maxPool2d}, with the position of each maximum in its H·W plane as i32.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { init, maxPool2dWithIndices, tensor } from "@tessera/tessera";
 *
 * await init();
 * const x = tensor([[[[1, 2, 9, 4], [5, 6, 7, 8]]]]);
 * const [values, indices] = maxPool2dWithIndices(x, 2);
 * assertEquals(await values.array(), [[[[6, 9]]]]);
 * assertEquals(await indices.array(), [[[[5, 2]]]]);
 * ```
 */
export function maxPool2dWithIndices(
  x: Tensor,
  kernel: Size2d,
  options: MaxPoolOptions = {},
): [Tensor, Tensor] {
  const attrs = maxPoolAttrs(kernel, options);
  const [values, indices] = apply(maxPoolOp, [x], attrs);
  return [values, indices];
}

function maxPoolAttrs(kernel: Size2d, options: MaxPoolOptions): MaxPool2dAttrs {
  const { stride = kernel, padding = 0, dilation = 1 } = options;
  return {
    kernel: pair(kernel),
    stride: pair(stride),
    padding: pair(padding),
    dilation: pair(dilation),
    ceilMode: options.ceilMode ?? false,
  };
}

/** Options of {@linkcode avgPool2d}. */
export interface AvgPoolOptions {
  /** @default the kernel's size */
  readonly stride?: Size2d;
  /** Zeros around the input, at most half the kernel. @default 0 */
  readonly padding?: Size2d;
  /** Whether a last window that hangs over the edge counts. @default false */
  readonly ceilMode?: boolean;
  /** Whether the padding's zeros count in the average. @default true */
  readonly countIncludePad?: boolean;
  /** Divide by this instead of by the number of cells. */
  readonly divisorOverride?: number;
}

/**
 * The average of each window. `x: [N, C, H, W] → [N, C, OH, OW]`
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { avgPool2d, init, tensor } from "@tessera/tessera";
 *
 * await init();
 * const x = tensor([[[[1, 2, 3, 4], [5, 6, 7, 8]]]]);
 * assertEquals(await avgPool2d(x, 2).array(), [[[[3.5, 5.5]]]]);
 * ```
 */
export function avgPool2d(
  x: Tensor,
  kernel: Size2d,
  options: AvgPoolOptions = {},
): Tensor {
  const { stride = kernel, padding = 0, divisorOverride: divisor } = options;
  return apply(avgPoolOp, [x], {
    kernel: pair(kernel),
    stride: pair(stride),
    padding: pair(padding),
    ceilMode: options.ceilMode ?? false,
    countIncludePad: options.countIncludePad ?? true,
    ...(divisor === undefined ? {} : { divisor }),
  })[0];
}

/**
 * `y = x·wᵀ + bias`. `x: […, in], w: [out, in] → […, out]`
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { init, linear, tensor } from "@tessera/tessera";
 *
 * await init();
 * const w = tensor([[1, 0], [0, 2], [1, 1]]);
 * const y = linear(tensor([[3, 4]]), w, tensor([0, 0, 10]));
 * assertEquals(await y.array(), [[3, 8, 17]]);
 * ```
 */
export function linear(x: Tensor, w: Tensor, bias?: Tensor): Tensor {
  if (w.rank !== 2 || x.rank === 0 || x.shape.at(-1) !== w.shape[1]) {
    throw new ShapeError(
      `Cannot apply a linear layer with weight ${formatShape(w.shape)} to ${
        formatShape(x.shape)
      }: expected an input of shape [..., ${w.shape[1]}]`,
      [x.shape, w.shape],
    );
  }
  return tidy(() => {
    const rows = x.rank === 1 ? x.unsqueeze(0) : x;
    const columns = w.transpose(0, 1);
    const inputs = bias ? [rows, columns, bias] : [rows, columns];
    const [y] = apply(matmulOp, inputs, {});
    return x.rank === 1 ? y.squeeze(0) : y;
  });
}
