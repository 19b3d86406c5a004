/** Resizing layer. */
import type { Tensor } from "../../core/tensor.ts";
import { interpolate, type InterpolateOptions } from "../functional_resize.ts";
import { Module } from "../module.ts";

/**
 * Resizes the axes after the channels, to a size or by a factor. `x: [N, C, H, W] → [N, C, OH, OW]`
 *
 * Unlike PyTorch, there is no bicubic mode.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { init, nn, tensor } from "@tessera/tessera";
 *
 * await init();
 * const layer = new nn.Upsample({ scaleFactor: 2 });
 * const y = layer(tensor([[[[1, 2]]]]));
 * assertEquals(await y.array(), [[[[1, 1, 2, 2], [1, 1, 2, 2]]]]);
 * ```
 */
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
