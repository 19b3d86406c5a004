/** Activations as layers. */
import type { Tensor } from "../../core/tensor.ts";
import { full } from "../../core/create.ts";
import {
  gelu,
  type GeluOptions,
  prelu,
  softplus,
  type SoftplusOptions,
} from "../functional_activation.ts";
import { Module } from "../module.ts";
import { type Parameter, parameter } from "../parameter.ts";

/**
 * max(x, 0). Nair and Hinton (2010).
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { init, nn, tensor } from "@tessera/tessera";
 *
 * await init();
 * const layer = new nn.ReLU();
 * assertEquals(await layer(tensor([-1, 0, 2])).array(), [0, 0, 2]);
 * ```
 */
export class ReLU extends Module {
  override forward(x: Tensor): Tensor {
    return x.relu();
  }
}

/**
 * x, but negativeSlope·x below 0. Maas, Hannun and Ng (2013), section 2.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { init, nn, tensor } from "@tessera/tessera";
 *
 * await init();
 * const layer = new nn.LeakyReLU(0.25);
 * assertEquals(await layer(tensor([-2, 4])).array(), [-0.5, 4]);
 * ```
 */
export class LeakyReLU extends Module {
  constructor(readonly negativeSlope = 0.01) {
    super();
  }

  override forward(x: Tensor): Tensor {
    return x.leakyRelu(this.negativeSlope);
  }

  override describe(): string {
    return `negativeSlope=${this.negativeSlope}`;
  }
}

/**
 * x, but weight·x below 0, where the weight is learned. He et al. (2015), arXiv:1502.01852, equation 1. `x: [N, C, …] → [N, C, …]`
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { init, nn, tensor } from "@tessera/tessera";
 *
 * await init();
 * const layer = new nn.PReLU(2); // a weight for each of two channels
 * assertEquals(await layer(tensor([[-4, 4]])).array(), [[-1, 4]]);
 * assertEquals(layer.weight.shape, [2]);
 * ```
 */
export class PReLU extends Module {
  /** `[numParameters]` */
  readonly weight: Parameter;

  /** One weight for all channels, or as many as there are channels, which start at `init`. */
  constructor(readonly numParameters = 1, init = 0.25) {
    super();
    this.weight = parameter(() => full([numParameters], init));
  }

  override forward(x: Tensor): Tensor {
    return prelu(x, this.weight);
  }

  override describe(): string {
    return `numParameters=${this.numParameters}`;
  }
}

/**
 * x, but alpha·(eˣ - 1) below 0. Clevert, Unterthiner and Hochreiter (2015), arXiv:1511.07289, equation 15.
 *
 * @example
 * ```ts
 * import { assertAlmostEquals, assertEquals } from "@std/assert";
 * import { init, nn, tensor } from "@tessera/tessera";
 *
 * await init();
 * const [low, high] = await new nn.ELU(2)(tensor([-100, 3])).read();
 * assertAlmostEquals(low, -2, 1e-6);
 * assertEquals(high, 3);
 * ```
 */
export class ELU extends Module {
  constructor(readonly alpha = 1) {
    super();
  }

  override forward(x: Tensor): Tensor {
    return x.elu(this.alpha);
  }

  override describe(): string {
    return `alpha=${this.alpha}`;
  }
}

/**
 * {@linkcode ELU} with the constants that keep mean 0 and variance 1. Klambauer et al. (2017), arXiv:1706.02515, equation 2.
 *
 * @example
 * ```ts
 * import { assertAlmostEquals, assertEquals } from "@std/assert";
 * import { init, nn, tensor } from "@tessera/tessera";
 *
 * await init();
 * const [zero, one] = await new nn.SELU()(tensor([0, 1])).read();
 * assertEquals(zero, 0);
 * assertAlmostEquals(one, 1.050701, 1e-6);
 * ```
 */
export class SELU extends Module {
  override forward(x: Tensor): Tensor {
    return x.selu();
  }
}

/**
 * x·Φ(x), Φ being the normal distribution's. Hendrycks and Gimpel (2016), arXiv:1606.08415, section 2.
 *
 * @example
 * ```ts
 * import { assertAlmostEquals } from "@std/assert";
 * import { init, nn, tensor } from "@tessera/tessera";
 *
 * await init();
 * const [y] = await new nn.GELU({ approximate: "tanh" })(tensor([1])).read();
 * assertAlmostEquals(y, 0.841192, 1e-5);
 * ```
 */
