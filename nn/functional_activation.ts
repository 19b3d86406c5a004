/** Activations as functions. What each gives has the shape of what it takes. */
import { tidy } from "../core/scope.ts";
import type { Tensor } from "../core/tensor.ts";
import { ShapeError } from "../wgsl/errors.ts";
import { formatShape } from "../wgsl/shape.ts";

/**
 * max(x, 0). Nair and Hinton (2010).
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { init, relu, tensor } from "@tessera/tessera";
 *
 * await init();
 * assertEquals(await relu(tensor([-1, 0, 2])).array(), [0, 0, 2]);
 * ```
 */
export function relu(x: Tensor): Tensor {
  return x.relu();
}

/**
 * x, but slope·x below 0. Maas, Hannun and Ng (2013), section 2.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { init, leakyRelu, tensor } from "@tessera/tessera";
 *
 * await init();
 * assertEquals(await leakyRelu(tensor([-2, 4]), 0.25).array(), [-0.5, 4]);
 * ```
 */
export function leakyRelu(x: Tensor, negativeSlope = 0.01): Tensor {
  return x.leakyRelu(negativeSlope);
}

/**
 * x, but weight·x below 0, one weight for all or one for each channel. He et al. (2015), arXiv:1502.01852, equation 1.
 *
 * `x: [N, C, …], weight: [1] or [C] → [N, C, …]`
 *
 * @throws {ShapeError} when there are neither one weight nor as many as channels
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { init, prelu, tensor } from "@tessera/tessera";
 *
 * await init();
 * const y = prelu(tensor([[-2, -2], [3, -4]]), tensor([0.5, 0.25]));
 * assertEquals(await y.array(), [[-1, -0.5], [3, -1]]);
 * ```
 */
export function prelu(x: Tensor, weight: Tensor): Tensor {
  const channels = x.rank > 1 ? x.shape[1] : 1;
  if (weight.rank !== 1 || ![1, channels].includes(weight.size)) {
    throw new ShapeError(
      `Cannot apply prelu to ${formatShape(x.shape)} with weights ${
        formatShape(weight.shape)
      }: expected [1]${channels === 1 ? "" : ` or [${channels}]`}`,
      [x.shape, weight.shape],
    );
  }
  return tidy(() => {
    const shape = x.shape.map((_, d) => d === 1 ? weight.size : 1);
    return x.gt(0).where(x, x.mul(weight.reshape(shape)));
  });
}

/**
 * x, but alpha·(eˣ - 1) below 0. Clevert, Unterthiner and Hochreiter (2015), arXiv:1511.07289, equation 15.
 *
 * @example
 * ```ts
 * import { assertAlmostEquals, assertEquals } from "@std/assert";
 * import { elu, init, tensor } from "@tessera/tessera";
 *
 * await init();
 * const [low, high] = await elu(tensor([-1, 2])).read();
 * assertAlmostEquals(low, Math.exp(-1) - 1, 1e-6);
 * assertEquals(high, 2);
 * ```
 */
export function elu(x: Tensor, alpha = 1): Tensor {
  return x.elu(alpha);
}

/**
 * {@linkcode elu} with the constants that keep mean 0 and variance 1. Klambauer et al. (2017), arXiv:1706.02515, equation 2.
 *
 * @example
 * ```ts
 * import { assertAlmostEquals } from "@std/assert";
 * import { init, selu, tensor } from "@tessera/tessera";
 *
 * await init();
 * const [low, high] = await selu(tensor([-100, 1])).read();
 * assertAlmostEquals(low, -1.7580993, 1e-6);
 * assertAlmostEquals(high, 1.050701, 1e-6);
 * ```
 */
export function selu(x: Tensor): Tensor {
  return x.selu();
}

/** Options of {@linkcode gelu}. */
export interface GeluOptions {
  /** By the error function, or by the tanh that stood in for it in the first models. @default "none" */
  readonly approximate?: "none" | "tanh";
}

/**
 * x·Φ(x), Φ being the normal distribution's. Hendrycks and Gimpel (2016), arXiv:1606.08415, section 2.
 *
 * @example
 * ```ts
 * import { assertAlmostEquals, assertEquals } from "@std/assert";
 * import { gelu, init, tensor } from "@tessera/tessera";
 *
 * await init();
 * const x = tensor([-3, 0, 1]);
 * const [, zero, one] = await gelu(x).read();
 * assertEquals(zero, 0);
 * assertAlmostEquals(one, 0.841345, 1e-5);
 * const [, , near] = await gelu(x, { approximate: "tanh" }).read();
 * assertAlmostEquals(near, 0.841192, 1e-5);
 * ```
 */
