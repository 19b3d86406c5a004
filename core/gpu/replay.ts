/**
 * A sequence of calls, prepared: plans, parameters and bind groups are made once, and a run is a loop over launches.
 *
 * A run is given its blocks anew. Bind groups are kept for the blocks that they were made of, so that only a launch whose memory changed (the caller's
 * input, the result, a weight that was replaced) looks for another.
 */
import type { Launch, View } from "../../wgsl/op.ts";
import { isStrided } from "../../wgsl/op.ts";
import { contiguousView, itemBytes } from "../../wgsl/shape.ts";
import type {
  Block,
  Course,
  Moment,
  Prepared,
  PreparedCall,
  PreparedInfo,
  PreparedOperand,
} from "../backend.ts";
import type { BoundLaunch } from "./batch.ts";
import { Clock, type ClockHost } from "./clock.ts";
import { hoist, type Hoisted } from "./hoist.ts";
import type { Call, PreparedPlan } from "./plans.ts";
import type { GpuBlock } from "./pool.ts";

/** Uniform bindings start at multiples of this on every adapter. */
const ALIGN = 256;

/** Bind groups that a launch keeps, for blocks that take turns. */
const GROUPS = 16;

/** What a sequence needs of its backend. */
export interface ReplayHost extends ClockHost {
  /** The variant to run and what it launches. */
  plan(call: Call<unknown>): {
    readonly variant: string;
    readonly plan: PreparedPlan;
  };
  requireAlive(): void;
}

/** A call and its plan. */
interface Step {
  readonly variant: string;
  readonly parts: Hoisted;
  readonly once: readonly Replayed[];
  readonly launches: readonly Replayed[];
}

/** A launch that is run again and again. */
interface Replayed extends BoundLaunch {
  readonly bound: readonly Bound[];
  /** Where its parameters stand in the sequence's own buffer. */
  readonly params:
    | { readonly offset: number; readonly size: number }
    | undefined;
  readonly groups: Map<string, GPUBindGroup>;
}

/** A window of a block: of the run's list, or of memory that the sequence was provided with. */
interface Bound {
  readonly of: "run" | "scratch" | "kept";
  readonly index: number;
  readonly offset: number;
  readonly size: number;
  readonly access: "read" | "write";
}

/** A sequence on a GPU. */
export class Replay implements Prepared {
  readonly scratch: readonly (readonly number[])[];
  readonly kept: readonly number[];
  readonly #host: ReplayHost;
  readonly #steps: readonly Step[];
  readonly #once: readonly Replayed[];
  readonly #launches: readonly Replayed[];
  readonly #params: GPUBuffer;
  /** Where something changes from run to run. */
  readonly #clock: Clock | undefined;
  /** Blocks of the last run, by which it is told what has to be bound anew. */
  #blocks: readonly Block[] = [];
  #scratch: readonly GpuBlock[] = [];
  #kept: readonly GpuBlock[] = [];
  #temporary: readonly GpuBlock[] = [];

