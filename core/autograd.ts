/**
 * Reverse-mode differentiation over a recorded graph.
 *
 * Each recorded call is a node: its op's gradient rule, what the rule reads, and an edge for each input. Backward walks the nodes from the
 * newest to the oldest, hands each the gradients of its outputs and adds what its rule gives to the gradients of its inputs. A node holds the
 * memory of what it saved until backward has used it, or until nothing can reach the node any more.
 */
import type { Apply, GradientContext, Meta } from "../wgsl/op.ts";
import { formatShape, sameShape } from "../wgsl/shape.ts";
import { AutogradError } from "./errors.ts";
import { withoutPlaces } from "./places.ts";
import { outsideScopes, scope } from "./scope.ts";
import type { Tensor } from "./tensor.ts";
import { inGradientOf, isWatched } from "./watch.ts";

/** A value kept for backward, with memory of its own. */
export interface Saved {
  /** Throws an AutogradError if the value was changed in place since; `title` is the op whose gradient needs it. */
  check(title: string): void;
  /** The value as a tensor, in the current scope. */
  revive(): Tensor;
  release(): void;
}

/** The end of the graph: a tensor that `requiresGrad`, where gradients add up. */
export class Leaf {
  grad: Tensor | undefined;
}

/** Output `index` of a node. */
export interface NodeEdge {
  readonly node: Node;
  readonly index: number;
}

/** Where the gradient of a tensor goes. */
export type Edge = Leaf | NodeEdge;

/** What a node is made from. */
export interface NodeInit {
  /** The op's name, for messages. */
  readonly name: string;
  /** The layer that made the call, such as "features.0 (Conv2d)". */
  readonly path: string | undefined;
  readonly edges: readonly (Edge | undefined)[];
  readonly inputMetas: readonly Meta[];
  readonly outputMetas: readonly Meta[];
  /** Runs the op's gradient rule. */
  rule(
    context: Omit<GradientContext<never>, "attrs" | "apply">,
  ): (Tensor | null)[];
}

let nodes = 0;

/** One recorded call. */
export class Node {
  /** Later calls have greater numbers, so that descending order is a topological one. */
  readonly id = ++nodes;
  /** By input, and by output, position; undefined for what the rule doesn't read. */
  savedInputs: (Saved | undefined)[] = [];
  savedOutputs: (Saved | undefined)[] = [];
  /** Whether backward has used up what was saved. */
  spent = false;
  #users = 0;

  constructor(readonly init: NodeInit) {
    for (const edge of init.edges) if (isNodeEdge(edge)) edge.node.retain();
  }

  /** The op and its layer, for messages. */
  get title(): string {
    const { name, path } = this.init;
    return path ? `${name} in ${path}` : name;
  }

  /** Counts a tensor or node that can reach this one. */
  retain(): void {
    this.#users++;
  }

