/** Which memory a network's forward pass holds, followed from shapes. */
import type { Storage } from "../core/storage.ts";
import type { Tensor } from "../core/tensor.ts";

/**
 * What is alive while modules run. What a module's forward makes lives until its call ends; then only its output is left, which belongs to the module
 * around it.
 */
export class LiveBytes {
  /** What each running module has made, outermost first; the first entry is nobody's. */
  readonly #made: Set<Storage>[] = [new Set()];
  #bytes = 0;
  #peak = 0;

  /** The most bytes at once. */
  get peak(): number {
    return this.#peak;
  }

  /** A module starts. */
  enter(): void {
    this.#made.push(new Set());
  }

  /** An op made tensors of its inputs, or wrote into some of these. */
  make(inputs: readonly Tensor[], outputs: readonly Tensor[]): void {
    const made = this.#made.at(-1)!;
    for (const y of outputs) {
      if (inputs.includes(y)) continue;
      made.add(y.storage);
      this.#bytes += y.storage.bytes;
    }
    this.#peak = Math.max(this.#peak, this.#bytes);
  }

  /** A module's call ends. */
  leave({ storage }: Tensor): void {
    const made = this.#made.pop()!;
    for (const each of made) {
      if (each !== storage) this.#bytes -= each.bytes;
    }
    if (made.has(storage)) this.#made.at(-1)!.add(storage);
  }
}