  constructor(
    host: ReplayHost,
    calls: readonly PreparedCall[],
    course?: Course,
  ) {
    this.#host = host;
    const kept: number[] = [];
    const scratch: number[][] = [];
    let end = 0;
    let temporary = 0;
    this.#steps = calls.map((call): Step => {
      const { variant, plan } = host.plan(callOf(call));
      const prepared = new Map(plan.launches.map((one) => [one.launch, one]));
      const parts = hoist(
        { launches: [...prepared.keys()], scratch: plan.scratch },
        call.inputs.map((x) => x.constant ?? false),
      );
      const places = plan.scratch.map((bytes, i) =>
        parts.kept.has(i)
          ? { of: "kept", index: kept.push(bytes) - 1 } as const
          : { of: "scratch", index: temporary++ } as const
      );
      scratch.push(plan.scratch.filter((_, i) => !parts.kept.has(i)));
      const replayed = (launch: Launch): Replayed => {
        const size = launch.params?.byteLength ?? 0;
        const params = launch.params && { offset: end, size };
        end += Math.ceil(size / ALIGN) * ALIGN;
        return {
          prepared: prepared.get(launch)!,
          bindGroup: undefined,
          bound: boundBy(launch, call, places),
          params,
          groups: new Map(),
        };
      };
      return {
        variant,
        parts,
        once: parts.once.map(replayed),
        launches: parts.launches.map(replayed),
      };
    });
    this.scratch = scratch;
    this.kept = kept;
    this.#once = this.#steps.flatMap(({ once }) => once);
    this.#launches = this.#steps.flatMap(({ launches }) => launches);
    const words = new Uint32Array(Math.max(end, ALIGN) / 4);
    for (const { prepared, params } of [...this.#once, ...this.#launches]) {
      if (params) words.set(prepared.launch.params!, params.offset / 4);
    }
    this.#params = host.device.createBuffer({
      label: "params of a plan",
      size: words.byteLength,
      usage: GPUBufferUsage.UNIFORM | GPUBufferUsage.STORAGE |
        GPUBufferUsage.COPY_DST,
    });
    host.device.queue.writeBuffer(this.#params, 0, words);
    this.#clock = course && Clock.of(host, {
      calls,
      params: this.#steps.map(({ launches }) => launches.flatMap(placedParams)),
      buffer: this.#params,
      course,
    });
  }

  get info(): readonly PreparedInfo[] {
    return this.#steps.map(({ variant, parts }) => ({
      variant,
      launches: parts.launches,
      once: parts.once,
    }));
  }

  get advance(): Launch | undefined {
    return this.#clock?.launch.prepared.launch;
  }

  provide(
    scratch: readonly (readonly Block[])[],
    kept: readonly Block[],
    temporary: readonly Block[],
  ): void {
    this.#scratch = scratch.flat() as GpuBlock[];
    this.#kept = kept as GpuBlock[];
    this.#temporary = [...this.#scratch, ...temporary as GpuBlock[]];
  }

  runOnce(blocks: readonly Block[]): void {
    this.#host.requireAlive();
    this.#queue(this.#once, blocks as readonly GpuBlock[], () => true);
  }

  run(blocks: readonly Block[], moment?: Moment): void {
    this.#host.requireAlive();
    const clock = moment && this.#clock;
    if (moment) clock?.set(moment);
    const before = this.#blocks;
    // What failed in an earlier run is written anew.
    for (const block of this.#temporary) block.writer = undefined;
    // Also where it can't be recorded: by then all is bound.
    this.#blocks = [...blocks];
    this.#queue(
      this.#launches,
      blocks as readonly GpuBlock[],
      (index) => blocks[index] !== before[index],
      clock,
    );
    clock?.moveOn();
  }

  destroy(): void {
    // What was submitted keeps the buffer for as long as it needs it.
    this.#params.destroy();
    this.#clock?.destroy();
  }

  #queue(
    launches: readonly Replayed[],
    blocks: readonly GpuBlock[],
    changed: (index: number) => boolean,
    clock?: Clock,
  ): void {
    const changes = new Set<number>();
    blocks.forEach((_, i) => changed(i) && changes.add(i));
    for (const launch of launches) {
      const rebind = launch.bindGroup === undefined ||
        launch.bound.some(({ of, index }) =>
          of === "run" && changes.has(index)
        );
      if (rebind) launch.bindGroup = this.#group(launch, blocks);
    }
    const reads = new Set<GpuBlock>();
    const writes = new Set<GpuBlock>();
    for (const { bound } of launches) {
      for (const { of, index, access } of bound) {
        const block = this.#blockOf(of, index, blocks);
        (access === "read" ? reads : writes).add(block);
      }
    }
    if (clock) writes.add(clock.block);
    const all = clock ? [clock.launch, ...launches] : launches;
    this.#host.queue.replay(all, [...reads], [...writes]);
  }

  #blockOf(
    of: Bound["of"],
    index: number,
    blocks: readonly GpuBlock[],
  ): GpuBlock {
    return of === "run"
      ? blocks[index]
      : of === "scratch"
      ? this.#scratch[index]
      : this.#kept[index];
  }

  #group(
    { bound, params, prepared: { pipeline }, groups }: Replayed,
    blocks: readonly GpuBlock[],
  ): GPUBindGroup {
    const windows = bound.map(({ of, index, offset, size }) => ({
      block: this.#blockOf(of, index, blocks),
      offset,
      size,
    }));
    const key = windows.map(({ block }) => block.id).join();
    const known = groups.get(key);
    if (known) return known;
    const resources: GPUBufferBinding[] = windows.map((
      { block: { buffer }, offset, size },
    ) => ({ buffer, offset, size }));
    if (params) {
      const at = pipeline.access.indexOf("u");
      resources.splice(at, 0, { buffer: this.#params, ...params });
    }
    const group = this.#host.device.createBindGroup({
      layout: pipeline.layout,
      entries: resources.map((resource, binding) => ({ binding, resource })),
    });
    if (groups.size >= GROUPS) groups.delete(groups.keys().next().value!);
    groups.set(key, group);
    return group;
  }
}

/** A call as plans see it: an op that doesn't look at offsets has contiguous operands that start at 0. */
export function callOf(
  { op, inputs, outputs, attrs }: PreparedCall,
): Call<unknown> {
  const view = ({ view }: PreparedOperand, strided: boolean): View =>
    strided ? view : contiguousView(view);
  return {
    op,
    inputs: inputs.map((x, i) => view(x, isStrided(op, i))),
    outputs: outputs.map((y) => view(y, op.strided === true)),
    attrs,
    constant: inputs.map(({ constant = false }) => constant),
  };
}

/** The windows that a launch binds. */
function boundBy(
  { bindings, appended = [] }: Launch,
  { op, inputs, outputs }: PreparedCall,
  scratch: readonly {
    readonly of: "scratch" | "kept";
    readonly index: number;
  }[],
): Bound[] {
  return [...bindings, ...appended].map(
    ({ slot, index, access, offset, size }) => {
      if (slot === "scratch") {
        return { ...scratch[index], offset, size, access };
      }
      const { view, block } = (slot === "input" ? inputs : outputs)[index];
      const strided = slot === "input"
        ? isStrided(op, index)
        : op.strided === true;
      // Where an op doesn't look at offsets itself, its windows are moved.
      const start = strided ? 0 : view.offset * itemBytes(view.dtype);
      return { of: "run", index: block, offset: start + offset, size, access };
    },
  );
}

/** A launch's params and their place, if it has some. */
function placedParams({ prepared, params }: Replayed) {
  return params
    ? [{ params: prepared.launch.params!, offset: params.offset }]
    : [];
}
