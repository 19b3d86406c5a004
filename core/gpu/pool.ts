/**
 * Buffers of the device, recycled by size class.
 *
 * A buffer that is given back may still be used by commands that haven't been submitted: reusing it for later commands is safe, as they
 * run in order, but uploads run at once and destruction too, so both wait until the batch that last used it has been submitted.
 */
import type { Limits } from "../../wgsl/op.ts";
import type { PoolStatus } from "../backend.ts";
import { Block } from "../backend.ts";
import { OutOfMemoryError } from "../errors.ts";
import type { Batch } from "./batch.ts";

/** Smallest buffer, and the alignment of bindings. */
const MIN_BYTES = 256;

/** Steps between two powers of two: at most a quarter of a buffer is padding. */
const CLASSES_PER_OCTAVE = 4;

let blocks = 0;

/** A buffer of the pool. */
export class GpuBlock extends Block {
  /** Tells it from all others. */
  readonly id = ++blocks;
  /** Number of the newest batch that uses the buffer. */
  usedIn = 0;
  /** The batch that wrote what the buffer holds; undefined for an upload. */
  writer: Batch | undefined;

  constructor(readonly buffer: GPUBuffer, bytes: number) {
    super(bytes);
  }
}

/** Hands out and takes back buffers. */
export class BufferPool {
  readonly #device: GPUDevice;
  readonly #limits: Limits;
  /** Bytes that may lie unused before buffers are destroyed. */
  readonly #cap: number;
  readonly #free = new Map<number, GpuBlock[]>();
  #doomed: GpuBlock[] = [];
  #bytes = 0;
  #buffers = 0;

  constructor(device: GPUDevice, limits: Limits, cap: number) {
    this.#device = device;
    this.#limits = limits;
    this.#cap = cap;
  }

  /**
   * A buffer of at least `bytes`. Its content is whatever was there.
   *
   * @param submitted Number of the newest submitted batch, when the buffer is to be written at once instead of by a later command.
   */
  take(bytes: number, submitted = Infinity): GpuBlock {
    const size = this.#classOf(bytes);
    const list = this.#free.get(size);
    if (list) {
      for (let i = list.length - 1; i >= 0; i--) {
        if (list[i].usedIn > submitted) continue;
        const [block] = list.splice(i, 1);
        this.#bytes -= size;
        this.#buffers--;
        block.writer = undefined;
        return block;
      }
    }
    const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC |
      GPUBufferUsage.COPY_DST;
    return new GpuBlock(this.#device.createBuffer({ size, usage }), size);
  }

  /** Takes a buffer back. */
  give(block: GpuBlock): void {
    if (this.#bytes + block.bytes > this.#cap) {
      this.#doomed.push(block);
      return;
    }
    let list = this.#free.get(block.bytes);
    if (!list) this.#free.set(block.bytes, list = []);
    list.push(block);
    this.#bytes += block.bytes;
    this.#buffers++;
  }

  /** Destroys what is over the cap. Called when all commands that were recorded are submitted. */
  sweep(): void {
    for (const { buffer } of this.#doomed) buffer.destroy();
    this.#doomed = [];
  }

  /** Destroys all that lies unused. Same condition as `sweep`. */
  clear(): void {
    for (const list of this.#free.values()) this.#doomed.push(...list);
    this.#free.clear();
    this.#bytes = 0;
    this.#buffers = 0;
    this.sweep();
  }

  status(): PoolStatus {
    return { bytes: this.#bytes, buffers: this.#buffers };
  }

  #classOf(bytes: number): number {
    const { maxBufferSize } = this.#limits;
    if (bytes > maxBufferSize) {
      throw new OutOfMemoryError(
        `Cannot allocate ${bytes} bytes: the device's maxBufferSize is ${maxBufferSize}`,
        bytes,
        maxBufferSize,
      );
    }
    if (bytes <= MIN_BYTES) return MIN_BYTES;
    const octave = 2 ** Math.floor(Math.log2(bytes));
    const step = Math.max(octave / CLASSES_PER_OCTAVE, MIN_BYTES);
    const size = Math.ceil(bytes / step) * step;
    // The class above may pass the limit where the bytes themselves don't.
    return size <= maxBufferSize ? size : Math.ceil(bytes / 4) * 4;
  }
}
