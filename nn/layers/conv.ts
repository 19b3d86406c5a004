/** Convolution layer. */
import { tidy } from "../../core/scope.ts";
import type { Tensor } from "../../core/tensor.ts";
import { conv2d, type ConvOptions } from "../functional.ts";
import { pair, sameBorder, sides, type Size2d } from "../geometry.ts";
import { pad } from "../functional_pad.ts";
import { defaultBias, defaultWeight, fans } from "../init.ts";
import { Module } from "../module.ts";
import { type Parameter, parameter } from "../parameter.ts";
import type { BiasOptions } from "./linear.ts";

/** Options of {@linkcode Conv2d}. */
export interface Conv2dOptions extends ConvOptions, BiasOptions {
  /** What the padding consists of: zeros, the input mirrored about its edge, or its edge repeated. @default "zeros" */
  readonly paddingMode?: "zeros" | "reflect" | "replicate";
}

/**
 * Convolution of pictures (LeCun et al. 1998, section II.A). `x: [N, inChannels, H, W] → [N, outChannels, OH, OW]`
 *
 * Unlike PyTorch, each side may have a padding of its own, and there is no circular mode.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { init, nn, zeros } from "@tessera/tessera";
 *
 * await init();
 * const layer = new nn.Conv2d(3, 8, 3, { stride: 2, padding: 1 });
 * assertEquals(layer(zeros([1, 3, 32, 32])).shape, [1, 8, 16, 16]);
 * assertEquals(layer.weight.shape, [8, 3, 3, 3]);
 * const same = new nn.Conv2d(3, 8, 5, { padding: "same", paddingMode: "reflect" });
 * assertEquals(same(zeros([1, 3, 32, 32])).shape, [1, 8, 32, 32]);
 * ```
 */
export class Conv2d extends Module {
  /** `[outChannels, inChannels/groups, height, width]` */
  readonly weight: Parameter;
  /** `[outChannels]` */
  readonly bias: Parameter | null;
  readonly kernelSize: readonly [number, number];
  /** As given, without the bias. */
  readonly options: Omit<Conv2dOptions, "bias">;
  /** `[top, bottom, left, right]` */
  readonly padding: readonly [number, number, number, number];

  constructor(
    readonly inChannels: number,
    readonly outChannels: number,
    kernelSize: Size2d,
    options: Conv2dOptions = {},
  ) {
    super();
    const { bias = true, ...rest } = options;
    const { groups = 1 } = rest;
    checkGroups(inChannels, outChannels, groups);
    this.options = rest;
    this.kernelSize = pair(kernelSize);
    this.padding = paddingOf(this.kernelSize, rest);
    const shape = [outChannels, inChannels / groups, ...this.kernelSize];
    this.weight = parameter(() => defaultWeight(shape));
    this.bias = bias
      ? parameter(() => defaultBias(outChannels, fans(shape).fanIn))
      : null;
  }

  override forward(x: Tensor): Tensor {
    const { weight, bias } = this;
    const { stride, dilation, groups, paddingMode = "zeros" } = this.options;
    const options = {
      ...(stride ? { stride } : {}),
      ...(dilation ? { dilation } : {}),
      ...(groups ? { groups } : {}),
      ...(bias ? { bias } : {}),
    };
    const [top, bottom, left, right] = this.padding;
    if (paddingMode === "zeros") {
      return conv2d(x, weight, { ...options, padding: this.padding });
    }
    return tidy(() => {
      const mode = paddingMode;
      const padded = pad(x, [left, right, top, bottom], { mode });
      return conv2d(padded, weight, options);
    });
  }

  override describe(): string {
    const { inChannels, outChannels, kernelSize } = this;
    const bias = this.bias ? "" : ", bias=false";
    return `${inChannels}, ${outChannels}, kernelSize=[${kernelSize}]${
      describeOptions(this.options)
    }${bias}`;
  }
}

/** The four sides of a layer's padding. */
function paddingOf(
  kernelSize: readonly [number, number],
  { padding = 0, stride = 1, dilation = 1 }: Conv2dOptions,
): readonly [number, number, number, number] {
  if (padding !== "same") return sides(padding);
  return sameBorder(kernelSize, pair(stride), pair(dilation));
}

/** Refuses channels that groups don't divide. */
export function checkGroups(
  inChannels: number,
  outChannels: number,
  groups: number,
): void {
  if (inChannels % groups === 0 && outChannels % groups === 0) return;
  throw new RangeError(
    `Cannot make a convolution of ${inChannels} to ${outChannels} channels in ${groups} groups: expected both to be multiples of ${groups}`,
  );
}

/** Options as a layer's description lists them: `, stride=2, padding=[1,0]`. */
export function describeOptions(options: object): string {
  return Object.entries(options).map(([name, value]) =>
    `, ${name}=${describeOption(value)}`
  ).join("");
}

function describeOption(value: unknown): string {
  return Array.isArray(value) ? `[${value}]` : String(value);
}
