import { assert, assertEquals } from "@std/assert";
import { Session } from "../../repl/session.ts";
import { assertTranscript, BARE_HOST, play } from "./transcript.ts";

Deno.test("a line shows its value, and declarations and lines with a semicolon show nothing", () =>
  assertTranscript(`
    > 1 + 1
    2
    > const a = 3
    > let b: number = a * 2
    > b
    6
    > b;
    > "text"
    "text"
    > undefined
    > null
    null
    > [1, -0, 10n, NaN]
    [ 1, -0, 10n, NaN ]
    > class Point { constructor(private x: number) {} }
    > new Point(2)
    Point { x: 2 }
    > implicit = 4
    4
    > implicit
    4
  `));

Deno.test("let, const, class and function can be declared again, also after a failure", () =>
  assertTranscript(`
    > const again = 1
    > const again = 2
    > let again = 3
    > again
    3
    > let broken = await Promise.reject(new Error("no"))
    Error: no
    > let broken = 1
    > broken
    1
    > function twice(x) { return 2 * x }
    > function twice(x) { return x + x + 1 }
    > twice(2)
    5
    > const twice = 3
    > class twice {}
    > async function twice(x) { return x }
    > twice(4)
    4
    > function* twice() { yield 1; yield 2 } [...twice()]
    [ 1, 2 ]
    > (function named() { return 8 })()
    8
    > const down = (n) => n; function down(n) { return n === 0 ? [] : [n, ...down(n - 1)] }; down(2)
    SyntaxError: Identifier 'down' has already been declared
    > function down(n) { return n === 0 ? [] : [n, ...down(n - 1)] }; down(2)
    [ 2, 1 ]
  `));

Deno.test("top-level await works and a promise is waited for before it is shown", () =>
  assertTranscript(`
    > const later = (x: number) => new Promise((done) => setTimeout(() => done(x), 1))
    > await later(1)
    1
    > later(2)
    2
    > const third = await later(3)
    > third + (await later(4))
    7
    > Promise.reject(new RangeError("too far"))
    RangeError: too far
  `));

Deno.test("a text that isn't whole goes on in the next line", () =>
  assertTranscript(`
    > const add = (x: number, y: number) => {
    …   return x + y
    … }
    > add(1, 2)
    3
    > add(
    …   1,
    …   2,
    … )
    3
    > [1, 2]
    [ 1, 2 ]
    > \`a
    … b\`
    "a\\nb"
    > /* a comment
    … that ends */ 5
    5
    > if (1 < 2)
    …   "yes"
    "yes"
    > const half =
    …   0.5
    > half
    0.5
    > class Net {
    …   #layers: number[] = []
    …
    …   add(n: number) { this.#layers.push(n); return this }
    …   get size() { return this.#layers.length }
    … }
    > new Net().add(1).add(2).size
    2
  `));

Deno.test("an object literal is an object, and a block is still a block", () =>
  assertTranscript(`
    > {a: 1}
    { a: 1 }
    > {
    …   a: 1,
    …   b: 2,
    … }
    { a: 1, b: 2 }
    > {}
    {}
    > { const inner = 2; inner * 3 }
    6
    > ({ a: 4 }).a
    4
  `));

Deno.test("TypeScript that has a meaning at run time works", () =>
  assertTranscript(`
    > enum Pooling { Max, Average }
    > Pooling.Average
    1
    > interface Shape { n: number }
    > type Size = Shape["n"]
    > const size = 3 as Size satisfies number
    > size!
    3
    > namespace Outer { export const inner = 5 }
    > Outer.inner
    5
  `));

Deno.test("imports of every form work, relative ones from the current folder", async () => {
  const before = Deno.cwd();
  Deno.chdir(new URL("modules/", import.meta.url));
  try {
    await assertTranscript(`
    > import { twin as pair, type Twin } from "./twin.ts"
    > pair(2)
    [ 2, 2 ]
    > import single, { twin } from "./twin.ts"
    > single(twin(1))
    1
    > import * as all from "./twin.ts"
    > Object.keys(all)
    [ "default", "twin" ]
    > import one, * as rest from "./twin.ts"
    > [one === rest.default, typeof rest.twin]
    [ true, "function" ]
    > import {
    …   twin as several,
    … } from "./twin.ts"; several(0)
    [ 0, 0 ]
    > import "./twin.ts"
    > import type { Twin as T } from "./twin.ts"
    > import data from "./data.json" with { type: "json" }
    > data
    { answer: 42 }
    > (await import("./twin.ts")).twin(3)
    [ 3, 3 ]
    > import { join } from "node:path"
    > join("a", "b")
    "a/b"
    > export const exported = 1
    > exported
    1
  `);
  } finally {
    Deno.chdir(before);
  }
});

