/** The launches of a body, as they come, on the device that has them. */
import type { GpuBackend } from "../../core/gpu/backend.ts";
import type { PreparedLaunch } from "../../core/gpu/plans.ts";
import { currentGpu } from "../../core/runtime.ts";
import { type Body, run } from "./body.ts";

/** The GPU in use. `what` couldn't be done without one. */
export function gpuFor(what: string): GpuBackend {
  const gpu = currentGpu();
  if (gpu) return gpu;
  throw new Error(
    `Cannot ${what}: the CPU device runs float64 references and no kernels, await init() opens the GPU`,
  );
}

/** Runs a body once. Resolves to what it launched. */
export async function launchesOf(
  gpu: GpuBackend,
  body: Body,
): Promise<PreparedLaunch[]> {
  const { workbench } = gpu;
  const launches: PreparedLaunch[] = [];
  workbench.observe({
    before: (launch) => {
      launches.push(launch);
    },
  });
  try {
    await run(body);
  } finally {
    workbench.observe(undefined);
  }
  return launches;
}

/** Launches of one call of an op. */
export type CallLaunches = readonly [PreparedLaunch, ...PreparedLaunch[]];

/** The calls that launches are part of, in their order. */
export function callsOf(launches: readonly PreparedLaunch[]): CallLaunches[] {
  const calls: [PreparedLaunch, ...PreparedLaunch[]][] = [];
  for (const launch of launches) {
    const last = calls.at(-1)?.at(-1);
    // A sequence that is run again gives the same calls, one after another.
    const goesOn = last?.call === launch.call && launch.step > last.step;
    if (goesOn) calls.at(-1)!.push(launch);
    else calls.push([launch]);
  }
  return calls;
}
