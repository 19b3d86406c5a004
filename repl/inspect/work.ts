/** The work that a body gives the device, timed piece by piece. */
import { clockOf } from "../../core/gpu/peaks.ts";
import { type Clock, timeLaunches } from "../../core/gpu/profile.ts";
import type { CpuBackend } from "../../core/cpu.ts";
import { median } from "../../core/median.ts";
import { currentCpu, currentGpu } from "../../core/runtime.ts";
import type { Launch } from "../../wgsl/op.ts";

/** A launch on a GPU, or an op on the CPU. */
export interface Work<Tag> {
  readonly op: string;
  /** "reference" on the CPU. */
  readonly variant: string;
  /** Its place among the launches of the call that it is part of. */
  readonly step: number;
  /** Undefined on the CPU. */
  readonly launch: Launch | undefined;
  readonly ms: number;
  readonly tag: Tag;
}

/** How the times were taken. */
export type WorkClock = Clock | "cpu";

/** What was measured, and by which clock. */
export interface Measured<Tag> {
  readonly work: readonly Work<Tag>[];
  readonly clock: WorkClock;
}

/** Runs of a body of which each piece of work takes its median, and the milliseconds of one that isn't repeated. */
const ROUNDS = 3;
const LONG_MS = 500;

/**
 * Times each piece of work of `body`: the median of three runs, or one run where it takes long or isn't the same each time. `tag` is asked as each
 * piece comes.
 */
export async function timeWork<Tag>(
  body: () => unknown,
  tag: () => Tag,
): Promise<Measured<Tag>> {
  const gpu = currentGpu();
  const clock = gpu ? await clockOf(gpu.workbench) : "cpu";
  const once = (): Promise<Work<Tag>[]> =>
    clock === "cpu"
      ? timeOps(currentCpu()!, body, tag)
      : timeLaunches(gpu!.workbench, clock, body, tag);
  const start = performance.now();
  const work = await once();
  if (performance.now() - start > LONG_MS) return { work, clock };
  const rounds = [work];
  while (rounds.length < ROUNDS) rounds.push(await once());
  if (!rounds.every((round) => isSame(round, work))) return { work, clock };
  return {
    work: work.map((piece, i) => ({
      ...piece,
      ms: median(rounds.map((round) => round[i].ms)),
    })),
    clock,
  };
}

function isSame(
  a: readonly Work<unknown>[],
  b: readonly Work<unknown>[],
): boolean {
  return a.length === b.length &&
    a.every(({ op, launch }, i) =>
      op === b[i].op && launch?.kernel === b[i].launch?.kernel
    );
}

async function timeOps<Tag>(
  cpu: CpuBackend,
  body: () => unknown,
  tag: () => Tag,
): Promise<Work<Tag>[]> {
  const work: Work<Tag>[] = [];
  const before = cpu.observer;
  cpu.observer = ({ name }, ms) =>
    work.push({
      op: name,
      variant: "reference",
      step: 0,
      launch: undefined,
      ms,
      tag: tag(),
    });
  try {
    await body();
  } finally {
    cpu.observer = before;
  }
  return work;
}

/** How the times of a table were taken, in a sentence for its foot. */
export function describeClock(clock: WorkClock): string {
  switch (clock) {
    case "gpu":
      return "Times are the GPU's own (timestamp queries, a pass a launch).";
    case "wall":
      return "Times are the wall's, waiting after each launch: each has the cost of a submission in it.";
    case "cpu":
      return "The CPU device has no kernels: each row is an op's float64 reference.";
  }
}

/** A kernel's path within the library of kernels. */
export function shortLabel(label: string): string {
  return label.replace(/^wgsl\//, "");
}
