/** Activation functions. NaN passes through all of them; integers give f32, but for relu. */
import type { Tensor } from "../../core/tensor.ts";
import { activation } from "./library.ts";
import { choose } from "./select.ts";
import { reluSlope } from "./slope.ts";
import { erf } from "./special.ts";
import { fromInput, fromOutput, unary, unaryWith } from "./unary.ts";

/** max(x, 0), and NaN for NaN. Its derivative at 0 is taken to be 0. */
export const relu = unary({
  name: "relu",
  wgsl: "relu(a)",
  wgslInteger: "relu(a)",
  functions: activation,
  result: "same",
  value: (x) => x < 0 ? 0 : x,
  gradient: fromOutput((dy, y, _, apply) => apply(reluSlope, [dy, y], {})[0]),
});

/** The slope of {@linkcode leakyRelu} below 0, and the depth of {@linkcode elu}. */
export interface AlphaAttrs {
  readonly alpha: number;
}

/** x, but alpha·x below 0. (Maas, Hannun & Ng 2013, "Rectifier nonlinearities improve neural network acoustic models", section 2.) At most 1 ULP off. */
export const leakyRelu = unaryWith<AlphaAttrs>({
  name: "leakyRelu",
  wgsl: "leaky_relu(a, arg(0u))",
  functions: activation,
  result: "float",
  value: (x, { alpha }) => x < 0 ? x * alpha : x,
  numbers: ({ alpha }) => [alpha],
  accuracy: { ulps: 1 },
  gradient: fromInput((dy, x, { alpha }, apply) =>
    choose(apply, x.gt(0), dy, dy.mul(alpha))
  ),
}, { alpha: 0.01 });

/** x, but alpha·(e^x - 1) below 0. (Clevert, Unterthiner & Hochreiter 2015, arXiv:1511.07289, equation 15.) At most 2 ULP off. */
export const elu = unaryWith<AlphaAttrs>({
  name: "elu",
  wgsl: "elu(a, arg(0u))",
  functions: activation,
  result: "float",
  value: (x, { alpha }) => x < 0 ? alpha * Math.expm1(x) : x,
  numbers: ({ alpha }) => [alpha],
  accuracy: { ulps: 2 },
  flops: 25,
  gradient: fromInput((dy, x, { alpha }, apply) =>
    choose(apply, x.le(0), dy.mul(exponentialBelow(x, alpha)), dy)
  ),
}, { alpha: 1 });

const SELU_SCALE = 1.0507009873554804934193349852946;
const SELU_ALPHA = 1.6732632423543772848170429916717;

/**
 * scale·elu(x, alpha) with the constants that keep mean 0 and variance 1 from layer to layer. (Klambauer et al. 2017, arXiv:1706.02515, equation 2.)
 *
 * At most 2.5 ULP off.
 */
export const selu = unary({
  name: "selu",
  wgsl: "selu(a)",
  functions: activation,
  result: "float",
  value: (x) => SELU_SCALE * (x < 0 ? SELU_ALPHA * Math.expm1(x) : x),
  accuracy: { ulps: 2.5 },
  flops: 26,
  gradient: fromInput((dy, x, _, apply) =>
    choose(apply, x.le(0), dy.mul(exponentialBelow(x, SELU_ALPHA)), dy)
      .mul(SELU_SCALE)
  ),
});

/** alpha·e^x where x is below 0; above, something finite that isn't used. */
function exponentialBelow(x: Tensor, alpha: number): Tensor {
  return x.minimum(0).exp().mul(alpha);
}

/** How {@linkcode gelu} is computed: by the error function, or by the tanh that stood in for it in the first models. */
export interface GeluAttrs {
  readonly approximate: "none" | "tanh";
}

const TANH_SLOPE = Math.sqrt(2 / Math.PI);
const TANH_CUBIC = 0.044715;

/**
 * x·Φ(x), where Φ is the standard normal distribution's. (Hendrycks & Gimpel 2016, arXiv:1606.08415, section 2.)
 *
 * Its error is at most 1.5 ULP of x: where the result is much smaller than x, digits cancel in 1 + erf(x/√2), as they do in PyTorch.
 */
export const gelu = unaryWith<GeluAttrs>({
  name: "gelu",
  wgsl: ({ approximate }) =>
    approximate === "tanh" ? "gelu_tanh(a)" : "gelu(a)",
  functions: activation,
  result: "float",
  value: (x, { approximate }) =>
    0.5 * x *
    (1 + (approximate === "tanh"
      ? Math.tanh(TANH_SLOPE * (x + TANH_CUBIC * x * x * x))
      : erf(x * Math.SQRT1_2))),
  accuracy: { ulps: 1.5, of: "input" },
  flops: 60,
  gradient: fromInput((dy, x, { approximate }) =>
    dy.mul(approximate === "tanh" ? geluTanhSlope(x) : geluSlope(x))
  ),
}, { approximate: "none" });

/** Φ(x) + x·φ(x), with φ the density. */
function geluSlope(x: Tensor): Tensor {
  const distribution = x.mul(Math.SQRT1_2).erf().add(1).mul(0.5);
  const density = x.square().mul(-0.5).exp().mul(1 / Math.sqrt(2 * Math.PI));
  return distribution.add(x.mul(density));
}

/** With t = tanh(s·(x + c·x³)): (1 + t)/2 + x/2·(1 - t²)·s·(1 + 3·c·x²). */
function geluTanhSlope(x: Tensor): Tensor {
  const square = x.square();
  const t = x.mul(square.mul(TANH_CUBIC).add(1)).mul(TANH_SLOPE).tanh();
  const inner = square.mul(3 * TANH_CUBIC).add(1).mul(TANH_SLOPE);
  const slope = t.square().neg().add(1).mul(inner);
  return t.add(1).add(x.mul(slope)).mul(0.5);
}

/** x / (1 + e^-x), also called swish. (Elfwing, Uchibe & Doya 2017, arXiv:1702.03118, equation 6.) At most 3.5 ULP off down to -88. */
export const silu = unary({
  name: "silu",
  wgsl: "silu(a)",
  functions: activation,
  result: "float",
  value: (x) => x / (1 + Math.exp(-x)),
  accuracy: { ulps: 3.5, from: -88 },
  flops: 23,
  gradient: fromInput((dy, x) => {
    const s = x.sigmoid();
    return dy.mul(s).mul(x.mul(s.neg().add(1)).add(1));
  }),
});

/** ln(1 + e^x), a smooth relu. At most 2.5 ULP off. */
export const softplus = unary({
  name: "softplus",
  wgsl: "softplus(a)",
  functions: activation,
  result: "float",
  value: (x) => x > 20 ? x : Math.log1p(Math.exp(x)),
  accuracy: { ulps: 2.5 },
  flops: 50,
  gradient: fromInput((dy, x) => dy.mul(x.sigmoid())),
});

/** x·min(max(x + 3, 0), 6) / 6. (Howard et al. 2019, arXiv:1905.02244, section 5.2.) At most 2.5 ULP off up to where 6·x ends. */
export const hardswish = unary({
  name: "hardswish",
  wgsl: "hardswish(a)",
  functions: activation,
  result: "float",
  value: (x) => x * Math.min(Math.max(x + 3, 0), 6) / 6,
  accuracy: { ulps: 2.5, to: 2 ** 125 },
  flops: 5,
  gradient: fromInput((dy, x, _, apply) => {
    const middle = choose(apply, x.le(3), dy.mul(x.div(3).add(0.5)), dy);
    return choose(apply, x.lt(-3), 0, middle);
  }),
});
