/** The one-cycle schedule. */
import type { Optimizer } from "./optimizer.ts";
import {
  EpochScheduler,
  perGroup,
  requireInteger,
  type ScheduleState,
} from "./schedule.ts";

/** Options of {@linkcode OneCycleLR}. Either `totalSteps` or both `epochs` and `stepsPerEpoch` must be given. */
export interface OneCycleOptions {
  /** Steps of the cycle. */
  readonly totalSteps?: number;
  readonly epochs?: number;
  readonly stepsPerEpoch?: number;
  /** Part of the cycle in which the step size rises. @default 0.3 */
  readonly pctStart?: number;
  /** @default "cos" */
  readonly annealStrategy?: "cos" | "linear";
  /** Whether momentum (or Adam's first beta) goes the other way. @default true */
  readonly cycleMomentum?: boolean;
  /** Momentum at the largest step size; one for all groups or one each. @default 0.85 */
  readonly baseMomentum?: number | readonly number[];
  /** Momentum at the ends. @default 0.95 */
  readonly maxMomentum?: number | readonly number[];
  /** The first step size is `maxLr / divFactor`. @default 25 */
  readonly divFactor?: number;
  /** The last step size is the first one divided by this. @default 1e4 */
  readonly finalDivFactor?: number;
  /** Whether to come down to the first step size as slowly as it went up, and then to the last. @default false */
  readonly threePhase?: boolean;
}

/** Ends of a phase: positions in `[initial, max, min]` step sizes and `[max, base]` momenta. */
interface Phase {
  readonly end: number;
  readonly lr: readonly [number, number];
  readonly momentum: readonly [number, number];
}

/** Step sizes and momenta of a group. */
interface Range {
  readonly lrs: readonly [number, number, number];
  readonly momenta: readonly [number, number];
}

/**
 * Up to `maxLr` and down to nearly nothing, with momentum the other way round, in one cycle over the whole training; `step` is called after every batch
 * (Smith & Topin 2018, section 2).
 *
 * The optimiser's own step sizes play no part. A step past the end of the cycle is allowed, as a loop makes one after the last batch; more throw.
 *
 * @throws {RangeError} For a cycle without a length, other options out of range, an optimiser without momentum, and a step too many.
 *
 * @example
 * ```ts
 * import { assertAlmostEquals } from "@std/assert";
 * import { init, nn, zeros } from "@tessera/tessera";
 *
 * await init();
 * const w = zeros([1], { requiresGrad: true });
 * const optimizer = new nn.SGD([w], { lr: 1, momentum: 0.9 });
 * const schedule = new nn.OneCycleLR(optimizer, 0.5, { totalSteps: 10 });
 * assertAlmostEquals(optimizer.lr, 0.5 / 25);
 * schedule.step();
 * schedule.step();
 * assertAlmostEquals(optimizer.lr, 0.5); // the top, at the third of ten steps
 * assertAlmostEquals(optimizer.paramGroups[0].momentum, 0.85);
 * ```
 */
export class OneCycleLR extends EpochScheduler {
  readonly #total: number;
  readonly #phases: readonly Phase[];
  readonly #cosine: boolean;
  readonly #cycles: boolean;
  readonly #ranges: readonly Range[];

