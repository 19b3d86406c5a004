/** What looks at the calls of modules: hooks of one module, and an observer of all. */
import { currentScope, outsideScopes } from "../core/scope.ts";
import { Tensor } from "../core/tensor.ts";
import type { Module } from "./module.ts";

/** Sees a module's inputs before forward. Tensors that it returns take their place. */
export type ForwardPreHook = (
  module: Module,
  inputs: readonly Tensor[],
) => readonly Tensor[] | void;

/** Sees what a module made of its inputs. A tensor that it returns takes the output's place. */
export type ForwardHook = (
  module: Module,
  inputs: readonly Tensor[],
  output: Tensor,
) => Tensor | void;

/** Takes a hook away again: by `remove`, or with `using` at the end of the block. */
export interface HookHandle extends Disposable {
  remove(): void;
}

/** The hooks of a module. */
export class Hooks {
  readonly #before = new Set<ForwardPreHook>();
  readonly #after = new Set<ForwardHook>();

  /** How many there are. */
  get size(): number {
    return this.#before.size + this.#after.size;
  }

  addBefore(hook: ForwardPreHook): HookHandle {
    return addTo(this.#before, hook);
  }

  addAfter(hook: ForwardHook): HookHandle {
    return addTo(this.#after, hook);
  }

  /** Runs the hooks before a forward. Returns its inputs. */
  before(module: Module, inputs: readonly Tensor[]): readonly Tensor[] {
    let given = inputs;
    for (const hook of this.#before) {
      const other = outsideScopes(() => hook(module, given));
      if (!other) continue;
      for (const x of other) if (!given.includes(x)) adopt(x);
      given = other;
    }
    return given;
  }

  /** Runs the hooks after a forward. Returns its output. */
  after(module: Module, inputs: readonly Tensor[], output: Tensor): Tensor {
    let result = output;
    for (const hook of this.#after) {
      const other = outsideScopes(() => hook(module, inputs, result));
      if (!other || other === result) continue;
      adopt(other);
      result = other;
    }
    return result;
  }
}

function addTo<T>(hooks: Set<T>, hook: T): HookHandle {
  hooks.add(hook);
  const remove = () => {
    hooks.delete(hook);
  };
  return { remove, [Symbol.dispose]: remove };
}

/** Gives a tensor that a hook made to the scope of the call. */
function adopt(x: unknown): void {
  if (x instanceof Tensor) x.moveTo(currentScope());
}

/** Sees every call of a module. */
export interface CallObserver {
  /** Before forward. What it returns is handed to `after`. */
  before(module: Module): number;
  after(call: number, inputs: readonly Tensor[], output: Tensor): void;
}

let observer: CallObserver | undefined;

/** Runs `body` while `watch` sees every call of a module. */
export function observeCalls<T>(watch: CallObserver, body: () => T): T {
  const before = observer;
  observer = watch;
  try {
    return body();
  } finally {
    observer = before;
  }
}

/** Who is watching, if anybody. */
export function currentObserver(): CallObserver | undefined {
  return observer;
}
