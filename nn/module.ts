/** The base of all layers and networks. */
import { noGrad } from "../core/autograd.ts";
import { outsideScopes, scope } from "../core/scope.ts";
import { withPath } from "../core/runtime.ts";
import { Tensor } from "../core/tensor.ts";
import { indented } from "../core/print.ts";
import { isFloat } from "../core/tensor_base.ts";
import type { DType } from "../wgsl/op.ts";
import { cloneValue } from "./clone.ts";
import {
  currentObserver,
  type ForwardHook,
  type ForwardPreHook,
  type HookHandle,
  Hooks,
} from "./hooks.ts";
import { Parameter } from "./parameter.ts";
import { loadInto, type StateDict } from "./state.ts";
import { titleOf, treeOf } from "./tree.ts";

/**
 * Makes instances callable: what `new` gives is a function that has the class's prototype. It stands apart from Module because fields are put on
 * what the base class's constructor returns.
 */
abstract class Callable {
  constructor() {
    const call = (...inputs: Tensor[]): Tensor => instance.invoke(inputs);
    const instance: Callable = Object.setPrototypeOf(
      call,
      new.target.prototype,
    );
    // A function's own name and length would hide fields of those names.
    Reflect.deleteProperty(call, "name");
    Reflect.deleteProperty(call, "length");
    return instance;
  }

  /** Runs when the instance is called. */
  abstract invoke(inputs: readonly Tensor[]): Tensor;
}

// Modules are called like functions: `net(x)` runs `forward` with the layer's path, scope and error text around it.
export interface Module {
  (...inputs: Tensor[]): Tensor;
}

/**
 * A layer or network: parameters, buffers and other modules as fields, and what it computes as `forward`.
 *
 * A subclass sets its fields in its constructor and writes `forward`; the module is then called like a function. Tensors that `forward` makes
 * and doesn't return, or put into a field, are freed when the call ends, except those that backward will need.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { init, nn, randn, type Tensor } from "@tessera/tessera";
 *
 * await init();
 * class Twice extends nn.Module {
 *   readonly linear = new nn.Linear(4, 4);
 *   override forward(x: Tensor): Tensor {
 *     return this.linear(this.linear(x));
 *   }
 * }
 * const net = new Twice();
 * assertEquals(net(randn([2, 4])).shape, [2, 4]);
 * const names = Array.from(net.namedParameters(), ([name]) => name);
 * assertEquals(names, ["linear.weight", "linear.bias"]);
 * ```
 */
export abstract class Module extends Callable {
  /** Whether dropout drops and batch norm measures: see {@linkcode train} and {@linkcode eval}. */
  training = true;
  readonly #buffers = new Set<string>();
  readonly #hooks = new Hooks();
  /** Names of the modules below, as last looked up. */
  readonly #names = new Map<Module, string>();

  /** What the module computes. Called through the module itself: `net(x)`. */
  abstract forward(...inputs: Tensor[]): Tensor;

  /** Its constructor's arguments, for summaries and messages: `"1, 6, kernelSize=5"`. */
  describe(): string {
    return "";
  }

  /** Makes a field a buffer: saved with the parameters, not learned. */
  protected registerBuffer(name: string): void {
    this.#buffers.add(name);
  }

  /** The modules directly below, by field name, in the order of their fields. */
  *namedChildren(): Generator<[string, Module]> {
    for (const [name, value] of Object.entries(this)) {
      if (value instanceof Module) yield [name, value];
    }
  }

  /** The modules directly below. */
  children(): Module[] {
    return Array.from(this.namedChildren(), ([, child]) => child);
  }

  /** This module (as "") and all below it, with dotted names. A module that is used twice comes once. */
  *namedModules(): Generator<[string, Module]> {
    const seen = new Set<Module>();
    function* walk(module: Module, name: string): Generator<[string, Module]> {
      if (seen.has(module)) return;
      seen.add(module);
      yield [name, module];
      for (const [key, child] of module.namedChildren()) {
        yield* walk(child, name ? `${name}.${key}` : key);
      }
    }
    yield* walk(this, "");
  }

  /** All parameters with dotted names, as torchvision spells them: "features.0.weight". Shared ones come once. */
  *namedParameters(): Generator<[string, Parameter]> {
    const seen = new Set<Parameter>();
    for (const [path, module] of this.namedModules()) {
      for (const [key, value] of Object.entries(module)) {
        if (!(value instanceof Parameter) || seen.has(value)) continue;
        seen.add(value);
        yield [path ? `${path}.${key}` : key, value];
      }
    }
  }

