/**
 * Values on their way back to the host. Reads that are asked for in the same turn of the event loop share one submission and one mapping.
 *
 * Deno's `mapAsync` has done its work when the call returns, though its promise resolves some 10 ms later; a buffer that was mapped before
 * can then be read at once. Elsewhere `getMappedRange` throws until the promise has resolved, and so it is awaited.
 */
import { LaunchError } from "../errors.ts";
import type { Batch, CommandQueue } from "./batch.ts";
import type { GpuBlock } from "./pool.ts";

/** Smallest staging buffer. */
const MIN_BYTES = 4096;

/** Staging buffers that are kept for later reads, in bytes each at most. */
const KEPT_BYTES = 2 ** 24;

/** One read that waits: where its bytes stand in the staging buffer, and whom to tell. */
interface Request {
  readonly offset: number;
  readonly bytes: number;
  /** The batch that copies, and the one that wrote what is copied unless it is known to be clean. */
  readonly batch: Batch;
  readonly writer: Batch | undefined;
  resolve(bytes: ArrayBuffer): void;
  reject(error: unknown): void;
}

/** Reads that share a staging buffer. */
interface Group {
  readonly staging: GPUBuffer;
  readonly requests: Request[];
  used: number;
}

/** Reads blocks. */
export class Readback {
  readonly #device: GPUDevice;
  readonly #queue: CommandQueue;
  #groups: Group[] = [];
  readonly #idle: GPUBuffer[] = [];

  constructor(device: GPUDevice, queue: CommandQueue) {
    this.#device = device;
    this.#queue = queue;
  }

  /**
   * The bytes from `offset`; both multiples of 4.
   *
   * The copy is recorded at once, so that what happens to the block after this call doesn't show in the result.
   */
  read(block: GpuBlock, offset: number, bytes: number): Promise<ArrayBuffer> {
    return new Promise((resolve, reject) => {
      if (this.#groups.length === 0) queueMicrotask(() => this.#flush());
      const group = this.#groupFor(bytes);
      const at = group.used;
      group.used += bytes;
      const batch = this.#queue.copy(block, offset, group.staging, at, bytes);
      const writer = block.writer?.clean ? undefined : block.writer;
      group.requests.push({
        offset: at,
        bytes,
        batch,
        writer,
        resolve,
        reject,
      });
    });
  }

  #groupFor(bytes: number): Group {
    const last = this.#groups.at(-1);
    if (last && last.used + bytes <= last.staging.size) return last;
    const staging = this.#take(bytes);
    const group = { staging, requests: [], used: 0 };
    this.#groups.push(group);
    return group;
  }

  #flush(): void {
    const groups = this.#groups;
    this.#groups = [];
    this.#queue.submit();
    for (const group of groups) {
      this.#finish(group).catch((error) => {
        group.staging.destroy();
        group.requests.forEach(({ reject }) => reject(error));
      });
    }
  }

  async #finish({ staging, requests, used }: Group): Promise<void> {
    const mapped = staging.mapAsync(GPUMapMode.READ, 0, used);
    // Looked at below only where the range can't be had at once.
    mapped.catch(() => {});
    const failures = await Promise.all(
      requests.map(async ({ batch, writer }) =>
        await batch.own ?? await writer?.settled
      ),
    );
    if (this.#queue.lost) throw this.#queue.lost;
    const range = await this.#rangeOf(staging, mapped, used);
    requests.forEach(({ offset, bytes, resolve, reject }, i) => {
      if (failures[i]) reject(failures[i]);
      else resolve(range.slice(offset, offset + bytes));
    });
    staging.unmap();
    if (staging.size <= KEPT_BYTES) this.#idle.push(staging);
    else staging.destroy();
  }

  async #rangeOf(
    staging: GPUBuffer,
    mapped: Promise<unknown>,
    total: number,
  ): Promise<ArrayBuffer> {
    try {
      return staging.getMappedRange(0, total);
    } catch {
      try {
        await mapped;
      } catch (error) {
        // The news that the device is lost may come after the failure that it causes.
        await new Promise((resolve) => setTimeout(resolve, 0));
        throw this.#queue.lost ?? new LaunchError(
          `Cannot read from the GPU: ${(error as Error).message}`,
          [],
        );
      }
      return staging.getMappedRange(0, total);
    }
  }

  #take(bytes: number): GPUBuffer {
    const at = this.#idle.findIndex(({ size }) => size >= bytes);
    if (at >= 0) return this.#idle.splice(at, 1)[0];
    const size = Math.max(MIN_BYTES, 2 ** Math.ceil(Math.log2(bytes)));
    const staging = this.#device.createBuffer({
      // Room to spare only where the buffer will be kept: a power of two may be over the device's limit.
      size: size <= KEPT_BYTES ? size : bytes,
      usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST,
      mappedAtCreation: true,
    });
    staging.unmap();
    return staging;
  }
}