  /** Lets one go. What only this node kept alive is freed. */
  release(): void {
    const pending: Node[] = [this];
    for (let node = pending.pop(); node; node = pending.pop()) {
      if (--node.#users > 0) continue;
      node.releaseSaved();
      for (const edge of node.init.edges) {
        if (isNodeEdge(edge)) pending.push(edge.node);
      }
    }
  }

  /** Throws an AutogradError if backward can't run through it any more. */
  check(): void {
    if (this.spent) {
      throw new AutogradError(
        `Cannot run backward through ${this.title} a second time: what it saved was freed by the first, pass { retainGraph: true } to that`,
      );
    }
    for (const saved of this.savedInputs) saved?.check(this.title);
    for (const saved of this.savedOutputs) saved?.check(this.title);
  }

  /** Frees what was saved. */
  releaseSaved(): void {
    for (const saved of this.savedInputs) saved?.release();
    for (const saved of this.savedOutputs) saved?.release();
    this.savedInputs = [];
    this.savedOutputs = [];
    this.spent = true;
  }
}

function isNodeEdge(edge: Edge | undefined): edge is NodeEdge {
  return edge !== undefined && !(edge instanceof Leaf);
}

/** How many `noGrad` are open. A count, since those that wait for promises may end in any order. */
let paused = 0;

/** Whether calls are recorded. */
export function isRecording(): boolean {
  return paused === 0;
}

/**
 * Runs `body` without recording: its results need no gradient, and nothing is saved for backward. Without an argument, stops recording
 * until the returned object is disposed of.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { init, noGrad, ones } from "@tessera/tessera";
 *
 * await init();
 * const w = ones([2], { requiresGrad: true });
 * assertEquals(noGrad(() => w.mul(2)).requiresGrad, false);
 * {
 *   using _ = noGrad();
 *   assertEquals(w.mul(2).requiresGrad, false);
 * }
 * ```
 */
export function noGrad(): Disposable;
export function noGrad<T>(body: () => T): T;
export function noGrad<T>(body?: () => T): T | Disposable {
  paused++;
  let open = true;
  const restore = () => {
    if (open) paused--;
    open = false;
  };
  if (!body) return { [Symbol.dispose]: restore };
  let pending = false;
  try {
    const result = body();
    if (result instanceof Promise) {
      pending = true;
      return result.finally(restore) as T;
    }
    return result;
  } finally {
    if (!pending) restore();
  }
}

/** Runs `body` with recording on or off. */
export function withRecording<T>(on: boolean, body: () => T): T {
  const before = paused;
  paused = on ? 0 : 1;
  try {
    return body();
  } finally {
    paused = before;
  }
}

/** Options of backward. */
export interface BackwardOptions {
  /** Keep what was saved, so that backward can run through the graph again. @default false, or `createGraph` */
  readonly retainGraph?: boolean;
  /** Record the computation of the gradients, so that they can be differentiated. @default false */
  readonly createGraph?: boolean;
}

/** Where backward starts: a tensor's edge and its gradient. */
export interface Root {
  readonly edge: Edge;
  readonly grad: Tensor;
}

/**
 * Propagates gradients from `roots` and returns those that arrive at `targets`, in their order; undefined where none does.
 *
 * Without `targets`, the gradients are added to every leaf's `grad` instead. A graph that can't be used is found before anything changes, and no
 * leaf's `grad` changes when a rule throws.
 */
export function propagate(
  roots: readonly Root[],
  options: BackwardOptions & { readonly targets?: readonly Edge[] },
  apply: Apply,
): (Tensor | undefined)[] {
  const { createGraph = false, targets } = options;
  const { retainGraph = createGraph } = options;
  const run = () => new Propagation(retainGraph, targets, apply).run(roots);
  return withRecording(
    createGraph,
    () => outsideScopes(() => withoutPlaces(run)),
  );
}

/** One run of backward. All tensors that it holds are its own handles. */
class Propagation {
  /** Gradients of the outputs of nodes that are still to come. */
  readonly #waiting = new Map<Node, (Tensor | undefined)[]>();
  readonly #leaves = new Map<Leaf, Tensor>();
  /** Nodes on the way to a target; all of them when there are no targets. */
  readonly #useful = new Set<Node>();
  readonly #results: (Tensor | undefined)[];

  constructor(
    readonly retainGraph: boolean,
    readonly targets: readonly Edge[] | undefined,
    readonly apply: Apply,
  ) {
    this.#results = targets?.map(() => undefined) ?? [];
  }

