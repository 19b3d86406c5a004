/** Convolution layer for sequences. */
import { tidy } from "../../core/scope.ts";
import type { Tensor } from "../../core/tensor.ts";
import { conv1d, type Conv1dOptions } from "../functional_conv.ts";
import { pad } from "../functional_pad.ts";
import { endsOf } from "../geometry.ts";
import { defaultBias, defaultWeight, fans } from "../init.ts";
import { Module } from "../module.ts";
import { type Parameter, parameter } from "../parameter.ts";
import { checkGroups, describeOptions } from "./conv.ts";
import type { BiasOptions } from "./linear.ts";

/** Options of {@linkcode Conv1d}. */
export interface Conv1dLayerOptions extends Conv1dOptions, BiasOptions {
  /** What the padding consists of: zeros, the input mirrored about its edge, or its edge repeated. @default "zeros" */
  readonly paddingMode?: "zeros" | "reflect" | "replicate";
}

/**
 * Convolution of sequences (Waibel et al. 1989, time-delay networks). `x: [N, inChannels, L] → [N, outChannels, OL]`
 *
 * Unlike PyTorch, each end may have a padding of its own, and there is no circular mode.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { init, nn, zeros } from "@tessera/tessera";
 *
 * await init();
 * const layer = new nn.Conv1d(2, 4, 3, { padding: "same" });
 * assertEquals(layer(zeros([1, 2, 10])).shape, [1, 4, 10]);
 * ```
 */
export class Conv1d extends Module {
  /** `[outChannels, inChannels/groups, length]` */
  readonly weight: Parameter;
  /** `[outChannels]` */
  readonly bias: Parameter | null;
  /** As given, without the bias. */
  readonly options: Omit<Conv1dLayerOptions, "bias">;
  /** `[left, right]` */
  readonly padding: readonly [number, number];

  constructor(
    readonly inChannels: number,
    readonly outChannels: number,
    readonly kernelSize: number,
    options: Conv1dLayerOptions = {},
  ) {
    super();
    const { bias = true, ...rest } = options;
    const { groups = 1, padding = 0, stride = 1, dilation = 1 } = rest;
    checkGroups(inChannels, outChannels, groups);
    this.options = rest;
    this.padding = endsOf(padding, kernelSize, stride, dilation);
    const shape = [outChannels, inChannels / groups, kernelSize];
    this.weight = parameter(() => defaultWeight(shape));
    this.bias = bias
      ? parameter(() => defaultBias(outChannels, fans(shape).fanIn))
      : null;
  }

  override forward(x: Tensor): Tensor {
    const { weight, bias, padding } = this;
    const { paddingMode: mode = "zeros", ...rest } = this.options;
    const options = { ...rest, ...(bias ? { bias } : {}) };
    if (mode === "zeros") return conv1d(x, weight, { ...options, padding });
    return tidy(() =>
      conv1d(pad(x, padding, { mode }), weight, { ...options, padding: 0 })
    );
  }

  override describe(): string {
    const { inChannels, outChannels, kernelSize } = this;
    const bias = this.bias ? "" : ", bias=false";
    return `${inChannels}, ${outChannels}, kernelSize=${kernelSize}${
      describeOptions(this.options)
    }${bias}`;
  }
}
