/** Lists and dictionaries of modules, for networks whose forward picks from them. */
import type { Tensor } from "../../core/tensor.ts";
import { Module } from "../module.ts";

function requireModule(value: unknown, name: string, to: string): Module {
  if (value instanceof Module) return value;
  throw new TypeError(
    `Cannot put ${name} into a ${to}: expected a Module but found ${
      String(value)
    }`,
  );
}

/**
 * Modules in a list, known by their positions: "blocks.0", "blocks.1". It isn't called itself: forward goes through it.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { init, nn, type Tensor, zeros } from "@tessera/tessera";
 *
 * await init();
 * class Net extends nn.Module {
 *   readonly blocks = new nn.ModuleList([1, 2, 3].map(() => new nn.Linear(4, 4)));
 *   override forward(x: Tensor): Tensor {
 *     for (const block of this.blocks) x = block(x).relu();
 *     return x;
 *   }
 * }
 * const net = new Net();
 * assertEquals(net(zeros([2, 4])).shape, [2, 4]);
 * assertEquals(net.parameters().length, 6);
 * ```
 */
export class ModuleList extends Module {
  constructor(modules: Iterable<Module> = []) {
    super();
    this.extend(modules);
  }

  /** How many there are. */
  get count(): number {
    return this.children().length;
  }

  /** The module at a position; negative ones count from the end. */
  at(index: number): Module | undefined {
    return this.children().at(index);
  }

  /** Adds a module at the end. Returns the list. */
  append(module: Module): this {
    const name = String(this.count);
    Reflect.set(this, name, requireModule(module, name, "ModuleList"));
    return this;
  }

  /** Adds modules at the end. Returns the list. */
  extend(modules: Iterable<Module>): this {
    for (const module of modules) this.append(module);
    return this;
  }

  override forward(): Tensor {
    throw new TypeError(
      "Cannot call a ModuleList: call its modules, or make a Sequential of them",
    );
  }

  [Symbol.iterator](): Iterator<Module> {
    return this.children()[Symbol.iterator]();
  }
}

/**
 * Modules by name: "heads.small", "heads.large". It isn't called itself: forward picks from it.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { init, nn, zeros } from "@tessera/tessera";
 *
 * await init();
 * const heads = new nn.ModuleDict({
 *   small: new nn.Linear(4, 2),
 *   large: new nn.Linear(4, 8),
 * });
 * assertEquals(heads.get("large")!(zeros([1, 4])).shape, [1, 8]);
 * assertEquals(heads.keys(), ["small", "large"]);
 * ```
 */
export class ModuleDict extends Module {
  constructor(modules: Readonly<Record<string, Module>> = {}) {
    super();
    for (const [name, module] of Object.entries(modules)) {
      this.set(name, module);
    }
  }

  /** How many there are. */
  get count(): number {
    return this.children().length;
  }

  get(name: string): Module | undefined {
    return new Map(this.namedChildren()).get(name);
  }

  /** Puts a module under a name, in place of what was there. Returns the dictionary. */
  set(name: string, module: Module): this {
    const taken = name in this && !this.has(name);
    if (name === "" || name.includes(".") || taken) {
      throw new RangeError(
        `Cannot call a module "${name}": expected a name without dots that isn't a method or field of ModuleDict`,
      );
    }
    Reflect.set(this, name, requireModule(module, name, "ModuleDict"));
    return this;
  }

  has(name: string): boolean {
    return Object.hasOwn(this, name) &&
      Reflect.get(this, name) instanceof Module;
  }

  /** Takes a module out. Returns whether it was there. */
  delete(name: string): boolean {
    return this.has(name) && Reflect.deleteProperty(this, name);
  }

  keys(): string[] {
    return this.entries().map(([name]) => name);
  }

  values(): Module[] {
    return this.children();
  }

  entries(): [string, Module][] {
    return [...this.namedChildren()];
  }

  override forward(): Tensor {
    throw new TypeError(
      "Cannot call a ModuleDict: call one of its modules, for instance dict.get(name)(x)",
    );
  }

  [Symbol.iterator](): Iterator<[string, Module]> {
    return this.namedChildren();
  }
}
