/** The WebGPU device: plans become recorded launches. */
import type {
  AnyOp,
  DType,
  HostData,
  Meta,
  Op,
  Slot,
  View,
} from "../../wgsl/op.ts";
import {
  contiguousView,
  isContiguous,
  itemBytes,
  sizeOf,
} from "../../wgsl/shape.ts";
import type {
  Backend,
  Block,
  Course,
  DeviceInfo,
  Operand,
  PoolStatus,
  Prepared,
  PreparedCall,
} from "../backend.ts";
import { isStrided } from "../../wgsl/op.ts";
import { DTypeError } from "../errors.ts";
import { emptyData } from "../host.ts";
import type { Opened } from "./adapter.ts";
import { CommandQueue } from "./batch.ts";
import { BindGroupCache } from "./bind_groups.ts";
import { PipelineCache } from "./pipelines.ts";
import {
  type Call,
  PlanCache,
  type PreparedLaunch,
  type PreparedPlan,
} from "./plans.ts";
import { BufferPool, type GpuBlock } from "./pool.ts";
import { Readback } from "./readback.ts";
import { callOf as preparedCall, Replay } from "./replay.ts";
import { checkPrepared, recordChecked } from "./swap.ts";
import { measureCalls, type TuneResult, type Workbench } from "./tuner.ts";
import { Tuning } from "./tuning.ts";
import { UniformArena } from "./uniforms.ts";
import { fromBytes, toBytes } from "./words.ts";

/** Unused bytes that the pool keeps. */
const POOL_CAP = 2 ** 30;

/** Storage-buffer windows start at multiples of this. */
const ALIGN = 256;

/** Where an operand's memory starts, in bytes. */
interface Place {
  readonly block: GpuBlock;
  readonly start: number;
}

/** Runs ops on a GPU device. */
export class GpuBackend implements Backend {
  readonly info: DeviceInfo;
  /** Which variants it runs. */
  readonly tuning: Tuning;
  readonly #device: GPUDevice;
  readonly #pool: BufferPool;
  readonly #uniforms: UniformArena;
  readonly #bindGroups: BindGroupCache;
  readonly #queue: CommandQueue;
  readonly #readback: Readback;
  readonly #plans: PlanCache;
  readonly #pipelines: PipelineCache;

  constructor({ device, info }: Opened) {
    this.info = info;
    this.#device = device;
    this.#pool = new BufferPool(device, info.limits, POOL_CAP);
    this.tuning = new Tuning(info);
    this.#pipelines = new PipelineCache(device);
    this.#plans = new PlanCache(info.limits, this.#pipelines, this.tuning);
    this.#uniforms = new UniformArena(device);
    this.#bindGroups = new BindGroupCache(device);
    const around = {
      before: () => this.#uniforms.upload(),
      after: () => {
        this.#uniforms.recycle();
        this.#pool.sweep();
      },
      failed: () => this.#bindGroups.clear(),
    };
    this.#queue = new CommandQueue(device, around, info.software);
    this.#readback = new Readback(device, this.#queue);
  }

  get lost(): Error | undefined {
    return this.#queue.lost;
  }

  requireDType(dtype: DType): void {
    if (dtype === "f64") {
      throw new DTypeError(
        'Cannot make an f64 tensor on the GPU: WGSL has no 64-bit floats, use f32 or init({ device: "cpu" })',
        [dtype],
      );
    }
    if (dtype === "f16" && !this.info.features.includes("shader-f16")) {
      throw new DTypeError(
        "Cannot make an f16 tensor: this adapter does not offer shader-f16, use f32",
        [dtype],
      );
    }
  }

  allocate({ shape, dtype }: Meta): Block {
    this.#requireAlive();
    return this.#pool.take(sizeOf(shape) * itemBytes(dtype));
  }

  release(block: Block): void {
    this.#pool.give(block as GpuBlock);
  }

  upload({ dtype }: Meta, data: HostData): Block {
    this.#requireAlive();
    const words = toBytes(dtype, data);
    const block = this.#pool.take(words.byteLength, this.#queue.submitted);
    // Deno 2.9.6 panics on writes of no bytes.
    if (words.byteLength > 0) {
      this.#device.queue.writeBuffer(block.buffer, 0, words);
    }
    return block;
  }

  run<Attrs>(
    op: Op<Attrs>,
    inputs: readonly Operand[],
    outputs: readonly Operand[],
    attrs: Attrs,
  ): void {
    this.#requireAlive();
    const call = callOf(op, inputs, outputs, attrs);
    const plan = this.#plans.get(call);
    this.#queue.observer?.called?.(call as Call<unknown>, plan);
    if (plan.unverified.length > 0) {
      const unverified = call as Call<unknown>;
      recordChecked(this.workbench, unverified, plan, inputs, outputs);
    } else this.#record(op, plan, inputs, outputs);
  }

  /**
   * Runs `body`, then measures each variant of the calls that it planned anew, with made-up values in place of its tensors, and runs the fastest from
   * then on. Ops that write in place are left alone.
   */
  async tune(
    body: () => unknown,
    onMeasured?: (result: TuneResult) => void,
  ): Promise<TuneResult[]> {
    const calls: Call<unknown>[] = [];
    this.#plans.clear();
    this.#plans.onPlan = (call) => calls.push(call);
    try {
      await body();
    } finally {
      this.#plans.onPlan = undefined;
    }
    return await this.measure(calls, onMeasured);
  }

