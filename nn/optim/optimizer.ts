/** What optimisers share: parameters, and the memory of past gradients that goes with each. */
import { zeros } from "../../core/create.ts";
import { outsideScopes } from "../../core/scope.ts";
import type { Tensor } from "../../core/tensor.ts";

/** Changes parameters by their gradients. */
export abstract class Optimizer {
  readonly parameters: readonly Tensor[];
  /** Step size. May be changed between steps. */
  lr: number;

  constructor(parameters: Iterable<Tensor>, lr: number) {
    this.parameters = [...parameters];
    this.lr = lr;
    if (this.parameters.length === 0) {
      throw new RangeError("Cannot optimise: no parameters were given");
    }
    const bad = this.parameters.findIndex((p) => !p.requiresGrad);
    if (bad >= 0) {
      throw new RangeError(
        `Cannot optimise parameter ${bad}: it does not require gradients`,
      );
    }
    if (!(lr >= 0)) {
      throw new RangeError(
        `Cannot optimise with lr ${lr}: expected a number of 0 or more`,
      );
    }
  }

  /** Changes every parameter that has a gradient. */
  step(): void {
    this.parameters.forEach((p, i) => {
      if (p.grad) this.update(p, p.grad, i);
    });
  }

  /** Changes one parameter, the `index`th. */
  protected abstract update(p: Tensor, grad: Tensor, index: number): void;

  /** Forgets the gradients. */
  zeroGrad(): void {
    for (const p of this.parameters) p.grad = null;
  }
}

/** Zeros like a parameter, that no scope frees. */
export function stateLike(p: Tensor): Tensor {
  return outsideScopes(() => zeros(p.shape, { dtype: p.dtype }));
}
