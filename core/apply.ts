/** Running an op: shapes first, then memory, then launches. What comes out are storages and graph edges; core/tensor.ts makes tensors of them. */
import { copy } from "../wgsl/move/copy.ts";
import type {
  Apply,
  Gradient,
  GradientContext,
  Meta,
  Op,
  View,
} from "../wgsl/op.ts";
import { isStrided, savesOf } from "../wgsl/op.ts";
import { contiguousView, isContiguous } from "../wgsl/shape.ts";
import { describeValue } from "./arguments.ts";
import { type Edge, isRecording, Node } from "./autograd.ts";
import type { Backend, Block, Operand } from "./backend.ts";
import { LaunchError } from "./errors.ts";
import { keep } from "./recompute.ts";
import {
  checkInterrupt,
  currentBackend,
  currentPath,
  openedBackend,
} from "./runtime.ts";
import { Storage } from "./storage.ts";
import { isFloat, metaOf, TensorBase } from "./tensor_base.ts";

/** An output of an op: memory that is still nobody's. */
export interface Output {
  readonly storage: Storage;
  readonly view: View;
}

/** Runs an op and returns its outputs, contiguous and fresh; none for an op that writes in place. */
export function execute<Attrs>(
  op: Op<Attrs>,
  inputs: readonly TensorBase[],
  attrs: Attrs,
): Output[] {
  checkInterrupt();
  const backend = backendOf(op.name, inputs);
  const metas = op.infer(inputs.map(metaOf), attrs);
  for (const { dtype } of metas) backend.requireDType(dtype);
  const temporary: Block[] = [];
  const outputs: Output[] = [];
  try {
    const operands = inputs.map((x, i): Operand => {
      const operand = { view: x.view, block: x.storage.block };
      if (isStrided(op, i) || backend.accepts(x.view)) return operand;
      const dense = densify(backend, operand);
      temporary.push(dense.block);
      return dense;
    });
    if (op.inPlace) {
      overwrite(backend, op, op.inPlace, inputs, operands, attrs);
      return [];
    }
    for (const meta of metas) {
      const storage = new Storage(backend, backend.allocate(meta), meta);
      outputs.push({ storage, view: contiguousView(meta) });
    }
    const targets = outputs.map(({ storage: { block }, view }) => ({
      view,
      block,
    }));
    backend.run(op, operands, targets, attrs);
    return outputs;
  } catch (error) {
    for (const { storage } of outputs) storage.discard();
    throw error;
  } finally {
    // Later commands may reuse the memory: the GPU runs them in order.
    for (const block of temporary) backend.release(block);
  }
}

/** The backend that all inputs live on; the current one when there are none. */
function backendOf(name: string, inputs: readonly TensorBase[]): Backend {
  if (inputs.length === 0) return currentBackend();
  const stranger = inputs.findIndex((x) => !(x instanceof TensorBase));
  if (stranger >= 0) {
    throw new TypeError(
      `Cannot run ${name}: operand ${stranger} is ${
        describeValue(inputs[stranger])
      }, expected a tensor`,
    );
  }
  const active = openedBackend();
  if (active?.adopt) {
    active.adopt(inputs.map(({ storage }) => storage), name);
    return active;
  }
  const [backend, ...others] = inputs.map(({ storage }) => storage.backend);
  const gone = [backend, ...others].find(({ lost }) => lost);
  if (gone) throw gone.lost;
  if (others.some((other) => other !== backend)) {
    throw new LaunchError(
      `Cannot run ${name}: its tensors were made on different devices, move one with tensor(await x.read(), { shape: x.shape })`,
      [name],
    );
  }
  return backend;
}

function densify(backend: Backend, operand: Operand): Operand {
  const { shape, dtype } = operand.view;
  const view = contiguousView({ shape, dtype });
  const dense = { view, block: backend.allocate(view) };
  backend.run(copy, [operand], [dense], { dtype });
  return dense;
}

function overwrite<Attrs>(
  backend: Backend,
  op: Op<Attrs>,
  inPlace: readonly number[],
  inputs: readonly TensorBase[],
  operands: readonly Operand[],
  attrs: Attrs,
): void {
  const targets = inPlace.map((i) => {
    const copied = operands[i].block !== inputs[i].storage.block;
    if (copied || !isContiguous(inputs[i].view)) {
      throw new LaunchError(
        `Cannot run ${op.name} in place on a strided view: make input ${i} contiguous first`,
        [op.name],
      );
    }
    return operands[i];
  });
  backend.run(op, operands, targets, attrs);
  for (const i of inPlace) {
    inputs[i].storage.version++;
    inputs[i].storage.host = undefined;
  }
}

/** A call as autograd sees it. */
export interface Call<Attrs> {
  readonly name: string;
  readonly gradient: Gradient<Attrs> | undefined;
  readonly inputs: readonly TensorBase[];
  readonly outputs: readonly Meta[];
  readonly attrs: Attrs;
}

/** The graph's node for a call, or undefined when no gradient flows through it. */
export function record<Attrs>(
  { name, gradient, inputs, outputs, attrs }: Call<Attrs>,
  apply: Apply,
): Node | undefined {
  if (!gradient || !isRecording()) return undefined;
  const edges: (Edge | undefined)[] = inputs.map(({ edge }) => edge);
  if (edges.every((edge) => edge === undefined)) return undefined;
  if (!outputs.some(({ dtype }) => isFloat(dtype))) return undefined;
  const node = new Node({
    name,
    path: currentPath(),
    edges,
    inputMetas: inputs.map(metaOf),
    outputMetas: outputs,
    rule: (context) =>
      gradient.rule(
        { ...context, attrs, apply } satisfies GradientContext<Attrs>,
      ),
  });
  const saved = savesOf(gradient, attrs).inputs ?? [];
  node.savedInputs = inputs.map((x, i) =>
    saved.includes(i) ? keep(x) : undefined
  );
  return node;
}

/** The edge of output `index` of a recorded call. */
export function edgeOf(
  node: Node | undefined,
  index: number,
  { dtype }: View,
): Edge | undefined {
  return node && isFloat(dtype) ? { node, index } : undefined;
}