  /** All parameters. */
  parameters(): Parameter[] {
    return Array.from(this.namedParameters(), ([, value]) => value);
  }

  /** All buffers with dotted names. */
  *namedBuffers(): Generator<[string, Tensor]> {
    for (const [path, module] of this.namedModules()) {
      for (const key of module.#buffers) {
        const value = Reflect.get(module, key);
        if (value instanceof Tensor) {
          yield [path ? `${path}.${key}` : key, value];
        }
      }
    }
  }

  /** Number of learned values. */
  parameterCount(): number {
    return this.parameters().reduce((sum, { size }) => sum + size, 0);
  }

  /** Calls `visit` with this module and all below it, those below first, and returns this module. */
  apply(visit: (module: Module) => void): this {
    for (const child of this.children()) child.apply(visit);
    visit(this);
    return this;
  }

  /** Sets training mode (or, with false, evaluation mode) here and below. */
  train(on = true): this {
    for (const [, module] of this.namedModules()) module.training = on;
    return this;
  }

  /** Sets evaluation mode here and below. */
  eval(): this {
    return this.train(false);
  }

  /** Whether hooks look at its calls. */
  get hooked(): boolean {
    return this.#hooks.size > 0;
  }

  /**
   * Calls `hook` before each forward, with the inputs. Hooks run in the order in which they came.
   *
   * @example
   * ```ts
   * import { assertEquals } from "@std/assert";
   * import { init, nn, ones } from "@tessera/tessera";
   *
   * await init();
   * const layer = new nn.Identity();
   * using _ = layer.registerForwardPreHook((_module, [x]) => [x.mul(2)]);
   * assertEquals(await layer(ones([2])).array(), [2, 2]);
   * ```
   */
  registerForwardPreHook(hook: ForwardPreHook): HookHandle {
    return this.#hooks.addBefore(hook);
  }

  /**
   * Calls `hook` after each forward, with inputs and output: to look at features, collect statistics or change the output.
   *
   * The output is freed when the calls around it end; what the hook makes itself, an `output.clone()` for instance, lives until it is disposed of.
   *
   * @example
   * ```ts
   * import { assertEquals } from "@std/assert";
   * import { init, nn, zeros, zoo } from "@tessera/tessera";
   *
   * await init();
   * const net = zoo.lenet();
   * const shapes: string[] = [];
   * for (const [name, layer] of net.namedChildren()) {
   *   layer.registerForwardHook((_layer, _inputs, y) => {
   *     shapes.push(`${name} ${y.shape}`);
   *   });
   * }
   * net(zeros([1, 1, 28, 28]));
   * assertEquals(shapes[0], "0 1,6,28,28");
   * ```
   */
  registerForwardHook(hook: ForwardHook): HookHandle {
    return this.#hooks.addAfter(hook);
  }

  /**
   * A deep copy: modules, parameters and buffers of its own, in the same mode, with what is shared inside shared again. Gradients and hooks aren't
   * copied.
   *
   * Fields are copied as they stand and no constructor runs, so that a class with fields that are private by `#` has to override this.
   */
  clone(): this {
    const copies = new Map<unknown, unknown>();
    const special = (value: unknown) =>
      value instanceof Module
        ? value.#copy(copies, special)
        : value instanceof Parameter
        ? value.copy()
        : undefined;
    return this.#copy(copies, special);
  }

