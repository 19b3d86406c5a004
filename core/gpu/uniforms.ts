/**
 * The `params` of launches: one buffer, one slot for each distinct content.
 *
 * A launch with the same parameters as an earlier one finds its slot already uploaded. New slots are written to a mirror on the host and
 * uploaded in one piece just before the batch that reads them is submitted. A full arena starts over after a submission.
 */

/** Room for parameters: at the usual 64 bytes or less each, over four thousand of them. */
const CAPACITY = 2 ** 20;

/** Uniform bindings start at multiples of this on every adapter. */
const ALIGN = 256;

/** Where the parameters of a launch stand. */
export interface UniformSlot {
  readonly buffer: GPUBuffer;
  readonly offset: number;
  readonly size: number;
}

/** Slots by content. */
export class UniformArena {
  readonly #device: GPUDevice;
  readonly #slots = new Map<string, UniformSlot>();
  readonly #mirror = new Uint32Array(CAPACITY / 4);
  readonly #buffer: GPUBuffer;
  #end = 0;
  #uploaded = 0;

  constructor(device: GPUDevice) {
    this.#device = device;
    this.#buffer = device.createBuffer({
      label: "params",
      size: CAPACITY,
      usage: GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST,
    });
  }

  /** Whether the arena has no room left, so that the batch must be submitted before the next `slot`. */
  get full(): boolean {
    return this.#end + 2 * ALIGN > CAPACITY;
  }

  /** The slot with this content. */
  slot(params: Uint32Array): UniformSlot {
    const key = params.join();
    let slot = this.#slots.get(key);
    if (!slot) {
      slot = {
        buffer: this.#buffer,
        offset: this.#end,
        size: params.byteLength,
      };
      this.#mirror.set(params, this.#end / 4);
      this.#end += Math.ceil(params.byteLength / ALIGN) * ALIGN;
      this.#slots.set(key, slot);
    }
    return slot;
  }

  /** Uploads the slots that are new. Call before submitting. */
  upload(): void {
    if (this.#end === this.#uploaded) return;
    this.#device.queue.writeBuffer(
      this.#buffer,
      this.#uploaded,
      this.#mirror,
      this.#uploaded / 4,
      (this.#end - this.#uploaded) / 4,
    );
    this.#uploaded = this.#end;
  }

  /** Starts over when full. Call after submitting: later uploads run after what was submitted. */
  recycle(): void {
    if (!this.full) return;
    this.#slots.clear();
    this.#end = 0;
    this.#uploaded = 0;
  }
}
