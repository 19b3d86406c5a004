/** Transposed convolution layer. */
import type { Tensor } from "../../core/tensor.ts";
import { pair, type Size2d } from "../geometry.ts";
import {
  convTranspose2d,
  type ConvTransposeOptions,
} from "../functional_conv.ts";
import { defaultBias, defaultWeight, fans } from "../init.ts";
import { Module } from "../module.ts";
import { type Parameter, parameter } from "../parameter.ts";
import { checkGroups, describeOptions } from "./conv.ts";
import type { BiasOptions } from "./linear.ts";

/** Options of {@linkcode ConvTranspose2d}. */
export interface ConvTranspose2dOptions
  extends ConvTransposeOptions, BiasOptions {}

/**
 * Transposed convolution of pictures (Zeiler et al. 2010): learned upsampling. `x: [N, inChannels, H, W] → [N, outChannels, OH, OW]`, sizes as
 * {@linkcode convTranspose2d} gives them.
 *
 * Unlike PyTorch, each side may be cut by its own amount, the output padding is below the stride even where the dilation is larger, and a call takes no output size.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { init, nn, zeros } from "@tessera/tessera";
 *
 * await init();
 * const layer = new nn.ConvTranspose2d(8, 3, 2, { stride: 2 });
 * assertEquals(layer(zeros([1, 8, 16, 16])).shape, [1, 3, 32, 32]);
 * ```
 */
export class ConvTranspose2d extends Module {
  /** `[inChannels, outChannels/groups, height, width]` */
  readonly weight: Parameter;
  /** `[outChannels]` */
  readonly bias: Parameter | null;
  readonly kernelSize: readonly [number, number];
  /** As given, without the bias. */
  readonly options: ConvTransposeOptions;

  constructor(
    readonly inChannels: number,
    readonly outChannels: number,
    kernelSize: Size2d,
    options: ConvTranspose2dOptions = {},
  ) {
    super();
    const { bias = true, ...rest } = options;
    const { groups = 1 } = rest;
    checkGroups(inChannels, outChannels, groups);
    this.options = rest;
    this.kernelSize = pair(kernelSize);
    const shape = [inChannels, outChannels / groups, ...this.kernelSize];
    this.weight = parameter(() => defaultWeight(shape));
    this.bias = bias
      ? parameter(() => defaultBias(outChannels, fans(shape).fanIn))
      : null;
  }

  override forward(x: Tensor): Tensor {
    const { weight, bias } = this;
    const options = { ...this.options, ...(bias ? { bias } : {}) };
    return convTranspose2d(x, weight, options);
  }

  override describe(): string {
    const { inChannels, outChannels, kernelSize } = this;
    const bias = this.bias ? "" : ", bias=false";
    return `${inChannels}, ${outChannels}, kernelSize=[${kernelSize}]${
      describeOptions(this.options)
    }${bias}`;
  }
}
