/** Plans chosen by measuring: the kernels of each call, and the order in which planes lie. */
import type { Build, Program } from "../core/compile/mod.ts";
import { zeros } from "../core/create.ts";
import { median } from "../core/median.ts";
import { randomState, setRandomState, synchronize } from "../core/runtime.ts";
import { scope } from "../core/scope.ts";
import type { Meta } from "../wgsl/op.ts";

/** Runs of each plan of which the median counts. */
const RUNS = 5;

/**
 * What was built, with the kernels that are the fastest on its real shapes. Where its planes lie channel by channel, it is measured against the same with planes
 * image by image, which `plain` builds, and the faster one is kept. Takes its program over.
 */
export async function tuned<Result>(
  made: Build<Result>,
  metas: readonly Meta[],
  plain: () => Build<Result>,
): Promise<Build<Result>> {
  const moved = await withBestKernels(made);
  if (moved.program.calls.every(({ order }) => order === undefined)) {
    return moved;
  }
  const other = await withBestKernels(plain());
  const [a, b] = await timesOf([moved.program, other.program], metas);
  const [best, worse] = a <= b ? [moved, other] : [other, moved];
  worse.program.dispose();
  return best;
}

async function withBestKernels<Result>(
  made: Build<Result>,
): Promise<Build<Result>> {
  const { program } = made;
  try {
    await program.tune();
    return { ...made, program: program.again() };
  } finally {
    program.dispose();
  }
}

/** Median times of programs that take turns, in ms. */
async function timesOf(
  programs: readonly Program[],
  metas: readonly Meta[],
): Promise<number[]> {
  using _ = scope();
  const random = randomState();
  const inputs = metas.map(({ shape, dtype }) => zeros(shape, { dtype }));
  const times = programs.map((): number[] => []);
  // The first runs compile kernels.
  for (let run = -1; run < RUNS; run++) {
    for (const [i, program] of programs.entries()) {
      const start = performance.now();
      for (const y of program.run(inputs)) y.dispose();
      await synchronize();
      if (run >= 0) times[i].push(performance.now() - start);
    }
  }
  setRandomState(random);
  return times.map(median);
}
