/** What the adapter can do at best, measured: multiply-adds and bytes a second. */
import { f32, linearGrid, words } from "../../wgsl/launch.ts";
import type { Launch } from "../../wgsl/op.ts";
import { type Bench, median, type Prepared } from "../support.ts";
import arithmeticCode from "./arithmetic.wgsl" with { type: "text" };
import copyCode from "./copy.wgsl" with { type: "text" };

/** The two limits that every kernel stands under. */
export interface Peaks {
  /** Operations a second, a multiply-add being two. */
  readonly flops: number;
  /** Bytes a second, read and written. */
  readonly bytes: number;
}

const WORKGROUP = 64;

/** Loop trips of the arithmetic kernel, and multiply-adds in each. */
const TRIPS = 512;
const TRIP_MULTIPLY_ADDS = 64;

/** Invocations of the arithmetic kernel. */
const INVOCATIONS = 2 ** 15;

/** Floats that are copied: more than caches hold. */
const COPIED = 2 ** 24;

/** Operations of one run of the arithmetic kernel. */
const ARITHMETIC_FLOPS = TRIPS * TRIP_MULTIPLY_ADDS * 2 * INVOCATIONS;

const ROUNDS = 5;

/** Measures both. Each is the best of some rounds, since a limit is what nothing exceeds; of the copy kernel's two forms the faster counts. */
export async function measurePeaks(bench: Bench): Promise<Peaks> {
  const seconds = async (work: Promise<Prepared>) => bestSeconds(await work);
  const copies = [
    await seconds(prepareCopy(bench, "f32", 1)),
    await seconds(prepareCopy(bench, "vec4f", 4)),
  ];
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

function prepareArithmetic({ info, preparePlan }: Bench): Promise<Prepared> {
  const bytes = INVOCATIONS * 4;
  const launch: Launch = {
    kernel: { label: "bench/limits/arithmetic.wgsl", code: arithmeticCode },
    constants: { TRIPS },
    bindings: [
      { slot: "output", index: 0, access: "write", offset: 0, size: bytes },
    ],
    params: words(f32(0.999), f32(0.5)),
    workgroups: linearGrid(INVOCATIONS, WORKGROUP, info.limits),
    trips: TRIPS,
    flops: ARITHMETIC_FLOPS,
    bytes,
  };
  return preparePlan({ launches: [launch] }, { input: [], output: [bytes] });
}

function prepareCopy(
  { preparePlan }: Bench,
  element: string,
  floats: number,
): Promise<Prepared> {
  const size = COPIED * 4;
  const launch: Launch = {
    kernel: { label: "bench/limits/copy.wgsl", code: copyCode },
    declarations: `alias Element = ${element};`,
    bindings: [
      { slot: "input", index: 0, access: "read", offset: 0, size },
      { slot: "output", index: 0, access: "write", offset: 0, size },
    ],
    workgroups: [2 ** 10, COPIED / floats / WORKGROUP / 2 ** 10, 1],
    trips: 0,
    flops: 0,
    bytes: 2 * size,
  };
  return preparePlan({ launches: [launch] }, { input: [size], output: [size] });
}
