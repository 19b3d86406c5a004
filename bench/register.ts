/**
 * Turns a family's calls into `deno bench` groups: one group a call, one line a variant, the library's default as the baseline.
 *
 * An iteration is one submission and a wait until the GPU is done, so that tiny layers show what a submission costs; `deno task bench:report` times
 * many runs a submission.
 */
import { casesOf, type Family, withPrefix } from "./families.ts";
import { type Case, openBench, type Prepared } from "./support.ts";

/** Above this the naive kernel would take seconds on a software adapter. */
const NAIVE_FLOPS = 2e8;

/** Iterations of each bench. */
const ITERATIONS = 10;

/** The variants of a case that are worth their time. */
export function timedVariants(
  variants: readonly string[],
  { flops }: Case,
): string[] {
  return variants.filter((name) => name !== "naive" || flops <= NAIVE_FLOPS);
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
    const group = `${given.name}, ${withPrefix(given.flops, "FLOP")}`;
    const variants = timedVariants(bench.variantsOf(given), given);
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
