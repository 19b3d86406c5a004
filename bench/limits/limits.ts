/** What the adapter can do at best, measured: multiply-adds and bytes a second. */
import { median } from "../../core/median.ts";
import type { Peaks } from "../../core/gpu/peaks.ts";
import {
  type ArithmeticAttrs,
  arithmeticPeak,
  copyRate,
} from "../../wgsl/limits/limits.ts";
import { type Bench, type Case, dense, type Prepared } from "../support.ts";

export type { Peaks } from "../../core/gpu/peaks.ts";

const ARITHMETIC: ArithmeticAttrs = { elements: 2 ** 15, trips: 512 };

/** Floats that are copied: more than caches hold. */
const COPIED = 2 ** 24;

/** Operations of one run of the arithmetic kernel. */
const ARITHMETIC_FLOPS = 128 * ARITHMETIC.trips * ARITHMETIC.elements;

const ROUNDS = 5;

/** Measures both. Each is the best of some rounds, since a limit is what nothing exceeds; of the copy kernel's two forms the faster counts. */
export async function measurePeaks(bench: Bench): Promise<Peaks> {
  const seconds = async (work: Promise<Prepared>) => bestSeconds(await work);
  const copies: number[] = [];
  for (const { name } of copyRate.variants) {
    copies.push(await seconds(bench.prepare(COPY, name)));
  }
  return {
    flops: ARITHMETIC_FLOPS / await seconds(prepareArithmetic(bench)),
    bytes: 8 * COPIED / Math.min(...copies),
  };
}

/** Whether the GPU's own clock agrees with the wall: some software drivers stamp when commands are recorded. */
export async function hasSaneTimestamps(bench: Bench): Promise<boolean> {
  if (!bench.info.features.includes("timestamp-query")) return false;
  const work = await prepareArithmetic(bench);
  const times = 4;
  const ratios: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    ratios.push(await work.runOnGpuClock(times) / work.run(times));
  }
  work.destroy();
  const ratio = median(ratios);
  return ratio > 0.7 && ratio < 1.3;
}

function bestSeconds(work: Prepared): number {
  const rounds = Array.from({ length: ROUNDS }, () => work.run(2) / 2);
  work.destroy();
  return Math.min(...rounds) / 1000;
}

function prepareArithmetic(bench: Bench): Promise<Prepared> {
  const attrs = ARITHMETIC;
  return bench.prepare(caseOf(arithmeticPeak, [], attrs), "vec4");
}

const COPY = caseOf(copyRate, [dense(COPIED)], {});

function caseOf(
  op: Case["op"],
  inputs: Case["inputs"],
  attrs: unknown,
): Case {
  return { name: op.name, op, inputs, attrs, flops: 0, bytes: 0 };
}
