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
  Prepared,
  PreparedCall,
  PreparedInfo,
  PreparedOperand,
} from "../backend.ts";
import { LaunchError } from "../errors.ts";
import type { BoundLaunch, CommandQueue } from "./batch.ts";
import { hoist, type Hoisted } from "./hoist.ts";
import type { Call, PreparedPlan } from "./plans.ts";
import type { GpuBlock } from "./pool.ts";

/** Uniform bindings start at multiples of this on every adapter. */
const ALIGN = 256;

/** Bind groups that a launch keeps, for blocks that take turns. */
const GROUPS = 16;

/** What a sequence needs of its backend. */
export interface ReplayHost {
  readonly device: GPUDevice;
  readonly queue: CommandQueue;
  /** The variant to run and what it launches. */
  plan(call: Call<unknown>): {
    readonly variant: string;
    readonly plan: PreparedPlan;
  };
  requireAlive(): void;
}

/** A call and its plan. */
interface Step {
  readonly call: PreparedCall;
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
  readonly #mirror: Uint32Array<ArrayBuffer>;
  #stale: { first: number; end: number } | undefined;
  /** Blocks of the last run, by which it is told what has to be bound anew. */
  #blocks: readonly Block[] = [];
  #scratch: readonly GpuBlock[] = [];
  #kept: readonly GpuBlock[] = [];
  #temporary: readonly GpuBlock[] = [];

  constructor(host: ReplayHost, calls: readonly PreparedCall[]) {
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
        call,
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
    this.#mirror = new Uint32Array(Math.max(end, ALIGN) / 4);
    this.#params = host.device.createBuffer({
      label: "params of a plan",
      size: this.#mirror.byteLength,
      usage: GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST,
    });
    for (const { prepared, params } of [...this.#once, ...this.#launches]) {
      if (params) this.#setParams(params.offset, prepared.launch.params!);
    }
  }

  get info(): readonly PreparedInfo[] {
    return this.#steps.map(({ variant, parts }) => ({
      variant,
      launches: parts.launches,
      once: parts.once,
    }));
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

  update(index: number, attrs: unknown): void {
    const { call, parts, launches } = this.#steps[index];
    const { op } = call;
    const { plan } = this.#host.plan(callOf({ ...call, attrs }));
    const same = parts.once.length === 0 &&
      plan.launches.length === launches.length &&
      plan.launches.every(({ launch }, i) =>
        alike(launch, launches[i].prepared.launch)
      );
    if (!same) {
      throw new LaunchError(
        `Cannot run ${op.name} again: other attributes need other launches, compile it anew`,
        [op.name],
      );
    }
    plan.launches.forEach(({ launch: { params } }, i) => {
      const place = launches[i].params;
      if (params && place) this.#setParams(place.offset, params);
    });
  }

  runOnce(blocks: readonly Block[]): void {
    this.#host.requireAlive();
    this.#upload();
    this.#queue(this.#once, blocks as readonly GpuBlock[], () => true);
  }

  run(blocks: readonly Block[]): void {
    this.#host.requireAlive();
    this.#upload();
    const before = this.#blocks;
    // What failed in an earlier run is written anew.
    for (const block of this.#temporary) block.writer = undefined;
    this.#queue(
      this.#launches,
      blocks as readonly GpuBlock[],
      (index) => blocks[index] !== before[index],
    );
    this.#blocks = [...blocks];
  }

  destroy(): void {
    // What was submitted keeps the buffer for as long as it needs it.
    this.#params.destroy();
  }

  #queue(
    launches: readonly Replayed[],
    blocks: readonly GpuBlock[],
    changed: (index: number) => boolean,
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
    this.#host.queue.replay(launches, [...reads], [...writes]);
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

  #setParams(offset: number, params: Uint32Array): void {
    this.#mirror.set(params, offset / 4);
    const { first = offset, end = offset } = this.#stale ?? {};
    this.#stale = {
      first: Math.min(first, offset),
      end: Math.max(end, offset + params.byteLength),
    };
  }

  #upload(): void {
    if (!this.#stale) return;
    const { first, end } = this.#stale;
    this.#host.device.queue.writeBuffer(
      this.#params,
      first,
      this.#mirror,
      first / 4,
      (end - first) / 4,
    );
    this.#stale = undefined;
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

/** Whether two launches differ in their parameters alone. */
function alike(a: Launch, b: Launch): boolean {
  return a.kernel === b.kernel && a.declarations === b.declarations &&
    a.params?.length === b.params?.length &&
    `${a.workgroups}` === `${b.workgroups}` &&
    JSON.stringify(a.constants) === JSON.stringify(b.constants);
}
