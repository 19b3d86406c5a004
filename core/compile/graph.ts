/**
 * A traced computation as data: calls of ops in the order in which they run, and the memory that they read and write.
 *
 * Views cost nothing: a call's operand says how it looks at a cell. Nearly every cell is written once, by one call, whole; passes check that where they
 * rely on it.
 */
import type { PlaneOrder } from "../../wgsl/conv/geometry.ts";
import type { AnyOp, HostData, Meta, View } from "../../wgsl/op.ts";
import { contiguousView, itemBytes, sizeOf } from "../../wgsl/shape.ts";
import type { Storage } from "../storage.ts";

/** Where a cell's content comes from. */
export type Source =
  /** The caller gives it, at each run. */
  | { readonly kind: "input"; readonly index: number }
  /** A tensor that was there before, such as a layer's weight. */
  | { readonly kind: "weight"; readonly storage: Storage }
  /** Values that were uploaded while tracing. */
  | { readonly kind: "constant"; readonly data: HostData }
  /** Calls write it. */
  | { readonly kind: "computed" };

let cells = 0;

/** A piece of memory. */
export class Cell {
  readonly id = ++cells;
  readonly bytes: number;

  constructor(readonly meta: Meta, readonly source: Source) {
    this.bytes = sizeOf(meta.shape) * itemBytes(meta.dtype);
  }

  get computed(): boolean {
    return this.source.kind === "computed";
  }
}

/** A cell that calls write. */
export function computedCell({ shape, dtype }: Meta): Cell {
  return new Cell({ shape, dtype }, { kind: "computed" });
}

/** How a call looks at a cell. */
export interface Place {
  readonly cell: Cell;
  readonly view: View;
}

/** A cell as a contiguous whole. */
export function wholeOf(cell: Cell): Place {
  return { cell, view: contiguousView(cell.meta) };
}

/** One op on cells. */
export interface GraphCall {
  readonly op: AnyOp;
  readonly attrs: unknown;
  readonly inputs: readonly Place[];
  readonly outputs: readonly Place[];
  /** The layer that made the call, such as "features.0 (Conv2d)", and "gradient of …" for backward. */
  readonly path: string | undefined;
  /** Names of the ops that passes have put into this call. */
  readonly fused: readonly string[];
  /** Whether it computes again what has been freed. */
  readonly again?: boolean;
  /** The call that it is a part of: what that one is told is told to all its parts. `rank` is its place among others of its kind. */
  readonly partOf?: { readonly call: GraphCall; readonly rank: number };
  /** The order of its result's planes, where a pass has changed it. */
  readonly order?: PlaneOrder;
}

/** A computation. */
export interface Graph {
  readonly inputs: readonly Cell[];
  calls: GraphCall[];
  /** What the caller gets. */
  outputs: Place[];
}

/** Who writes and who reads each cell. */
export class Uses {
  readonly #writers = new Map<Cell, GraphCall[]>();
  readonly #readers = new Map<Cell, GraphCall[]>();
  readonly #results: ReadonlySet<Cell>;

