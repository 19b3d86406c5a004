/** Schedules that go one way: down by steps or smoothly, or up to warm up. */
import type { Optimizer } from "./optimizer.ts";
import { EpochScheduler, requireInteger } from "./schedule.ts";

/** Options of {@linkcode StepLR} and {@linkcode MultiStepLR}. */
export interface StepLROptions {
  /** Factor of the step size. @default 0.1 */
  readonly gamma?: number;
}

/**
 * Multiplies the step size by gamma every `stepSize` steps: after t steps it is `lr·gamma^⌊t / stepSize⌋`.
 *
 * @throws {RangeError} Unless `stepSize` is a positive integer.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { init, nn, zeros } from "@tessera/tessera";
 *
 * await init();
 * const w = zeros([1], { requiresGrad: true });
 * const optimizer = new nn.SGD([w], { lr: 1 });
 * const schedule = new nn.StepLR(optimizer, 2, { gamma: 0.5 });
 * const seen = [1, 2, 3, 4].map(() => (schedule.step(), optimizer.lr));
 * assertEquals(seen, [1, 0.5, 0.5, 0.25]);
 * ```
 */
export class StepLR extends EpochScheduler {
  readonly #stepSize: number;
  readonly #gamma: number;

  constructor(
    optimizer: Optimizer,
    stepSize: number,
    { gamma = 0.1 }: StepLROptions = {},
  ) {
    requireInteger("stepSize", stepSize, 1);
    super(optimizer);
    this.#stepSize = stepSize;
    this.#gamma = gamma;
    this.begin();
  }

  protected override next(lr: number): number {
    return this.lastEpoch % this.#stepSize === 0 ? lr * this.#gamma : lr;
  }
}

/**
 * Multiplies the step size by gamma at each milestone, a number of steps. One that is named twice counts twice.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { init, nn, zeros } from "@tessera/tessera";
 *
 * await init();
 * const w = zeros([1], { requiresGrad: true });
 * const optimizer = new nn.SGD([w], { lr: 1 });
 * const schedule = new nn.MultiStepLR(optimizer, [1, 4], { gamma: 0.5 });
 * const seen = [1, 2, 3, 4].map(() => (schedule.step(), optimizer.lr));
 * assertEquals(seen, [0.5, 0.5, 0.5, 0.25]);
 * ```
 */
export class MultiStepLR extends EpochScheduler {
  readonly #milestones: readonly number[];
  readonly #gamma: number;

  constructor(
    optimizer: Optimizer,
    milestones: readonly number[],
    { gamma = 0.1 }: StepLROptions = {},
  ) {
    super(optimizer);
    this.#milestones = [...milestones];
    this.#gamma = gamma;
    this.begin();
  }

  protected override next(lr: number): number {
    const { lastEpoch } = this;
    const times = this.#milestones.filter((m) => m === lastEpoch).length;
    return lr * this.#gamma ** times;
  }
}

/**
 * Multiplies the step size by gamma at every step: after t steps it is `lr·gamma^t`.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { init, nn, zeros } from "@tessera/tessera";
 *
 * await init();
 * const w = zeros([1], { requiresGrad: true });
 * const optimizer = new nn.SGD([w], { lr: 1 });
 * const schedule = new nn.ExponentialLR(optimizer, 0.5);
 * const seen = [1, 2, 3].map(() => (schedule.step(), optimizer.lr));
 * assertEquals(seen, [0.5, 0.25, 0.125]);
 * ```
 */
export class ExponentialLR extends EpochScheduler {
  readonly #gamma: number;

  constructor(optimizer: Optimizer, gamma: number) {
    super(optimizer);
    this.#gamma = gamma;
    this.begin();
  }

  protected override next(lr: number): number {
    return lr * this.#gamma;
  }
}

/** Options of {@linkcode LinearLR}. */
export interface LinearLROptions {
  /** Factor of the step size at first, above 0 and at most 1. @default 1/3 */
  readonly startFactor?: number;
  /** Factor after `totalIters` steps, from 0 to 1. @default 1 */
  readonly endFactor?: number;
  /** Steps from one to the other. @default 5 */
  readonly totalIters?: number;
}

/**
 * Goes in a straight line from `lr·startFactor` to `lr·endFactor`, and stays there: a warm-up (Goyal et al. 2017, section 2.2), mostly as the first part of
 * a {@linkcode SequentialLR}.
 *
 * @throws {RangeError} For factors or a number of steps out of range.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { init, nn, zeros } from "@tessera/tessera";
 *
 * await init();
 * const w = zeros([1], { requiresGrad: true });
 * const optimizer = new nn.SGD([w], { lr: 1 });
 * const schedule = new nn.LinearLR(optimizer, { startFactor: 0.5, totalIters: 2 });
 * assertEquals(optimizer.lr, 0.5);
 * const seen = [1, 2, 3].map(() => (schedule.step(), optimizer.lr));
 * assertEquals(seen, [0.75, 1, 1]);
 * ```
 */
export class LinearLR extends EpochScheduler {
  readonly #start: number;
  readonly #end: number;
  readonly #steps: number;

  constructor(optimizer: Optimizer, options: LinearLROptions = {}) {
    const { startFactor = 1 / 3, endFactor = 1, totalIters = 5 } = options;
    if (!(startFactor > 0 && startFactor <= 1)) {
      throw new RangeError(
        `Cannot schedule with startFactor ${startFactor}: expected a number above 0 and at most 1`,
      );
    }
    if (!(endFactor >= 0 && endFactor <= 1)) {
      throw new RangeError(
        `Cannot schedule with endFactor ${endFactor}: expected a number from 0 to 1`,
      );
    }
    requireInteger("totalIters", totalIters, 1);
    super(optimizer);
    this.#start = startFactor;
    this.#end = endFactor;
    this.#steps = totalIters;
    this.begin();
  }

  protected override first(lr: number): number {
    return lr * this.#start;
  }

  protected override next(lr: number): number {
    const { lastEpoch } = this;
    if (lastEpoch > this.#steps) return lr;
    const rise = this.#end - this.#start;
    // The factor of this step divided by that of the last.
    return lr *
      (1 + rise / (this.#steps * this.#start + (lastEpoch - 1) * rise));
  }
}
