/** `.timeit`: how long something takes, by many runs of it. */
import { deviation, median } from "../../core/median.ts";
import { currentGpu, synchronize } from "../../core/runtime.ts";
import { Report } from "../../nn/term/drawing.ts";
import { humanTime, withPrefix } from "../../nn/term/units.ts";
import { type Body, breathe, run } from "./body.ts";

/** Time for all samples, and how many there are at least. */
const BUDGET_MS = 1000;
const LEAST_SAMPLES = 5;

/** What a sample takes where a run is short: the wait at its end must not count. */
const SAMPLE_MS = 50;

/** Most runs of a sample. */
const MOST_RUNS = 100_000;

/** Times of runs. */
export class Timing extends Report {
  constructor(
    /** Milliseconds of one run, by sample. */
    readonly samples: readonly number[],
    readonly runsPerSample: number,
    /** Floating-point operations that one run launches; 0 where that isn't known. */
    readonly flops: number,
  ) {
    super();
  }

  /** Milliseconds of one run: the median of the samples. */
  get ms(): number {
    return median(this.samples);
  }

  /** How far samples lie from the median: the median of the distances. */
  get deviation(): number {
    return deviation(this.samples);
  }

  /** All runs that were timed. */
  get runs(): number {
    return this.samples.length * this.runsPerSample;
  }

  override rows(): string[] {
    const { ms, samples: { length }, runsPerSample, flops } = this;
    const rate = flops > 0
      ? `, ${withPrefix(1000 * flops / ms, "FLOP/s")}`
      : "";
    const runs = runsPerSample === 1 ? "1 run" : `${runsPerSample} runs`;
    return [
      `${humanTime(ms)} ± ${
        humanTime(this.deviation)
      } a run (median ± MAD of ${length} samples of ${runs}${rate})`,
    ];
  }
}

/** Options of {@linkcode timeit}. */
export interface TimeitOptions {
  /** Time that all samples together may take, in milliseconds. There are five at least. @default 1000 */
  readonly budget?: number;
}

/** Times a body: it runs twice to warm up, then as often as the budget allows. Each sample of runs ends with a wait for the device. */
export async function timeBody(
  body: Body,
  { budget = BUDGET_MS }: TimeitOptions = {},
): Promise<Timing> {
  if (!(budget > 0)) {
    throw new RangeError(
      `Cannot time within ${budget} ms: expected a budget above 0`,
    );
  }
  const sample = async (runs: number): Promise<number> => {
    const start = performance.now();
    for (let i = 0; i < runs; i++) {
      const running = run(body);
      if (running) await running;
    }
    await synchronize();
    return (performance.now() - start) / runs;
  };
  await synchronize();
  await sample(1); // compiles
  let once = 0;
  const flops = await countFlops(async () => once = await sample(1));
  const target = Math.min(SAMPLE_MS, budget / LEAST_SAMPLES);
  const fitting = (ms: number) =>
    Math.min(Math.max(1, Math.round(target / Math.max(ms, 1e-5))), MOST_RUNS);
  // One run says little of a short body: the number grows with what is known.
  let runs = 1;
  for (let more = fitting(once); more > 2 * runs; more = fitting(once)) {
    runs = Math.min(more, 100 * runs);
    once = Math.min(once, await sample(runs));
  }
  const samples: number[] = [];
  const start = performance.now();
  while (
    samples.length < LEAST_SAMPLES ||
    performance.now() - start < budget - runs * samples.at(-1)!
  ) {
    await breathe();
    samples.push(await sample(runs));
  }
  return new Timing(samples, runs, flops);
}

/** Operations that a body launches. */
async function countFlops(body: () => Promise<unknown>): Promise<number> {
  const gpu = currentGpu();
  let flops = 0;
  gpu?.workbench.observe({
    before: ({ launch }) => {
      flops += launch.flops;
    },
  });
  try {
    await body();
  } finally {
    gpu?.workbench.observe(undefined);
  }
  return flops;
}
