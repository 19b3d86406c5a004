/** Layers that are made of others, or that only reshape. */
import type { Tensor } from "../../core/tensor.ts";
import { Module } from "../module.ts";

/**
 * Layers one after another. Fields "0", "1", … hold them, so that parameters are named as in PyTorch: "0.weight".
 *
 * Given one object instead of layers, its keys are the names: `new Sequential({ conv1: …, relu1: … })`.
 */
export class Sequential extends Module {
  readonly #layers: readonly Module[];

  constructor(...layers: readonly Module[] | [Record<string, Module>]) {
    super();
    const named = layers.length === 1 && !(layers[0] instanceof Module)
      ? Object.entries(layers[0] as Record<string, Module>)
      : layers.map((layer, i) => [String(i), layer] as const);
    for (const [name, layer] of named) {
      if (!(layer instanceof Module)) {
        throw new TypeError(
          `Cannot make a Sequential: layer ${name} is ${
            String(layer)
          }, expected a Module`,
        );
      }
      Reflect.set(this, name, layer);
    }
    this.#layers = named.map(([, layer]) => layer as Module);
  }

  /** Number of layers. */
  get count(): number {
    return this.#layers.length;
  }

  /** The layer at a position; negative ones count from the end. */
  at(index: number): Module | undefined {
    return this.#layers.at(index);
  }

  override forward(x: Tensor): Tensor {
    return this.#layers.reduce((h, layer) => layer(h), x);
  }

  [Symbol.iterator](): Iterator<Module> {
    return this.#layers[Symbol.iterator]();
  }
}

/** The axes from `start` on as one. `[N, C, H, W] → [N, C·H·W]` */
export class Flatten extends Module {
  constructor(readonly start = 1) {
    super();
  }

  override forward(x: Tensor): Tensor {
    return x.flatten(this.start);
  }

  override describe(): string {
    return this.start === 1 ? "" : String(this.start);
  }
}

/** Its input. */
export class Identity extends Module {
  override forward(x: Tensor): Tensor {
    return x.alias();
  }
}
