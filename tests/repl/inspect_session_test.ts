/** Inspection at the prompt: commands as lines, the errors that they give, and Ctrl-C. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { init } from "../../core/mod.ts";
import { libraryHost } from "../../repl/library.ts";
import { Session } from "../../repl/session.ts";
import { play } from "./transcript.ts";

/** Runs lines in a session of the library. Gives what each showed. */
async function shown(
  rows: readonly string[],
  device: "webgpu" | "cpu" = "webgpu",
): Promise<string[]> {
  await init({ device, seed: 0 });
  const session = new Session(libraryHost("none"));
  try {
    const texts: string[] = [];
    for (const row of rows) {
      const text = await play(session, [row]);
      texts.push(text.split("\n").slice(row.split("\n").length).join("\n"));
    }
    return texts;
  } finally {
    await session.close();
  }
}

/** Numbers that differ from run to run, masked. */
function masked(text: string): string {
  return text.replace(/\d+(\.\d+)?/g, "#").replace(/ +/g, " ");
}

const SETUP = ["const net = zoo.lenet()", "const x = randn([1, 1, 28, 28])"];

Deno.test(".timeit is shown as median, deviation, samples and rate", async () => {
  const [, text, plain] = await shown([
    "const a = randn([32, 32])",
    ".timeit a.matmul(a)",
    ".timeit 1 + 1",
  ]);
  assertMatch(
    text,
    /^\d+(\.\d+)? [nµm]?s ± \d+(\.\d+)? [nµm]?s a run \(median ± MAD of \d+ samples of \d+ runs?, \d+(\.\d+)? [kMG]FLOP\/s\)$/,
  );
  assertMatch(
    plain,
    /^\d+(\.\d+)? [nµm]?s ± \d+(\.\d+)? [nµm]?s a run \(median ± MAD of \d+ samples of \d+ runs?\)$/,
  );
});

