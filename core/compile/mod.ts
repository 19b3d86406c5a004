/** From a function to a program: traced, improved by the passes, prepared. */
import type { Meta } from "../../wgsl/op.ts";
import { copy } from "../../wgsl/move/copy.ts";
import { currentBackend } from "../runtime.ts";
import type { Tensor } from "../tensor.ts";
import {
  type Cell,
  computedCell,
  constantCells,
  type Graph,
  type GraphCall,
  moveCells,
  type Place,
  wholeOf,
} from "./graph.ts";
import { PASSES, type PassName } from "./passes/mod.ts";
import { Program } from "./program.ts";
import { trace } from "./trace.ts";

export { PASSES, type PassName } from "./passes/mod.ts";
export { heldBytes, within } from "./bound.ts";
export { Program } from "./program.ts";

/** Passes to leave out: `{ concat: false }`. */
export type PassSwitches = Readonly<Partial<Record<PassName, boolean>>>;

/** A program and what it was made from. */
export interface Build<T> {
  readonly program: Program;
  /** What the function returned. Its tensors are freed; they stand for places in the results. */
  readonly result: T;
  /** Calls that running the function makes one by one. */
  readonly tracedCalls: number;
  /** The most bytes of tensors that running the function call by call holds at once, beside its inputs. */
  readonly eagerPeakBytes: number;
}

/** Traces a function of tensors of these shapes and makes a program of it. `results` picks the tensors out of what the function returns. */
export function build<T>(
  metas: readonly Meta[],
  body: (inputs: readonly Tensor[]) => T,
  results: (value: T) => readonly Tensor[],
  switches: PassSwitches = {},
): Build<T> {
  const traced = trace(metas, body, results);
  const { graph, result, checks, random, eagerPeakBytes } = traced;
  const tracedCalls = graph.calls.length;
  improve(graph, switches);
  const program = new Program(graph, currentBackend(), { checks, random });
  return { program, result, tracedCalls, eagerPeakBytes };
}

/** Runs the passes. */
export function improve(graph: Graph, switches: PassSwitches = {}): void {
  ownConstants(graph);
  ownResults(graph);
  for (const pass of PASSES) {
    if (switches[pass.name] ?? true) pass.run(graph);
  }
}

/** Copies uploaded values that calls change, so that each run begins with those that were uploaded. */
function ownConstants(graph: Graph): void {
  const changed = graph.calls.flatMap(({ op, inputs }) =>
    (op.inPlace ?? []).map((i) => inputs[i].cell)
  );
  const moved = new Map<Cell, (place: Place) => Place>();
  const copies: GraphCall[] = [];
  for (const cell of new Set(changed)) {
    if (cell.source.kind !== "constant") continue;
    const own = computedCell(cell.meta);
    copies.push(copyOf(wholeOf(cell), wholeOf(own)));
    moved.set(cell, ({ view }) => ({ cell: own, view }));
  }
  moveCells(graph, moved);
  graph.calls.unshift(...copies);
}

/** Copies what the caller gets where it would be an input, a weight or a constant of the program itself. */
function ownResults(graph: Graph): void {
  const constant = constantCells({ ...graph, outputs: [] });
  const copies = new Map<Place, Place>();
  for (const place of graph.outputs) {
    const { cell, view } = place;
    const changed = graph.calls.some(({ op, outputs }) =>
      op.inPlace && outputs.some((y) => y.cell === cell)
    );
    if (cell.computed && !constant.has(cell) && !changed) continue;
    const { shape, dtype } = view;
    copies.set(place, wholeOf(computedCell({ shape, dtype })));
  }
  for (const [from, to] of copies) graph.calls.push(copyOf(from, to));
  graph.outputs = graph.outputs.map((place) => copies.get(place) ?? place);
}

function copyOf(from: Place, to: Place): GraphCall {
  return {
    op: copy,
    attrs: { dtype: to.view.dtype },
    inputs: [from],
    outputs: [to],
    path: undefined,
    fused: [],
  };
}
