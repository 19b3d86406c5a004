/** Layers that take windows apart and put them together. */
import type { Tensor } from "../../core/tensor.ts";
import type { Size2d } from "../functional.ts";
import { fold, unfold, type UnfoldOptions } from "../functional_unfold.ts";
import { Module } from "../module.ts";

/**
 * The elements under each place of a sliding window, as columns. `x: [N, C, H, W] → [N, C·kh·kw, L]`
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { init, nn, tensor } from "@tessera/tessera";
 *
 * await init();
 * const y = new nn.Unfold(2)(tensor([[[[1, 2, 3], [4, 5, 6]]]]));
 * assertEquals(await y.array(), [[[1, 2], [2, 3], [4, 5], [5, 6]]]);
 * ```
 */
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

/**
 * Columns added back to where {@linkcode Unfold} took them from. `x: [N, C·kh·kw, L] → [N, C, H, W]`
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { init, nn, tensor } from "@tessera/tessera";
 *
 * await init();
 * const columns = tensor([[[1, 2], [2, 3], [4, 5], [5, 6]]]);
 * const y = new nn.Fold([2, 3], 2)(columns);
 * assertEquals(await y.array(), [[[[1, 4, 3], [4, 10, 6]]]]);
 * ```
 */
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
