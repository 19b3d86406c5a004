/** What a tensor is before it can compute: a view of shared memory with a lifetime, a place in the graph, and values that can be read. */
import type { DType, HostData, Meta, Op, View } from "../wgsl/op.ts";
import {
  formatShape,
  isContiguous,
  itemBytes,
  sameShape,
  sizeOf,
} from "../wgsl/shape.ts";
import { type Edge, Leaf, type Saved } from "./autograd.ts";
import { AutogradError, DisposedError, ShapeError } from "./errors.ts";
import { Place, placeOf } from "./places.ts";
import {
  formatTensor,
  type Look,
  lookOf,
  nest,
  type Nested,
  pickShown,
  recall,
  remember,
  summaryOf,
  titleOf,
} from "./print.ts";
import { checkInterrupt, currentPath } from "./runtime.ts";
import {
  currentScope,
  outsideScopes,
  type Scope,
  type Tracked,
} from "./scope.ts";
import { countTensor, type Storage } from "./storage.ts";
import type { Tensor } from "./tensor.ts";

/** Devices as texts name them. */
const DEVICES = { cpu: "cpu", webgpu: "gpu" } as const;

/** What a tensor is made from. */
export interface TensorInit {
  readonly storage: Storage;
  readonly view: View;
  readonly edge?: Edge | undefined;
  /** The call that makes it, for messages. */
  readonly madeBy: string;
}

/** A tensor's hold on its storage and graph, apart from the tensor so that it can be let go when the tensor is garbage. */
class Hold {
  open = true;
  readonly place: Place;

  /** @param made The constructor that the stack leaves out, with all that it calls. */
  constructor(
    readonly storage: Storage,
    readonly edge: Edge | undefined,
    made: abstract new (init: TensorInit) => TensorBase,
  ) {
    storage.retain();
    if (edge && !(edge instanceof Leaf)) edge.node.retain();
    countTensor(1);
    this.place = new Place(made);
  }

  release(): void {
    if (!this.open) return;
    this.open = false;
    this.storage.release();
    if (this.edge && !(this.edge instanceof Leaf)) this.edge.node.release();
    countTensor(-1);
  }
}

/** Backstop for tensors that no scope holds: the garbage collector can't see their memory, so this comes late. */
const finalizer = new FinalizationRegistry<Hold>((hold) => hold.release());

/** Lifetime, graph and values. {@linkcode Tensor} adds what can be computed. */
export abstract class TensorBase implements Disposable, Tracked {
  readonly #hold: Hold;
  readonly #view: View;
  readonly #madeBy: string;
  readonly #path = currentPath();
  #scope: Scope | undefined;
  /** Its own end of the graph. Aliases share the edge, but only this tensor frees the gradient. */
  #leaf: Leaf | undefined;

  constructor({ storage, view, edge, madeBy }: TensorInit) {
    this.#hold = new Hold(storage, edge, new.target);
    this.#view = view;
    this.#madeBy = madeBy;
    this.moveTo(currentScope());
  }

  /** Runs an op on this tensor and others, and gives all its outputs. */
  protected abstract runAll<Attrs>(
    op: Op<Attrs>,
    inputs: readonly TensorBase[],
    attrs: Attrs,
  ): Tensor[];

  /** Runs an op and gives its first output. */
  protected run<Attrs>(
    op: Op<Attrs>,
    inputs: readonly TensorBase[],
    attrs: Attrs,
  ): Tensor {
    return this.runAll(op, inputs, attrs)[0];
  }

  /** Another tensor of the same memory. */
  protected abstract sibling(init: TensorInit): Tensor;

  /** Sizes, outermost first. */
  get shape(): readonly number[] {
    return this.#view.shape;
  }

  /** Element type. */
  get dtype(): DType {
    return this.#view.dtype;
  }

  /** Number of axes. */
  get rank(): number {
    return this.#view.shape.length;
  }

