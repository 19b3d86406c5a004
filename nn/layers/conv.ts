/** Convolution layer. */
import type { Tensor } from "../../core/tensor.ts";
import { conv2d, type ConvOptions, pair, type Size2d } from "../functional.ts";
import { defaultBias, defaultWeight, fans } from "../init.ts";
import { Module, type Parameter, parameter } from "../module.ts";
import type { BiasOptions } from "./linear.ts";

/** Options of {@linkcode Conv2d}. */
export interface Conv2dOptions extends ConvOptions, BiasOptions {}

/** Convolution of pictures (LeCun et al. 1998, section II.A). `x: [N, inChannels, H, W] → [N, outChannels, OH, OW]` */
export class Conv2d extends Module {
  /** `[outChannels, inChannels/groups, height, width]` */
  readonly weight: Parameter;
  /** `[outChannels]` */
  readonly bias: Parameter | null;
  readonly kernelSize: readonly [number, number];
  readonly #options: ConvOptions;

  constructor(
    readonly inChannels: number,
    readonly outChannels: number,
    kernelSize: Size2d,
    options: Conv2dOptions = {},
  ) {
    super();
    const { bias = true, ...rest } = options;
    const { groups = 1 } = rest;
    if (inChannels % groups !== 0 || outChannels % groups !== 0) {
      throw new RangeError(
        `Cannot make a convolution of ${inChannels} to ${outChannels} channels in ${groups} groups: expected both to be multiples of ${groups}`,
      );
    }
    this.#options = rest;
    this.kernelSize = pair(kernelSize);
    const shape = [outChannels, inChannels / groups, ...this.kernelSize];
    this.weight = parameter(() => defaultWeight(shape));
    this.bias = bias
      ? parameter(() => defaultBias(outChannels, fans(shape).fanIn))
      : null;
  }

  override forward(x: Tensor): Tensor {
    const { weight, bias } = this;
    return conv2d(x, weight, { ...this.#options, ...(bias ? { bias } : {}) });
  }

  override describe(): string {
    const { inChannels, outChannels, kernelSize } = this;
    const options = Object.entries(this.#options).map(([name, value]) =>
      `, ${name}=${typeof value === "number" ? value : `[${value}]`}`
    );
    const bias = this.bias ? "" : ", bias=false";
    return `${inChannels}, ${outChannels}, kernelSize=[${kernelSize}]${
      options.join("")
    }${bias}`;
  }
}
