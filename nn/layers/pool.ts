/** Pooling layers. */
import type { Tensor } from "../../core/tensor.ts";
import {
  avgPool2d,
  type AvgPoolOptions,
  maxPool2d,
  maxPool2dWithIndices,
  type MaxPoolOptions,
  type Size2d,
} from "../functional.ts";
import {
  adaptiveAvgPool2d,
  adaptiveMaxPool2d,
  adaptiveMaxPool2dWithIndices,
  lpPool2d,
  type LPPoolOptions,
  maxUnpool2d,
  type MaxUnpoolOptions,
  type OutputSize2d,
} from "../functional_pool.ts";
import { Module } from "../module.ts";

/**
 * The largest value of each window. `x: [N, C, H, W] → [N, C, OH, OW]`
 *
 * Unlike PyTorch, `withIndices` gives the indices, and no option.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { init, nn, tensor } from "@tessera/tessera";
 *
 * await init();
 * const x = tensor([[[[1, 2, 3, 4], [5, 6, 7, 8]]]]);
 * assertEquals(await new nn.MaxPool2d(2)(x).array(), [[[[6, 8]]]]);
 * ```
 */
export class MaxPool2d extends Module {
  constructor(
    readonly kernelSize: Size2d,
    readonly options: MaxPoolOptions = {},
  ) {
    super();
  }

  override forward(x: Tensor): Tensor {
    return maxPool2d(x, this.kernelSize, this.options);
  }

  /** The values, and the position of each in its H·W plane as i32: PyTorch's `return_indices=True`. */
  withIndices(x: Tensor): [Tensor, Tensor] {
    return maxPool2dWithIndices(x, this.kernelSize, this.options);
  }

  override describe(): string {
    return describePool(this.kernelSize, this.options);
  }
}

/**
 * The average of each window. `x: [N, C, H, W] → [N, C, OH, OW]`
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { init, nn, tensor } from "@tessera/tessera";
 *
 * await init();
 * const x = tensor([[[[1, 2, 3, 4], [5, 6, 7, 8]]]]);
 * assertEquals(await new nn.AvgPool2d(2)(x).array(), [[[[3.5, 5.5]]]]);
 * ```
 */
export class AvgPool2d extends Module {
  constructor(
    readonly kernelSize: Size2d,
    readonly options: AvgPoolOptions = {},
  ) {
    super();
  }

  override forward(x: Tensor): Tensor {
    return avgPool2d(x, this.kernelSize, this.options);
  }

  override describe(): string {
    return describePool(this.kernelSize, this.options);
  }
}

/**
 * The average of each of as many windows as the output has cells. `x: [N, C, H, W] → [N, C, OH, OW]`; 1 averages whole planes.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { init, nn, tensor } from "@tessera/tessera";
 *
 * await init();
 * const x = tensor([[[[1, 2], [3, 4]]]]);
 * assertEquals(await new nn.AdaptiveAvgPool2d(1)(x).array(), [[[[2.5]]]]);
 * ```
 */
export class AdaptiveAvgPool2d extends Module {
  /** `outputSize`: one number, or `[height, width]`, where null keeps the input's. */
  constructor(readonly outputSize: OutputSize2d) {
    super();
  }

  override forward(x: Tensor): Tensor {
    return adaptiveAvgPool2d(x, this.outputSize);
  }

  override describe(): string {
    return describeSize(this.outputSize);
  }
}

/**
 * The largest value of each of as many windows as the output has cells. `x: [N, C, H, W] → [N, C, OH, OW]`
 *
 * Unlike PyTorch, `withIndices` gives the indices, and no option.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { init, nn, tensor } from "@tessera/tessera";
 *
 * await init();
 * const x = tensor([[[[1, 2], [3, 4]]]]);
 * const pool = new nn.AdaptiveMaxPool2d([1, null]);
 * assertEquals(await pool(x).array(), [[[[3, 4]]]]);
 * ```
 */
export class AdaptiveMaxPool2d extends Module {
  /** `outputSize`: one number, or `[height, width]`, where null keeps the input's. */
  constructor(readonly outputSize: OutputSize2d) {
    super();
  }

  override forward(x: Tensor): Tensor {
    return adaptiveMaxPool2d(x, this.outputSize);
  }

  /** The values, and the position of each in its H·W plane as i32: PyTorch's `return_indices=True`. */
  withIndices(x: Tensor): [Tensor, Tensor] {
    return adaptiveMaxPool2dWithIndices(x, this.outputSize);
  }

  override describe(): string {
    return describeSize(this.outputSize);
  }
}

/**
 * (Σ xᵖ)^(1/p) of each window, p being `normType`. `x: [N, C, H, W] → [N, C, OH, OW]`
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { init, nn, tensor } from "@tessera/tessera";
 *
 * await init();
 * const x = tensor([[[[3, 4], [0, 0]]]]);
 * assertEquals(await new nn.LPPool2d(2, 2)(x).array(), [[[[5]]]]);
 * ```
 */
export class LPPool2d extends Module {
  constructor(
    readonly normType: number,
    readonly kernelSize: Size2d,
    readonly options: LPPoolOptions = {},
  ) {
    super();
  }

  override forward(x: Tensor): Tensor {
    return lpPool2d(x, this.normType, this.kernelSize, this.options);
  }

  override describe(): string {
    const window = describePool(this.kernelSize, this.options);
    return `normType=${this.normType}, ${window}`;
  }
}

/**
 * Maxima at the places that their indices name, 0 elsewhere. `x, indices: [N, C, OH, OW] → [N, C, H, W]`, called as `unpool(x, indices)`.
 *
 * Unlike PyTorch, the output size is an option of the layer.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { init, nn, tensor } from "@tessera/tessera";
 *
 * await init();
 * const x = tensor([[[[1, 2], [4, 3]]]]);
 * const [values, indices] = new nn.MaxPool2d(2).withIndices(x);
 * const y = new nn.MaxUnpool2d(2)(values, indices);
 * assertEquals(await y.array(), [[[[0, 0], [4, 0]]]]);
 * ```
 */
export class MaxUnpool2d extends Module {
  constructor(
    readonly kernelSize: Size2d,
    readonly options: MaxUnpoolOptions = {},
  ) {
    super();
  }

  override forward(x: Tensor, indices: Tensor): Tensor {
    return maxUnpool2d(x, indices, this.kernelSize, this.options);
  }

  override describe(): string {
    return describePool(this.kernelSize, this.options);
  }
}

function describeSize(size: OutputSize2d): string {
  return typeof size === "number"
    ? `outputSize=${size}`
    : `outputSize=[${size[0]},${size[1]}]`;
}

function describePool(kernel: Size2d, options: object): string {
  const named = Object.entries({ kernelSize: kernel, ...options });
  return named.map(([name, value]) =>
    `${name}=${Array.isArray(value) ? `[${value}]` : value}`
  ).join(", ");
}
