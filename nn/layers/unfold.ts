/** Layers that take windows apart and put them together. */
import type { Tensor } from "../../core/tensor.ts";
import type { Size2d } from "../functional.ts";
import { fold, unfold, type UnfoldOptions } from "../functional_unfold.ts";
import { Module } from "../module.ts";

/** The elements under each place of a sliding window, as columns. `x: [N, C, H, W] → [N, C·kh·kw, L]` */
export class Unfold extends Module {
  constructor(
    readonly kernelSize: Size2d,
    readonly options: UnfoldOptions = {},
  ) {
    super();
  }

  override forward(x: Tensor): Tensor {
    return unfold(x, this.kernelSize, this.options);
  }

  override describe(): string {
    const { kernelSize, options } = this;
    return describeNamed({ kernelSize, ...options });
  }
}

/** Columns added back to where {@linkcode Unfold} took them from. `x: [N, C·kh·kw, L] → [N, C, H, W]` */
export class Fold extends Module {
  constructor(
    readonly outputSize: Size2d,
    readonly kernelSize: Size2d,
    readonly options: UnfoldOptions = {},
  ) {
    super();
  }

  override forward(x: Tensor): Tensor {
    return fold(x, this.outputSize, this.kernelSize, this.options);
  }

  override describe(): string {
    const { outputSize, kernelSize, options } = this;
    return describeNamed({ outputSize, kernelSize, ...options });
  }
}

function describeNamed(named: Readonly<Record<string, Size2d>>): string {
  return Object.entries(named).map(([name, value]) =>
    `${name}=${typeof value === "number" ? value : `[${value}]`}`
  ).join(", ");
}
