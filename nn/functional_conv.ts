/** Convolutions along one axis and transposed convolutions as functions. */
import { tidy } from "../core/scope.ts";
import { apply, type Tensor } from "../core/tensor.ts";
import { conv2dInputGradient } from "../wgsl/conv/conv2d_input_gradient.ts";
import { ShapeError } from "../wgsl/errors.ts";
import { formatShape } from "../wgsl/shape.ts";
import { conv2d } from "./functional.ts";
import {
  endsOf,
  type Padding2d,
  pair,
  sides,
  type Size2d,
} from "./geometry.ts";

/** Options of {@linkcode conv1d} beside its bias, as layers take them. */
export interface Conv1dOptions {
  /** @default 1 */
  readonly stride?: number;
  /** Zeros at both ends: one number for both or `[left, right]`; "same" gives the output the input's length and needs stride 1. @default 0 */
  readonly padding?: number | readonly [left: number, right: number] | "same";
  /** Step between the taps of the kernel. @default 1 */
  readonly dilation?: number;
  /** Parts that channels are divided into, each with kernels of its own. @default 1 */
  readonly groups?: number;
}

/** Options of {@linkcode conv1d}. */
export interface Conv1dFunctionOptions extends Conv1dOptions {
  /** `[K]`, added to each output channel. */
  readonly bias?: Tensor;
}

/**
 * Cross-correlation of sequences with kernels: {@linkcode conv2d} with a height of 1.
 *
 * `x: [N, C, L], w: [K, C/groups, S] → [N, K, OL]`, OL = floor((L + left + right - dilation·(S - 1) - 1) / stride) + 1.
 *
 * @throws {ShapeError} when x or w isn't of rank 3, or the shapes don't fit each other
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { conv1d, init, tensor } from "@tessera/tessera";
 *
 * await init();
 * const x = tensor([[[1, 2, 4, 8]]]);
 * const difference = tensor([[[-1, 1]]]);
 * assertEquals(await conv1d(x, difference).array(), [[[1, 2, 4]]]);
 * ```
 */
export function conv1d(
  x: Tensor,
  w: Tensor,
  options: Conv1dFunctionOptions = {},
): Tensor {
  const { bias, stride = 1, padding = 0, dilation = 1, groups = 1 } = options;
  if (x.rank !== 3 || w.rank !== 3) {
    throw new ShapeError(
      `Cannot convolve ${formatShape(x.shape)} with ${
        formatShape(w.shape)
      } along one axis: expected an input [batch, channels, length] and a weight [output channels, input channels / groups, length]`,
      [x.shape, w.shape],
    );
  }
  const [left, right] = endsOf(padding, w.shape[2], stride, dilation);
  return tidy(() =>
    conv2d(x.unsqueeze(2), w.unsqueeze(2), {
      ...(bias ? { bias } : {}),
      stride: [1, stride],
      padding: [0, 0, left, right],
      dilation: [1, dilation],
      groups,
    }).squeeze(2)
  );
}

/** Options of {@linkcode convTranspose2d} beside its bias, as layers take them. */
export interface ConvTransposeOptions {
  /** @default 1 */
  readonly stride?: Size2d;
  /** What is cut off each side of the output: the padding of the convolution that this one turns around. @default 0 */
  readonly padding?: Padding2d;
  /** Rows and columns added at the bottom and the right, less than the stride, which several output sizes would fit without. @default 0 */
  readonly outputPadding?: Size2d;
  /** Step between the taps of the kernel. @default 1 */
  readonly dilation?: Size2d;
  /** Parts that channels are divided into, each with kernels of its own. @default 1 */
  readonly groups?: number;
}

/** Options of {@linkcode convTranspose2d}. */
export interface ConvTransposeFunctionOptions extends ConvTransposeOptions {
  /** `[K]`, added to each output channel. */
  readonly bias?: Tensor;
}

/**
 * Transposed convolution: each input lays its kernel, times its value, over the output, `stride` apart. It is the gradient of {@linkcode conv2d} in its
 * input as an operation of its own.
 *
 * `x: [N, C, H, W], w: [C, K/groups, R, S] → [N, K, OH, OW]`, OH = (H - 1)·stride - top - bottom + dilation·(R - 1) + outputPadding + 1.
 *
 * Zeiler et al. 2010, "Deconvolutional networks"; Dumoulin and Visin 2016 (arXiv:1603.07285), section 4.
 *
 * @throws {ShapeError} when the shapes don't fit each other, the output is empty, or `outputPadding` isn't below the stride
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { convTranspose2d, init, tensor } from "@tessera/tessera";
 *
 * await init();
 * const x = tensor([[[[1, 10]]]]);
 * const w = tensor([[[[1, 2, 3]]]]);
 * const y = convTranspose2d(x, w, { stride: [1, 2] });
 * assertEquals(await y.array(), [[[[1, 2, 13, 20, 30]]]]);
 * ```
 */
export function convTranspose2d(
  x: Tensor,
  w: Tensor,
  options: ConvTransposeFunctionOptions = {},
): Tensor {
  const { bias, groups = 1 } = options;
  const stride = pair(options.stride ?? 1);
  const dilation = pair(options.dilation ?? 1);
  const padding = sides(options.padding ?? 0);
  const extra = pair(options.outputPadding ?? 0);
  const fail = (why: string) =>
    new ShapeError(
      `Cannot convolve ${formatShape(x.shape)} with ${
        formatShape(w.shape)
      } transposed: ${why}`,
      [x.shape, w.shape],
    );
  if (x.rank !== 4 || w.rank !== 4) {
    throw fail(
      "expected an input [batch, channels, height, width] and a weight [input channels, output channels / groups, height, width]",
    );
  }
  if (x.shape[1] !== w.shape[0]) {
    throw fail(
      `the input has ${x.shape[1]} channels, the weight expects ${w.shape[0]}`,
    );
  }
  const filters = w.shape[1] * groups;
  if (bias && (bias.rank !== 1 || bias.shape[0] !== filters)) {
    throw fail(
      `the bias is ${
        formatShape(bias.shape)
      }, ${filters} output channels need ${formatShape([filters])}`,
    );
  }
  const length = (axis: 0 | 1): number => {
    const name = axis === 0 ? "height" : "width";
    if (
      !Number.isInteger(extra[axis]) || extra[axis] < 0 ||
      extra[axis] >= stride[axis]
    ) {
      throw fail(
        `expected an output padding from 0 to below the stride, ${
          stride[axis]
        }, but found ${extra[axis]} along the ${name}`,
      );
    }
    const [before, after] = [padding[2 * axis], padding[2 * axis + 1]];
    const n = (x.shape[2 + axis] - 1) * stride[axis] - before - after +
      dilation[axis] * (w.shape[2 + axis] - 1) + extra[axis] + 1;
    if (n > 0) return n;
    throw fail(
      `output ${name} (${x.shape[2 + axis]} - 1)*${
        stride[axis]
      } - ${before} - ${after} + ${dilation[axis]}*(${
        w.shape[2 + axis]
      } - 1) + ${extra[axis]} + 1 = ${n} is not positive`,
    );
  };
  const inputSize: [number, number] = [length(0), length(1)];
  const attrs = { stride, padding, dilation, groups, inputSize };
  if (!bias) return apply(conv2dInputGradient, [x, w], attrs)[0];
  const fused = { ...attrs, epilogue: { bias: true } };
  return apply(conv2dInputGradient, [x, w, bias], fused)[0];
}
