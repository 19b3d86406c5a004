/** Which pieces of memory can share a buffer: those that are never needed at the same time. */
import type { DType } from "../../wgsl/op.ts";

/** A need for memory: from the step in which it is first written to the one in which it is last read. */
export interface Lifetime {
  readonly bytes: number;
  readonly dtype: DType;
  readonly first: number;
  readonly last: number;
}

/** As many steps as no program has. */
const ENDLESS = 1e9;

/** A buffer and those who take turns in it, by their positions. */
export interface Slot {
  readonly bytes: number;
  readonly dtype: DType;
  readonly users: readonly number[];
}

/**
 * Deals out buffers, the largest needs first (greedy by size, as Pisarchyk & Lee 2020, arXiv:2001.03288, section 4, found best): each goes into the buffer that
 * is free all its life and would otherwise lie idle for the shortest time around it, or into a new one.
 *
 * Two that meet in one step never share, since a launch can't read and write one buffer.
 */
export function shareMemory(needs: readonly Lifetime[]): Slot[] {
  const slots: { bytes: number; dtype: DType; users: number[] }[] = [];
  const order = [...needs.keys()].sort((a, b) =>
    needs[b].bytes - needs[a].bytes || needs[a].first - needs[b].first
  );
  for (const i of order) {
    const { bytes, dtype } = needs[i];
    let best: { slot: (typeof slots)[number]; idle: number } | undefined;
    for (const slot of slots) {
      if (slot.dtype !== dtype || slot.bytes < bytes) continue;
      const idle = idleAround(needs[i], slot.users.map((j) => needs[j]));
      if (idle === undefined) continue;
      const better = best === undefined || idle < best.idle ||
        idle === best.idle && slot.bytes < best.slot.bytes;
      if (better) best = { slot, idle };
    }
    if (best) best.slot.users.push(i);
    else slots.push({ bytes, dtype, users: [i] });
  }
  return slots;
}

/** Steps for which a buffer lies idle before and after a life in it, endless where nobody comes; undefined where it isn't free. */
function idleAround(
  life: Lifetime,
  others: readonly Lifetime[],
): number | undefined {
  let before = -Infinity;
  let after = Infinity;
  for (const other of others) {
    if (!areApart(life, other)) return undefined;
    if (other.last < life.first) before = Math.max(before, other.last);
    else after = Math.min(after, other.first);
  }
  return Math.min(life.first - before, ENDLESS) +
    Math.min(after - life.last, ENDLESS);
}

function areApart(a: Lifetime, b: Lifetime): boolean {
  return a.last < b.first || b.last < a.first;
}
