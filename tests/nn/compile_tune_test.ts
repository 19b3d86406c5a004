/** Plans that are chosen by measuring. */
import { assertEquals } from "@std/assert";
import { init } from "../../mod.ts";
import type { Build, Program } from "../../core/compile/mod.ts";
import { tuned } from "../../nn/compile_tune.ts";

/** What takes its time to run, and notes what is done with it. */
function fake(name: string, ms: number, order: "CNHW" | undefined) {
  const done: string[] = [];
  const program = (which: string) =>
    ({
      calls: [{ order }],
      tune: () => Promise.resolve(void done.push(`tune ${which}`)),
      again: () => program("again"),
      run: () => {
        const end = performance.now() + ms;
        while (performance.now() < end) { /* It takes as long as it takes. */ }
        return [];
      },
      dispose: () => void done.push(`dispose ${which}`),
    }) as unknown as Program;
  const made = { program: program("first"), result: name } as Build<string>;
  return { made, done };
}

Deno.test("of two orders of planes the faster is kept, and the other disposed of", async () => {
  await init();
  for (const [moved, plain] of [[1, 8], [8, 1]]) {
    const a = fake("moved", moved, "CNHW");
    const b = fake("plain", plain, undefined);
    const { result } = await tuned(a.made, [], () => b.made);
    assertEquals(result, moved < plain ? "moved" : "plain");
    const kept = ["tune first", "dispose first"];
    const left = [...kept, "dispose again"];
    assertEquals(a.done, moved < plain ? kept : left);
    assertEquals(b.done, moved < plain ? left : kept);
  }
});

Deno.test("where planes lie image by image there is nothing to compare", async () => {
  await init();
  const { made, done } = fake("plain", 0, undefined);
  const { result } = await tuned(made, [], () => {
    throw new Error("Nothing else is built");
  });
  assertEquals(result, "plain");
  assertEquals(done, ["tune first", "dispose first"]);
});
