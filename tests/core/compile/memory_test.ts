/** Dealing out memory: who needs it at the same time never shares it. */
import { assert, assertEquals, assertLessOrEqual } from "@std/assert";
import { type Lifetime, shareMemory } from "../../../core/compile/memory.ts";
import { dice } from "../../support/random_function.ts";

function need(
  bytes: number,
  first: number,
  last: number,
  dtype: Lifetime["dtype"] = "f32",
): Lifetime {
  return { bytes, first, last, dtype };
}

function bytesOf(needs: readonly Lifetime[]): number {
  return shareMemory(needs).reduce((sum, { bytes }) => sum + bytes, 0);
}

Deno.test("a chain takes turns in two buffers", () => {
  const chain = [need(8, 0, 1), need(8, 1, 2), need(8, 2, 3), need(8, 3, 4)];
  assertEquals(shareMemory(chain), [
    { bytes: 8, dtype: "f32", users: [0, 2] },
    { bytes: 8, dtype: "f32", users: [1, 3] },
  ]);
});

Deno.test("a residual that is needed at the end has a buffer of its own", () => {
  const block = [need(8, 0, 4), need(8, 1, 2), need(8, 2, 3), need(8, 3, 4)];
  assertEquals(
    shareMemory(block).map(({ users }) => users),
    [[0], [1, 3], [2]],
  );
  assertEquals(bytesOf(block), 24);
});

Deno.test("two that meet in one step never share", () => {
  assertEquals(bytesOf([need(4, 0, 1), need(4, 1, 2)]), 8);
  assertEquals(bytesOf([need(4, 0, 1), need(4, 2, 3)]), 4);
  assertEquals(bytesOf([need(4, 2, 2), need(4, 2, 2)]), 8);
});

Deno.test("the large ones are placed first, and small ones go where they fit best", () => {
  const needs = [need(4, 0, 0), need(100, 1, 1), need(8, 1, 1), need(6, 2, 2)];
  assertEquals(shareMemory(needs), [
    { bytes: 100, dtype: "f32", users: [1] },
    { bytes: 8, dtype: "f32", users: [2, 3, 0] },
  ]);
});

Deno.test("element types don't share, as the CPU device has arrays of each", () => {
  assertEquals(bytesOf([need(4, 0, 0), need(4, 1, 1, "i32")]), 8);
});

Deno.test("nothing needs nothing, and what has no elements needs no bytes", () => {
  assertEquals(shareMemory([]), []);
  assertEquals(bytesOf([need(0, 0, 3), need(0, 1, 2), need(4, 0, 3)]), 4);
});

Deno.test("random needs are kept apart, each in a buffer that holds it, within the sum and above the peak", () => {
  for (let seed = 1; seed <= 300; seed++) {
    const roll = dice(seed);
    const needs = Array.from({ length: 1 + roll(40) }, () => {
      const first = roll(30);
      const dtype = roll(4) === 0 ? "i32" : "f32";
      return need(4 * roll(50), first, first + roll(8), dtype);
    });
    const slots = shareMemory(needs);
    const users = slots.flatMap((slot) => slot.users);
    assertEquals(users.toSorted((a, b) => a - b), [...needs.keys()]);
    for (const slot of slots) {
      for (const i of slot.users) {
        assertLessOrEqual(needs[i].bytes, slot.bytes);
        assertEquals(needs[i].dtype, slot.dtype);
        for (const j of slot.users) {
          const apart = i === j || needs[i].last < needs[j].first ||
            needs[j].last < needs[i].first;
          assert(apart, `seed ${seed}: ${i} and ${j} meet`);
        }
      }
    }
    const total = slots.reduce((sum, { bytes }) => sum + bytes, 0);
    const live = (step: number) =>
      needs.reduce(
        (sum, { bytes, first, last }) =>
          first <= step && step <= last ? sum + bytes : sum,
        0,
      );
    const peak = Math.max(...Array.from({ length: 40 }, (_, k) => live(k)));
    assertLessOrEqual(peak, total);
    assertLessOrEqual(
      total,
      needs.reduce((sum, { bytes }) => sum + bytes, 0),
    );
  }
});
