/**
 * Following a function: it runs on tensors that have shapes but no memory, and each call of an op is written down instead of launched.
 *
 * The tracing backend stands in for the device while the function runs. Nothing else of the library knows of it, so that whatever is written in tensor
 * calls can be traced: forward, backward and optimiser steps.
 */
import type { DType, HostData, Meta, Op, View } from "../../wgsl/op.ts";
import {
  contiguousView,
  isContiguous,
  itemBytes,
  sizeOf,
} from "../../wgsl/shape.ts";
import {
  type Backend,
  Block,
  type DeviceInfo,
  type Operand,
  type PoolStatus,
  type Prepared,
} from "../backend.ts";
import { CompileError } from "../errors.ts";
import type { Indices } from "../indices.ts";
import {
  currentBackend,
  currentPath,
  type RandomState,
  randomState,
  setRandomState,
  withBackend,
} from "../runtime.ts";
import { scope } from "../scope.ts";
import { Storage } from "../storage.ts";
import { Tensor } from "../tensor.ts";
import { currentGradient, watchOps } from "../watch.ts";
import {
  Cell,
  computedCell,
  type Graph,
  type GraphCall,
  type Place,
} from "./graph.ts";

/** A check of the values of a part of an input, as far as they are known on the host. */
export interface InputCheck {
  readonly input: number;
  readonly view: View;
  check(given: Indices): void;
}

/** Throws for indices and labels out of range among what is given for a graph's inputs, as far as they are known on the host. */
export function checkInputs(
  checks: readonly InputCheck[],
  inputs: readonly Cell[],
  given: readonly Tensor[],
): void {
  for (const { input, view, check } of checks) {
    const x = given[input];
    if (!isContiguous(x.view)) continue;
    const offset = x.view.offset + view.offset;
    const { shape } = inputs[input].meta;
    const whole = sizeOf(view.shape) === sizeOf(shape);
    if (!whole && x.size !== sizeOf(shape)) continue;
    const part = whole ? x.view : { ...view, offset };
    check({ storage: x.storage, view: part });
  }
}

/** The part of the random stream that running a function takes. */
export interface RandomUse {
  readonly start: RandomState;
  readonly blocks: number;
}

/** Memory that isn't there. */
class TraceBlock extends Block {
  constructor(readonly cell: Cell) {
    super(cell.bytes);
  }
}

/** Writes calls down in the place of a device. */
export class TraceBackend implements Backend {
  readonly info: DeviceInfo;
  readonly virtual = true;
  readonly calls: GraphCall[] = [];
  readonly checks: InputCheck[] = [];
  readonly #base: Backend;
  readonly #weights = new Map<Block, Cell>();
  #bytes = 0;
  #peakBytes = 0;

  constructor(base: Backend) {
    this.#base = base;
    this.info = base.info;
  }

  /** The most bytes of tensors that running the function call by call would have held at once, beside its inputs. */
  get peakBytes(): number {
    return this.#peakBytes;
  }

  get lost(): Error | undefined {
    return this.#base.lost;
  }

  requireDType(dtype: DType): void {
    this.#base.requireDType(dtype);
  }

  accepts(view: View): boolean {
    return this.#base.accepts(view);
  }

