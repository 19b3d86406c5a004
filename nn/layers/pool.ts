/** Pooling layers. */
import type { Tensor } from "../../core/tensor.ts";
import {
  avgPool2d,
  type AvgPoolOptions,
  maxPool2d,
  type MaxPoolOptions,
  type Size2d,
} from "../functional.ts";
import { Module } from "../module.ts";

/** The largest value of each window. `x: [N, C, H, W] → [N, C, OH, OW]` */
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

  override describe(): string {
    return describePool(this.kernelSize, this.options);
  }
}

/** The average of each window. `x: [N, C, H, W] → [N, C, OH, OW]` */
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

function describePool(kernel: Size2d, options: MaxPoolOptions): string {
  const named = Object.entries({ kernelSize: kernel, ...options });
  return named.map(([name, value]) =>
    `${name}=${Array.isArray(value) ? `[${value}]` : value}`
  ).join(", ");
}