Deno.test("an error shows its message, its cause and the calls that led to it", () =>
  assertTranscript(`
    > nowhere
    ReferenceError: nowhere is not defined
    > const fail = () => { throw new TypeError("bad input") }
    > const outer = () =>
    …   fail()
    > outer()
    TypeError: bad input
        at fail (repl:2:28)
        at outer (repl:4:3)
        at repl:5:1
    > throw new Error("outside", { cause: new Error("inside") })
    Error: outside
    Caused by: Error: inside
    > throw { code: 3 }
    Thrown: { code: 3 }
    > f(1 2)
    SyntaxError: Expected ',', got 'numeric literal (2, 2)'
        f(1 2)
            ^
    > return 1
    SyntaxError: Illegal return statement
    > JSON.parse("{")
    SyntaxError: Expected property name or '}' in JSON at position 1 (line 1 column 2)
    > 'abc
    SyntaxError: Unterminated string constant
        'abc
        ^
    > 1 + 1
    2
  `));

Deno.test("_ is the last value and _error the last error", () =>
  assertTranscript(`
    > 6 * 7
    42
    > _ + 1
    43
    > const quiet = 1
    > 5;
    > _
    43
    > nothing.here
    ReferenceError: nothing is not defined
    > _error.name
    "ReferenceError"
  `));

Deno.test("a global of the host can be used and declared again", () =>
  assertTranscript(
    `
    > libraryName
    "tessera"
    > const libraryName = 2
    > libraryName
    2
  `,
    { ...BARE_HOST, globals: { libraryName: "tessera" } },
  ));

Deno.test("lines run one after the other even when they are handed in at once", async () => {
  const session = new Session(BARE_HOST);
  const outcomes = await Promise.all([
    session.evaluate("globalThis.order = []; order.length"),
    session.evaluate(
      "await new Promise((done) => setTimeout(done, 20)); order.push('slow')",
    ),
    session.evaluate("order.push('fast')"),
    session.evaluate("order.join()"),
  ]);
  await session.close();
  assertEquals(outcomes.map((o) => o.kind === "value" ? o.text : o.kind), [
    "0",
    "1",
    "2",
    '"slow,fast"',
  ]);
});

Deno.test("a failure to show a value is the line's error", async () => {
  const session = new Session({
    ...BARE_HOST,
    show: () =>
      Promise.reject(new Error("Cannot read the tensor: device lost")),
  });
  const outcome = await session.evaluate("1");
  await session.close();
  assert(outcome.kind === "error");
  assertEquals(outcome.text, "Error: Cannot read the tensor: device lost");
});

Deno.test("an interrupted line that waits is left, and what it does later has no effect", async () => {
  const session = new Session(BARE_HOST);
  const waits = session.evaluate(
    "await new Promise((done) => { globalThis.wake = done }); 'woken'",
  );
  await new Promise((resolve) => setTimeout(resolve, 5));
  assert(session.interrupt());
  assertEquals(await waits, { kind: "interrupted" });
  assert(!session.interrupt());
  assertEquals(
    await play(session, ["40 + 2", "wake(); 1", "_"]),
    "> 40 + 2\n42\n> wake(); 1\n1\n> _\n1",
  );
  await session.close();
});

Deno.test("a line that waits for what can't come is left, and collecting garbage then ends nothing", async () => {
  const session = new Session({ ...BARE_HOST, live: () => 1 });
  for (const line of ["await new Promise(() => {})", "new Promise(() => {})"]) {
    const waits = session.evaluate(line);
    await new Promise((resolve) => setTimeout(resolve, 5));
    session.interrupt();
    assertEquals(await waits, { kind: "interrupted" });
    await session.idle();
  }
  assertEquals(await session.evaluate("1"), { kind: "value", text: "1" });
  await session.close();
});

Deno.test("code of an interrupted line is told so, also after an await, and later lines are not", async () => {
  const step = () => {
    if (session.interrupted()) throw new Error("stopped in the library");
  };
  const session: Session = new Session({ ...BARE_HOST, globals: { step } });
  const loop = session.evaluate(
    "globalThis.steps = 0; for (;;) { step(); steps++; await new Promise((done) => setTimeout(done, 1)) }",
  );
  await new Promise((resolve) => setTimeout(resolve, 30));
  session.interrupt();
  assertEquals((await loop).kind, "interrupted");
  const steps = await session.evaluate("step(); steps > 1");
  assertEquals(steps, { kind: "value", text: "true" });
  await session.close();
});

Deno.test("the shared signal stops a line that never lets go of the thread", async () => {
  const signal = new Int32Array(new SharedArrayBuffer(4));
  const session: Session = new Session({
    ...BARE_HOST,
    globals: {
      op: () => {
        // Stands for the other thread, which sets it at Ctrl-C.
        Atomics.store(signal, 0, 1);
        if (session.interrupted()) throw new Error("stopped");
      },
    },
  }, { signal });
  assertEquals((await session.evaluate("for (;;) op()")).kind, "interrupted");
  assertEquals(await session.evaluate("1"), { kind: "value", text: "1" });
  await session.close();
});
