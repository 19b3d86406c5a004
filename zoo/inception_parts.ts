/** What the Inception networks are made of: convolutions with their ReLU, branches side by side, and their common change of input range. */
import { tensor } from "../core/create.ts";
import { concat } from "../core/join.ts";
import type { Tensor } from "../core/tensor.ts";
import {
  BatchNorm2d,
  Conv2d,
  type Conv2dOptions,
  Module,
  relu,
  type Size2d,
} from "../nn/mod.ts";

/** What a {@linkcode BasicConv2d} takes: its convolution has no bias, as batch norm has one. */
export type ConvUnitOptions = Omit<Conv2dOptions, "bias">;

/** Makes a convolution with what follows it. */
export type ConvUnit = (
  inChannels: number,
  outChannels: number,
  kernelSize: Size2d,
  options?: ConvUnitOptions,
) => Module;

/**
 * A convolution without bias, batch norm with an eps of 1e-3, ReLU. `x: [N, inChannels, H, W] → [N, outChannels, OH, OW]`
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { init, zeros, zoo } from "@tessera/tessera";
 *
 * await init();
 * const wide = new zoo.BasicConv2d(8, 16, [1, 7], { padding: [0, 3] });
 * assertEquals(wide(zeros([2, 8, 17, 17])).shape, [2, 16, 17, 17]);
 * ```
 */
export class BasicConv2d extends Module {
  readonly conv: Conv2d;
  readonly bn: BatchNorm2d;

  constructor(
    inChannels: number,
    outChannels: number,
    kernelSize: Size2d,
    options: ConvUnitOptions = {},
  ) {
    super();
    this.conv = new Conv2d(inChannels, outChannels, kernelSize, {
      ...options,
      bias: false,
    });
    this.bn = new BatchNorm2d(outChannels, { eps: 1e-3 });
  }

  override forward(x: Tensor): Tensor {
    return relu(this.bn(this.conv(x)));
  }
}

/** A convolution with bias, ReLU: as before batch norm was known. `x: [N, inChannels, H, W] → [N, outChannels, OH, OW]` */
export class PlainConv2d extends Module {
  readonly conv: Conv2d;

  constructor(
    inChannels: number,
    outChannels: number,
    kernelSize: Size2d,
    options: ConvUnitOptions = {},
  ) {
    super();
    this.conv = new Conv2d(inChannels, outChannels, kernelSize, options);
  }

  override forward(x: Tensor): Tensor {
    return relu(this.conv(x));
  }
}

/** A {@linkcode BasicConv2d} by a call. */
export const basicConv: ConvUnit = (...args) => new BasicConv2d(...args);

/** A {@linkcode PlainConv2d} by a call. */
export const plainConv: ConvUnit = (...args) => new PlainConv2d(...args);

/**
 * Branches side by side: each sees the input, and their channels follow one another in the output.
 *
 * `x: [N, C, H, W] → [N, C₁ + C₂ + …, OH, OW]`; keys are the names.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { init, nn, zeros, zoo } from "@tessera/tessera";
 *
 * await init();
 * const both = new zoo.Parallel({
 *   small: new nn.Conv2d(3, 4, 1),
 *   large: new nn.Conv2d(3, 8, 5, { padding: 2 }),
 * });
 * assertEquals(both(zeros([1, 3, 9, 9])).shape, [1, 12, 9, 9]);
 * ```
 */
export class Parallel extends Module {
  constructor(branches: Record<string, Module>) {
    super();
    for (const [name, branch] of Object.entries(branches)) {
      Reflect.set(this, name, branch);
    }
  }

  override forward(x: Tensor): Tensor {
    return concat(this.children().map((branch) => branch(x)), 1);
  }
}

/** Refuses a change of range for other than colour pictures. */
export function checkTransform(
  transformInput: boolean,
  inChannels: number,
): void {
  if (!transformInput || inChannels === 3) return;
  throw new RangeError(
    `Cannot transform inputs of ${inChannels} channels: expected 3, as the constants are those of red, green and blue`,
  );
}

/** ImageNet's means and standard deviations of red, green and blue. */
const MEAN = [0.485, 0.456, 0.406];
const DEVIATION = [0.229, 0.224, 0.225];

/**
 * Pictures that were normalised by ImageNet's statistics, as if they had been brought to -1 … 1, as those were on which Google trained:
 * `x·(σ / 0.5) + (μ - 0.5) / 0.5`. `x: [N, 3, H, W] → the same`
 */
export function transformed(x: Tensor): Tensor {
  const channels = (values: readonly number[]) =>
    tensor(Float32Array.from(values), { shape: [1, 3, 1, 1] }).to(x.dtype);
  const factor = channels(DEVIATION.map((s) => s / 0.5));
  return x.mul(factor).add(channels(MEAN.map((m) => (m - 0.5) / 0.5)));
}
