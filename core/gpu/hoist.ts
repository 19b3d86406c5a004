/**
 * Which launches of a plan need to run once only: those that read nothing but constant inputs and what other such launches left in scratch memory, as
 * Winograd's transform of weights does, or the packing of a constant factor.
 */
import type { Binding, Launch, Plan } from "../../wgsl/op.ts";

/** A plan in two parts. */
export interface Hoisted {
  readonly once: readonly Launch[];
  readonly launches: readonly Launch[];
  /** Scratch buffers that `once` fills and that must be kept. */
  readonly kept: ReadonlySet<number>;
}

/** Divides a plan. `constant` tells of each input whether it is the same at every run. */
export function hoist(plan: Plan, constant: readonly boolean[]): Hoisted {
  const scratch = plan.scratch ?? [];
  const kept = new Set(scratch.keys());
  if (!constant.includes(true)) kept.clear();
  let once: readonly Launch[] = [];
  // Each scratch buffer that turns out to hold something else as well may take others with it.
  for (let before = -1; before !== kept.size;) {
    before = kept.size;
    once = plan.launches.filter((launch) => runsOnce(launch, constant, kept));
    for (const index of kept) {
      if (!isFilledOnce(plan, once, index)) kept.delete(index);
    }
  }
  if (kept.size === 0) {
    return { once: [], launches: plan.launches, kept };
  }
  return {
    once,
    launches: plan.launches.filter((launch) => !once.includes(launch)),
    kept,
  };
}

function bindingsOf({ bindings, appended = [] }: Launch): Binding[] {
  return [...bindings, ...appended];
}

function runsOnce(
  launch: Launch,
  constant: readonly boolean[],
  kept: ReadonlySet<number>,
): boolean {
  return bindingsOf(launch).every(({ slot, index, access }) =>
    slot === "scratch"
      ? kept.has(index)
      : slot === "input" && access === "read" && constant[index]
  );
}

/** Whether the launches that run once are the only ones to write a buffer, each a part of its own. */
function isFilledOnce(
  { launches }: Plan,
  once: readonly Launch[],
  index: number,
): boolean {
  const windows: Binding[] = [];
  for (const launch of launches) {
    for (const binding of bindingsOf(launch)) {
      const writes = binding.slot === "scratch" && binding.index === index &&
        binding.access === "write";
      if (!writes) continue;
      if (!once.includes(launch)) return false;
      windows.push(binding);
    }
  }
  windows.sort((a, b) => a.offset - b.offset);
  return windows.length > 0 &&
    windows.every(({ offset }, i) =>
      i === 0 || windows[i - 1].offset + windows[i - 1].size <= offset
    );
}
