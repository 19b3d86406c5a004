import { assertEquals } from "@std/assert";
import { holdAwaits } from "../../repl/awaits.ts";
import { Session } from "../../repl/session.ts";
import { BARE_HOST } from "./transcript.ts";

const HOLD = 'globalThis[Symbol.for("tessera.repl.hold")]';

Deno.test("what is awaited outside of functions and blocks is held", () => {
  const cases: [string, string][] = [
    ["await p", "await HOLD(p)"],
    [
      "let x = await f(1)[0].g?.h(await 2) + 1",
      "let x = await HOLD(f(1)[0].g?.h(await 2)) + 1",
    ],
    ["await new Promise(() => {}); 1", "await HOLD(new Promise(() => {})); 1"],
    ["await (p) ? await q : 1", "await HOLD((p)) ? await HOLD(q) : 1"],
    ["await a; await b.c", "await HOLD(a); await HOLD(b.c)"],
    ["await (await f()).g()", "await HOLD((await f()).g())"],
    ["async () => { await p }", "async () => { await p }"],
    ["for await (const x of y) x", "for await (const x of y) x"],
    ["await import('x')", "await import('x')"],
    ["await tag`x`", "await tag`x`"],
    ["await 5", "await 5"],
    ["x.await", "x.await"],
    ["await f?.(1)", "await f?.(1)"],
  ];
  for (const [code, expected] of cases) {
    assertEquals(holdAwaits(code), expected.replaceAll("HOLD", HOLD));
  }
});

Deno.test("a line outlives collections of garbage though what it waits for can't come", async () => {
  const session = new Session({ ...BARE_HOST, live: () => 1 });
  const lines = [
    "await new Promise(() => {})",
    "new Promise(() => {})",
    "const never = async () => { await new Promise(() => {}) }; await never()",
  ];
  for (const line of lines) {
    const waits = session.evaluate(line);
    await new Promise((resolve) => setTimeout(resolve, 5));
    // Enough to be collected in full a few times.
    for (let i = 0; i < 60; i++) {
      void Array.from({ length: 1e5 }, (_, j) => [j]);
      await new Promise((resolve) => setTimeout(resolve, 0));
    }
    session.interrupt();
    assertEquals(await waits, { kind: "interrupted" });
  }
  await session.close();
});
