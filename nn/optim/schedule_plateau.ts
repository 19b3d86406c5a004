/** The schedule that looks at results. */
import type { Optimizer } from "./optimizer.ts";
import {
  LRScheduler,
  perGroup,
  requireInteger,
  type ScheduleState,
} from "./schedule.ts";

/** Options of {@linkcode ReduceLROnPlateau}. */
export interface PlateauOptions {
  /** Whether a smaller metric is better, such as a loss, or a larger one, such as an accuracy. @default "min" */
  readonly mode?: "min" | "max";
  /** Factor of the step size, below 1. @default 0.1 */
  readonly factor?: number;
  /** Steps without improvement that are put up with. @default 10 */
  readonly patience?: number;
  /** What counts as an improvement: part of the best metric, or with "abs" the difference itself. @default 1e-4 */
  readonly threshold?: number;
  /** @default "rel" */
  readonly thresholdMode?: "rel" | "abs";
  /** Steps after a reduction that count for nothing. @default 0 */
  readonly cooldown?: number;
  /** Least step size; one for all groups or one each. @default 0 */
  readonly minLr?: number | readonly number[];
  /** Reductions by less than this aren't made. @default 1e-8 */
  readonly eps?: number;
}

/**
 * Multiplies the step size by a factor when a metric has not improved for more than `patience` steps. `step` takes the metric, mostly the validation loss of
 * an epoch; NaN is no improvement.
 *
 * @throws {RangeError} For options out of range.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { init, nn, zeros } from "@tessera/tessera";
 *
 * await init();
 * const w = zeros([1], { requiresGrad: true });
 * const optimizer = new nn.SGD([w], { lr: 1 });
 * const options = { patience: 1, factor: 0.5 };
 * const schedule = new nn.ReduceLROnPlateau(optimizer, options);
 * for (const loss of [3, 2, 2, 2]) schedule.step(loss);
 * assertEquals(optimizer.lr, 0.5);
 * ```
 */
export class ReduceLROnPlateau extends LRScheduler {
  readonly #options: Required<Omit<PlateauOptions, "minLr">>;
  readonly #least: readonly number[];
  #best: number;
  #bad = 0;
  #cooling = 0;

  constructor(optimizer: Optimizer, options: PlateauOptions = {}) {
    const { mode = "min", factor = 0.1, patience = 10 } = options;
    const { threshold = 1e-4, thresholdMode = "rel" } = options;
    const { cooldown = 0, minLr = 0, eps = 1e-8 } = options;
    if (!(factor < 1)) {
      throw new RangeError(
        `Cannot reduce the step size by the factor ${factor}: expected a number below 1`,
      );
    }
    requireInteger("patience", patience, 0);
    requireInteger("cooldown", cooldown, 0);
    const least = perGroup("minLr", minLr, optimizer.paramGroups.length);
    super(optimizer);
    this.#options = {
      ...{ mode, factor, patience, threshold, thresholdMode, cooldown, eps },
    };
    this.#least = least;
    this.#best = worst(mode);
  }

  override get needsMetric(): boolean {
    return true;
  }

  override step(metric: number): void {
    if (typeof metric !== "number") {
      throw new TypeError(
        `Cannot step ReduceLROnPlateau with ${metric}: expected the metric as a number, for instance await loss.item()`,
      );
    }
    const { factor, patience, cooldown, eps } = this.#options;
    this.lastEpoch++;
    if (this.#improves(metric)) {
      this.#best = metric;
      this.#bad = 0;
    } else {
      this.#bad++;
    }
    if (this.#cooling > 0) {
      this.#cooling--;
      this.#bad = 0;
    }
    if (this.#bad > patience) {
      this.setLrs((lr, i) => {
        const reduced = Math.max(lr * factor, this.#least[i]);
        return lr - reduced > eps ? reduced : lr;
      });
      this.#cooling = cooldown;
      this.#bad = 0;
    }
    this.remember();
  }

  override begin(): void {
    this.lastEpoch = 0;
    this.#best = worst(this.#options.mode);
    this.#bad = 0;
    this.#cooling = 0;
    this.remember();
  }

  #improves(metric: number): boolean {
    const { mode, threshold, thresholdMode } = this.#options;
    const best = this.#best;
    if (mode === "min") {
      return metric <
        (thresholdMode === "rel" ? best * (1 - threshold) : best - threshold);
    }
    return metric >
      (thresholdMode === "rel" ? best * (threshold + 1) : best + threshold);
  }

  /** The best metric is null before the first one, as plain data know no infinity. */
  protected override counters(): ScheduleState {
    const best = Number.isFinite(this.#best) ? this.#best : null;
    return { best, bad: this.#bad, cooling: this.#cooling };
  }

  protected override setCounters(
    { best, bad, cooling }: ScheduleState,
  ): void {
    this.#best = best === null ? worst(this.#options.mode) : best as number;
    this.#bad = bad as number;
    this.#cooling = cooling as number;
  }
}

function worst(mode: "min" | "max"): number {
  return mode === "min" ? Infinity : -Infinity;
}