Deno.test(".profile is a table that adds up, and its numbers can be used", async () => {
  const [, , text, , share, more] = await shown([
    ...SETUP,
    ".profile net(x)",
    "const p = await profile(() => net(x))",
    "p.kernels.reduce((sum, row) => sum + row.share, 0).toFixed(6)",
    "[p.calls, p.kernels.reduce((sum, row) => sum + row.ms, 0) === p.ms]",
  ]);
  const rows = text.split("\n");
  assertMatch(
    rows[0],
    /^kernel +op: variant +calls +ms +share +GFLOP\/s +GB\/s$/,
  );
  assertMatch(rows.at(-3)!, /^total +13 +\d+\.\d{3} +100\.0 % /);
  assertMatch(rows.at(-2)!, /^Wall time of a run that isn't profiled: /);
  assertMatch(rows.at(-1)!, /^Times are the (GPU's own|wall's)/);
  const numbers = rows.slice(2, -4).map((row) =>
    /(\d+) +(\d+\.\d{3}) +(\d+\.\d) %/.exec(row)!.slice(1).map(Number)
  );
  const total = numbers.reduce((a, b) => a.map((n, i) => n + b[i]));
  assertEquals(total[0], 13);
  const [, ms] = /(\d+\.\d{3}) +100/.exec(rows.at(-3)!)!;
  assert(Math.abs(total[1] - Number(ms)) < 0.0006 * numbers.length);
  assert(Math.abs(total[2] - 100) < 0.06 * numbers.length);
  assertEquals(share, '"1.000000"');
  assertEquals(more, "[ 13, true ]");
});

Deno.test(".trace has a line a layer with the shape after it", async () => {
  const [, , text, shapes] = await shown([
    ...SETUP,
    ".trace net, x",
    "(await trace(net, x)).layers.slice(1).map(({ shape }) => shape.join('×')).join(' ')",
  ]);
  const [head, , ...rows] = text.split("\n");
  assertMatch(head, /^layer +op: variant +output +ms +bytes$/);
  assertEquals(
    rows.slice(0, 4).map(masked),
    [
      "Sequential [#, #] -- # B",
      "├─Conv#d # conv#d: rows [#, #, #, #] # # kB",
      "├─Sigmoid # sigmoid: vec# [#, #, #, #] # # kB",
      "├─AvgPool#d # avgPool#d: tiled [#, #, #, #] # # kB",
    ],
  );
  assertEquals(
    shapes,
    '"1×6×28×28 1×6×28×28 1×6×14×14 1×16×10×10 1×16×10×10 1×16×5×5 1×400 1×120 1×120 1×84 1×84 1×10"',
  );
});

Deno.test(".summary has the parameters, shapes and totals of LeNet", async () => {
  const [, , text, count] = await shown([
    ...SETUP,
    ".summary net, [1, 1, 28, 28]",
    "summary(net, x).parameters",
  ]);
  const rows = text.split("\n");
  assertEquals(
    rows[3],
    "├─Conv2d 0     [1, 1, 28, 28]   [1, 6, 28, 28]      156    122,304",
  );
  assert(rows.includes("Total params: 61,706"));
  assertEquals(count, "61706");
});

Deno.test(".wgsl prints the shader of a call, and .explain its variants", async () => {
  const [, shader, explained] = await shown([
    "const a = randn([16, 16])",
    ".wgsl a.matmul(a)",
    ".explain a.matmul(a)",
  ]);
  assertMatch(shader, /^\/\/ ── wgsl\/matmul\/\w+\.wgsl ─+\n\/\/ matmul: /);
  assertMatch(shader, /\n@compute @workgroup_size\(/);
  const rows = explained.split("\n");
  assertEquals(rows[0], "matmul [16, 16], [16, 16] → [16, 16], 1 call");
  assertMatch(rows[1], /^ {2}\w+: (first|preferred|measured) /);
  assertMatch(explained, /% of the (arithmetic peak|copy rate) \(/);
  assertMatch(explained, /\n {2}Others: \w+ \d/);
  assertMatch(rows.at(-1)!, /^Measured limits: .* FLOP\/s|FLOP\/s, /);
});

Deno.test(".swap refuses what it doesn't know, and the session goes on", async () => {
  const [list, unknown, missing, after] = await shown([
    ".swap",
    '.swap "conv/conv2d_tild.wgsl", "my.wgsl"',
    '.swap "conv/conv2d_tiled.wgsl", "./no-such-file.wgsl"',
    "1 + 1",
  ]);
  assertEquals(list, "All kernels are the library's own");
  assertEquals(
    unknown.split("\n")[0],
    'Error: Cannot swap conv/conv2d_tild.wgsl: the library has no such kernel, did you mean "conv/conv2d_tiled.wgsl"?',
  );
  assertMatch(missing, /^NotFound: /);
  assertEquals(after, "2");
});

Deno.test("on the CPU device the commands say what can't be told there", async () => {
  const [, profile, shader, explained] = await shown([
    "const a = randn([4, 4])",
    ".profile a.matmul(a)",
    ".wgsl a.matmul(a)",
    ".explain a.matmul(a)",
  ], "cpu");
  assertMatch(
    profile,
    /\nThe CPU device has no kernels: each row is an op's float64 reference\.$/,
  );
  assertMatch(
    shader,
    /^Error: Cannot show shaders: the CPU device runs float64/,
  );
  assertMatch(
    explained,
    /^matmul, 1 call: .* each\nThe CPU device has no kernels to choose from/,
  );
  await init();
});

Deno.test("Ctrl-C ends timeit, profile and explain, and the next line runs", async () => {
  await init({ seed: 0 });
  const signal = new Int32Array(new SharedArrayBuffer(4));
  const host = libraryHost("none");
  // What the worker does that hears Ctrl-C while this thread is busy.
  const press = () => Atomics.store(signal, 0, 1);
  const session = new Session(
    { ...host, globals: { ...host.globals, press } },
    { signal },
  );
  try {
    await session.evaluate("const a = randn([64, 64]);");
    const endless =
      "for (let i = 0;; i++) { a.matmul(a); if (i > 9) press(); }";
    const lines = [
      "timeit(() => { a.matmul(a); press(); }, { budget: 600_000 })",
      `profile(() => { ${endless} })`,
      `explain(() => { ${endless} })`,
      `wgsl(() => { ${endless} })`,
      "trace((x) => { press(); return x.relu(); }, a)",
    ];
    for (const line of lines) {
      assertEquals((await session.evaluate(line)).kind, "interrupted", line);
      const next = await session.evaluate("a.matmul(a).shape");
      assertEquals(next.kind === "value" && next.text, "[ 64, 64 ]");
    }
    const running = session.evaluate(
      "timeit(() => a.matmul(a), { budget: 600_000 })",
    );
    setTimeout(() => session.interrupt(), 100);
    assertEquals((await running).kind, "interrupted");
  } finally {
    await session.close();
  }
});
