/**
 * Commands on their way to the GPU: recorded into a batch, submitted together, held in error scopes.
 *
 * Every error belongs to a batch, as scopes are open from one submission to the next. A batch is clean when its own scopes caught nothing and the
 * batches that wrote its inputs are clean, so that a failure reaches the reads that depend on it and no others. For that reason a batch holds
 * launches or copies to the host, never both, and the first launch of a pipeline, which may not have compiled, is a batch of its own.
 */
import { DeviceLostError, LaunchError, OutOfMemoryError } from "../errors.ts";
import type { Pipeline } from "./pipelines.ts";
import type { PreparedLaunch } from "./plans.ts";
import type { GpuBlock } from "./pool.ts";
import type { LaunchObserver } from "./profile.ts";

/** Launches after which a batch is submitted, so that the GPU starts while the next are recorded. */
const LAUNCHES_PER_BATCH = 48;

/**
 * Operations after which a batch is submitted to a software adapter. There a submission waits in the call for the one before it, and while it does nothing
 * can be interrupted.
 */
const FLOPS_PER_SOFTWARE_BATCH = 1e9;

/** Error scopes that hold a batch, outermost first. */
const SCOPES = ["internal", "out-of-memory", "validation"] as const;

/** Commands that are submitted together. */
export class Batch {
  /** The ops that were launched, in order. */
  readonly ops: string[] = [];
  /** How many copies to the host it holds. */
  copies = 0;
  /** Floating-point operations of its launches. */
  flops = 0;
  /** Batches that wrote what this one reads, as long as they aren't known to be clean. */
  readonly parents = new Set<Batch>();
  /** Pipelines whose compilation hasn't been checked yet. */
  readonly unchecked = new Set<Pipeline>();
  /** Whether it and all it depends on went well. */
  clean = false;
  /** Whether it is known that something went wrong. */
  failed = false;
  /** Resolves to what went wrong in it, if anything. Set at submission. */
  own: Promise<Error | undefined> | undefined;
  /** Resolves to what went wrong in it or in what it depends on. Set at submission. */
  settled: Promise<Error | undefined> | undefined;

  constructor(readonly number: number) {}
}

/** A launch with all that it binds. */
export interface BoundLaunch {
  readonly prepared: PreparedLaunch;
  bindGroup: GPUBindGroup | undefined;
}

/** What goes with submissions. */
export interface Around {
  /** Just before one. */
  before(): void;
  /** Just after one. */
  after(): void;
  /** When something was wrong with one. */
  failed(): void;
}

/** Records and submits. */
export class CommandQueue {
  /** Who sees each launch, while somebody looks. */
  observer: LaunchObserver | undefined;
  readonly #device: GPUDevice;
  readonly #around: Around;
  readonly #mostFlops: number;
  #encoder: GPUCommandEncoder | undefined;
  #pass: GPUComputePassEncoder | undefined;
  #batch = new Batch(1);
  #lost: DeviceLostError | undefined;
  readonly #unsettled = new Set<Batch>();
  #failure: Error | undefined;

  constructor(
    device: GPUDevice,
    around: Around,
    software: boolean,
  ) {
    this.#device = device;
    this.#around = around;
    this.#mostFlops = software ? FLOPS_PER_SOFTWARE_BATCH : Infinity;
    this.#openScopes();
    device.lost.then(({ reason, message }) => this.fail(reason, message));
  }

  /** Why the device can't be used any more, if so. */
  get lost(): DeviceLostError | undefined {
    return this.#lost;
  }

