/**
 * Concatenations without copies: whoever computes a part writes it where it belongs in the whole.
 *
 * A concatenation whose parts are some of another's, as in a dense block, becomes a slice of that one. It works where a part is a contiguous run of the
 * whole, which for channels means one image, or where nothing stands before the axis.
 */
import { concat, type ConcatAttrs } from "../../../wgsl/move/concat.ts";
import { copy } from "../../../wgsl/move/copy.ts";
import { isStrided, type View } from "../../../wgsl/op.ts";
import { ALIGN } from "../../../wgsl/launch.ts";
import {
  contiguousView,
  isContiguous,
  itemBytes,
  normalizeAxis,
  sizeOf,
} from "../../../wgsl/shape.ts";
import {
  type Cell,
  constantCells,
  coversCell,
  type Graph,
  type GraphCall,
  moveCells,
  type Place,
  replaceCalls,
  Uses,
} from "../graph.ts";

/** Lets parts be written in place, the largest concatenations first. */
export function concatInPlace(graph: Graph): void {
  const done = new Set<string>();
  const constant = constantCells(graph);
  for (;;) {
    const wholes = graph.calls.filter((call) =>
      call.op === concat && !done.has(nameOf(call)) && isRun(call) &&
      call.outputs[0].cell.computed && !constant.has(call.outputs[0].cell)
    );
    wholes.sort((a, b) =>
      b.inputs.length - a.inputs.length || sizeOfResult(b) - sizeOfResult(a)
    );
    const [whole] = wholes;
    if (!whole) return;
    done.add(nameOf(whole));
    const [y] = whole.outputs;
    if (whole.inputs.some(({ cell }) => cell === y.cell)) continue;
    aliasWithin(graph, whole);
    placeParts(graph, whole, constant);
  }
}

/** Tells a concatenation from others, as calls are made anew when cells are moved. */
function nameOf({ outputs: [{ cell, view }] }: GraphCall): string {
  return `${cell.id}+${view.offset}:${view.shape}`;
}

function sizeOfResult({ outputs: [{ view }] }: GraphCall): number {
  return sizeOf(view.shape);
}

/** Whether parts are contiguous runs of the result. */
function isRun({ attrs, outputs: [y] }: GraphCall): boolean {
  const { shape } = y.view;
  const axis = normalizeAxis(
    (attrs as ConcatAttrs).axis,
    shape.length,
    "concatenate",
  );
  return sizeOf(shape.slice(0, axis)) === 1 && isContiguous(y.view);
}

/** Where each part starts in the whole's memory, in elements. */
function startsOf({ inputs, outputs: [y] }: GraphCall): number[] {
  let start = y.view.offset;
  return inputs.map(({ view }) => {
    const at = start;
    start += sizeOf(view.shape);
    return at;
  });
}

/** Smaller concatenations of neighbouring parts of `whole` become slices of it. */
function aliasWithin(graph: Graph, whole: GraphCall): void {
  const uses = new Uses(graph);
  const starts = startsOf(whole);
  const moved = new Map<Cell, (place: Place) => Place>();
  const instead = new Map<GraphCall, readonly GraphCall[]>();
  const target = whole.outputs[0].cell;
  const parts = new Set(whole.inputs.map(({ cell }) => cell));
  for (const call of graph.calls) {
    if (call.op !== concat || call === whole || !isRun(call)) continue;
    const { cell } = call.outputs[0];
    const at = findRun(whole.inputs, call.inputs);
    if (at < 0 || !uses.writtenOnce(cell) || uses.isResult(cell)) continue;
    // Its readers may run before the whole is complete: all its parts must be there by then.
    const ready = call.inputs.every((part) => readyAt(uses, part));
    if (!ready || parts.has(cell)) continue;
    if (!mayLieAt(uses, cell, starts[at])) continue;
    moved.set(cell, shiftedInto(target, starts[at]));
    instead.set(call, []);
  }
  replaceCalls(graph, instead);
  moveCells(graph, moved);
}

