/**
 * Looking at launches as they are recorded, and timing them one by one.
 *
 * The command queue asks for an observer at each launch and does nothing where there is none. Whoever records launches, call by call or from a
 * prepared sequence, records them through the queue, so that all are seen.
 */
import type { Call, PreparedLaunch, PreparedPlan } from "./plans.ts";
import type { Workbench } from "./tuner.ts";

/** Sees the launches of a queue. */
export interface LaunchObserver {
  /** Before the launches of a call. Those of a prepared sequence come without. */
  called?(call: Call<unknown>, plan: PreparedPlan): void;
  /** Before a launch is recorded. Where it returns timestamps to write, the launch gets a pass of its own with them. */
  before?(
    launch: PreparedLaunch,
  ): GPUComputePassTimestampWrites | undefined | void;
  /** After it is recorded. `wait` submits it and returns when the GPU is done. */
  after?(launch: PreparedLaunch, wait: () => void): void;
}

/** A launch that was timed. `Tag` is what the caller knew of the moment. */
export interface TimedLaunch<Tag> extends PreparedLaunch {
  readonly tag: Tag;
  readonly ms: number;
}

/** How launches were timed: by the GPU's own clock, or by waiting for each. */
export type Clock = "gpu" | "wall";

/** Launches whose timestamps one set holds. WebGPU allows 4,096 queries a set. */
const SET_LAUNCHES = 2048;

/** Timestamps around launches. */
class Stamps {
  readonly #device: GPUDevice;
  readonly #sets: GPUQuerySet[] = [];
  #count = 0;

  constructor(device: GPUDevice) {
    this.#device = device;
  }

  /** Room for the next launch's two. */
  next(): GPUComputePassTimestampWrites {
    const at = this.#count++ % SET_LAUNCHES;
    if (at === 0) {
      this.#sets.push(
        this.#device.createQuerySet({
          type: "timestamp",
          count: 2 * SET_LAUNCHES,
        }),
      );
    }
    return {
      querySet: this.#sets.at(-1)!,
      beginningOfPassWriteIndex: 2 * at,
      endOfPassWriteIndex: 2 * at + 1,
    };
  }

  /** Milliseconds of each launch, once all of them are submitted. */
  async read(): Promise<number[]> {
    const ms: number[] = [];
    for (const [s, set] of this.#sets.entries()) {
      const launches = Math.min(this.#count - s * SET_LAUNCHES, SET_LAUNCHES);
      const stamps = await readStamps(this.#device, set, 2 * launches);
      for (let i = 0; i < launches; i++) {
        // Stamps may run backwards where a driver sets its clock.
        const ticks = stamps[2 * i + 1] - stamps[2 * i];
        ms.push(Math.max(0, Number(ticks)) / 1e6);
      }
    }
    return ms;
  }

  destroy(): void {
    for (const set of this.#sets) set.destroy();
  }
}

async function readStamps(
  device: GPUDevice,
  set: GPUQuerySet,
  count: number,
): Promise<BigInt64Array> {
  const size = 8 * count;
  const resolved = device.createBuffer({
    size,
    usage: GPUBufferUsage.QUERY_RESOLVE | GPUBufferUsage.COPY_SRC,
  });
  const staging = device.createBuffer({
    size,
    usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST,
  });
  try {
    const encoder = device.createCommandEncoder();
    encoder.resolveQuerySet(set, 0, count, resolved, 0);
    encoder.copyBufferToBuffer(resolved, 0, staging, 0, size);
    device.queue.submit([encoder.finish()]);
    await staging.mapAsync(GPUMapMode.READ);
    return new BigInt64Array(staging.getMappedRange().slice(0));
  } finally {
    staging.destroy();
    resolved.destroy();
  }
}

/** Times each launch of `body`. Resolves to them in their order. */
export async function timeLaunches<Tag>(
  { device, observe, submit, synchronize }: Workbench,
  clock: Clock,
  body: () => unknown,
  tag: (launch: PreparedLaunch) => Tag,
): Promise<TimedLaunch<Tag>[]> {
  await synchronize();
  const seen: { launch: PreparedLaunch; tag: Tag; ms: number }[] = [];
  const stamps = new Stamps(device);
  let start = 0;
  observe({
    before(launch) {
      seen.push({ launch, tag: tag(launch), ms: 0 });
      if (clock === "gpu") return stamps.next();
      start = performance.now();
    },
    after(_launch, wait) {
      if (clock === "gpu") return;
      wait();
      seen.at(-1)!.ms = performance.now() - start;
    },
  });
  try {
    try {
      await body();
    } finally {
      observe(undefined);
      // Before the queries are destroyed, whatever happens.
      submit();
    }
    await synchronize();
    if (clock === "gpu") {
      const ms = await stamps.read();
      ms.forEach((value, i) => seen[i].ms = value);
    }
  } finally {
    stamps.destroy();
  }
  return seen.map(({ launch, ...rest }) => ({ ...launch, ...rest }));
}