  /** Number of elements. */
  get size(): number {
    return sizeOf(this.#view.shape);
  }

  /** Shape, strides and offset on the buffer. */
  get view(): View {
    return this.#view;
  }

  /** The memory. Throws a DisposedError after {@linkcode dispose}. */
  get storage(): Storage {
    this.requireMemory();
    return this.#hold.storage;
  }

  /** Throws a DisposedError after {@linkcode dispose}. */
  requireMemory(): void {
    if (!this.#hold.open) throw this.#disposedError();
  }

  /** Whether `dispose` or a scope's end has freed it. */
  get disposed(): boolean {
    return !this.#hold.open;
  }

  /** Whether no other tensor or graph uses the memory, and all of it is this tensor's. */
  get ownsStorage(): boolean {
    return this.storage.unshared && this.coversStorage;
  }

  /** Whether the memory holds its elements in row-major order and nothing else. */
  get coversStorage(): boolean {
    const bytes = this.size * itemBytes(this.dtype);
    return bytes === this.storage.bytes && isContiguous(this.#view);
  }

  /** Where its gradient goes: undefined for a constant. */
  get edge(): Edge | undefined {
    return this.#leaf ?? this.#hold.edge;
  }

  /** Whether gradients are computed for it: because it was asked for, or because it depends on such a tensor. */
  get requiresGrad(): boolean {
    return this.edge !== undefined;
  }

  /** Asks for gradients, or not any more. Only for tensors that aren't results of recorded calls; use `detach` on those. */
  set requiresGrad(value: boolean) {
    if (value === this.requiresGrad) return;
    if (this.#hold.edge) {
      throw new AutogradError(
        "Cannot change requiresGrad of a computed tensor: only of one that was made directly, use detach()",
      );
    }
    if (value && !isFloat(this.dtype)) {
      throw new AutogradError(
        `Cannot require gradients of ${this.dtype} values: only floating-point ones have them`,
      );
    }
    this.#leaf?.grad?.dispose();
    this.#leaf = value ? new Leaf() : undefined;
  }

  /** What `backward` has added up for this leaf; null before. Freed with the tensor, and by `zeroGrad`. */
  get grad(): Tensor | null {
    const { edge } = this;
    return edge instanceof Leaf ? edge.grad ?? null : null;
  }

  set grad(value: Tensor | null) {
    const { edge } = this;
    if (!(edge instanceof Leaf)) {
      throw new AutogradError(
        "Cannot set grad of a tensor that isn't a leaf: only of one that was made with requiresGrad",
      );
    }
    const fits = !value ||
      value.dtype === this.dtype && sameShape(value.shape, this.shape);
    if (!fits) {
      throw new ShapeError(
        `Cannot set grad of the ${this.#summary()} tensor to one of ${
          summaryOf(value.view)
        }: expected the same shape and dtype`,
        [this.shape, value.shape],
      );
    }
    if (edge.grad !== value) edge.grad?.dispose();
    edge.grad = value ?? undefined;
  }

  /** Another tensor of the same memory and graph, in the current scope. */
  alias(): Tensor {
    return this.sibling({
      storage: this.storage,
      view: this.#view,
      edge: this.edge,
      madeBy: this.#madeBy,
    });
  }

  /** Another tensor of the same memory that no gradient flows through. */
  detach(): Tensor {
    return this.sibling({
      storage: this.storage,
      view: this.#view,
      madeBy: "detach",
    });
  }

  /** Keeps the value for backward, whatever happens to this tensor. Revived it has the edge `edge`. */
  save(edge: Edge | undefined = this.edge): Saved {
    // What is returned must not hold the tensor itself, or a graph would keep its own result from the garbage collector.
    const { storage, view, sibling } = this;
    const { version } = storage;
    const madeBy = this.#madeBy;
    const path = this.#path;
    storage.retain();
    return {
      check: (title) => {
        if (storage.version === version) return;
        throw new AutogradError(
          `Cannot run backward: the ${
            titleOf(view, madeBy, path)
          }, which the gradient of ${title} needs, has been changed in place since`,
        );
      },
      revive: () => sibling({ storage, view, edge, madeBy }),
      release: () => storage.release(),
    };
  }

  /** Frees it now. Its memory goes back to the pool unless a view, or a graph that waits for backward, uses it as well. */
  dispose(): void {
    if (!this.#hold.open) return;
    this.#leaf?.grad?.dispose();
    this.#scope?.untrack(this);
    finalizer.unregister(this);
    this.#hold.release();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  /** Makes it belong to a scope, which will free it, or to nobody: then the garbage collector's find will. */
  moveTo(scope: Scope | undefined): void {
    this.#scope?.untrack(this);
    this.#scope = scope;
    finalizer.unregister(this);
    if (scope) {
      scope.track(this);
    } else {
      this.#hold.place.release();
      finalizer.register(this, this.#hold, this);
    }
  }

  /** The values in row-major order: a Float32Array, Int32Array, Uint32Array, Float16Array, or a Uint8Array of 0 and 1 for `bool`. */
  async read(): Promise<HostData> {
    checkInterrupt();
    const { storage } = this;
    const { version } = storage;
    if (!isContiguous(this.#view)) {
      const dense = this.#dense();
      const values = dense.read();
      // The copy to the host has been recorded: the memory may go.
      dense.dispose();
      return this.#remember(await values, version);
    }
    const { block } = storage;
    const data = await storage.backend.read({ view: this.#view, block });
    return this.#remember(data, version);
  }

  /** The values as nested arrays of numbers, or booleans for `bool`; a number for a scalar. */
  async array(): Promise<Nested> {
    return nest(await this.read(), this.shape, this.dtype);
  }

  /** The value of a tensor with one element. */
  async item(): Promise<number> {
    if (this.size !== 1) {
      throw new ShapeError(
        `Cannot take the item of a tensor of shape ${
          formatShape(this.shape)
        }: expected one element but found ${this.size}`,
        [this.shape],
      );
    }
    return (await this.read())[0];
  }

  [Symbol.for("Deno.customInspect")](
    _inspect: unknown,
    options?: object,
  ): string {
    return this.#text(lookOf(options));
  }

  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return this.toString();
  }

  /** Operators don't compute: only a text can be made of a tensor. */
  [Symbol.toPrimitive](hint: "string" | "number" | "default"): string {
    if (hint !== "number") return this.toString();
    throw new TypeError(
      "Cannot use a tensor as a number: call its methods, such as x.mul(2) and x.gt(0), or await x.item()",
    );
  }

  /** Dtype, shape and device and, once they have been read, the values. */
  toString(): string {
    return this.#text();
  }

  #text(look?: Look): string {
    const name = this.constructor.name;
    if (this.disposed) return `${name} ${this.#summary()} (freed)`;
    const { backend, version } = this.storage;
    const facts = [
      `${name} ${this.#summary()} ${DEVICES[backend.info.backend]}`,
    ];
    if (!this.coversStorage) facts.push("view");
    const { edge } = this;
    if (edge instanceof Leaf) facts.push("requiresGrad");
    else if (edge) facts.push(`requiresGrad by ${edge.node.title}`);
    return formatTensor(facts.join(", "), this, recall(this, version), look);
  }

  /** A contiguous copy that no graph or scope knows of. */
  #dense(): Tensor {
    return outsideScopes(() => {
      using plain = this.detach();
      return plain.contiguous();
    });
  }

  #remember(data: HostData, version: number): HostData {
    const values = pickShown(data, this.shape);
    const statistics = recall(this, version)?.statistics;
    remember(this, { values, version, statistics });
    return data;
  }

  #summary(): string {
    return summaryOf(this.#view);
  }

  #disposedError(): DisposedError {
    const { stack } = this.#hold.place;
    const how = this.#scope
      ? "its scope has ended or dispose() was called, keep it with scope.keep(x)"
      : "dispose() was called";
    return new DisposedError(
      `Cannot use the ${titleOf(this.#view, this.#madeBy, this.#path)}${
        placeOf(stack)
      }: ${how}`,
      stack,
    );
  }
}

/** Whether a dtype holds floating-point numbers. */
export function isFloat(dtype: DType): boolean {
  return dtype === "f32" || dtype === "f16" || dtype === "f64";
}

/** Shape and dtype of a tensor. */
export function metaOf({ shape, dtype }: TensorBase): Meta {
  return { shape, dtype };
}
