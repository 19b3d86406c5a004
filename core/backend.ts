/** What the tensor core asks of a device. There are two: WebGPU (core/gpu) and the CPU, which runs the ops' references (core/cpu.ts). */
import type {
  AnyOp,
  DType,
  HostData,
  Launch,
  Limits,
  Meta,
  Op,
  View,
} from "../wgsl/op.ts";
import type { Indices } from "./indices.ts";
import type { Storage } from "./storage.ts";

/** Memory of one tensor on a device. Each backend has its own subclass and is only ever given its own. */
export abstract class Block {
  constructor(readonly bytes: number) {}
}

/** A tensor as a device sees it: a view of a block. */
export interface Operand {
  readonly view: View;
  readonly block: Block;
}

/** What `device()` tells. */
export interface DeviceInfo {
  readonly backend: "webgpu" | "cpu";
  /** The adapter's own name, such as "llvmpipe (LLVM 15.0.6, 256 bits)". */
  readonly name: string;
  readonly vendor: string;
  readonly architecture: string;
  /** Whether a CPU does the GPU's work. */
  readonly software: boolean;
  readonly features: readonly string[];
  readonly limits: Limits;
}

/** Memory that a device holds apart from live tensors, in bytes. */
export interface PoolStatus {
  readonly bytes: number;
  readonly buffers: number;
}

/** One call of a sequence that is prepared. Its operands' blocks are named by their positions in the list that each run is given. */
export interface PreparedCall {
  readonly op: AnyOp;
  readonly attrs: unknown;
  readonly inputs: readonly PreparedOperand[];
  readonly outputs: readonly PreparedOperand[];
}

/** A view of a block that is known when the sequence runs. */
export interface PreparedOperand {
  readonly view: View;
  readonly block: number;
  /** Whether its content is the same at every run. @default false */
  readonly constant?: boolean;
}

/** How a sequence goes on from run to run. */
export interface Course {
  /** Blocks of the random stream that a run draws. */
  readonly blocks: number;
  /** The calls that draw, with the block at which each begins, counted from the run's first. */
  readonly draws: readonly { readonly call: number; readonly at: number }[];
  /** Calls whose attributes each run is told. Their ops have a `tail`. */
  readonly told: readonly number[];
}

/** When a run takes place. */
export interface Moment {
  readonly key: readonly [number, number];
  /** The run's first block of the random stream. */
  readonly counter: number;
  /** Attributes of the calls that are told theirs. */
  readonly attrs: readonly unknown[];
  /** Attributes of as many runs as asked for, or fewer, this one the first, as far as can be foreseen. Nothing is made of them that isn't compared with `attrs` first. */
  foresee(runs: number): readonly (readonly unknown[])[];
}

/** What a prepared call launches, for those who want to know. */
export interface PreparedInfo {
  /** Undefined on a device without kernels. */
  readonly variant: string | undefined;
  /** Launches of every run. */
  readonly launches: readonly Launch[];
  /** Launches that are done once, because all that they read is constant. */
  readonly once: readonly Launch[];
}

/** Calls that are ready to be run again and again with hardly any work on the host. */
export interface Prepared {
  /** By call. */
  readonly info: readonly PreparedInfo[];
  /** What comes before the launches of each run, where there is a course to go on in: it moves counters on, and what follows from them. */
  readonly advance: Launch | undefined;
  /** Bytes of the scratch memory that each call needs while it runs, by call. */
  readonly scratch: readonly (readonly number[])[];
  /** Bytes of what is computed once and kept. */
  readonly kept: readonly number[];
  /**
   * Gives it the memory that it needs: for each call as many blocks as `scratch` says, and those of `kept`. `temporary` names blocks of its runs of which
   * none takes anything over from the run before.
   */
  provide(
    scratch: readonly (readonly Block[])[],
    kept: readonly Block[],
    temporary: readonly Block[],
  ): void;
  /** Computes what is computed once, from the blocks that are given. */
  runOnce(blocks: readonly Block[]): void;
  /** Runs all calls on these blocks. */
  run(blocks: readonly Block[], moment?: Moment): void;
  destroy(): void;
}

/** A device that tensors live on. */
export interface Backend {
  readonly info: DeviceInfo;
  /** Whether its tensors have no memory, because calls are only written down. @default false */
  readonly virtual?: boolean;
  /** Takes tensors of another device as operands of its own, where it stands in for that device. */
  adopt?(storages: readonly Storage[], op: string): void;
  /** Hears of a check of values, where they aren't known yet. */
  noteCheck?(index: Indices, check: (given: Indices) => void): void;
  /** Makes a sequence of calls ready. With a course, each run needs its moment. */
  prepare(calls: readonly PreparedCall[], course?: Course): Prepared;
  /** Why the device can't be used any more, if so. */
  readonly lost: Error | undefined;
  /** Throws a DTypeError for an element type that the device doesn't have. */
  requireDType(dtype: DType): void;
  /** Uninitialised memory. Throws an OutOfMemoryError over the device's limits. */
  allocate(meta: Meta): Block;
  release(block: Block): void;
  upload(meta: Meta, data: HostData): Block;
  /** Runs an op. `outputs` are contiguous; `inputs` are as the op's `strided` says. */
  run<Attrs>(
    op: Op<Attrs>,
    inputs: readonly Operand[],
    outputs: readonly Operand[],
    attrs: Attrs,
  ): void;
  /** Whether an op that isn't `strided` can take this view as it is. */
  accepts(view: View): boolean;
  /** Measures the kernels that calls of prepared sequences can run, and prepares with the fastest from then on. */
  tunePrepared?(calls: readonly PreparedCall[]): Promise<void>;
  /** The values of a contiguous operand. */
  read(operand: Operand): Promise<HostData>;
  /** Resolves when all that was asked for so far is done; rejects if any of it failed. */
  synchronize(): Promise<void>;
  pool(): PoolStatus;
  /** Gives pooled memory back to the system. */
  trim(): void;
  destroy(): void;
}
