/** Which pieces of memory can share a buffer: those that are never needed at the same time. */
import type { DType } from "../../wgsl/op.ts";

/** A need for memory: from the step in which it is first written to the one in which it is last read. */
export interface Lifetime {
  readonly bytes: number;
  readonly dtype: DType;
  readonly first: number;
  readonly last: number;
}

/** A buffer and those who take turns in it, by their positions. */
export interface Slot {
  readonly bytes: number;
  readonly dtype: DType;
  readonly users: readonly number[];
}

/**
 * Deals out buffers, the largest needs first: each goes into the smallest buffer that is free all its life, or into a new one. (Greedy by size, as
 * Pisarchyk & Lee 2020, arXiv:2001.03288, section 4, found best.)
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
    let best: (typeof slots)[number] | undefined;
    for (const slot of slots) {
      const fits = slot.dtype === dtype && slot.bytes >= bytes &&
        (best === undefined || slot.bytes < best.bytes);
      if (fits && slot.users.every((j) => areApart(needs[i], needs[j]))) {
        best = slot;
      }
    }
    if (best) best.users.push(i);
    else slots.push({ bytes, dtype, users: [i] });
  }
  return slots;
}

function areApart(a: Lifetime, b: Lifetime): boolean {
  return a.last < b.first || b.last < a.first;
}