  #copy(
    copies: Map<unknown, unknown>,
    special: (value: unknown) => unknown,
  ): this {
    // Runs this class's constructor and none of those below it.
    const copy: this = Reflect.construct(Module, [], this.constructor);
    copies.set(this, copy);
    for (const name of this.#buffers) copy.#buffers.add(name);
    for (const [key, value] of Object.entries(this)) {
      Reflect.set(copy, key, cloneValue(value, copies, special));
    }
    return copy;
  }

  /**
   * Stores all floating-point parameters and buffers as another dtype, here and below: "f16" halves the memory where the adapter offers it, sums are kept
   * in f32. The module gets new tensors, so make optimisers afterwards. Inputs must have that dtype too.
   *
   * @throws {DTypeError} Where the device hasn't the dtype; nothing is changed then.
   */
  to(dtype: DType): this {
    const made = new Map<Tensor, Tensor>();
    const convert = (x: Tensor): Tensor => {
      const y = outsideScopes(() => noGrad(() => x.to(dtype)));
      if (!(x instanceof Parameter)) return y;
      const p = outsideScopes(() => new Parameter(y));
      p.requiresGrad = x.requiresGrad;
      return p;
    };
    const fields: [Module, string, Tensor][] = [];
    for (const [, module] of this.namedModules()) {
      for (const [key, value] of Object.entries(module)) {
        const own = value instanceof Parameter || module.#buffers.has(key);
        if (!own || !(value instanceof Tensor)) continue;
        if (!isFloat(value.dtype) || value.dtype === dtype) continue;
        if (!made.has(value)) made.set(value, convert(value));
        fields.push([module, key, value]);
      }
    }
    for (const [module, key, value] of fields) {
      Reflect.set(module, key, made.get(value));
    }
    for (const value of made.keys()) value.dispose();
    return this;
  }

  /** Freezes (false) or frees all parameters. */
  requiresGrad_(on = true): this {
    for (const p of this.parameters()) p.requiresGrad = on;
    return this;
  }

  /** Forgets all gradients. */
  zeroGrad(): void {
    for (const p of this.parameters()) p.grad = null;
  }

  /** The parameters and buffers by name. They are the module's own tensors, not copies. */
  stateDict(): StateDict {
    return new Map<string, Tensor>([
      ...this.namedParameters(),
      ...this.namedBuffers(),
    ]);
  }

  /**
   * Takes the values of `state` over by name. Nothing is changed unless all of it fits.
   *
   * @throws {Error} A table of what is missing, unexpected or of another shape, with the nearest names.
   */
  loadStateDict(
    state: StateDict,
    options: { readonly strict?: boolean } = {},
  ): void {
    loadInto(this.stateDict(), state, options);
  }

  /** Frees all parameters and buffers. The module can't be used afterwards. */
  dispose(): void {
    for (const value of this.stateDict().values()) value.dispose();
  }

  /** This module's dotted name below another. */
  #pathBelow(root: Module | undefined): string {
    if (!root || root === this) return "";
    if (!root.#names.has(this)) {
      for (const [name, module] of root.namedModules()) {
        root.#names.set(module, name);
      }
    }
    return root.#names.get(this) ?? "";
  }

  /** Runs `forward` with the layer's path, scope and error text around it. What a call of the module does. */
  override invoke(inputs: readonly Tensor[]): Tensor {
    const name = this.#pathBelow(running.at(0));
    using inner = scope();
    running.push(this);
    try {
      checkInputs(this, inputs);
      const observer = currentObserver();
      const call = observer?.before(this);
      const title = `${name || "the network"} (${this.constructor.name})`;
      const given = this.#hooks.before(this, inputs);
      if (given !== inputs) checkInputs(this, given);
      const made = withPath(title, () => this.forward(...given));
      const result = this.#hooks.after(this, given, made);
      const fields = Object.values(this).filter((f) => !(f instanceof Module));
      inner.keep([result, ...fields]);
      if (call !== undefined) observer?.after(call, inputs, result);
      return result;
    } catch (error) {
      throw locate(error, name, this);
    } finally {
      running.pop();
    }
  }

  /** The module as a tree of its layers. */
  override toString(): string {
    return treeOf(this, "");
  }

  [Symbol.for("Deno.customInspect")](
    _inspect: unknown,
    options?: object,
  ): string {
    return indented(this.toString(), options);
  }

  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return this.toString();
  }
}

/** Modules whose forward is running, outermost first. */
const running: Module[] = [];

/** Errors that name their layer already. */
const located = new WeakSet<Error>();

/** Adds the layer to an error's message, once. */
function locate(error: unknown, name: string, module: Module): unknown {
  if (error instanceof Error && !located.has(error)) {
    located.add(error);
    const layer = titleOf(module);
    error.message += name ? `, in ${name}: ${layer}` : `, in ${layer}`;
  }
  return error;
}

function checkInputs(module: Module, inputs: readonly unknown[]): void {
  inputs.forEach((x, i) => {
    if (x instanceof Tensor) return;
    const found = x instanceof Promise
      ? "a promise: await it first"
      : x === null || typeof x !== "object"
      ? String(x)
      : `a ${x.constructor?.name ?? "object"}`;
    throw new TypeError(
      `Cannot call ${module.constructor.name}: expected input ${i} to be a Tensor but found ${found}`,
    );
  });
}
