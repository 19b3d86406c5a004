/** Resizing layer. */
import type { Tensor } from "../../core/tensor.ts";
import { interpolate, type InterpolateOptions } from "../functional_resize.ts";
import { Module } from "../module.ts";

/** Resizes the axes after the channels, to a size or by a factor. `x: [N, C, H, W] → [N, C, OH, OW]` */
export class Upsample extends Module {
  constructor(readonly options: InterpolateOptions) {
    super();
  }

  override forward(x: Tensor): Tensor {
    return interpolate(x, this.options);
  }

  override describe(): string {
    return Object.entries(this.options).map(([name, value]) =>
      `${name}=${Array.isArray(value) ? `[${value}]` : value}`
    ).join(", ");
  }
}
