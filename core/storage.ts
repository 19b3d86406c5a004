/** Memory that tensors share, and the count of all that is live. */
import type { DType, HostData, Meta } from "../wgsl/op.ts";
import { itemBytes, sizeOf } from "../wgsl/shape.ts";
import type { Backend, Block } from "./backend.ts";
import { CompileError } from "./errors.ts";
import { openedBackend } from "./runtime.ts";

/** What {@linkcode memory} tells. */
export interface MemoryStatus {
  /** Tensors that haven't been freed. Views count, though they share their buffer. */
  readonly tensors: number;
  /** Buffers that live tensors, or graphs that wait for backward, hold. */
  readonly buffers: number;
  /** Bytes of those buffers' elements. */
  readonly bytes: number;
  /** The most that `bytes` has been. */
  readonly peakBytes: number;
  /** Bytes of buffers that lie ready for the next tensors. */
  readonly pooledBytes: number;
}

/** How many storages have been made. */
let made = 0;

/** How many storages have been made: each later one has a greater `id`. */
export function storagesMade(): number {
  return made;
}

const live = { tensors: 0, buffers: 0, bytes: 0, peakBytes: 0 };

/**
 * Memory in use.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { init, memory, zeros } from "@tessera/tessera";
 *
 * await init();
 * const before = memory().bytes;
 * const x = zeros([256, 256]);
 * assertEquals(memory().bytes - before, 262144);
 * x.dispose();
 * ```
 */
export function memory(): MemoryStatus {
  return { ...live, pooledBytes: openedBackend()?.pool().bytes ?? 0 };
}

/**
 * Starts the peak over from what is live now.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { init, memory, resetPeakMemory, zeros } from "@tessera/tessera";
 *
 * await init();
 * zeros([1000]).dispose();
 * resetPeakMemory();
 * const { bytes, peakBytes } = memory();
 * assertEquals(peakBytes, bytes);
 * ```
 */
export function resetPeakMemory(): void {
  live.peakBytes = live.bytes;
}

/** Counts a tensor in (1) or out (-1). */
export function countTensor(change: 1 | -1): void {
  live.tensors += change;
}

/** A block of a backend, given back when its last user lets go. */
export class Storage {
  /** Greater than those of all that were made before. */
  readonly id = ++made;
  /** Changes when the content does, so that a value saved for backward is known to be stale. */
  version = 0;
  /** The values that it was made from, where they may have to be checked on the host (class labels, indices). */
  host: HostData | undefined;
  readonly dtype: DType;
  readonly bytes: number;
  #block: Block | undefined;
  #users = 0;

  constructor(
    readonly backend: Backend,
    block: Block,
    { shape, dtype }: Meta,
  ) {
    this.#block = block;
    this.dtype = dtype;
    this.bytes = sizeOf(shape) * itemBytes(dtype);
    if (backend.virtual) return;
    live.buffers++;
    live.bytes += this.bytes;
    live.peakBytes = Math.max(live.peakBytes, live.bytes);
  }

  /** The device's memory. Only for users. */
  get block(): Block {
    if (!this.#block) throw new Error("Cannot use a buffer after its release");
    return this.#block;
  }

  /** Whether one user alone holds it. */
  get unshared(): boolean {
    return this.#users === 1;
  }

  /** Changes memory with another storage of the same size and dtype. */
  swap(other: Storage): void {
    if (this.backend !== other.backend) {
      throw new CompileError(
        "Cannot compile what replaces a tensor's memory: use calls that write in place instead of assign()",
      );
    }
    [this.#block, other.#block] = [other.#block, this.#block];
    for (const storage of [this, other]) {
      storage.version++;
      storage.host = undefined;
    }
  }

  /** Counts a user. */
  retain(): void {
    this.#users++;
  }

  /** Lets a user go. The last one gives the memory back. */
  release(): void {
    this.#users--;
    this.discard();
  }

  /** Gives the memory back if nobody uses it. */
  discard(): void {
    if (this.#users > 0 || !this.#block) return;
    this.backend.release(this.#block);
    this.#block = undefined;
    this.host = undefined;
    if (this.backend.virtual) return;
    live.buffers--;
    live.bytes -= this.bytes;
  }
}