  run(roots: readonly Root[]): (Tensor | undefined)[] {
    const nodes = this.#order(roots);
    for (const node of nodes) node.check();
    try {
      for (const { edge, grad } of roots) this.#deliver(edge, grad.alias());
      for (const node of nodes) this.#visit(node);
      for (const [leaf, grad] of this.#leaves) {
        this.#leaves.set(leaf, totalFor(leaf, grad));
      }
    } catch (error) {
      for (const grads of this.#waiting.values()) {
        grads.forEach((grad) => grad?.dispose());
      }
      for (const grad of this.#leaves.values()) grad.dispose();
      this.#results.forEach((grad) => grad?.dispose());
      throw error;
    }
    for (const [leaf, total] of this.#leaves) setGradient(leaf, total);
    return this.#results;
  }

  /** The nodes that the roots reach, newest first, as far as they are useful. */
  #order(roots: readonly Root[]): Node[] {
    const seen = new Set<Node>();
    const pending = roots.map(({ edge }) => edge);
    for (let edge = pending.pop(); edge; edge = pending.pop()) {
      if (!isNodeEdge(edge) || seen.has(edge.node)) continue;
      seen.add(edge.node);
      for (const next of edge.node.init.edges) if (next) pending.push(next);
    }
    const oldestFirst = [...seen].sort((a, b) => a.id - b.id);
    for (const node of oldestFirst) {
      if (node.init.edges.some((edge) => this.#leads(edge))) {
        this.#useful.add(node);
      }
    }
    return [...this.#useful].reverse();
  }

  /** Whether a gradient that arrives at an edge is of use. */
  #leads(edge: Edge | undefined): boolean {
    if (!edge) return false;
    if (isNodeEdge(edge) && this.#useful.has(edge.node)) return true;
    return this.targets?.some((target) => sameEdge(target, edge)) ??
      edge instanceof Leaf;
  }

  /** Adds a gradient to what has arrived at an edge. Takes the handle over. */
  #deliver(edge: Edge, grad: Tensor): void {
    this.targets?.forEach((target, i) => {
      if (!sameEdge(target, edge)) return;
      this.#results[i] = sum(this.#results[i], grad.alias());
    });
    if (isNodeEdge(edge) && this.#useful.has(edge.node)) {
      let grads = this.#waiting.get(edge.node);
      if (!grads) this.#waiting.set(edge.node, grads = []);
      grads[edge.index] = sum(grads[edge.index], grad);
    } else if (edge instanceof Leaf && !this.targets) {
      this.#leaves.set(edge, sum(this.#leaves.get(edge), grad));
    } else {
      grad.dispose();
    }
  }

  #visit(node: Node): void {
    const grads = this.#waiting.get(node);
    if (!grads) return;
    const { edges } = node.init;
    const results = this.#derive(node, grads);
    this.#waiting.delete(node);
    for (const grad of grads) grad?.dispose();
    if (!this.retainGraph) node.releaseSaved();
    edges.forEach((edge, i) => {
      const result = results[i];
      if (edge && result) this.#deliver(edge, result);
    });
  }

  /** Runs the rule of a node. Its results come as handles of our own; all else that it made is freed. */
  #derive(
    node: Node,
    grads: readonly (Tensor | undefined)[],
  ): (Tensor | undefined)[] {
    const { edges, inputMetas, outputMetas } = node.init;
    using inner = scope();
    const needs = edges.map((edge) => this.#leads(edge));
    const run = () =>
      node.init.rule({
        grads: outputMetas.map((_, i) => grads[i] ?? null),
        // A rule never looks at the positions that its op doesn't save.
        inputs: node.savedInputs.map((saved) => saved?.revive()) as Tensor[],
        outputs: node.savedOutputs.map((saved) => saved?.revive()) as Tensor[],
        inputMetas,
        outputMetas,
        needs,
      });
    const results = (isWatched() ? inGradientOf(node.title, run) : run())
      .map((grad, i) => needs[i] ? grad : null);
    results.forEach((grad, i) => {
      if (grad && !sameShape(grad.shape, inputMetas[i].shape)) {
        throw new AutogradError(
          `Cannot use the gradient of ${node.title} for input ${i}: its shape is ${
            formatShape(grad.shape)
          }, the input's ${formatShape(inputMetas[i].shape)}`,
        );
      }
    });
    // A rule that computes in a wider dtype needn't convert: an alias where it agrees.
    const owned = results.map((grad, i) => grad?.to(inputMetas[i].dtype));
    inner.keep(owned);
    return owned;
  }
}

function sum(a: Tensor | undefined, b: Tensor): Tensor {
  if (!a) return b;
  const total = a.add(b);
  a.dispose();
  b.dispose();
  return total;
}

function sameEdge(a: Edge, b: Edge): boolean {
  return isNodeEdge(a)
    ? isNodeEdge(b) && a.node === b.node && a.index === b.index
    : a === b;
}

/** What a leaf's gradient becomes: a tensor that shares its memory with nothing else. Takes the handle over. */
function totalFor({ grad: before }: Leaf, grad: Tensor): Tensor {
  if (!before && grad.ownsStorage) return grad;
  const total = before ? before.add(grad) : grad.clone();
  grad.dispose();
  return total;
}

/** Sets a leaf's gradient. Outside of a graph the tensor that was there takes over the values, so that whoever holds it sees the sum. */
function setGradient(leaf: Leaf, total: Tensor): void {
  const before = leaf.grad;
  const inPlace = before?.coversStorage && !before.edge && !total.edge;
  if (inPlace) {
    before.storage.swap(total.storage);
    total.dispose();
  } else {
    before?.dispose();
    leaf.grad = total;
  }
}
