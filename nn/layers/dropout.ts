/** Dropout layers. */
import type { Tensor } from "../../core/tensor.ts";
import {
  alphaDropout,
  dropout,
  dropout2d,
  type DropoutOptions,
} from "../functional_dropout.ts";
import { Module } from "../module.ts";

abstract class DropoutLayer extends Module {
  constructor(readonly p = 0.5) {
    super();
  }

  protected get options(): DropoutOptions {
    return { p: this.p, training: this.training };
  }

  override describe(): string {
    return `p=${this.p}`;
  }
}

/**
 * In training mode, sets values to 0 with probability `p` and scales the others up; otherwise does nothing (Srivastava et al. 2014).
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { init, nn, ones } from "@tessera/tessera";
 *
 * await init({ seed: 0 });
 * const layer = new nn.Dropout(0.75);
 * const values = new Set(await layer(ones([100])).read());
 * assertEquals(values, new Set([0, 4]));
 * assertEquals(await layer.eval()(ones([2])).array(), [1, 1]);
 * ```
 */
export class Dropout extends DropoutLayer {
  override forward(x: Tensor): Tensor {
    return dropout(x, this.options);
  }
}

/**
 * As {@linkcode Dropout}, but for whole channels (Tompson et al. 2015, arXiv:1411.4280). `x: [N, C, H, W] → the same`
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { init, nn, zeros } from "@tessera/tessera";
 *
 * await init();
 * const layer = new nn.Dropout2d(0.5);
 * const x = zeros([1, 2, 2, 2]).add(1);
 * assertEquals(await layer.eval()(x).array(), await x.array());
 * ```
 */
export class Dropout2d extends DropoutLayer {
  override forward(x: Tensor): Tensor {
    return dropout2d(x, this.options);
  }
}

/**
 * Dropout that keeps mean and variance, for networks of SELU (Klambauer et al. 2017, arXiv:1706.02515).
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { init, nn, zeros } from "@tessera/tessera";
 *
 * await init();
 * const layer = new nn.AlphaDropout(0.5);
 * const x = zeros([1, 2, 2, 2]).add(1);
 * assertEquals(await layer.eval()(x).array(), await x.array());
 * ```
 */
export class AlphaDropout extends DropoutLayer {
  override forward(x: Tensor): Tensor {
    return alphaDropout(x, this.options);
  }
}