export function gelu(x: Tensor, options: GeluOptions = {}): Tensor {
  return x.gelu(options.approximate);
}

/**
 * x / (1 + e⁻ˣ), also called swish. Elfwing, Uchibe and Doya (2017), arXiv:1702.03118, equation 6.
 *
 * @example
 * ```ts
 * import { assertAlmostEquals, assertEquals } from "@std/assert";
 * import { init, silu, tensor } from "@tessera/tessera";
 *
 * await init();
 * const [zero, two] = await silu(tensor([0, 2])).read();
 * assertEquals(zero, 0);
 * assertAlmostEquals(two, 2 / (1 + Math.exp(-2)), 1e-6);
 * ```
 */
export function silu(x: Tensor): Tensor {
  return x.silu();
}

/**
 * x·min(max(x + 3, 0), 6) / 6. Howard et al. (2019), arXiv:1905.02244, section 5.2.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { hardswish, init, tensor } from "@tessera/tessera";
 *
 * await init();
 * assertEquals(await hardswish(tensor([-4, 0, 5])).array(), [0, 0, 5]);
 * ```
 */
export function hardswish(x: Tensor): Tensor {
  return x.hardswish();
}

/**
 * 1 / (1 + e⁻ˣ)
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { init, sigmoid, tensor } from "@tessera/tessera";
 *
 * await init();
 * assertEquals(await sigmoid(tensor([0])).array(), [0.5]);
 * ```
 */
export function sigmoid(x: Tensor): Tensor {
  return x.sigmoid();
}

/**
 * (eˣ - e⁻ˣ) / (eˣ + e⁻ˣ)
 *
 * @example
 * ```ts
 * import { assertAlmostEquals, assertEquals } from "@std/assert";
 * import { init, tanh, tensor } from "@tessera/tessera";
 *
 * await init();
 * const [low, zero] = await tanh(tensor([-1, 0])).read();
 * assertAlmostEquals(low, Math.tanh(-1), 1e-6);
 * assertEquals(zero, 0);
 * ```
 */
export function tanh(x: Tensor): Tensor {
  return x.tanh();
}

/** Options of {@linkcode softplus}. */
export interface SoftplusOptions {
  /** How sharply it bends. @default 1 */
  readonly beta?: number;
  /** Where beta·x is above this, the result is x. @default 20 */
  readonly threshold?: number;
}

/**
 * ln(1 + e^(beta·x)) / beta, a smooth relu. Dugas et al. (2001), equation 8.
 *
 * @example
 * ```ts
 * import { assertAlmostEquals, assertEquals } from "@std/assert";
 * import { init, softplus, tensor } from "@tessera/tessera";
 *
 * await init();
 * const [zero, large] = await softplus(tensor([0, 50])).read();
 * assertAlmostEquals(zero, Math.LN2, 1e-6);
 * assertEquals(large, 50);
 * ```
 */
export function softplus(x: Tensor, options: SoftplusOptions = {}): Tensor {
  const { beta = 1, threshold = 20 } = options;
  if (beta === 1 && threshold === 20) return x.softplus();
  return tidy(() => {
    const scaled = x.mul(beta);
    const bent = scaled.softplus().div(beta);
    return threshold === 20 ? bent : scaled.gt(threshold).where(x, bent);
  });
}

/**
 * eˣ / Σ eˣ along an axis.
 *
 * @example
 * ```ts
 * import { assertAlmostEquals, assertEquals } from "@std/assert";
 * import { init, softmax, tensor } from "@tessera/tessera";
 *
 * await init();
 * const y = softmax(tensor([[1, 1, 1, 1], [0, 0, 0, -1e9]]));
 * assertEquals((await y.read()).slice(0, 4), new Float32Array(4).fill(0.25));
 * assertAlmostEquals(await y.select(0, 1).sum().item(), 1, 1e-6);
 * ```
 */
export function softmax(x: Tensor, axis = -1): Tensor {
  return x.softmax(axis);
}

/**
 * log(eˣ / Σ eˣ) along an axis, without the overflow.
 *
 * @example
 * ```ts
 * import { assertAlmostEquals, assertEquals } from "@std/assert";
 * import { init, logSoftmax, tensor } from "@tessera/tessera";
 *
 * await init();
 * const [a, b] = await logSoftmax(tensor([1000, 1000])).read();
 * assertAlmostEquals(a, -Math.LN2, 1e-6);
 * assertEquals(a, b);
 * ```
 */
export function logSoftmax(x: Tensor, axis = -1): Tensor {
  return x.logSoftmax(axis);
}
