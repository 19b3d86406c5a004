/** Initial values of parameters: functions that make a tensor of a shape. */
import { nextRandom, rand, randn, tensor, zeros } from "../core/create.ts";
import type { Tensor } from "../core/tensor.ts";
import type { Shape } from "../wgsl/op.ts";
import { eachBlock } from "../wgsl/random/philox.ts";
import { sizeOf } from "../wgsl/shape.ts";
import { orthogonalRows, standardNormalQuantile } from "./init_host.ts";
import { isSkipping } from "./init_skip.ts";

/** Uniform numbers in ±bound. */
function within(shape: Shape, bound: number): Tensor {
  return isSkipping()
    ? zeros(shape)
    : rand(shape, { low: -bound, high: bound });
}

/** Normal numbers around 0. */
function around(shape: Shape, std: number): Tensor {
  return isSkipping() ? zeros(shape) : randn(shape, { std });
}

/**
 * Inputs and outputs of one unit of a weight `[out, in, …kernel]`: in·kernel and out·kernel.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { nn } from "@tessera/tessera";
 *
 * assertEquals(nn.init.fans([8, 4, 3, 3]), { fanIn: 36, fanOut: 72 });
 * ```
 */
export function fans(
  shape: Shape,
): { readonly fanIn: number; readonly fanOut: number } {
  if (shape.length < 2) {
    throw new RangeError(
      `Cannot count the fans of a weight of shape [${shape}]: expected two axes or more`,
    );
  }
  const field = shape.slice(2).reduce((a, b) => a * b, 1);
  return { fanIn: shape[1] * field, fanOut: shape[0] * field };
}

/** What follows a layer, for {@linkcode calculateGain}. */
export type Nonlinearity =
  | "linear"
  | "conv1d"
  | "conv2d"
  | "sigmoid"
  | "tanh"
  | "relu"
  | "leakyRelu"
  | "selu";

/**
 * How much wider weights must be so that values keep their size through a nonlinearity: PyTorch's table. `slope` is a leaky ReLU's.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { nn } from "@tessera/tessera";
 *
 * assertEquals(nn.init.calculateGain("tanh"), 5 / 3);
 * assertEquals(nn.init.calculateGain("relu"), Math.SQRT2);
 * ```
 */
export function calculateGain(
  nonlinearity: Nonlinearity,
  slope = 0.01,
): number {
  switch (nonlinearity) {
    case "tanh":
      return 5 / 3;
    case "relu":
      return Math.SQRT2;
    case "leakyRelu":
      return Math.sqrt(2 / (1 + slope ** 2));
    case "selu":
      return 3 / 4;
    default:
      return 1;
  }
}

/** Options of the Kaiming initialisations. */
export interface KaimingOptions {
  /** Whose variance is kept: the values' on the way forward, or the gradients' on the way back. @default "fanIn" */
  readonly mode?: "fanIn" | "fanOut";
  /** What follows the layer. @default "leakyRelu" */
  readonly nonlinearity?: Nonlinearity;
  /** The slope of a leaky ReLU below 0; 0 is a ReLU's. @default 0 */
  readonly a?: number;
}

/** Standard deviation by He et al. (2015), arXiv:1502.01852, equations 10 and 14: gain / √fan. */
function kaimingStd(shape: Shape, options: KaimingOptions): number {
  const { mode = "fanIn", nonlinearity = "leakyRelu", a = 0 } = options;
  return calculateGain(nonlinearity, a) / Math.sqrt(fans(shape)[mode]);
}

/**
 * PyTorch's default for linear and convolution weights: uniform in ±1/√fanIn, which is Kaiming's uniform bound (He et al. 2015, equation 10) for
 * a leaky slope of √5.
 *
 * @example
 * ```ts
 * import { assert } from "@std/assert";
 * import { init, nn } from "@tessera/tessera";
 *
 * await init({ seed: 0 });
 * const w = nn.init.defaultWeight([8, 16]);
 * const largest = await w.abs().max().item();
 * assert(largest > 0 && largest <= 1 / 4);
 * ```
 */
export function defaultWeight(shape: Shape): Tensor {
  const bound = 1 / Math.sqrt(Math.max(1, fans(shape).fanIn));
  return within(shape, bound);
}

/**
 * PyTorch's default for biases: uniform in ±1/√fanIn of their weight.
 *
 * @example
 * ```ts
 * import { assert } from "@std/assert";
 * import { init, nn } from "@tessera/tessera";
 *
 * await init({ seed: 0 });
 * const w = nn.init.defaultBias(8, 16);
 * const largest = await w.abs().max().item();
 * assert(largest > 0 && largest <= 1 / 4);
 * ```
 */
export function defaultBias(length: number, fanIn: number): Tensor {
  const bound = fanIn > 0 ? 1 / Math.sqrt(fanIn) : 0;
  return within([length], bound);
}

/**
 * Glorot and Bengio (2010), equation 16: uniform in ±gain·√(6 / (fanIn + fanOut)), so that variances stay the same both ways.
 *
 * @example
 * ```ts
 * import { assert } from "@std/assert";
 * import { init, nn } from "@tessera/tessera";
 *
 * await init({ seed: 0 });
 * const w = nn.init.xavierUniform([8, 16]);
 * const largest = await w.abs().max().item();
 * assert(largest > 0 && largest <= Math.sqrt(6 / 24) + 1e-6);
 * ```
 */
export function xavierUniform(shape: Shape, gain = 1): Tensor {
  const { fanIn, fanOut } = fans(shape);
  return within(shape, gain * Math.sqrt(6 / (fanIn + fanOut)));
}

