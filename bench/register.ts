/**
 * Turns a family's calls into `deno bench` groups: one group a call, one line a variant, the library's default as the baseline.
 *
 * An iteration is one submission and a wait until the GPU is done, so that tiny layers show what a submission costs; `deno task bench:report` times
 * many runs a submission.
 */
import type { DeviceInfo } from "../core/backend.ts";
import { itemBytes, sizeOf } from "../wgsl/shape.ts";
import { withPrefix } from "../nn/term/units.ts";
import { casesOf, type Family } from "./families.ts";
import { type Case, openBench, type Prepared } from "./support.ts";

/** Above this the naive kernel would take seconds on a software adapter, and so would kernels with barriers. */
const SLOW_FLOPS = 2e8;

/** Iterations of each bench. */
const ITERATIONS = 10;

/** The variants of a case that are worth their time on an adapter. */
export function timedVariants(
  variants: readonly string[],
  { flops }: Case,
  { software }: DeviceInfo,
): string[] {
  if (flops <= SLOW_FLOPS) return [...variants];
  return variants.filter((name) =>
    name !== "naive" && !(software && name.endsWith("workgroup"))
  );
}

/** Whether an adapter has buffers for a case. VGG-16's fc6 has 392 MiB of weights. */
export function fits({ inputs }: Case, { limits }: DeviceInfo): boolean {
  return inputs.every(({ shape, dtype }) =>
    sizeOf(shape) * itemBytes(dtype) <= limits.maxBufferSize
  );
}

/** Registers all variants of all calls of a family. */
export async function registerFamily(family: Family): Promise<void> {
  const bench = await openBench();
  // One call's buffers at a time.
  let current: { readonly key: string; readonly work: Prepared } | undefined;
  const workFor = async (given: Case, variant: string): Promise<Prepared> => {
    const key = `${given.name}|${variant}`;
    if (current?.key !== key) {
      current?.work.destroy();
      current = { key, work: await bench.prepare(given, variant) };
    }
    return current.work;
  };
  for (const given of casesOf(family)) {
    if (!fits(given, bench.info)) continue;
    const group = `${given.name}, ${withPrefix(given.flops, "FLOP")}`;
    const variants = timedVariants(bench.variantsOf(given), given, bench.info);
    for (const variant of variants) {
      Deno.bench(`${group} · ${variant}`, {
        group,
        baseline: variant === variants[0],
        n: ITERATIONS,
        warmup: 1,
      }, async (timer) => {
        const work = await workFor(given, variant);
        timer.start();
        work.run(1);
        timer.end();
      });
    }
  }
}
