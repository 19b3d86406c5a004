/** Tensors that modules learn. */
import { noGrad } from "../core/autograd.ts";
import { outsideScopes } from "../core/scope.ts";
import { Tensor } from "../core/tensor.ts";

/**
 * A tensor that a module learns: a leaf that requires gradients and that no scope frees.
 *
 * @example
 * ```ts
 * import { assert } from "@std/assert";
 * import { init, nn } from "@tessera/tessera";
 *
 * await init();
 * const { weight } = new nn.Linear(2, 1);
 * assert(weight instanceof nn.Parameter && weight.requiresGrad);
 * ```
 */
export class Parameter extends Tensor {
  /** Takes over the values of `x`, which is freed. */
  constructor(x: Tensor) {
    super({ storage: x.storage, view: x.view, madeBy: "Parameter" });
    this.requiresGrad = true;
    x.dispose();
  }

  /** A parameter with the same values in memory of its own, without the gradient. */
  copy(): Parameter {
    const copy = parameter(() => noGrad(() => this.clone()));
    copy.requiresGrad = this.requiresGrad;
    return copy;
  }
}

/**
 * A parameter made outside every scope, so that it lives as long as its module.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { init, nn, ones, type Tensor } from "@tessera/tessera";
 *
 * await init();
 * class Scale extends nn.Module {
 *   readonly factor = nn.parameter(() => ones([1]));
 *   override forward(x: Tensor): Tensor {
 *     return x.mul(this.factor);
 *   }
 * }
 * assertEquals(new Scale().parameterCount(), 1);
 * ```
 */
export function parameter(make: () => Tensor): Parameter {
  return outsideScopes(() => new Parameter(make()));
}
