/** The steps that an optimiser will make, as far as they can be foreseen, and whether a plan can make them. */
import type { Program } from "../core/compile/mod.ts";
import { CompileError } from "../core/errors.ts";
import type { LRScheduler } from "./optim/schedule.ts";
import type { ComingCall } from "./optim/step.ts";

/**
 * Attributes of the calls of the next step and of those after it, `steps` in all or fewer. `schedule` is one that is stepped after each. Everything is as
 * it was afterwards.
 */
export function forecast(
  calls: readonly ComingCall[],
  schedule: LRScheduler | undefined,
  steps: number,
): unknown[][] {
  const rows: unknown[][] = [];
  const look = (later: number) => {
    rows.push(calls.map((call) => call.attrs(later)));
  };
  if (!schedule) {
    for (let later = 0; later < steps; later++) look(later);
  } else if (!schedule.foreseeable) {
    look(0);
  } else {
    lookAhead(schedule, steps, look);
  }
  return rows;
}

/** Calls `look` while the options are those of each coming step. */
function lookAhead(
  schedule: LRScheduler,
  steps: number,
  look: (later: number) => void,
): void {
  const { paramGroups } = schedule.optimizer;
  const state = schedule.stateDict();
  const options = paramGroups.map((group) => ({ ...group }));
  try {
    look(0);
    for (let later = 1; later < steps; later++) {
      schedule.step();
      look(later);
    }
  } catch {
    // A cycle has an end. Who gets there is told by the schedule itself.
  } finally {
    schedule.loadStateDict(state);
    paramGroups.forEach((group, i) => Object.assign(group, options[i]));
  }
}

/** Whether two steps make the same calls, whatever their attributes. */
export function sameCalls(
  a: readonly ComingCall[],
  b: readonly ComingCall[],
): boolean {
  return a.length === b.length &&
    a.every(({ op, operands }, i) =>
      op === b[i].op && operands.length === b[i].operands.length &&
      operands.every((x, k) => x === b[i].operands[k])
    );
}

/** Throws unless the plan can be told the attributes of these calls. */
export function requireTold(
  program: Program,
  calls: readonly ComingCall[],
  { constructor }: object,
): void {
  const { told } = program;
  const same = told.length === calls.length &&
    told.every(({ op }, i) => op === calls[i].op);
  if (same) return;
  program.dispose();
  throw new CompileError(
    `Cannot compile the steps of ${constructor.name}: their ops don't tell which of their parameters change`,
  );
}

/** Throws unless a schedule can be stepped after each step of an optimiser. */
export function requireSchedule(
  schedule: LRScheduler,
  optimizer: object,
): void {
  if (schedule.optimizer !== optimizer) {
    throw new RangeError(
      "Cannot compile a step with the schedule of another optimiser: expected one of its own",
    );
  }
  if (!schedule.needsMetric) return;
  throw new TypeError(
    `Cannot step ${schedule.constructor.name} after each training step: it needs a metric, call its step yourself`,
  );
}
