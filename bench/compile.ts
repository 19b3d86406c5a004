/**
 * The zoo's networks at the size of their pictures, compiled and call by call: how far their outputs differ, calls and launches, memory, time. Writes the
 * table in zoo/README.md, row by row:
 *
 *     deno task zoo:compile [NAME …] [--batch=1] [--runs=5]
 */
import { parseArgs } from "@std/cli/parse-args";
import {
  compile,
  init,
  nn,
  noGrad,
  rand,
  randn,
  scope,
  synchronize,
  type Tensor,
  zoo,
} from "../mod.ts";
import { replaceRow } from "./section.ts";

const README = new URL("../zoo/README.md", import.meta.url);
const HEADS = [
  "network",
  "batch",
  "error",
  "calls",
  "launches",
  "temporaries",
  "call by call",
  "ms",
  "call by call, ms",
  "times as fast",
] as const;

const { _: names, batch, runs } = parseArgs(Deno.args, {
  string: ["batch", "runs"],
  default: { batch: "1,3", runs: "5" },
});
const chosen = names.length > 0 ? names.map(String) : zoo.list();
const batches = String(batch).split(",").map(Number);

/** Gives batch norms statistics that aren't those of the start, so that outputs aren't tiny. */
function stirNorms(net: nn.Module): void {
  for (const [, module] of net.namedModules()) {
    if (!(module instanceof nn.BatchNorm2d)) continue;
    using _ = scope();
    const shape = [module.numFeatures];
    noGrad(() => {
      module.running_mean?.assign(randn(shape, { std: 0.2 }));
      module.running_var?.assign(rand(shape).add(0.5));
    });
  }
}

/** Logits, where a network has more to say. */
function logitsOf(y: unknown): Tensor {
  return [y].flat()[0] as Tensor;
}

/** Median milliseconds of `body`, which is done when the device is. */
async function median(body: () => unknown): Promise<number> {
  const times: number[] = [];
  for (let i = 0; i < Number(runs); i++) {
    await synchronize();
    const start = performance.now();
    {
      using _ = scope();
      body();
      await synchronize();
    }
    times.push(performance.now() - start);
  }
  return times.sort((a, b) => a - b)[times.length >> 1];
}

/** The largest difference as a part of the largest value. */
async function errorOf(got: Tensor, want: Tensor): Promise<number> {
  const [a, b] = [await got.read(), await want.read()];
  let [worst, most] = [0, 0];
  b.forEach((v, i) => {
    worst = Math.max(worst, Math.abs(v - a[i]));
    most = Math.max(most, Math.abs(v));
  });
  if (!(most > 0 && most < Infinity) || Number.isNaN(worst)) {
    throw new Error("Cannot compare: the output is zero or not finite");
  }
  return worst / most;
}

async function measure(
  name: string,
  net: nn.Module,
  count: number,
): Promise<string[]> {
  using _ = scope();
  const shape = [count, ...zoo.describe(name).input];
  const x = randn(shape);
  using run = await compile(net, shape);
  const error = await errorOf(
    logitsOf(run(x)),
    logitsOf(noGrad(() => net(x))),
  );
  const plan = run.explain();
  const compiled = await median(() => run(x));
  const eager = await median(() => noGrad(() => net(x)));
  const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(1)} MB`;
  return [
    name,
    `${count}`,
    error.toExponential(1),
    `${plan.tracedCalls} → ${plan.calls.length}`,
    `${plan.launches}`,
    megabytes(plan.temporaryBytes),
    megabytes(plan.eagerBytes),
    compiled.toFixed(1),
    eager.toFixed(1),
    (eager / compiled).toFixed(2),
  ];
}

await init({ seed: 0 });
const order = zoo.list().flatMap((name) =>
  [...new Set([1, 3, ...batches])].map((count) => [name, `${count}`])
);
let worst = 0;
for (const name of chosen) {
  const net = (await zoo.create(name)).eval();
  stirNorms(net);
  for (const count of batches) {
    const row = await measure(name, net, count);
    worst = Math.max(worst, Number(row[2]));
    console.log(...row);
    await replaceRow(README, "compile", { heads: HEADS, keys: 2, order }, row);
  }
  net.dispose();
}
console.log(`largest error ${worst}`);
if (worst > 1e-5) Deno.exit(1);
