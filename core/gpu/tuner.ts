/** Measuring the variants of calls on the device in use. */
import type { AnyOp, HostData, Meta, Variant, View } from "../../wgsl/op.ts";
import { sizeOf } from "../../wgsl/shape.ts";
import type { Block, Operand } from "../backend.ts";
import { emptyData } from "../host.ts";
import { median } from "../median.ts";
import { hoist } from "./hoist.ts";
import type { PipelineCache } from "./pipelines.ts";
import type { Call, PlanCache, PreparedPlan } from "./plans.ts";
import type { LaunchObserver } from "./profile.ts";
import { candidatesOf, kernelsOf, shapeClass, type Tuning } from "./tuning.ts";

/** The parts of a backend, as far as measuring needs them. */
export interface Workbench {
  readonly device: GPUDevice;
  readonly plans: PlanCache;
  readonly pipelines: PipelineCache;
  readonly tuning: Tuning;
  /** Sets who sees the launches. */
  observe(observer: LaunchObserver | undefined): void;
  allocate(meta: Meta): Block;
  upload(meta: Meta, data: HostData): Block;
  release(block: Block): void;
  record(
    op: AnyOp,
    plan: PreparedPlan,
    inputs: readonly Operand[],
    outputs: readonly Operand[],
  ): void;
  synchronize(): Promise<void>;
  /** Submits what has been recorded. */
  submit(): void;
  /** Runs `body` unseen. */
  quietly(body: () => void): void;
  /** Gives pooled memory back. */
  trim(): void;
}

/** The variants of one call, measured. */
export interface TuneResult {
  /** The op and the sizes that the choice holds for. */
  readonly shapeClass: string;
  /** Median time of one call by variant, fastest first. */
  readonly ms: readonly (readonly [variant: string, ms: number])[];
  /** The variant that ran before. */
  readonly before: string;
}

/** Rounds in which every variant is measured once, so that a slow moment of the machine meets all of them. */
const ROUNDS = 5;

/** Time that a variant's calls in one round take at least. */
const ROUND_MS = 4;

/** Most calls of a variant in one round. */
const MOST_CALLS = 64;

/** How many times slower than the fastest a variant may be at first to be measured in rounds. */
const CONTENDER = 8;

/** How much faster than what ran before a variant must be to replace it. */
const MARGIN = 0.95;

/** Measures each call's variants and sets the tuning's choices. Calls of a shape class that was seen already, or with one variant, are passed over. */
export async function measureCalls(
  bench: Workbench,
  calls: readonly Call<unknown>[],
  onMeasured: (result: TuneResult) => void = () => {},
): Promise<TuneResult[]> {
  const results: TuneResult[] = [];
  const seen = new Set<string>();
  for (const call of calls) {
    const { op } = call;
    const request = bench.plans.requestOf(call);
    const candidates = candidatesOf(op, request);
    const name = shapeClass(op, request, call.constant);
    if (op.inPlace || candidates.length < 2 || seen.has(name)) continue;
    seen.add(name);
    const before = bench.tuning.choose(op, request, call.constant)!.name;
    const ms = await measureVariants(bench, call, candidates);
    const old = ms.find(([variant]) => variant === before)?.[1] ?? Infinity;
    const [fastest, least] = ms[0];
    const keeps = least > old * MARGIN;
    bench.tuning.choices.set(name, {
      variant: keeps ? before : fastest,
      kernels: kernelsOf(candidates, request),
      ms: keeps ? old : least,
    });
    const result = { shapeClass: name, ms, before };
    results.push(result);
    onMeasured(result);
  }
  return results;
}

/** Median milliseconds of one call by variant, fastest first, on made-up values. `before` is called before each run, and may throw. */
export async function measureVariants(
  bench: Workbench,
  call: Call<unknown>,
  candidates: readonly Variant<unknown>[],
  before: () => void = () => {},
): Promise<[string, number][]> {
  const { inputs, outputs, release } = madeUpCall(bench, call);
  const run = async (plan: PreparedPlan, times: number): Promise<number> => {
    before();
    const start = performance.now();
    for (let i = 0; i < times; i++) {
      bench.record(call.op, plan, inputs, outputs);
    }
    await bench.synchronize();
    return (performance.now() - start) / times;
  };
  try {
    const runs = [];
    for (const variant of candidates) {
      const plan = repeated(bench.plans.prepare(call, variant), call);
      await run(plan, 1); // compiles
      // The better of two, as one slow moment would take a variant out.
      const once = Math.min(await run(plan, 1), await run(plan, 1));
      const times = Math.ceil(ROUND_MS / Math.max(once, ROUND_MS / MOST_CALLS));
      runs.push({ name: variant.name, plan, times, ms: [once] });
    }
    const least = Math.min(...runs.map(({ ms: [once] }) => once));
    const contenders = runs.filter(({ ms: [once] }) =>
      once <= CONTENDER * least
    );
    for (let round = 0; round < ROUNDS; round++) {
      for (const { plan, times, ms } of contenders) {
        ms.push(await run(plan, times));
      }
    }
    return runs
      .map(({ name, ms }): [string, number] => [name, median(ms)])
      .sort(([, a], [, b]) => a - b);
  } finally {
    release();
  }
}

/** A plan without what a prepared sequence launches once. What that would have left in scratch memory doesn't matter for the time. */
function repeated(
  plan: PreparedPlan,
  { constant = [] }: Call<unknown>,
): PreparedPlan {
  const all = plan.launches.map(({ launch }) => launch);
  const parts = hoist({ launches: all, scratch: plan.scratch }, constant);
  const launches = plan.launches.filter(({ launch }) =>
    parts.launches.includes(launch)
  );
  return { ...plan, launches };
}

/** The operands of a call on made-up values. `release` gives their memory back. */
export function madeUpCall(
  bench: Workbench,
  { op: { inPlace }, inputs: views, outputs: results }: Call<unknown>,
): {
  readonly inputs: readonly Operand[];
  readonly outputs: readonly Operand[];
  release(): void;
} {
  const inputs = views.map((view) => madeUp(bench, view));
  const made = inPlace ? [] : results.map((view) => ({
    view,
    block: bench.allocate({ shape: [spanOf(view)], dtype: view.dtype }),
  }));
  return {
    inputs,
    outputs: inPlace?.map((i) => inputs[i]) ?? made,
    release() {
      for (const { block } of [...inputs, ...made]) bench.release(block);
    },
  };
}

/** An operand of made-up values: fractions for floats, zeros for integers, which may be indices. */
function madeUp(bench: Workbench, view: View): Operand {
  const size = spanOf(view);
  const data = emptyData(view.dtype, size);
  if (view.dtype === "f32" || view.dtype === "f16") {
    for (let i = 0; i < size; i++) data[i] = (i * 7919 % 1009) / 1009 - 0.5;
  }
  const meta = { shape: [size], dtype: view.dtype };
  return { view, block: bench.upload(meta, data) };
}

/** Elements from the start of a buffer to the end of a view of it. */
function spanOf({ shape, strides, offset }: View): number {
  if (sizeOf(shape) === 0) return 0;
  return shape.reduce((end, n, d) => end + (n - 1) * strides[d], offset + 1);
}
