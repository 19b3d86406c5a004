/** Whether cost grows as the work does: rates over a ladder of sizes, as a plot of characters. `deno task bench:ladder` */
import { convolution, square } from "./families.ts";
import { hasSaneTimestamps } from "./limits/limits.ts";
import { time } from "./report.ts";
import { CONV_LAYERS, layerName } from "./shapes.ts";
import { type Bench, type Case, openBench } from "./support.ts";

const SIZES = [16, 32, 64, 128, 256, 512, 1024, 2048];
const BATCHES = [1, 2, 4, 8, 16, 32, 64];
const LAYERS = ["ResNet-18 layer1", "ResNet-18 layer3", "AlexNet conv2"];
const ROUNDS = 5;

/** Characters of the longest bar. */
const WIDTH = 40;

/** One step: how large the work is, and what is done. */
type Step = readonly [label: string, given: Case];

async function climb(
  bench: Bench,
  title: string,
  steps: readonly Step[],
  clock: "gpu" | "wall",
): Promise<void> {
  const rates: number[] = [];
  for (const [, given] of steps) {
    const work = await bench.prepare(given, bench.variantsOf(given)[0]);
    rates.push(given.flops / await time(work, ROUNDS, clock) / 1e6);
    work.destroy();
  }
  const best = Math.max(...rates);
  console.log(`\n${title}, GFLOP/s`);
  rates.forEach((rate, i) => {
    const bar = "█".repeat(Math.round(WIDTH * rate / best));
    console.log(
      `${steps[i][0].padStart(6)} ${rate.toFixed(1).padStart(7)} ${bar}`,
    );
  });
}

const bench = await openBench();
const clock = await hasSaneTimestamps(bench) ? "gpu" : "wall";
console.log(bench.info.name);
await climb(
  bench,
  "matmul n×n×n",
  SIZES.map((n) => [`${n}`, square(n)]),
  clock,
);
for (const layer of CONV_LAYERS.filter((l) => LAYERS.includes(layerName(l)))) {
  await climb(
    bench,
    `${layerName(layer)}, pictures in the batch`,
    BATCHES.map((batch) => [`${batch}`, convolution(layer, batch)]),
    clock,
  );
}