  /** Takes the device for lost from now on. */
  fail(reason: GPUDeviceLostReason, message = ""): void {
    const details = [reason, message].filter(Boolean).join(": ");
    this.#lost ??= new DeviceLostError(
      `Cannot use the GPU device: it was lost (${details}), await init() gives a new one`,
    );
  }

  /** Whether the batch must be submitted before a launch of this pipeline can be recorded. */
  mustSubmitBefore({ tried }: Pipeline): boolean {
    const { ops, copies, flops } = this.#batch;
    return ops.length >= LAUNCHES_PER_BATCH || copies > 0 ||
      flops >= this.#mostFlops ||
      !tried && ops.length > 0;
  }

  /** Number of the newest batch that has been submitted. */
  get submitted(): number {
    return this.#batch.number - 1;
  }

  /** Records a launch, for which {@linkcode mustSubmitBefore} doesn't hold. */
  launch(
    prepared: PreparedLaunch,
    bindGroup: GPUBindGroup,
    reads: readonly GpuBlock[],
    writes: readonly GpuBlock[],
  ): void {
    const { op, launch: { workgroups, flops }, pipeline } = prepared;
    const batch = this.#batch;
    batch.flops += flops;
    const { observer } = this;
    const timestampWrites = observer?.before?.(prepared) ?? undefined;
    if (timestampWrites) this.#endPass();
    this.#pass ??= this.#openEncoder().beginComputePass({ timestampWrites });
    this.#pass.setPipeline(pipeline.gpu);
    this.#pass.setBindGroup(0, bindGroup);
    this.#pass.dispatchWorkgroups(...workgroups);
    if (timestampWrites) this.#endPass();
    batch.ops.push(op);
    if (pipeline.checked) batch.unchecked.add(pipeline);
    this.#own(batch, reads, writes);
    if (!pipeline.tried) {
      pipeline.tried = true;
      this.submit();
    }
    observer?.after?.(prepared, () => this.wait());
  }

  /** Runs `body` unseen. */
  quietly(body: () => void): void {
    const { observer } = this;
    this.observer = undefined;
    try {
      body();
    } finally {
      this.observer = observer;
    }
  }

  /** Submits, and returns when the GPU is done, where the call does that, as in Deno. */
  wait(): void {
    this.submit();
    this.#device.queue.onSubmittedWorkDone().catch(() => {});
  }

  /** Records launches that have their bind groups and submits them: in one batch, where their pipelines have been tried and nobody looks on. */
  replay(
    launches: readonly BoundLaunch[],
    reads: readonly GpuBlock[],
    writes: readonly GpuBlock[],
  ): void {
    const plain = !this.observer &&
      launches.every(({ prepared }) => prepared.pipeline.tried);
    if (!plain) {
      for (const { prepared, bindGroup } of launches) {
        if (this.mustSubmitBefore(prepared.pipeline)) this.submit();
        this.launch(prepared, bindGroup!, reads, writes);
      }
      this.submit();
      return;
    }
    if (this.#batch.copies > 0) this.submit();
    const batch = this.#batch;
    const pass = this.#pass ??= this.#openEncoder().beginComputePass();
    for (const { prepared, bindGroup } of launches) {
      const { op, launch: { workgroups }, pipeline } = prepared;
      pass.setPipeline(pipeline.gpu);
      pass.setBindGroup(0, bindGroup!);
      pass.dispatchWorkgroups(...workgroups);
      batch.ops.push(op);
      if (pipeline.checked) batch.unchecked.add(pipeline);
    }
    this.#own(batch, reads, writes);
    this.submit();
  }

  /** Records a copy to a buffer that the host will map. Returns the batch that will do it. */
  copy(
    block: GpuBlock,
    offset: number,
    target: GPUBuffer,
    targetOffset: number,
    bytes: number,
  ): Batch {
    if (this.#batch.ops.length > 0) this.submit();
    this.#openEncoder().copyBufferToBuffer(
      block.buffer,
      offset,
      target,
      targetOffset,
      bytes,
    );
    block.usedIn = this.#batch.number;
    this.#batch.copies++;
    return this.#batch;
  }

  /** Submits what has been recorded. Returns the batch, which may be empty. */
  submit(): Batch {
    const batch = this.#batch;
    const encoder = this.#encoder;
    this.#endPass();
    this.#encoder = undefined;
    if (encoder) {
      this.#around.before();
      this.#device.queue.submit([encoder.finish()]);
    }
    batch.own = this.#check(batch);
    batch.settled = this.#settle(batch);
    this.#batch = new Batch(batch.number + 1);
    this.#openScopes();
    if (encoder) this.#around.after();
    return batch;
  }

  /** Submits, and resolves when it is known how all that was submitted went: to the first failure since the last call, if any. */
  async settle(): Promise<Error | undefined> {
    this.submit();
    await Promise.all([...this.#unsettled].map(({ settled }) => settled));
    const failure = this.#failure;
    this.#failure = undefined;
    return failure;
  }

  #openEncoder(): GPUCommandEncoder {
    return this.#encoder ??= this.#device.createCommandEncoder();
  }

  #endPass(): void {
    this.#pass?.end();
    this.#pass = undefined;
  }

  #openScopes(): void {
    for (const scope of SCOPES) this.#device.pushErrorScope(scope);
  }

  /** Makes a batch depend on what it reads, and the writer of what it writes. */
  #own(
    batch: Batch,
    reads: readonly GpuBlock[],
    writes: readonly GpuBlock[],
  ): void {
    for (const block of reads) this.#depend(block);
    for (const block of writes) {
      // A window may be a part of what an earlier batch wrote.
      this.#depend(block);
      block.writer = batch;
    }
  }

  #depend(block: GpuBlock): void {
    block.usedIn = this.#batch.number;
    const { writer } = block;
    if (writer && !writer.clean && writer !== this.#batch) {
      this.#batch.parents.add(writer);
    }
  }

  async #check({ ops, unchecked }: Batch): Promise<Error | undefined> {
    const caught = SCOPES.map(() => this.#device.popErrorScope());
    await Promise.all([...unchecked].map(({ checked }) => checked));
    const [error] = (await Promise.all(caught)).filter((e) => e !== null);
    const bad = [...unchecked].find((pipeline) => pipeline.error);
    unchecked.clear();
    const failure = bad?.error ?? (error && describe(error, ops));
    if (failure) this.#around.failed();
    return failure;
  }

  async #settle(batch: Batch): Promise<Error | undefined> {
    this.#unsettled.add(batch);
    let failure = await batch.own;
    for (const parent of batch.parents) failure ??= await parent.settled;
    batch.parents.clear();
    batch.clean = failure === undefined;
    batch.failed = !batch.clean;
    this.#unsettled.delete(batch);
    this.#failure ??= failure;
    return failure;
  }
}

function describe(error: GPUError, ops: readonly string[]): Error {
  const what = ops.length > 0
    ? `run ${[...new Set(ops)].join(", ")}`
    : "copy to the host";
  const reason = error.message.trim().replace(/\s*\n\s*/g, " ");
  const message = `Cannot ${what}: ${reason}`;
  return error instanceof GPUOutOfMemoryError
    ? new OutOfMemoryError(message, NaN, NaN)
    : new LaunchError(message, ops);
}