/** When a part holds its values for good: after the call that writes it, or from the start; undefined where it is changed on the way. */
function readyAt(uses: Uses, { cell }: Place): GraphCall | "start" | undefined {
  const [writer, ...others] = uses.writers(cell);
  if (!writer) return "start";
  return others.length === 0 && cell.computed ? writer : undefined;
}

/** The calls that compute parts write them into the whole; what can't be is copied, as soon as it is there. */
function placeParts(
  graph: Graph,
  whole: GraphCall,
  constant: ReadonlySet<Cell>,
): void {
  const uses = new Uses(graph);
  const [y] = whole.outputs;
  const starts = startsOf(whole);
  const moved = new Map<Cell, (place: Place) => Place>();
  // A launch can't read and write one buffer: who reads the whole, or a part that is to lie in it, can't write a part.
  const inside = new Set<Cell>([y.cell]);
  const copies = new Map<GraphCall | "start", GraphCall[]>([[whole, []]]);
  whole.inputs.forEach((part, i) => {
    const [writer, ...others] = uses.writers(part.cell);
    const once = whole.inputs.every((x, k) => k === i || x.cell !== part.cell);
    const fits = writer !== undefined && others.length === 0 && once &&
      !uses.isResult(part.cell) && !constant.has(part.cell) &&
      part.cell.computed && coversCell(part) &&
      writer.outputs.every(({ cell }) =>
        cell === part.cell || !inside.has(cell)
      ) &&
      writer.inputs.every(({ cell }) => !inside.has(cell)) &&
      !writer.op.inPlace &&
      (writer.op.strided === true || isAligned(part.view, starts[i])) &&
      mayLieAt(uses, part.cell, starts[i]) &&
      readersStayApart(uses, part.cell, inside, whole);
    if (fits) {
      inside.add(part.cell);
      moved.set(part.cell, shiftedInto(y.cell, starts[i]));
      return;
    }
    const { shape, dtype } = part.view;
    const view = { ...contiguousView({ shape, dtype }), offset: starts[i] };
    const after = readyAt(uses, part) ?? whole;
    const list = copies.get(after) ?? [];
    copies.set(after, [...list, {
      op: copy,
      attrs: { dtype },
      inputs: [part],
      outputs: [{ cell: y.cell, view }],
      path: whole.path,
      fused: [],
    }]);
  });
  const instead = new Map<GraphCall, readonly GraphCall[]>();
  for (const [after, list] of copies) {
    if (after === "start") continue;
    instead.set(after, after === whole ? list : [after, ...list]);
  }
  replaceCalls(graph, instead);
  graph.calls.unshift(...copies.get("start") ?? []);
  moveCells(graph, moved);
}

/** Whether no call reads a part and writes another one into the same memory. */
function readersStayApart(
  uses: Uses,
  part: Cell,
  inside: ReadonlySet<Cell>,
  whole: GraphCall,
): boolean {
  return uses.readers(part).every((call) =>
    call === whole || call.outputs.every(({ cell }) => !inside.has(cell))
  );
}

/** Whether all who read a cell can do so where it starts `offset` elements into a buffer. */
function mayLieAt(uses: Uses, cell: Cell, offset: number): boolean {
  return uses.readers(cell).every(({ op, inputs }) =>
    inputs.every(({ cell: read, view }, i) =>
      read !== cell || isStrided(op, i) || isAligned(view, offset)
    )
  );
}

function isAligned(view: View, offset: number): boolean {
  return isContiguous(view) &&
    ((view.offset + offset) * itemBytes(view.dtype)) % ALIGN === 0;
}

function shiftedInto(cell: Cell, start: number): (place: Place) => Place {
  return ({ view }) => ({
    cell,
    view: { ...view, offset: view.offset + start },
  });
}

/** Where `few` stand one after the other among `many`, or -1. */
function findRun(many: readonly Place[], few: readonly Place[]): number {
  const last = many.length - few.length;
  for (let at = 0; at <= last; at++) {
    if (few.every((place, i) => isSame(place, many[at + i]))) return at;
  }
  return -1;
}

function isSame(a: Place, b: Place): boolean {
  return a.cell === b.cell && a.view.offset === b.view.offset &&
    `${a.view.shape}/${a.view.strides}` === `${b.view.shape}/${b.view.strides}`;
}