  constructor({ calls, outputs }: Graph) {
    for (const call of calls) {
      for (const { cell } of call.outputs) add(this.#writers, cell, call);
      for (const { cell } of call.inputs) add(this.#readers, cell, call);
    }
    this.#results = new Set(outputs.map(({ cell }) => cell));
  }

  /** Calls that write a cell, in order. */
  writers(cell: Cell): readonly GraphCall[] {
    return this.#writers.get(cell) ?? [];
  }

  /** Calls that read a cell, once for each operand, in order. */
  readers(cell: Cell): readonly GraphCall[] {
    return this.#readers.get(cell) ?? [];
  }

  /** Whether the caller gets the cell, or a part of it. */
  isResult(cell: Cell): boolean {
    return this.#results.has(cell);
  }

  /** Whether a cell belongs to the graph, and one call alone writes it. */
  writtenOnce(cell: Cell): boolean {
    return cell.computed && this.writers(cell).length === 1;
  }

  /** The one call that reads what `call` writes as its output 0, if nobody else does. */
  onlyReader({ outputs: [y] }: GraphCall): GraphCall | undefined {
    if (!this.writtenOnce(y.cell) || this.isResult(y.cell)) return undefined;
    const readers = this.readers(y.cell);
    return readers.length === 1 ? readers[0] : undefined;
  }
}

function add<K, V>(map: Map<K, V[]>, key: K, value: V): void {
  const list = map.get(key);
  if (list) list.push(value);
  else map.set(key, [value]);
}

/** All cells of a graph, in the order in which they turn up. */
export function cellsOf({ inputs, calls, outputs }: Graph): Set<Cell> {
  const uses = new Uses({ inputs, calls, outputs });
  const found = new Set<Cell>();
  for (const cell of inputs) {
    if (uses.readers(cell).length > 0) found.add(cell);
  }
  for (const call of calls) {
    for (const { cell } of [...call.inputs, ...call.outputs]) found.add(cell);
  }
  return found;
}

/** Whether a view shows all of a cell, in row-major order. */
export function coversCell({ cell, view }: Place): boolean {
  const { shape, strides } = contiguousView(view);
  return view.offset === 0 && view.dtype === cell.meta.dtype &&
    sizeOf(view.shape) === sizeOf(cell.meta.shape) &&
    strides.every((step, d) => shape[d] === 1 || step === view.strides[d]);
}

/** Puts other calls in the place of some. Those for which nothing is given stay. */
export function replaceCalls(
  graph: Graph,
  instead: ReadonlyMap<GraphCall, readonly GraphCall[]>,
): void {
  graph.calls = graph.calls.flatMap((call) => instead.get(call) ?? [call]);
}

/** Shows places elsewhere: each operand and output that lies in a cell of the map is moved. */
export function moveCells(
  graph: Graph,
  moved: ReadonlyMap<Cell, (place: Place) => Place>,
): void {
  if (moved.size === 0) return;
  const move = (place: Place) => moved.get(place.cell)?.(place) ?? place;
  const touches = (places: readonly Place[]) =>
    places.some(({ cell }) => moved.has(cell));
  graph.calls = graph.calls.map((call) =>
    touches(call.inputs) || touches(call.outputs)
      ? {
        ...call,
        inputs: call.inputs.map(move),
        outputs: call.outputs.map(move),
      }
      : call
  );
  graph.outputs = graph.outputs.map(move);
}

/**
 * The cells whose content is the same at every run: weights that no call changes, constants, and what is computed from those alone. What the caller gets
 * isn't among them, as it is new each time, and neither is a cell of which one part alone is constant.
 */
export function constantCells({ inputs, calls, outputs }: Graph): Set<Cell> {
  const varying = new Set<Cell>(inputs);
  for (const { cell } of outputs) varying.add(cell);
  for (const { op, inputs, outputs } of calls) {
    for (const i of op.inPlace ?? []) varying.add(inputs[i].cell);
    if (op.volatile) { for (const { cell } of outputs) varying.add(cell); }
  }
  const varies = ({ cell }: Place) => varying.has(cell);
  // A call that writes into what varies varies with all that it writes, so that there may be another round.
  for (let before = -1; before !== varying.size;) {
    before = varying.size;
    for (const { inputs, outputs } of calls) {
      if (!inputs.some(varies) && !outputs.some(varies)) continue;
      for (const { cell } of outputs) varying.add(cell);
    }
  }
  const constant = new Set<Cell>();
  for (const { inputs, outputs } of calls) {
    for (const { cell } of [...inputs, ...outputs]) {
      if (!varying.has(cell)) constant.add(cell);
    }
  }
  return constant;
}

/** Whether a call gives the same when it runs as late as `next`: nothing that it reads is written in between, and nothing reads its other results before. */
export function staysSame(
  { calls }: Graph,
  call: GraphCall,
  next: GraphCall,
): boolean {
  const between = calls.slice(calls.indexOf(call) + 1, calls.indexOf(next));
  const read = new Set(call.inputs.map(({ cell }) => cell));
  const written = new Set(call.outputs.map(({ cell }) => cell));
  return between.every(({ inputs, outputs }) =>
    outputs.every(({ cell }) => !read.has(cell)) &&
    inputs.every(({ cell }) => !written.has(cell))
  );
}
