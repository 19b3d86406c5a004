/** Initial values of parameters. */
import { rand, randn } from "../core/create.ts";
import type { Tensor } from "../core/tensor.ts";
import type { Shape } from "../wgsl/op.ts";

/** Inputs and outputs of one unit of a weight `[out, in, …kernel]`: in·kernel and out·kernel. */
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

/**
 * PyTorch's default for linear and convolution weights: uniform in ±1/√fanIn, which is Kaiming's uniform bound (He et al. 2015, equation 10) for
 * a leaky slope of √5.
 */
export function defaultWeight(shape: Shape): Tensor {
  const bound = 1 / Math.sqrt(Math.max(1, fans(shape).fanIn));
  return rand(shape, { low: -bound, high: bound });
}

/** PyTorch's default for biases: uniform in ±1/√fanIn of their weight. */
export function defaultBias(length: number, fanIn: number): Tensor {
  const bound = fanIn > 0 ? 1 / Math.sqrt(fanIn) : 0;
  return rand([length], { low: -bound, high: bound });
}

/** Glorot and Bengio (2010), equation 16: uniform in ±√(6 / (fanIn + fanOut)), so that variances stay the same both ways. */
export function xavierUniform(shape: Shape, gain = 1): Tensor {
  const { fanIn, fanOut } = fans(shape);
  const bound = gain * Math.sqrt(6 / (fanIn + fanOut));
  return rand(shape, { low: -bound, high: bound });
}

/** He et al. (2015), equation 10: normal with variance 2 / fanIn, for layers that a ReLU follows. */
export function kaimingNormal(shape: Shape): Tensor {
  return randn(shape, { std: Math.sqrt(2 / fans(shape).fanIn) });
}
