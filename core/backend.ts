/** What the tensor core asks of a device. There are two: WebGPU (core/gpu) and the CPU, which runs the ops' references (core/cpu.ts). */
import type { DType, HostData, Limits, Meta, Op, View } from "../wgsl/op.ts";

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

/** A device that tensors live on. */
export interface Backend {
  readonly info: DeviceInfo;
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
  /** The values of a contiguous operand. */
  read(operand: Operand): Promise<HostData>;
  /** Resolves when all that was asked for so far is done; rejects if any of it failed. */
  synchronize(): Promise<void>;
  pool(): PoolStatus;
  /** Gives pooled memory back to the system. */
  trim(): void;
  destroy(): void;
}
