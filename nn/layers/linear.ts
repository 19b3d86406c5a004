/** Fully connected layer. */
import type { Tensor } from "../../core/tensor.ts";
import { linear } from "../functional.ts";
import { defaultBias, defaultWeight } from "../init.ts";
import { Module } from "../module.ts";
import { type Parameter, parameter } from "../parameter.ts";

/** Options of layers whose bias can be left out. */
export interface BiasOptions {
  /** Whether to add a learned constant to each output. @default true */
  readonly bias?: boolean;
}

/**
 * `y = x·Wᵀ + b`. `x: […, inFeatures] → […, outFeatures]`
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { init, nn, zeros } from "@tessera/tessera";
 *
 * await init();
 * const layer = new nn.Linear(4, 2);
 * assertEquals(layer(zeros([8, 4])).shape, [8, 2]);
 * assertEquals(layer.weight.shape, [2, 4]);
 * ```
 */
export class Linear extends Module {
  /** `[outFeatures, inFeatures]` */
  readonly weight: Parameter;
  /** `[outFeatures]` */
  readonly bias: Parameter | null;

  constructor(
    readonly inFeatures: number,
    readonly outFeatures: number,
    options: BiasOptions = {},
  ) {
    super();
    const { bias = true } = options;
    this.weight = parameter(() => defaultWeight([outFeatures, inFeatures]));
    this.bias = bias
      ? parameter(() => defaultBias(outFeatures, inFeatures))
      : null;
  }

  override forward(x: Tensor): Tensor {
    return linear(x, this.weight, this.bias ?? undefined);
  }

  override describe(): string {
    const bias = this.bias ? "" : ", bias=false";
    return `${this.inFeatures}, ${this.outFeatures}${bias}`;
  }
}
