/** Schedules along a cosine. */
import type { Optimizer } from "./optimizer.ts";
import {
  EpochScheduler,
  requireInteger,
  type ScheduleState,
} from "./schedule.ts";

/** Options of {@linkcode CosineAnnealingLR}. */
export interface CosineOptions {
  /** The least step size. @default 0 */
  readonly etaMin?: number;
}

/** Options of {@linkcode CosineAnnealingWarmRestarts}. */
export interface WarmRestartsOptions extends CosineOptions {
  /** How many times longer each round is than the one before. @default 1 */
  readonly tMult?: number;
}

/**
 * Goes down along half a cosine in `tMax` steps, and up again after that: after t steps the step size is
 * `etaMin + (lr - etaMin)·(1 + cos(π·t / tMax)) / 2` (Loshchilov & Hutter 2017, equation 5, without restarts).
 *
 * @throws {RangeError} Unless `tMax` is a positive integer.
 *
 * @example
 * ```ts
 * import { assertAlmostEquals } from "@std/assert";
 * import { init, nn, zeros } from "@tessera/tessera";
 *
 * await init();
 * const w = zeros([1], { requiresGrad: true });
 * const optimizer = new nn.SGD([w], { lr: 1 });
 * const schedule = new nn.CosineAnnealingLR(optimizer, 4);
 * for (let epoch = 0; epoch < 2; epoch++) schedule.step();
 * assertAlmostEquals(optimizer.lr, 0.5);
 * ```
 */
export class CosineAnnealingLR extends EpochScheduler {
  readonly #steps: number;
  readonly #least: number;

  constructor(
    optimizer: Optimizer,
    tMax: number,
    { etaMin = 0 }: CosineOptions = {},
  ) {
    requireInteger("tMax", tMax, 1);
    super(optimizer);
    this.#steps = tMax;
    this.#least = etaMin;
    this.begin();
  }

  protected override next(lr: number, base: number): number {
    const { lastEpoch } = this;
    const steps = this.#steps;
    const least = this.#least;
    const height = (t: number) => 1 + Math.cos(Math.PI * t / steps);
    // From the bottom no factor leads up again.
    if ((lastEpoch - 1 - steps) % (2 * steps) === 0) {
      return lr + (base - least) * (1 - Math.cos(Math.PI / steps)) / 2;
    }
    return height(lastEpoch) / height(lastEpoch - 1) * (lr - least) + least;
  }
}

/**
 * Goes down along half a cosine and starts over from the top, the first time after `t0` steps, then in rounds that are each `tMult` times longer (Loshchilov
 * & Hutter 2017, equation 5).
 *
 * @throws {RangeError} Unless `t0` and `tMult` are positive integers.
 *
 * @example
 * ```ts
 * import { assertAlmostEquals } from "@std/assert";
 * import { init, nn, zeros } from "@tessera/tessera";
 *
 * await init();
 * const w = zeros([1], { requiresGrad: true });
 * const optimizer = new nn.SGD([w], { lr: 1 });
 * const options = { tMult: 2 };
 * const schedule = new nn.CosineAnnealingWarmRestarts(optimizer, 2, options);
 * const seen = [1, 2, 3, 4, 5, 6].map(() => (schedule.step(), optimizer.lr));
 * const want = [0.5, 1, (1 + Math.SQRT1_2) / 2, 0.5, (1 - Math.SQRT1_2) / 2, 1];
 * seen.forEach((lr, i) => assertAlmostEquals(lr, want[i]));
 * ```
 */
export class CosineAnnealingWarmRestarts extends EpochScheduler {
  readonly #first: number;
  readonly #factor: number;
  readonly #least: number;
  /** Steps of this round, and how many of them are done. */
  #round = 1;
  #done = 0;

  constructor(
    optimizer: Optimizer,
    t0: number,
    { tMult = 1, etaMin = 0 }: WarmRestartsOptions = {},
  ) {
    requireInteger("t0", t0, 1);
    requireInteger("tMult", tMult, 1);
    super(optimizer);
    this.#first = t0;
    this.#factor = tMult;
    this.#least = etaMin;
    this.begin();
  }

  override step(): void {
    this.#done++;
    if (this.#done >= this.#round) {
      this.#done -= this.#round;
      this.#round *= this.#factor;
    }
    super.step();
  }

  override begin(): void {
    this.#done = 0;
    this.#round = this.#first;
    super.begin();
  }

  protected override first(_: number, base: number): number {
    return this.next(base, base);
  }

  protected override next(_: number, base: number): number {
    const angle = Math.PI * this.#done / this.#round;
    return this.#least + (base - this.#least) * (1 + Math.cos(angle)) / 2;
  }

  protected override counters(): ScheduleState {
    return { round: this.#round, done: this.#done };
  }

  protected override setCounters({ round, done }: ScheduleState): void {
    this.#round = round as number;
    this.#done = done as number;
  }
}
