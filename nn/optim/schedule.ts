/** What schedules share: they change the step sizes of an optimiser's groups, one step an epoch (or a batch) after another. */
import { isKnown } from "../traceable.ts";
import type { Optimizer, ParamGroup } from "./optimizer.ts";

/** Where a schedule stands, as plain data. */
export type ScheduleState = Readonly<Record<string, unknown>>;

/** A group as schedules see it. */
export type ScheduledGroup = ParamGroup<{ readonly lr?: number }>;

/**
 * Changes the step sizes of an optimiser. What `new` gives has set the first ones; `step` is called after the optimiser's steps of an epoch, or of a
 * batch, whichever the schedule counts in.
 *
 * Schedules read the groups' present step sizes and write new ones, so that several can be used together, and step sizes may be changed in between. The
 * numbers are those of PyTorch, which goes about it the same way.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { init, nn } from "@tessera/tessera";
 *
 * await init();
 * const optimizer = new nn.SGD(new nn.Linear(2, 1).parameters(), { lr: 1 });
 * const schedule: nn.LRScheduler = new nn.ExponentialLR(optimizer, 0.5);
 * schedule.step();
 * assertEquals(schedule.getLastLr(), [0.5]);
 * ```
 */
export abstract class LRScheduler {
  /** Steps that have been made. */
  lastEpoch = 0;
  readonly optimizer: Optimizer;
  /** Step size of each group before any schedule changed it. */
  protected readonly baseLrs: number[];
  #lastLr: readonly number[];

  constructor(optimizer: Optimizer) {
    this.optimizer = optimizer;
    this.baseLrs = this.groups.map((group) => group.initialLr ??= group.lr);
    this.#lastLr = this.groups.map(({ lr }) => lr);
  }

  /** The optimiser's groups. */
  protected get groups(): ScheduledGroup[] {
    return this.optimizer.paramGroups;
  }

  /** Goes on by one. `metric` is what {@linkcode ReduceLROnPlateau} looks at; others don't heed it. */
  abstract step(metric?: number): void;

  /** Whether `step` looks at a metric. */
  get needsMetric(): boolean {
    return false;
  }

  /**
   * Whether its next steps follow from where it stands, so that a compiled training can have their sizes ready. So it is with the library's schedules that don't
   * look at metrics; what others look at nobody knows.
   */
  get foreseeable(): boolean {
    return !this.needsMetric && isKnown(this.constructor);
  }

  /** Sets the first step sizes, from the present ones. Constructors and `restart` call it. */
  abstract begin(): void;

  /** Starts over from the groups' initial step sizes. */
  restart(): void {
    this.groups.forEach((group, i) => group.lr = this.baseLrs[i]);
    this.begin();
  }

  /** The step size of each group, as last set. */
  getLastLr(): number[] {
    return [...this.#lastLr];
  }

  /** Sets the step size of each group. */
  protected setLrs(make: (lr: number, index: number) => number): void {
    this.groups.forEach((group, i) => group.lr = make(group.lr, i));
    this.remember();
  }

  /** Takes note of the groups' step sizes. */
  protected remember(): void {
    this.#lastLr = this.groups.map(({ lr }) => lr);
  }

  /** What a schedule counts besides its steps, as plain data. */
  protected counters(): ScheduleState {
    return {};
  }

  /** Takes over what `counters` gave. */
  protected setCounters(_: ScheduleState): void {}

  /** Where it stands. Options aren't part of it: they are those of the constructor. */
  stateDict(): ScheduleState {
    return {
      kind: this.constructor.name,
      lastEpoch: this.lastEpoch,
      baseLrs: [...this.baseLrs],
      lastLr: this.getLastLr(),
      ...this.counters(),
    };
  }

  /**
   * Goes on where another schedule with the same options stood. The step sizes themselves are part of the optimiser's state.
   *
   * @throws {Error} For the state of another kind of schedule, or of another number of groups.
   */
  loadStateDict(state: ScheduleState): void {
    this.checkState(state);
    this.setCounters(state);
    this.lastEpoch = state.lastEpoch as number;
    const lrs = state.baseLrs as readonly number[];
    this.baseLrs.splice(0, lrs.length, ...lrs);
    this.#lastLr = [...state.lastLr as readonly number[]];
  }

  /** Throws unless `loadStateDict` can take a state. */
  checkState(state: ScheduleState): void {
    const { kind, baseLrs, lastLr } = state;
    const own = this.constructor.name;
    if (kind !== own) {
      throw new Error(
        `Cannot load the state of the schedule ${kind}: expected that of ${own}`,
      );
    }
    const lists = [baseLrs, lastLr];
    const groups = this.groups.length;
    if (!lists.every((x) => Array.isArray(x) && x.length === groups)) {
      throw new Error(
        `Cannot load the state of the schedule ${kind}: expected the step sizes of ${groups} groups`,
      );
    }
    for (const name of ["lastEpoch", ...Object.keys(this.counters())]) {
      if (name in state) continue;
      throw new Error(
        `Cannot load the state of the schedule ${kind}: ${name} is missing`,
      );
    }
  }
}

/** A schedule whose step size follows from the last one and the number of steps. */
export abstract class EpochScheduler extends LRScheduler {
  /** The first step size, where `lr` is the present one. */
  protected first(lr: number, _base: number): number {
    return lr;
  }

  /** The step size after the `lastEpoch`th step, from the one before. */
  protected abstract next(lr: number, base: number): number;

  override begin(): void {
    this.lastEpoch = 0;
    this.setLrs((lr, i) => this.first(lr, this.baseLrs[i]));
  }

  override step(): void {
    this.lastEpoch++;
    this.setLrs((lr, i) => this.next(lr, this.baseLrs[i]));
  }
}

/** Throws a RangeError unless a value is an integer from `least` on. */
export function requireInteger(
  name: string,
  value: number,
  least: number,
): void {
  if (Number.isInteger(value) && value >= least) return;
  throw new RangeError(
    `Cannot schedule with ${name} ${value}: expected an integer from ${least}`,
  );
}

/** One value for each group, from a list of them or one for all. */
export function perGroup(
  name: string,
  value: number | readonly number[],
  groups: number,
): number[] {
  const values = typeof value === "number"
    ? new Array<number>(groups).fill(value)
    : [...value];
  if (values.length === groups) return values;
  throw new RangeError(
    `Cannot schedule with ${name} of ${values.length} groups: the optimiser has ${groups}`,
  );
}
