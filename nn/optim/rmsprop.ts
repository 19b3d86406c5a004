/** RMSprop. */
import { rmspropStep } from "../../wgsl/optim/rmsprop.ts";
import { type Optimizable, Optimizer, type Settings } from "./optimizer.ts";
import { type Step, stepBy } from "./step.ts";
import { requireFromZero } from "./sgd.ts";

/** Options of {@linkcode RMSprop}. */
export interface RMSpropOptions {
  /** Step size. @default 0.01 */
  readonly lr?: number;
  /** Decay of the average of the gradient's square. @default 0.99 */
  readonly alpha?: number;
  /** Added to the root in the denominator. @default 1e-8 */
  readonly eps?: number;
  /** Added to the gradient, times the parameter. @default 0 */
  readonly weightDecay?: number;
  /** Part of the last step that is taken again. @default 0 */
  readonly momentum?: number;
  /** Divides by the gradient's standard deviation (Graves 2013, equations 38 to 45). @default false */
  readonly centered?: boolean;
  /** Goes up the gradient instead of down. @default false */
  readonly maximize?: boolean;
}

/**
 * Hinton (2012), lecture 6e: `v ← α·v + (1 − α)·g²`, `p ← p − lr·g / (√v + eps)`; centred, `v` minus the square of the gradient's average is under the
 * root, and 0 where rounding makes that negative (PyTorch gives NaN). With momentum, `b ← momentum·b + g / (√v + eps)` and `p ← p − lr·b`.
 *
 * Remembers `square_avg`, centred `grad_avg`, with momentum `momentum_buffer`.
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
 * const optimizer = new nn.RMSprop([w], { lr: 0.1, alpha: 0.75 });
 * w.mul(3).sum().backward();
 * optimizer.step();
 * assertAlmostEquals(await w.item(), 1 - 0.1 * 3 / Math.sqrt(0.25 * 9), 1e-6);
 * ```
 */
export class RMSprop extends Optimizer<RMSpropOptions> {
  constructor(
    parameters: Optimizable<RMSpropOptions>,
    options: RMSpropOptions = {},
  ) {
    super(parameters, {
      lr: options.lr ?? 0.01,
      alpha: options.alpha ?? 0.99,
      eps: options.eps ?? 1e-8,
      weightDecay: options.weightDecay ?? 0,
      momentum: options.momentum ?? 0,
      centered: options.centered ?? false,
      maximize: options.maximize ?? false,
    });
  }

  protected override checkOptions(options: Settings<RMSpropOptions>): void {
    requireFromZero(options, ["alpha", "eps", "weightDecay", "momentum"]);
  }

  protected override nextStep(group: Settings<RMSpropOptions>): Step {
    const { lr, alpha, eps, weightDecay, momentum, centered, maximize } = group;
    const names = ["square_avg"];
    if (centered) names.push("grad_avg");
    if (momentum > 0) names.push("momentum_buffer");
    return stepBy(
      rmspropStep,
      { lr, alpha, eps, weightDecay, momentum, centered, maximize },
      names,
    );
  }
}
