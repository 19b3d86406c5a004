/** Stochastic gradient descent. */
import { sgdMomentumStep, sgdStep } from "../../wgsl/optim/sgd.ts";
import { type Optimizable, Optimizer, type Settings } from "./optimizer.ts";
import { type Memory, type Step, stepBy } from "./step.ts";

/** Options of {@linkcode SGD}. */
export interface SGDOptions {
  /** Step size. */
  readonly lr: number;
  /** Part of the last step that is taken again. @default 0 */
  readonly momentum?: number;
  /** Part of the gradient that momentum leaves out, but for the first step. @default 0 */
  readonly dampening?: number;
  /** Added to the gradient, times the parameter. @default 0 */
  readonly weightDecay?: number;
  /** Looks ahead along the momentum. @default false */
  readonly nesterov?: boolean;
  /** Goes up the gradient instead of down. @default false */
  readonly maximize?: boolean;
}

/**
 * Stochastic gradient descent: `g = ∇ + weightDecay·p`, `v ← momentum·v + (1 − dampening)·g`, `p ← p − lr·v`; with Nesterov's momentum
 * `p ← p − lr·(g + momentum·v)`. As PyTorch, which has the step size outside `v`, unlike Sutskever et al. (2013), equations 1 to 4.
 *
 * Remembers `momentum_buffer`, if there is momentum.
 *
 * @throws {RangeError} For no parameters, one that doesn't require gradients or is given twice, and options out of range.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { init, nn, tensor } from "@tessera/tessera";
 *
 * await init();
 * const w = tensor([1, 2], { requiresGrad: true });
 * const bias = tensor([0], { requiresGrad: true });
 * const groups = [{ params: [w] }, { params: [bias], lr: 1 }];
 * const optimizer = new nn.SGD(groups, { lr: 0.25, momentum: 0.5 });
 * for (let step = 0; step < 2; step++) {
 *   optimizer.zeroGrad();
 *   w.mul(2).sum().add(bias.sum()).backward();
 *   optimizer.step();
 * }
 * assertEquals(await w.array(), [1 - 0.5 - 0.75, 2 - 0.5 - 0.75]);
 * assertEquals(await bias.array(), [-1 - 1.5]);
 * ```
 */
export class SGD extends Optimizer<SGDOptions> {
  constructor(parameters: Optimizable<SGDOptions>, options: SGDOptions) {
    super(parameters, {
      lr: options.lr,
      momentum: options.momentum ?? 0,
      dampening: options.dampening ?? 0,
      weightDecay: options.weightDecay ?? 0,
      nesterov: options.nesterov ?? false,
      maximize: options.maximize ?? false,
    });
  }

  protected override checkOptions(options: Settings<SGDOptions>): void {
    const { momentum, dampening, nesterov } = options;
    requireFromZero(options, ["momentum", "weightDecay"]);
    if (nesterov && (momentum <= 0 || dampening !== 0)) {
      throw new RangeError(
        `Cannot use Nesterov's step with momentum ${momentum} and dampening ${dampening}: expected a positive momentum and no dampening`,
      );
    }
  }

  protected override nextStep(
    group: Settings<SGDOptions>,
    { names }: Memory,
  ): Step {
    const { lr, momentum, dampening, weightDecay, nesterov, maximize } = group;
    if (momentum === 0) {
      return stepBy(sgdStep, { lr, weightDecay, maximize }, []);
    }
    const buffer = "momentum_buffer";
    const first = !names.includes(buffer);
    return stepBy(sgdMomentumStep, {
      ...{ lr, momentum, dampening, weightDecay, nesterov, maximize },
      first,
    }, [buffer]);
  }
}

/** Throws a RangeError unless options are numbers of 0 or more. */
export function requireFromZero<Name extends string>(
  options: Readonly<Record<Name, number>>,
  names: readonly Name[],
): void {
  const bad = names.find((name) => !(options[name] >= 0));
  if (bad === undefined) return;
  throw new RangeError(
    `Cannot optimise with ${bad} ${
      options[bad]
    }: expected a number of 0 or more`,
  );
}