  /** Its parts, for those who measure and explain it. */
  get workbench(): Workbench {
    return {
      device: this.#device,
      plans: this.#plans,
      pipelines: this.#pipelines,
      tuning: this.tuning,
      observe: (observer) => this.#queue.observer = observer,
      allocate: (meta) => this.allocate(meta),
      upload: (meta, data) => this.upload(meta, data),
      release: (block) => this.release(block),
      record: (op, plan, inputs, outputs) =>
        this.#record(op, plan, inputs, outputs),
      synchronize: () => this.synchronize(),
      submit: () => this.#queue.submit(),
      quietly: (body) => this.#queue.quietly(body),
      trim: () => this.trim(),
    };
  }

  /** Measures each variant of these calls, and runs the fastest from then on. */
  async measure(
    calls: readonly Call<unknown>[],
    onMeasured?: (result: TuneResult) => void,
  ): Promise<TuneResult[]> {
    const results = await measureCalls(this.workbench, calls, onMeasured);
    this.#plans.clear();
    return results;
  }

  #record(
    op: AnyOp,
    { launches, scratch }: PreparedPlan,
    inputs: readonly Operand[],
    outputs: readonly Operand[],
  ): void {
    // Where an op doesn't look at offsets itself, its windows are moved, and one plan serves every slice of a batch.
    const place = ({ block, view }: Operand, strided: boolean) => ({
      block: block as GpuBlock,
      start: strided ? 0 : view.offset * itemBytes(view.dtype),
    });
    if (launches.length === 0) return;
    const places = {
      input: inputs.map((x, i) => place(x, isStrided(op, i))),
      output: outputs.map((y) => place(y, op.strided === true)),
      scratch: scratch.map((bytes) => ({
        block: this.#pool.take(bytes),
        start: 0,
      })),
    };
    for (const prepared of launches) this.#launch(prepared, places);
    for (const { block } of places.scratch) this.#pool.give(block);
  }

  accepts(view: View): boolean {
    return isContiguous(view) &&
      (view.offset * itemBytes(view.dtype)) % ALIGN === 0;
  }

  prepare(calls: readonly PreparedCall[], course?: Course): Prepared {
    this.#requireAlive();
    const plan = (call: Call<unknown>) => {
      const variant = this.#plans.choose(call);
      const plan = this.#plans.prepare(call, variant);
      if (plan.unverified.length > 0) {
        checkPrepared(this.workbench, call, plan);
      }
      return { variant: variant.name, plan };
    };
    return new Replay(
      {
        device: this.#device,
        limits: this.info.limits,
        pipelines: this.#pipelines,
        queue: this.#queue,
        plan,
        requireAlive: () => this.#requireAlive(),
      },
      calls,
      course,
    );
  }

  async tunePrepared(calls: readonly PreparedCall[]): Promise<void> {
    await this.measure(calls.map(preparedCall));
  }

  async read({ view, block }: Operand): Promise<HostData> {
    this.#requireAlive();
    const size = sizeOf(view.shape);
    if (size === 0) return emptyData(view.dtype, 0);
    const item = itemBytes(view.dtype);
    // Copies go by words: an f16 view may start or end in the middle of one.
    const first = Math.floor(view.offset * item / 4) * 4;
    const end = Math.ceil((view.offset + size) * item / 4) * 4;
    const bytes = await this.#readback.read(
      block as GpuBlock,
      first,
      end - first,
    );
    return fromBytes(view.dtype, bytes, view.offset * item - first, size);
  }

  async synchronize(): Promise<void> {
    this.#requireAlive();
    const settled = this.#queue.settle();
    // Deno's call has waited when it returns; its promise takes another 10 ms.
    const done = this.#device.queue.onSubmittedWorkDone();
    const failure = await settled;
    if (!("Deno" in globalThis)) await done;
    if (failure) throw failure;
    this.#requireAlive();
  }

  pool(): PoolStatus {
    return this.#pool.status();
  }

  trim(): void {
    this.#queue.submit();
    this.#pool.clear();
    this.#bindGroups.clear();
  }

  destroy(): void {
    this.#queue.fail("destroyed");
    this.#device.destroy();
  }

  #requireAlive(): void {
    if (this.#queue.lost) throw this.#queue.lost;
  }

  #launch(
    prepared: PreparedLaunch,
    places: Readonly<Record<Slot, readonly Place[]>>,
  ): void {
    const { launch, pipeline } = prepared;
    // Before the parameters get their slot, which a submission may recycle.
    if (this.#queue.mustSubmitBefore(pipeline) || this.#uniforms.full) {
      this.#queue.submit();
    }
    const reads: GpuBlock[] = [];
    const writes: GpuBlock[] = [];
    const { bindings, appended = [] } = launch;
    const bound = [...bindings, ...appended].map(
      ({ slot, index, access, offset, size }) => {
        const { block, start } = places[slot][index];
        (access === "read" ? reads : writes).push(block);
        return { block, offset: start + offset, size };
      },
    );
    const params = launch.params && this.#uniforms.slot(launch.params);
    this.#queue.launch(
      prepared,
      this.#bindGroups.get(pipeline.access, pipeline.layout, bound, params),
      reads,
      writes,
    );
  }
}

/** A call as plans see it: an op that doesn't look at offsets has contiguous operands that start at 0. */
function callOf<Attrs>(
  op: Op<Attrs>,
  inputs: readonly Operand[],
  outputs: readonly Operand[],
  attrs: Attrs,
): Call<Attrs> {
  return {
    op,
    inputs: inputs.map(({ view }, i) =>
      isStrided(op, i) ? view : contiguousView(view)
    ),
    outputs: outputs.map(({ view }) =>
      op.strided === true ? view : contiguousView(view)
    ),
    attrs,
  };
}
