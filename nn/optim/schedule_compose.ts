/** Schedules made of others: one after another, or all at once. */
import type { Optimizer } from "./optimizer.ts";
import { LRScheduler, type ScheduleState } from "./schedule.ts";

/**
 * Schedules one after another: the next one takes over, from the start, when as many steps have been made as its milestone says. The first part is often a
 * warm-up.
 *
 * @throws {RangeError} Unless there is one milestone less than there are schedules, in rising order, and all are of the same optimiser.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { init, nn, zeros } from "@tessera/tessera";
 *
 * await init();
 * const w = zeros([1], { requiresGrad: true });
 * const optimizer = new nn.SGD([w], { lr: 1 });
 * const warmUp = new nn.LinearLR(optimizer, { startFactor: 0.5, totalIters: 2 });
 * const decay = new nn.ExponentialLR(optimizer, 0.5);
 * const schedule = new nn.SequentialLR(optimizer, [warmUp, decay], [2]);
 * const seen = [1, 2, 3, 4].map(() => (schedule.step(), optimizer.lr));
 * assertEquals(seen, [0.75, 1, 0.5, 0.25]);
 * ```
 */
export class SequentialLR extends LRScheduler {
  readonly #parts: readonly LRScheduler[];
  readonly #milestones: readonly number[];

  constructor(
    optimizer: Optimizer,
    schedulers: readonly LRScheduler[],
    milestones: readonly number[],
  ) {
    if (
      schedulers.length === 0 || milestones.length !== schedulers.length - 1
    ) {
      throw new RangeError(
        `Cannot make a sequence of ${schedulers.length} schedules with ${milestones.length} milestones: expected one schedule more than milestones`,
      );
    }
    if (milestones.some((m, i) => !(m > (milestones[i - 1] ?? 0)))) {
      throw new RangeError(
        `Cannot make a sequence with milestones [${
          milestones.join(", ")
        }]: expected rising numbers from 1`,
      );
    }
    requireOptimizer(optimizer, schedulers);
    super(optimizer);
    this.#parts = [...schedulers];
    this.#milestones = [...milestones];
    this.restart();
  }

  override get needsMetric(): boolean {
    return this.#parts.some((part) => part.needsMetric);
  }

  override get foreseeable(): boolean {
    return super.foreseeable && this.#parts.every((part) => part.foreseeable);
  }

  override step(metric?: number): void {
    this.lastEpoch++;
    const { lastEpoch } = this;
    const at = this.#milestones.filter((m) => m <= lastEpoch).length;
    if (at > 0 && this.#milestones[at - 1] === lastEpoch) {
      this.#parts[at].restart();
    } else {
      this.#parts[at].step(metric);
    }
    this.remember();
  }

  override begin(): void {
    this.lastEpoch = 0;
    this.#parts[0].begin();
    this.remember();
  }

  protected override counters(): ScheduleState {
    return { schedulers: this.#parts.map((part) => part.stateDict()) };
  }

  override checkState(state: ScheduleState): void {
    super.checkState(state);
    checkParts(this.#parts, state);
  }

  protected override setCounters(state: ScheduleState): void {
    this.#parts.forEach((part, i) => part.loadStateDict(partsOf(state)[i]));
  }
}

/**
 * Schedules at once: each step makes one of each, in order, and their factors multiply.
 *
 * @throws {RangeError} For no schedules, or for schedules of different optimisers.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { init, nn, zeros } from "@tessera/tessera";
 *
 * await init();
 * const w = zeros([1], { requiresGrad: true });
 * const optimizer = new nn.SGD([w], { lr: 1 });
 * const warmUp = new nn.LinearLR(optimizer, { startFactor: 0.5, totalIters: 1 });
 * const decay = new nn.ExponentialLR(optimizer, 0.5);
 * const schedule = new nn.ChainedScheduler([warmUp, decay]);
 * const seen = [1, 2].map(() => (schedule.step(), optimizer.lr));
 * assertEquals(seen, [0.5, 0.25]);
 * ```
 */
export class ChainedScheduler extends LRScheduler {
  readonly #parts: readonly LRScheduler[];

  constructor(schedulers: readonly LRScheduler[]) {
    if (schedulers.length === 0) {
      throw new RangeError("Cannot chain schedules: none were given");
    }
    const [{ optimizer }] = schedulers;
    requireOptimizer(optimizer, schedulers);
    super(optimizer);
    this.#parts = [...schedulers];
  }

  override get needsMetric(): boolean {
    return this.#parts.some((part) => part.needsMetric);
  }

  override get foreseeable(): boolean {
    return super.foreseeable && this.#parts.every((part) => part.foreseeable);
  }

  override step(metric?: number): void {
    this.lastEpoch++;
    for (const part of this.#parts) part.step(metric);
    this.remember();
  }

  override begin(): void {
    this.lastEpoch = 0;
    for (const part of this.#parts) part.begin();
    this.remember();
  }

  protected override counters(): ScheduleState {
    return { schedulers: this.#parts.map((part) => part.stateDict()) };
  }

  override checkState(state: ScheduleState): void {
    super.checkState(state);
    checkParts(this.#parts, state);
  }

  protected override setCounters(state: ScheduleState): void {
    this.#parts.forEach((part, i) => part.loadStateDict(partsOf(state)[i]));
  }
}

function requireOptimizer(
  optimizer: Optimizer,
  schedulers: readonly LRScheduler[],
): void {
  const stranger = schedulers.findIndex((s) => s.optimizer !== optimizer);
  if (stranger < 0) return;
  throw new RangeError(
    `Cannot combine schedules of different optimisers: schedule ${stranger} belongs to another`,
  );
}

/** The states of the parts of a composed schedule. */
function partsOf({ schedulers }: ScheduleState): readonly ScheduleState[] {
  return schedulers as readonly ScheduleState[];
}

/** Throws unless all parts can take their states. */
function checkParts(
  parts: readonly LRScheduler[],
  state: ScheduleState,
): void {
  const states = partsOf(state);
  if (states.length !== parts.length) {
    throw new Error(
      `Cannot load the states of ${states.length} schedules: expected ${parts.length}`,
    );
  }
  parts.forEach((part, i) => part.checkState(states[i]));
}
