import { assertEquals } from "@std/assert";
import { Session } from "../../repl/session.ts";
import { BARE_HOST } from "./transcript.ts";

/** Counts itself out in its finalizer, as a tensor that belongs to no scope does. */
class Held {
  static live = 0;
  static readonly #registry = new FinalizationRegistry(() => Held.live--);
  #inputs: Held[] = [];

  constructor() {
    Held.live++;
    Held.#registry.register(this, undefined);
  }

  add(): Held {
    const sum = new Held();
    sum.#inputs = [this];
    return sum;
  }
}

/** Types lines into a new session and gives how many are alive after each. */
async function liveAfter(lines: readonly string[]): Promise<number[]> {
  const session = new Session({
    ...BARE_HOST,
    globals: { Held },
    live: () => Held.live,
  });
  const counts: number[] = [];
  for (const line of lines) {
    await session.evaluate(line);
    await session.idle();
    counts.push(Held.live);
  }
  await session.evaluate(
    "for (const name of Object.keys(held)) delete held[name]; _ = 0",
  );
  await session.close();
  return counts;
}

async function assertLive(transcript: readonly (readonly [string, number])[]) {
  const lines = [
    "globalThis.held = {}; _ = 0",
    ...transcript.map(([line]) => line),
  ];
  const [before, ...counts] = await liveAfter(lines);
  assertEquals(
    transcript.map(([line], i) => [line, counts[i] - before]),
    transcript.map(([line, count]) => [line, count]),
  );
}

Deno.test("what a line makes and no variable holds is freed after the line", () =>
  assertLive([
    ["held.a = new Held();", 1],
    ["held.a = new Held();", 1],
    ["for (let i = 0; i < 100; i++) new Held();", 1],
    ["held.a = null;", 0],
    ["throw new Error('made ' + typeof new Held())", 0],
  ]));

Deno.test("_ holds the last value until the next one", () =>
  assertLive([
    ["new Held()", 1],
    ["const unrelated = 1", 1],
    ["1", 0],
  ]));

Deno.test("variables hold through arrays, maps, private fields and closures", () =>
  assertLive([
    ["let list = [new Held(), { deep: new Map([[1, new Held()]]) }]", 2],
    ["list.pop();", 1],
    ["list = undefined", 0],
    ["let sum = new Held().add().add()", 3],
    ["sum = undefined", 0],
    [
      "let make = () => { const inner = new Held(); return () => inner }; let f = make()",
      1,
    ],
    ["f = undefined", 0],
    ["let x = new Held()", 1],
    ["let x = new Held()", 1],
    ["x = undefined", 0],
  ]));

Deno.test("an async function that runs on keeps what it uses until it ends", () =>
  assertLive([
    [
      "const pause = () => new Promise((done) => { globalThis.finish = done })",
      0,
    ],
    [
      "const work = async () => { const inner = new Held(); await pause(); return inner }",
      0,
    ],
    ["let job = work()", 1],
    ["1", 1],
    ["finish()", 1],
    ["const result = await job", 1],
    ["job = result = undefined", 0],
    ["void work()", 1],
    ["1", 1],
    ["finish()", 0],
  ]));
