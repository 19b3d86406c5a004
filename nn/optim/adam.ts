/** Adam and AdamW. */
import { apply, type Tensor } from "../../core/tensor.ts";
import { adamStep } from "../../wgsl/optim/adam.ts";
import { Optimizer, stateLike } from "./optimizer.ts";

/** Options of {@linkcode Adam}. */
export interface AdamOptions {
  /** Step size. @default 1e-3 */
  readonly lr?: number;
  /** Decay of the averages of the gradient and of its square. @default [0.9, 0.999] */
  readonly betas?: readonly [number, number];
  /** Added to the root in the denominator. @default 1e-8 */
  readonly eps?: number;
  /** @default 0 */
  readonly weightDecay?: number;
}

/** Averages that belong to one parameter. */
interface Moments {
  readonly mean: Tensor;
  readonly square: Tensor;
  steps: number;
}

/** Kingma and Ba (2015), algorithm 1. Weight decay is added to the gradient. */
export class Adam extends Optimizer {
  readonly #rule: AdamRule;

  constructor(parameters: Iterable<Tensor>, options: AdamOptions = {}) {
    super(parameters, options.lr ?? 1e-3);
    this.#rule = new AdamRule(options, false);
  }

  protected override update(p: Tensor, grad: Tensor, index: number): void {
    this.#rule.update(p, grad, index, this.lr);
  }
}

/** Loshchilov and Hutter (2019), algorithm 2: Adam whose weight decay, 0.01 unless set, shrinks the parameters themselves. */
export class AdamW extends Optimizer {
  readonly #rule: AdamRule;

  constructor(parameters: Iterable<Tensor>, options: AdamOptions = {}) {
    super(parameters, options.lr ?? 1e-3);
    this.#rule = new AdamRule({ weightDecay: 0.01, ...options }, true);
  }

  protected override update(p: Tensor, grad: Tensor, index: number): void {
    this.#rule.update(p, grad, index, this.lr);
  }
}

/** The update that both share. */
class AdamRule {
  readonly #attrs;
  readonly #moments: Moments[] = [];

  constructor(options: AdamOptions, decoupled: boolean) {
    const { betas = [0.9, 0.999], eps = 1e-8, weightDecay = 0 } = options;
    const [beta1, beta2] = betas;
    if (!betas.every((beta) => beta >= 0 && beta < 1)) {
      throw new RangeError(
        `Cannot average with betas ${beta1} and ${beta2}: expected numbers from 0 to below 1`,
      );
    }
    this.#attrs = { beta1, beta2, eps, weightDecay, decoupled };
  }

  update(p: Tensor, grad: Tensor, index: number, lr: number): void {
    const moments = this.#moments[index] ??= {
      mean: stateLike(p),
      square: stateLike(p),
      steps: 0,
    };
    const step = ++moments.steps;
    apply(adamStep, [p, grad, moments.mean, moments.square], {
      ...this.#attrs,
      lr,
      step,
    });
  }
}
