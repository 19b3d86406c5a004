/** Layers that are made of others, or that only reshape. */
import type { Tensor } from "../../core/tensor.ts";
import { ShapeError } from "../../wgsl/errors.ts";
import type { Shape } from "../../wgsl/op.ts";
import { formatShape, normalizeAxis } from "../../wgsl/shape.ts";
import { Module } from "../module.ts";

/**
 * Layers one after another. Fields "0", "1", … hold them, so that parameters are named as in PyTorch: "0.weight".
 *
 * Given one object instead of layers, its keys are the names: `new Sequential({ conv1: …, relu1: … })`.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { init, nn, zeros } from "@tessera/tessera";
 *
 * await init();
 * const net = new nn.Sequential(
 *   new nn.Conv2d(1, 4, 3, { padding: 1 }),
 *   new nn.ReLU(),
 *   new nn.Flatten(),
 *   new nn.Linear(4 * 8 * 8, 10),
 * );
 * assertEquals(net(zeros([2, 1, 8, 8])).shape, [2, 10]);
 * assertEquals([...net.stateDict().keys()][0], "0.weight");
 * ```
 */
export class Sequential extends Module {
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
  }

  /** Number of layers. */
  get count(): number {
    return this.children().length;
  }

  /** The layer at a position; negative ones count from the end. */
  at(index: number): Module | undefined {
    return this.children().at(index);
  }

  override forward(x: Tensor): Tensor {
    return this.children().reduce((h, layer) => layer(h), x);
  }

  [Symbol.iterator](): Iterator<Module> {
    return this.children()[Symbol.iterator]();
  }
}

/**
 * The axes from `start` to `end`, both included, as one. `[N, C, H, W] → [N, C·H·W]`
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { init, nn, zeros } from "@tessera/tessera";
 *
 * await init();
 * const x = zeros([2, 3, 4, 5]);
 * assertEquals(new nn.Flatten()(x).shape, [2, 60]);
 * assertEquals(new nn.Flatten(1, 2)(x).shape, [2, 12, 5]);
 * ```
 */
export class Flatten extends Module {
  constructor(readonly start = 1, readonly end = -1) {
    super();
  }

  override forward(x: Tensor): Tensor {
    const start = normalizeAxis(this.start, x.rank, "flatten");
    const end = normalizeAxis(this.end, x.rank, "flatten");
    if (end < start) {
      throw new ShapeError(
        `Cannot flatten ${
          formatShape(x.shape)
        } from axis ${this.start} to ${this.end}: expected the first to come first`,
        [x.shape],
      );
    }
    const size = x.shape.slice(start, end + 1).reduce((a, b) => a * b, 1);
    return x.reshape(x.shape.toSpliced(start, end + 1 - start, size));
  }

  override describe(): string {
    const { start, end } = this;
    if (end !== -1) return `${start}, ${end}`;
    return start === 1 ? "" : String(start);
  }
}

/**
 * One axis as several. `[N, C·H·W] → [N, C, H, W]` with axis 1 and sizes [C, H, W]; one size may be -1 and follows from the others.
 *
 * @throws {ShapeError} Where the sizes' product isn't the axis's.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { init, nn, zeros } from "@tessera/tessera";
 *
 * await init();
 * const layer = new nn.Unflatten(1, [3, 2, -1]);
 * assertEquals(layer(zeros([4, 12])).shape, [4, 3, 2, 2]);
 * ```
 */
export class Unflatten extends Module {
  constructor(readonly axis: number, readonly sizes: Shape) {
    super();
  }

  override forward(x: Tensor): Tensor {
    const axis = normalizeAxis(this.axis, x.rank, "unflatten");
    const known = this.sizes.filter((n) => n >= 0).reduce((a, b) => a * b, 1);
    const free = this.sizes.length - this.sizes.filter((n) => n >= 0).length;
    const size = x.shape[axis];
    const rest = free === 1 && known > 0 ? size / known : 1;
    if (free > 1 || !Number.isInteger(rest) || known * rest !== size) {
      throw new ShapeError(
        `Cannot unflatten axis ${this.axis} of ${formatShape(x.shape)} to ${
          formatShape(this.sizes)
        }: it has ${size} elements${
          free > 1 ? " and only one size may be -1" : ""
        }`,
        [x.shape, this.sizes],
      );
    }
    const sizes = this.sizes.map((n) => n < 0 ? rest : n);
    return x.reshape(x.shape.toSpliced(axis, 1, ...sizes));
  }

  override describe(): string {
    return `${this.axis}, [${this.sizes}]`;
  }
}

/**
 * Its input.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { init, nn, tensor } from "@tessera/tessera";
 *
 * await init();
 * assertEquals(await new nn.Identity()(tensor([1, 2])).array(), [1, 2]);
 * ```
 */
export class Identity extends Module {
  override forward(x: Tensor): Tensor {
    return x.alias();
  }
}
