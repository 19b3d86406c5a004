/**
 * Scopes: tensors that are made while one is open are freed when it closes, except those that it keeps.
 *
 * Scopes nest. What a scope keeps belongs to the scope around it, or to nobody, and then lives until `dispose` or until the garbage
 * collector finds it.
 */

/** Something that a scope frees. */
export interface Tracked {
  dispose(): void;
  /** Makes it belong to a scope, or to nobody. */
  moveTo(scope: Scope | undefined): void;
}

const stack: (Scope | undefined)[] = [];

/** Runs `make` in a scope of its own that keeps what it returns: for calls that are made of several others. */
export function tidy<T>(make: () => T): T {
  using inner = scope();
  return inner.keep(make());
}

/**
 * Frees what is made while it is open. Made by {@linkcode scope}.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { init, ones, scope, type Scope } from "@tessera/tessera";
 *
 * await init();
 * const inner: Scope = scope();
 * const x = inner.keep(ones([2]));
 * ones([2]).add(1);
 * assertEquals(inner.size, 2);
 * inner.dispose();
 * assertEquals(await x.array(), [1, 1]);
 * ```
 */
export class Scope implements Disposable {
  readonly #tracked = new Set<Tracked>();

  /** How many tensors it would free. */
  get size(): number {
    return this.#tracked.size;
  }

  /** Takes a new tensor in. */
  track(item: Tracked): void {
    this.#tracked.add(item);
  }

  /** Forgets a tensor, which has been freed or moved. */
  untrack(item: Tracked): void {
    this.#tracked.delete(item);
  }

  /** Lets tensors outlive the scope: a tensor, or any array, map or object that holds some. Returns its argument. */
  keep<T>(value: T): T {
    const outer = stack[stack.indexOf(this) - 1];
    for (const item of this.#find(value)) item.moveTo(outer);
    return value;
  }

  /** Frees now what can't be reached from `roots`. The scope stays open. */
  sweep(roots: Iterable<unknown>): void {
    const kept = this.#find([...roots]);
    for (const item of this.#tracked) {
      if (!kept.has(item)) item.dispose();
    }
  }

  /** Frees all that was made and not kept. */
  dispose(): void {
    const at = stack.lastIndexOf(this);
    if (at >= 0) stack.splice(at, 1);
    for (const item of this.#tracked) item.dispose();
    this.#tracked.clear();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  /** The tracked items that a value holds, looking into arrays, maps, sets and objects. */
  #find(value: unknown): Set<Tracked> {
    const found = new Set<Tracked>();
    const seen = new Set<unknown>();
    const pending: unknown[] = [value];
    while (pending.length > 0) {
      const next = pending.pop();
      // Modules are functions with fields.
      const holds = typeof next === "object" || typeof next === "function";
      if (!holds || next === null || seen.has(next)) continue;
      seen.add(next);
      if (this.#tracked.has(next as Tracked)) {
        found.add(next as Tracked);
      } else if (next instanceof Map) {
        pending.push(...next.keys(), ...next.values());
      } else if (Array.isArray(next) || next instanceof Set) {
        for (const item of next) pending.push(item);
      } else if (!ArrayBuffer.isView(next)) {
        pending.push(...Object.values(next));
      }
    }
    return found;
  }
}

/**
 * Opens a scope. With `using`, it closes at the end of the block.
 *
 * Tensors belong to the scope that was opened last, whoever makes them: where other code may run during an `await`, close the scope before it.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { init, memory, randn, scope } from "@tessera/tessera";
 *
 * await init({ seed: 0 });
 * function norm() {
 *   using s = scope();
 *   const x = randn([100]);
 *   return s.keep(x.mul(x).sum().sqrt()); // x and its square are freed here
 * }
 * const { tensors } = memory();
 * const length = norm();
 * assertEquals(memory().tensors, tensors + 1);
 * length.dispose();
 * ```
 */
export function scope(): Scope {
  const opened = new Scope();
  stack.push(opened);
  return opened;
}

/** The scope that new tensors belong to. */
export function currentScope(): Scope | undefined {
  return stack.at(-1);
}

/** Runs `make` with no scope open, so that what it makes belongs to nobody. */
export function outsideScopes<T>(make: () => T): T {
  stack.push(undefined);
  try {
    return make();
  } finally {
    stack.splice(stack.lastIndexOf(undefined), 1);
  }
}