/**
 * Glorot and Bengio (2010), equation 12: normal with variance gain²·2 / (fanIn + fanOut).
 *
 * @example
 * ```ts
 * import { assertAlmostEquals } from "@std/assert";
 * import { init, nn } from "@tessera/tessera";
 *
 * await init({ seed: 0 });
 * const w = nn.init.xavierNormal([64, 64]);
 * const std = Math.sqrt(await w.square().mean().item());
 * assertAlmostEquals(std, Math.sqrt(2 / 128), 0.01);
 * ```
 */
export function xavierNormal(shape: Shape, gain = 1): Tensor {
  const { fanIn, fanOut } = fans(shape);
  return around(shape, gain * Math.sqrt(2 / (fanIn + fanOut)));
}

/**
 * Uniform numbers of the same variance as {@linkcode kaimingNormal}'s.
 *
 * @example
 * ```ts
 * import { assert } from "@std/assert";
 * import { init, nn } from "@tessera/tessera";
 *
 * await init({ seed: 0 });
 * const w = nn.init.kaimingUniform([8, 16]);
 * const largest = await w.abs().max().item();
 * assert(largest > 0 && largest <= Math.sqrt(6 / 16) + 1e-6);
 * ```
 */
export function kaimingUniform(
  shape: Shape,
  options: KaimingOptions = {},
): Tensor {
  return within(shape, Math.sqrt(3) * kaimingStd(shape, options));
}

/**
 * He et al. (2015), equation 10: normal with variance gain² / fan, by default for layers that a ReLU follows.
 *
 * @example
 * ```ts
 * import { assertAlmostEquals } from "@std/assert";
 * import { init, nn } from "@tessera/tessera";
 *
 * await init({ seed: 0 });
 * const w = nn.init.kaimingNormal([64, 128]);
 * const std = Math.sqrt(await w.square().mean().item());
 * assertAlmostEquals(std, Math.sqrt(2 / 128), 0.01);
 * ```
 */
export function kaimingNormal(
  shape: Shape,
  options: KaimingOptions = {},
): Tensor {
  return around(shape, kaimingStd(shape, options));
}

/** Options of {@linkcode truncatedNormal}. */
export interface TruncatedNormalOptions {
  /** @default 0 */
  readonly mean?: number;
  /** Before the cut. @default 1 */
  readonly std?: number;
  /** Bounds of the values. @default -2 */
  readonly low?: number;
  /** @default 2 */
  readonly high?: number;
}

/** Uniform numbers of (0, 1) on the host, from the generator that the device draws from too. */
function hostUniforms(size: number): Float64Array<ArrayBuffer> {
  const values = new Float64Array(size);
  eachBlock(size, nextRandom([size]), (first, words) => {
    const end = Math.min(first + 4, size);
    for (let i = first; i < end; i++) {
      values[i] = (words[i - first] + 0.5) / 2 ** 32;
    }
  });
  return values;
}

/**
 * Normal numbers of which none lies beyond the bounds: uniform ones through the inverse of the distribution function (Robert 1995,
 * arXiv:0907.4010, section 2.1). Made on the host.
 *
 * @example
 * ```ts
 * import { assert } from "@std/assert";
 * import { init, nn } from "@tessera/tessera";
 *
 * await init({ seed: 0 });
 * const w = nn.init.truncatedNormal([100], { std: 0.02, low: -0.04, high: 0.04 });
 * const largest = await w.abs().max().item();
 * assert(largest > 0 && largest <= 0.04);
 * ```
 */
export function truncatedNormal(
  shape: Shape,
  options: TruncatedNormalOptions = {},
): Tensor {
  const { mean = 0, std = 1, low = -2, high = 2 } = options;
  if (!(low < high) || !(std > 0)) {
    throw new RangeError(
      `Cannot draw normal numbers of deviation ${std} between ${low} and ${high}: expected a positive deviation and bounds in order`,
    );
  }
  const draw = standardNormalQuantile((low - mean) / std, (high - mean) / std);
  const values = Float32Array.from(hostUniforms(sizeOf(shape)), (u) => {
    const value = mean + std * draw(u);
    return Math.min(Math.max(value, low), high);
  });
  return tensor(values, { shape });
}

/**
 * A matrix, or a weight seen as the matrix `[shape[0], …rest]`, whose rows (or columns, where they are fewer) are orthonormal, times `gain` (Saxe,
 * McClelland and Ganguli 2013, arXiv:1312.6120). Made on the host.
 *
 * @example
 * ```ts
 * import { assertAlmostEquals } from "@std/assert";
 * import { init, nn } from "@tessera/tessera";
 *
 * await init({ seed: 0 });
 * const w = nn.init.orthogonal([2, 5]);
 * const product = await w.matmul(w.transpose()).read();
 * [1, 0, 0, 1].forEach((v, i) => assertAlmostEquals(product[i], v, 1e-5));
 * ```
 */
export function orthogonal(shape: Shape, gain = 1): Tensor {
  if (shape.length < 2) {
    throw new RangeError(
      `Cannot make a tensor of shape [${shape}] orthogonal: expected two axes or more`,
    );
  }
  const [rows, ...rest] = shape;
  const columns = sizeOf(rest);
  const [few, many] = [Math.min(rows, columns), Math.max(rows, columns)];
  const draw = standardNormalQuantile(-Infinity, Infinity);
  const basis = orthogonalRows(hostUniforms(few * many).map(draw), few, many);
  const values = new Float32Array(rows * columns);
  for (let i = 0; i < few; i++) {
    for (let j = 0; j < many; j++) {
      const at = rows <= columns ? i * many + j : j * few + i;
      values[at] = gain * basis[i * many + j];
    }
  }
  return tensor(values, { shape });
}
