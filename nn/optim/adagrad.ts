/** Adagrad. */
import { adagradStep } from "../../wgsl/optim/adagrad.ts";
import { type Optimizable, Optimizer, type Settings } from "./optimizer.ts";
import { type Memory, type Step, stepBy } from "./step.ts";
import { requireFromZero } from "./sgd.ts";

/** Options of {@linkcode Adagrad}. */
export interface AdagradOptions {
  /** Step size. @default 0.01 */
  readonly lr?: number;
  /** The step size of step t is divided by 1 + (t − 1)·lrDecay. @default 0 */
  readonly lrDecay?: number;
  /** Added to the gradient, times the parameter. @default 0 */
  readonly weightDecay?: number;
  /** What the sum of squares starts from. @default 0 */
  readonly initialAccumulatorValue?: number;
  /** Added to the root in the denominator. @default 1e-10 */
  readonly eps?: number;
  /** Goes up the gradient instead of down. @default false */
  readonly maximize?: boolean;
}

/**
 * Duchi, Hazan and Singer (2011), figure 1 with a diagonal matrix: `s ← s + g²`, `p ← p − lr / (1 + (t − 1)·lrDecay) · g / (√s + eps)`.
 *
 * Remembers `sum`.
 *
 * @throws {RangeError} For no parameters, one that doesn't require gradients or is given twice, and options out of range.
 *
 * @example
 * ```ts
 * import { assertAlmostEquals } from "@std/assert";
 * import { init, nn, tensor } from "@tessera/tessera";
 *
 * await init();
 * const w = tensor([1], { requiresGrad: true });
 * const optimizer = new nn.Adagrad([w], { lr: 0.1, initialAccumulatorValue: 16 });
 * w.mul(3).sum().backward();
 * optimizer.step();
 * assertAlmostEquals(await w.item(), 1 - 0.1 * 3 / 5, 1e-6);
 * ```
 */
export class Adagrad extends Optimizer<AdagradOptions> {
  constructor(
    parameters: Optimizable<AdagradOptions>,
    options: AdagradOptions = {},
  ) {
    super(parameters, {
      lr: options.lr ?? 0.01,
      lrDecay: options.lrDecay ?? 0,
      weightDecay: options.weightDecay ?? 0,
      initialAccumulatorValue: options.initialAccumulatorValue ?? 0,
      eps: options.eps ?? 1e-10,
      maximize: options.maximize ?? false,
    });
  }

  protected override checkOptions(options: Settings<AdagradOptions>): void {
    requireFromZero(options, [
      "lrDecay",
      "weightDecay",
      "initialAccumulatorValue",
      "eps",
    ]);
  }

  protected override nextStep(
    group: Settings<AdagradOptions>,
    { steps }: Memory,
  ): Step {
    const { lr, lrDecay, weightDecay, eps, maximize } = group;
    const attrs = { lr, lrDecay, weightDecay, eps, maximize, step: steps + 1 };
    return {
      ...stepBy(adagradStep, attrs, ["sum"]),
      initial: group.initialAccumulatorValue,
    };
  }
}
