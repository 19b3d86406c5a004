/** Adam and AdamW. */
import { adamStep } from "../../wgsl/optim/adam.ts";
import { type Optimizable, Optimizer, type Settings } from "./optimizer.ts";
import { type Memory, type Step, stepBy } from "./step.ts";
import { requireFromZero } from "./sgd.ts";

/** Options of {@linkcode Adam} and {@linkcode AdamW}. */
export interface AdamOptions {
  /** Step size. @default 1e-3 */
  readonly lr?: number;
  /** Decay of the averages of the gradient and of its square. @default [0.9, 0.999] */
  readonly betas?: readonly [number, number];
  /** Added to the root in the denominator. @default 1e-8 */
  readonly eps?: number;
  /** @default 0 for Adam, 0.01 for AdamW */
  readonly weightDecay?: number;
  /** Divides by the highest average of squares so far (Reddi, Kale & Kumar 2018, algorithm 2). @default false */
  readonly amsgrad?: boolean;
  /** Goes up the gradient instead of down. @default false */
  readonly maximize?: boolean;
}

/**
 * Kingma and Ba (2015), algorithm 1: `m ← β₁·m + (1 − β₁)·g`, `v ← β₂·v + (1 − β₂)·g²`, `p ← p − lr·m̂ / (√v̂ + eps)`, where `m̂ = m / (1 − β₁ᵗ)` and
 * `v̂ = v / (1 − β₂ᵗ)`. Weight decay is added to the gradient.
 *
 * Remembers `exp_avg`, `exp_avg_sq` and, with AMSGrad, `max_exp_avg_sq`.
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
 * const optimizer = new nn.Adam([w], { lr: 0.1 });
 * w.mul(5).sum().backward();
 * optimizer.step(); // The first step has the length lr, whatever the gradient
 * assertAlmostEquals(await w.item(), 0.9, 1e-6);
 * ```
 */
export class Adam extends Optimizer<AdamOptions> {
  constructor(
    parameters: Optimizable<AdamOptions>,
    options: AdamOptions = {},
  ) {
    super(parameters, settingsOf(options, 0));
  }

  protected override checkOptions(options: Settings<AdamOptions>): void {
    checkAdam(options);
  }

  protected override nextStep(
    group: Settings<AdamOptions>,
    memory: Memory,
  ): Step {
    return nextStep(group, memory, false);
  }
}

/**
 * Loshchilov and Hutter (2019), algorithm 2: {@linkcode Adam} whose weight decay, 0.01 unless set, shrinks the parameters themselves,
 * `p ← p − lr·weightDecay·p`, before the step.
 *
 * @throws {RangeError} As {@linkcode Adam}.
 *
 * @example
 * ```ts
 * import { assertAlmostEquals } from "@std/assert";
 * import { init, nn, tensor } from "@tessera/tessera";
 *
 * await init();
 * const w = tensor([1], { requiresGrad: true });
 * const optimizer = new nn.AdamW([w], { lr: 0.1, weightDecay: 0.5 });
 * w.mul(5).sum().backward();
 * optimizer.step();
 * assertAlmostEquals(await w.item(), 1 - 0.05 - 0.1, 1e-6);
 * ```
 */
export class AdamW extends Optimizer<AdamOptions> {
  constructor(
    parameters: Optimizable<AdamOptions>,
    options: AdamOptions = {},
  ) {
    super(parameters, settingsOf(options, 0.01));
  }

  protected override checkOptions(options: Settings<AdamOptions>): void {
    checkAdam(options);
  }

  protected override nextStep(
    group: Settings<AdamOptions>,
    memory: Memory,
  ): Step {
    return nextStep(group, memory, true);
  }
}

function settingsOf(
  options: AdamOptions,
  weightDecay: number,
): Settings<AdamOptions> {
  return {
    lr: options.lr ?? 1e-3,
    betas: options.betas ?? [0.9, 0.999],
    eps: options.eps ?? 1e-8,
    weightDecay: options.weightDecay ?? weightDecay,
    amsgrad: options.amsgrad ?? false,
    maximize: options.maximize ?? false,
  };
}

function checkAdam(options: Settings<AdamOptions>): void {
  const { betas } = options;
  requireFromZero(options, ["eps", "weightDecay"]);
  if (betas.every((beta) => beta >= 0 && beta < 1)) return;
  throw new RangeError(
    `Cannot average with betas ${betas[0]} and ${
      betas[1]
    }: expected numbers from 0 to below 1`,
  );
}

function nextStep(
  group: Settings<AdamOptions>,
  { steps }: Memory,
  decoupled: boolean,
): Step {
  const { lr, betas: [beta1, beta2], eps, weightDecay } = group;
  const { amsgrad, maximize } = group;
  const names = ["exp_avg", "exp_avg_sq"];
  return stepBy(adamStep, {
    ...{ lr, beta1, beta2, eps, weightDecay, decoupled, amsgrad, maximize },
    step: steps + 1,
  }, amsgrad ? [...names, "max_exp_avg_sq"] : names);
}
