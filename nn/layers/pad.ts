/** Padding layers for pictures. */
import type { Tensor } from "../../core/tensor.ts";
import { pad } from "../functional_pad.ts";
import { Module } from "../module.ts";

/** A border: one number for all sides, or `[left, right, top, bottom]`, PyTorch's order. */
export type Border2d =
  | number
  | readonly [left: number, right: number, top: number, bottom: number];

/**
 * Zeros around pictures. `x: [N, C, H, W] → [N, C, top + H + bottom, left + W + right]`
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { init, nn, tensor } from "@tessera/tessera";
 *
 * await init();
 * const y = new nn.ZeroPad2d([1, 0, 0, 1])(tensor([[[[1, 2]]]]));
 * assertEquals(await y.array(), [[[[0, 1, 2], [0, 0, 0]]]]);
 * ```
 */
export class ZeroPad2d extends Module {
  constructor(readonly padding: Border2d) {
    super();
  }

  override forward(x: Tensor): Tensor {
    return pad(x, sides(this.padding));
  }

  override describe(): string {
    return describeBorder(this.padding);
  }
}

/**
 * Pictures mirrored about their edge pixels; amounts below height and width. `x: [N, C, H, W] → [N, C, top + H + bottom, left + W + right]`
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { init, nn, tensor } from "@tessera/tessera";
 *
 * await init();
 * const y = new nn.ReflectionPad2d([2, 1, 0, 0])(tensor([[[[1, 2, 3]]]]));
 * assertEquals(await y.array(), [[[[3, 2, 1, 2, 3, 2]]]]);
 * ```
 */
export class ReflectionPad2d extends Module {
  constructor(readonly padding: Border2d) {
    super();
  }

  override forward(x: Tensor): Tensor {
    return pad(x, sides(this.padding), { mode: "reflect" });
  }

  override describe(): string {
    return describeBorder(this.padding);
  }
}

/**
 * Pictures with their edge pixels repeated. `x: [N, C, H, W] → [N, C, top + H + bottom, left + W + right]`
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { init, nn, tensor } from "@tessera/tessera";
 *
 * await init();
 * const y = new nn.ReplicationPad2d([2, 1, 0, 0])(tensor([[[[1, 2]]]]));
 * assertEquals(await y.array(), [[[[1, 1, 1, 2, 2]]]]);
 * ```
 */
export class ReplicationPad2d extends Module {
  constructor(readonly padding: Border2d) {
    super();
  }

  override forward(x: Tensor): Tensor {
    return pad(x, sides(this.padding), { mode: "replicate" });
  }

  override describe(): string {
    return describeBorder(this.padding);
  }
}

function sides(padding: Border2d): readonly number[] {
  return typeof padding === "number" ? Array(4).fill(padding) : padding;
}

function describeBorder(padding: Border2d): string {
  return typeof padding === "number"
    ? `padding=${padding}`
    : `padding=[${padding}]`;
}
