/** Stochastic gradient descent. */
import { apply, type Tensor } from "../../core/tensor.ts";
import { sgdMomentumStep, sgdStep } from "../../wgsl/optim/sgd.ts";
import { Optimizer, stateLike } from "./optimizer.ts";

/** Options of {@linkcode SGD}. */
export interface SGDOptions {
  /** Step size. */
  readonly lr: number;
  /** Part of the last step that is taken again. @default 0 */
  readonly momentum?: number;
  /** Part of the gradient that momentum leaves out. @default 0 */
  readonly dampening?: number;
  /** Added to the gradient, times the parameter. @default 0 */
  readonly weightDecay?: number;
  /** Looks ahead along the momentum. @default false */
  readonly nesterov?: boolean;
}

/** `p ← p - lr·v`, `v ← momentum·v + (1 - dampening)·(g + weightDecay·p)`, as PyTorch (Sutskever et al. 2013, with the step size outside). */
export class SGD extends Optimizer {
  readonly #options: Required<Omit<SGDOptions, "lr">>;
  readonly #momenta: (Tensor | undefined)[];

  constructor(parameters: Iterable<Tensor>, options: SGDOptions) {
    super(parameters, options.lr);
    const { momentum = 0, dampening = 0 } = options;
    const { weightDecay = 0, nesterov = false } = options;
    if (nesterov && (momentum <= 0 || dampening !== 0)) {
      throw new RangeError(
        `Cannot use Nesterov's step with momentum ${momentum} and dampening ${dampening}: expected a positive momentum and no dampening`,
      );
    }
    this.#options = { momentum, dampening, weightDecay, nesterov };
    this.#momenta = this.parameters.map(() => undefined);
  }

  protected override update(p: Tensor, grad: Tensor, index: number): void {
    const { lr } = this;
    const { weightDecay } = this.#options;
    if (this.#options.momentum === 0) {
      apply(sgdStep, [p, grad], { lr, weightDecay });
      return;
    }
    const first = this.#momenta[index] === undefined;
    const buffer = this.#momenta[index] ??= stateLike(p);
    apply(sgdMomentumStep, [p, grad, buffer], { ...this.#options, lr, first });
  }
}