  /** Takes tensors of the device that it stands for. */
  adopt(storages: readonly Storage[], op: string): void {
    for (const storage of storages) {
      if (storage.backend === this) continue;
      if (storage.backend !== this.#base) {
        throw new CompileError(
          `Cannot compile ${op}: one of its tensors is on another device`,
        );
      }
      const { block, dtype, bytes } = storage;
      if (this.#weights.has(block)) continue;
      const meta = { shape: [bytes / itemBytes(dtype)], dtype };
      this.#weights.set(block, new Cell(meta, { kind: "weight", storage }));
    }
  }

  allocate(meta: Meta): Block {
    return this.#counted(new TraceBlock(computedCell(meta)));
  }

  release(block: Block): void {
    this.#bytes -= block.bytes;
  }

  upload(meta: Meta, data: HostData): Block {
    const source = { kind: "constant", data: data.slice() } as const;
    return this.#counted(new TraceBlock(new Cell(meta, source)));
  }

  /** A tensor that stands for what the caller will give. */
  input(
    index: number,
    meta: Meta,
  ): { readonly cell: Cell; readonly x: Tensor } {
    const cell = new Cell(meta, { kind: "input", index });
    const storage = new Storage(this, new TraceBlock(cell), meta);
    const view = contiguousView(meta);
    return { cell, x: new Tensor({ storage, view, madeBy: "compile" }) };
  }

  noteCheck(
    { storage: { block }, view }: Indices,
    check: (given: Indices) => void,
  ): void {
    const source = block instanceof TraceBlock && block.cell.source;
    if (source && source.kind === "input") {
      this.checks.push({ input: source.index, view, check });
    }
  }

  run<Attrs>(
    op: Op<Attrs>,
    inputs: readonly Operand[],
    outputs: readonly Operand[],
    attrs: Attrs,
  ): void {
    const gradient = currentGradient();
    this.calls.push({
      op,
      attrs,
      inputs: inputs.map((operand) => this.placeOf(operand)),
      outputs: outputs.map((operand) => this.placeOf(operand)),
      path: gradient === undefined ? currentPath() : `gradient of ${gradient}`,
      fused: [],
    });
  }

  /** The cell behind a tensor's memory. */
  placeOf({ view, block }: Operand): Place {
    const cell = block instanceof TraceBlock
      ? block.cell
      : this.#weights.get(block);
    if (cell) return { cell, view };
    throw new CompileError(
      "Cannot compile: a tensor's memory was replaced while the function ran, by assign() perhaps",
    );
  }

  read(_operand: Operand): Promise<HostData> {
    return Promise.reject(
      new CompileError(
        "Cannot read a tensor while it is compiled: what the function does can't depend on values",
      ),
    );
  }

  prepare(): Prepared {
    throw new CompileError("Cannot compile while something else is compiled");
  }

  synchronize(): Promise<void> {
    return Promise.resolve();
  }

  pool(): PoolStatus {
    return this.#base.pool();
  }

  trim(): void {}

  destroy(): void {}

  #counted(block: TraceBlock): TraceBlock {
    this.#bytes += block.bytes;
    this.#peakBytes = Math.max(this.#peakBytes, this.#bytes);
    return block;
  }
}

/** What was written down, and what the function returned, with places where there were tensors. */
export interface Traced<T> {
  readonly graph: Graph;
  readonly result: T;
  readonly checks: readonly InputCheck[];
  readonly random: RandomUse;
  /** The most bytes that tensors would have taken at once if the calls had been run one by one, without their inputs. */
  readonly eagerPeakBytes: number;
}

/** Runs `body` on tensors of these shapes and writes its calls down. `results` picks the tensors out of what it returns. */
export function trace<T>(
  metas: readonly Meta[],
  body: (inputs: readonly Tensor[]) => T,
  results: (value: T) => readonly Tensor[],
): Traced<T> {
  const tracer = new TraceBackend(currentBackend());
  // Backward names its ops' layers for those who watch.
  const unwatch = watchOps(() => {});
  const start = randomState();
  try {
    return withBackend(tracer, () => {
      using _ = scope();
      const inputs = metas.map((meta, i) => tracer.input(i, meta));
      const result = body(inputs.map(({ x }) => x));
      if (result instanceof Promise) {
        result.catch(() => {});
        throw new CompileError(
          "Cannot compile a function that waits: expected its tensors, found a promise",
        );
      }
      const tensors = results(result);
      tracer.adopt(tensors.map(({ storage }) => storage), "the function");
      const graph: Graph = {
        inputs: inputs.map(({ cell }) => cell),
        calls: tracer.calls,
        outputs: tensors.map(({ view, storage: { block } }) =>
          tracer.placeOf({ view, block })
        ),
      };
      const blocks = randomState().counter - start.counter;
      return {
        graph,
        result,
        checks: tracer.checks,
        random: { start, blocks },
        eagerPeakBytes: tracer.peakBytes,
      };
    });
  } finally {
    unwatch();
    // Nothing has been drawn: the first run does.
    setRandomState(start);
  }
}
