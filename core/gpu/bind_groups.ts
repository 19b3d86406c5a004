/**
 * Bind groups, remembered: a loop that runs the same calls on recycled memory binds the same windows again, and making a group costs as much as
 * all the rest of a launch.
 */
import type { GpuBlock } from "./pool.ts";
import type { UniformSlot } from "./uniforms.ts";

/** Groups that are remembered. */
const CAP = 4096;

/** A window of a block, in bytes. */
export interface BoundBlock {
  readonly block: GpuBlock;
  readonly offset: number;
  readonly size: number;
}

/** Makes bind groups once. */
export class BindGroupCache {
  readonly #device: GPUDevice;
  readonly #groups = new Map<string, GPUBindGroup>();

  constructor(device: GPUDevice) {
    this.#device = device;
  }

  /**
   * The group of a layout with these storage buffers, and these parameters where `access` has its "u". That text stands for the layout, of which each
   * has its own.
   */
  get(
    access: string,
    layout: GPUBindGroupLayout,
    blocks: readonly BoundBlock[],
    params: UniformSlot | undefined,
  ): GPUBindGroup {
    let key = access;
    for (const { block, offset, size } of blocks) {
      key += `|${block.id}+${offset}:${size}`;
    }
    if (params) key += `|${params.offset}:${params.size}`;
    let group = this.#groups.get(key);
    if (group) return group;
    const resources: GPUBufferBinding[] = blocks.map((
      { block: { buffer }, offset, size },
    ) => ({ buffer, offset, size }));
    if (params) resources.splice(access.indexOf("u"), 0, params);
    group = this.#device.createBindGroup({
      layout,
      entries: resources.map((resource, binding) => ({ binding, resource })),
    });
    // Maps keep the order of insertion: the oldest group goes first.
    if (this.#groups.size >= CAP) {
      this.#groups.delete(this.#groups.keys().next().value!);
    }
    this.#groups.set(key, group);
    return group;
  }

  /** Forgets all, among them groups that may be invalid or hold buffers that were destroyed. */
  clear(): void {
    this.#groups.clear();
  }
}