export class GELU extends Module {
  constructor(readonly options: GeluOptions = {}) {
    super();
  }

  override forward(x: Tensor): Tensor {
    return gelu(x, this.options);
  }

  override describe(): string {
    return `approximate=${this.options.approximate ?? "none"}`;
  }
}

/**
 * x / (1 + e⁻ˣ), also called swish. Elfwing, Uchibe and Doya (2017), arXiv:1702.03118, equation 6.
 *
 * @example
 * ```ts
 * import { assertAlmostEquals } from "@std/assert";
 * import { init, nn, tensor } from "@tessera/tessera";
 *
 * await init();
 * const [y] = await new nn.SiLU()(tensor([2])).read();
 * assertAlmostEquals(y, 2 / (1 + Math.exp(-2)), 1e-6);
 * ```
 */
export class SiLU extends Module {
  override forward(x: Tensor): Tensor {
    return x.silu();
  }
}

/**
 * x·min(max(x + 3, 0), 6) / 6. Howard et al. (2019), arXiv:1905.02244, section 5.2.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { init, nn, tensor } from "@tessera/tessera";
 *
 * await init();
 * const layer = new nn.Hardswish();
 * assertEquals(await layer(tensor([-4, 0, 5])).array(), [0, 0, 5]);
 * ```
 */
export class Hardswish extends Module {
  override forward(x: Tensor): Tensor {
    return x.hardswish();
  }
}

/**
 * ln(1 + e^(beta·x)) / beta, a smooth relu; x where beta·x is above the threshold. Dugas et al. (2001), equation 8.
 *
 * @example
 * ```ts
 * import { assertAlmostEquals } from "@std/assert";
 * import { init, nn, tensor } from "@tessera/tessera";
 *
 * await init();
 * const [y] = await new nn.Softplus({ beta: 2 })(tensor([0])).read();
 * assertAlmostEquals(y, Math.LN2 / 2, 1e-6);
 * ```
 */
export class Softplus extends Module {
  constructor(readonly options: SoftplusOptions = {}) {
    super();
  }

  override forward(x: Tensor): Tensor {
    return softplus(x, this.options);
  }

  override describe(): string {
    const { beta = 1, threshold = 20 } = this.options;
    return `beta=${beta}, threshold=${threshold}`;
  }
}

/**
 * 1 / (1 + e⁻ˣ)
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { init, nn, tensor } from "@tessera/tessera";
 *
 * await init();
 * assertEquals(await new nn.Sigmoid()(tensor([0])).array(), [0.5]);
 * ```
 */
export class Sigmoid extends Module {
  override forward(x: Tensor): Tensor {
    return x.sigmoid();
  }
}

/**
 * (eˣ - e⁻ˣ) / (eˣ + e⁻ˣ)
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { init, nn, tensor } from "@tessera/tessera";
 *
 * await init();
 * assertEquals(await new nn.Tanh()(tensor([0])).array(), [0]);
 * ```
 */
export class Tanh extends Module {
  override forward(x: Tensor): Tensor {
    return x.tanh();
  }
}

/**
 * eˣ / Σ eˣ along an axis.
 *
 * Unlike PyTorch, the axis is the last one unless it is given.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { init, nn, tensor } from "@tessera/tessera";
 *
 * await init();
 * const y = new nn.Softmax(1)(tensor([[1, 1], [2, 2]]));
 * assertEquals(await y.array(), [[0.5, 0.5], [0.5, 0.5]]);
 * ```
 */
export class Softmax extends Module {
  constructor(readonly axis = -1) {
    super();
  }

  override forward(x: Tensor): Tensor {
    return x.softmax(this.axis);
  }

  override describe(): string {
    return String(this.axis);
  }
}

/**
 * log(eˣ / Σ eˣ) along an axis, without the overflow.
 *
 * Unlike PyTorch, the axis is the last one unless it is given.
 *
 * @example
 * ```ts
 * import { assertAlmostEquals } from "@std/assert";
 * import { init, nn, tensor } from "@tessera/tessera";
 *
 * await init();
 * const y = await new nn.LogSoftmax(1)(tensor([[1, 1]])).read();
 * assertAlmostEquals(y[0], -Math.LN2, 1e-6);
 * ```
 */
export class LogSoftmax extends Module {
  constructor(readonly axis = -1) {
    super();
  }

  override forward(x: Tensor): Tensor {
    return x.logSoftmax(this.axis);
  }

  override describe(): string {
    return String(this.axis);
  }
}