  constructor(
    optimizer: Optimizer,
    maxLr: number | readonly number[],
    options: OneCycleOptions,
  ) {
    const total = stepsOf(options);
    const { pctStart = 0.3, annealStrategy = "cos" } = options;
    const { cycleMomentum = true, threePhase = false } = options;
    if (!(pctStart >= 0 && pctStart <= 1)) {
      throw new RangeError(
        `Cannot schedule with pctStart ${pctStart}: expected a number from 0 to 1`,
      );
    }
    const { baseMomentum = 0.85, maxMomentum = 0.95 } = options;
    const { divFactor = 25, finalDivFactor = 1e4 } = options;
    const groups = optimizer.paramGroups;
    const most = perGroup("maxLr", maxLr, groups.length);
    const high = perGroup("maxMomentum", maxMomentum, groups.length);
    const low = perGroup("baseMomentum", baseMomentum, groups.length);
    const { defaults } = optimizer;
    if (cycleMomentum && !("momentum" in defaults || "betas" in defaults)) {
      throw new RangeError(
        `Cannot cycle the momentum of ${optimizer.constructor.name}: it has none, set cycleMomentum to false`,
      );
    }
    groups.forEach((group, i) => group.initialLr = most[i] / divFactor);
    super(optimizer);
    this.#total = total;
    this.#phases = phasesOf(pctStart * total, total, threePhase);
    this.#cosine = annealStrategy === "cos";
    this.#cycles = cycleMomentum;
    this.#ranges = most.map((max, i) => {
      const initial = max / divFactor;
      return {
        lrs: [initial, max, initial / finalDivFactor],
        momenta: [high[i], low[i]],
      };
    });
    this.begin();
  }

  override begin(): void {
    this.lastEpoch = 0;
    this.#set();
  }

  override step(): void {
    if (this.lastEpoch >= this.#total) {
      throw new RangeError(
        `Cannot make step ${
          this.lastEpoch + 1
        } of a cycle: it has ${this.#total} steps`,
      );
    }
    this.lastEpoch++;
    this.#set();
  }

  protected override next(lr: number): number {
    return lr;
  }

  protected override counters(): ScheduleState {
    return { totalSteps: this.#total };
  }

  #set(): void {
    const { lastEpoch } = this;
    const last = this.#phases.length - 1;
    const at = this.#phases.findIndex(({ end }, i) =>
      lastEpoch <= end || i === last
    );
    const { end, lr, momentum } = this.#phases[at];
    const begin = at === 0 ? 0 : this.#phases[at - 1].end;
    // A rise of one step is at its end at once.
    const part = end > begin ? (lastEpoch - begin) / (end - begin) : 1;
    this.setLrs((_, i) => {
      const { lrs, momenta } = this.#ranges[i];
      if (this.#cycles) {
        const value = this.#between(
          momenta[momentum[0]],
          momenta[momentum[1]],
          part,
        );
        setMomentum(this.groups[i], value);
      }
      return this.#between(lrs[lr[0]], lrs[lr[1]], part);
    });
  }

  #between(start: number, end: number, part: number): number {
    return this.#cosine
      ? end + (start - end) / 2 * (Math.cos(Math.PI * part) + 1)
      : (end - start) * part + start;
  }
}

function stepsOf(
  { totalSteps, epochs, stepsPerEpoch }: OneCycleOptions,
): number {
  if (totalSteps !== undefined) {
    requireInteger("totalSteps", totalSteps, 1);
    return totalSteps;
  }
  if (epochs === undefined || stepsPerEpoch === undefined) {
    throw new RangeError(
      "Cannot schedule a cycle without its length: expected totalSteps, or epochs and stepsPerEpoch",
    );
  }
  requireInteger("epochs", epochs, 1);
  requireInteger("stepsPerEpoch", stepsPerEpoch, 1);
  return epochs * stepsPerEpoch;
}

function phasesOf(rise: number, total: number, three: boolean): Phase[] {
  const up: Phase = { end: rise - 1, lr: [0, 1], momentum: [0, 1] };
  return three
    ? [
      up,
      { end: 2 * rise - 2, lr: [1, 0], momentum: [1, 0] },
      { end: total - 1, lr: [0, 2], momentum: [0, 0] },
    ]
    : [up, { end: total - 1, lr: [1, 2], momentum: [1, 0] }];
}

function setMomentum(group: object, value: number): void {
  if ("betas" in group) {
    const [, second] = group.betas as readonly [number, number];
    group.betas = [value, second];
  } else {
    Object.assign(group, { momentum: value });
  }
}
