/** What an adapter can do at best, and which clock to trust there, measured once a device. */
import type { AnyOp } from "../../wgsl/op.ts";
import {
  type ArithmeticAttrs,
  arithmeticPeak,
  copyRate,
} from "../../wgsl/limits/limits.ts";
import { contiguousView } from "../../wgsl/shape.ts";
import { median } from "../median.ts";
import type { Call, PreparedPlan } from "./plans.ts";
import { type Clock, timeLaunches } from "./profile.ts";
import type { Workbench } from "./tuner.ts";

/** The two limits that every kernel stands under. */
export interface Peaks {
  /** Operations a second, a multiply-add being two. */
  readonly flops: number;
  /** Bytes a second, read and written. */
  readonly bytes: number;
}

/** Work of some 20 ms on a CPU and below 1 ms on a GPU. */
const ARITHMETIC: ArithmeticAttrs = { elements: 2 ** 14, trips: 512 };

/** The same in a tenth of the time, for the clocks. */
const SHORT: ArithmeticAttrs = { elements: 2 ** 14, trips: 48 };

/** Floats that are copied: more than caches hold. */
const COPIED = 2 ** 24;

const ROUNDS = 3;

/** Runs in a round, which share what a submission costs. */
const RUNS = 2;

const peaks = new WeakMap<GPUDevice, Promise<Peaks>>();
const clocks = new WeakMap<GPUDevice, Promise<Clock>>();

/** The arithmetic peak and the copy rate of a device, measured at the first call. */
export function peaksOf(bench: Workbench): Promise<Peaks> {
  return remember(peaks, bench, measurePeaks);
}

/** The GPU's clock where it is offered and agrees with the wall's: some software drivers stamp when commands are recorded. */
export function clockOf(bench: Workbench): Promise<Clock> {
  return remember(clocks, bench, chooseClock);
}

function remember<T>(
  known: WeakMap<GPUDevice, Promise<T>>,
  bench: Workbench,
  measure: (bench: Workbench) => Promise<T>,
): Promise<T> {
  const { device } = bench;
  let value = known.get(device);
  if (!value) {
    value = measure(bench);
    known.set(device, value);
    value.catch(() => known.delete(device));
  }
  return value;
}

async function measurePeaks(bench: Workbench): Promise<Peaks> {
  const flops = await rate(bench, callOf(arithmeticPeak, ARITHMETIC), 0);
  const copy = callOf(copyRate, {}, COPIED);
  const bytes = Math.max(
    await rate(bench, copy, 0),
    await rate(bench, copy, 1),
  );
  bench.trim();
  return { flops, bytes };
}

/** Operations a second of one variant, or bytes where it has none: the best of some rounds, since a limit is what nothing exceeds. */
function rate(
  bench: Workbench,
  call: Call<unknown>,
  variant: number,
): Promise<number> {
  return prepared(bench, call, variant, async (run, plan) => {
    const [{ launch: { flops, bytes } }] = plan.launches;
    let least = Infinity;
    for (let round = 0; round < ROUNDS; round++) {
      const start = performance.now();
      for (let i = 0; i < RUNS; i++) run();
      await bench.synchronize();
      least = Math.min(least, (performance.now() - start) / RUNS);
    }
    return 1000 * (flops || bytes) / least;
  });
}

function chooseClock(bench: Workbench): Promise<Clock> {
  const offered = bench.device.features.has("timestamp-query");
  if (!offered) return Promise.resolve("wall");
  return prepared(bench, callOf(arithmeticPeak, SHORT), 0, async (run) => {
    const ratios: number[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      const [gpu] = await timeLaunches(bench, "gpu", run, () => {});
      const [wall] = await timeLaunches(bench, "wall", run, () => {});
      ratios.push(gpu.ms / wall.ms);
    }
    const ratio = median(ratios);
    // Short work takes some more of the wall's time than of the GPU's.
    return ratio > 0.3 && ratio < 1.3 ? "gpu" : "wall";
  });
}

/** Hands `use` what runs a call, which has run once already: software drivers compile at the first dispatch. */
async function prepared<T>(
  bench: Workbench,
  call: Call<unknown>,
  variant: number,
  use: (run: () => void, plan: PreparedPlan) => Promise<T>,
): Promise<T> {
  const { op, inputs, outputs } = call;
  const plan = bench.plans.prepare(call, op.variants[variant]);
  const place = (view: Call<unknown>["inputs"][number]) => ({
    view,
    block: bench.allocate(view),
  });
  const reads = inputs.map(place);
  const writes = outputs.map(place);
  const run = () => bench.record(op, plan, reads, writes);
  try {
    run();
    await bench.synchronize();
    return await use(run, plan);
  } finally {
    for (const { block } of [...reads, ...writes]) bench.release(block);
  }
}

function callOf(
  op: AnyOp,
  attrs: unknown,
  ...inputSizes: readonly number[]
): Call<unknown> {
  const inputs = inputSizes.map((n) =>
    contiguousView({ shape: [n], dtype: "f32" })
  );
  return {
    op,
    inputs,
    outputs: op.infer(inputs, attrs).map(contiguousView),
    attrs,
  };
}
