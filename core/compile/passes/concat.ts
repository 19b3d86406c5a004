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
  for (;;) {
    const uses = new Uses(graph);
    const wholes = graph.calls.filter((call) =>
      call.op === concat && !done.has(nameOf(call)) && isRun(call) &&
      call.outputs[0].cell.computed
    );
    wholes.sort((a, b) =>
      b.inputs.length - a.inputs.length || sizeOfResult(b) - sizeOfResult(a)
    );
    const [whole] = wholes;
    if (!whole) return;
    done.add(nameOf(whole));
    aliasWithin(graph, whole, uses);
    placeParts(graph, whole);
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
function aliasWithin(graph: Graph, whole: GraphCall, uses: Uses): void {
  const starts = startsOf(whole);
  const moved = new Map<Cell, (place: Place) => Place>();
  const instead = new Map<GraphCall, readonly GraphCall[]>();
  const target = whole.outputs[0].cell;
  for (const call of graph.calls) {
    if (call.op !== concat || call === whole || !isRun(call)) continue;
    const { cell } = call.outputs[0];
    const at = findRun(whole.inputs, call.inputs);
    if (at < 0 || !uses.writtenOnce(cell) || uses.isResult(cell)) continue;
    if (!mayLieAt(uses, cell, starts[at])) continue;
    moved.set(cell, shiftedInto(target, starts[at]));
    instead.set(call, []);
  }
  replaceCalls(graph, instead);
  moveCells(graph, moved);
}

/** The calls that compute parts write them into the whole; what can't be is copied. */
function placeParts(graph: Graph, whole: GraphCall): void {
  const uses = new Uses(graph);
  const [y] = whole.outputs;
  const starts = startsOf(whole);
  const moved = new Map<Cell, (place: Place) => Place>();
  const copies: GraphCall[] = [];
  // A launch can't read and write one buffer: who reads the whole, or a part that is to lie in it, can't write a part.
  const inside = new Set<Cell>([y.cell]);
  whole.inputs.forEach((part, i) => {
    const [writer, ...others] = uses.writers(part.cell);
    const fits = writer !== undefined && others.length === 0 &&
      !inside.has(part.cell) && !uses.isResult(part.cell) &&
      part.cell.computed && coversCell(part) &&
      writer.outputs.every(({ cell }) =>
        cell === part.cell || !inside.has(cell)
      ) &&
      writer.inputs.every(({ cell }) => !inside.has(cell)) &&
      !writer.op.inPlace &&
      (writer.op.strided === true || isAligned(part.view, starts[i])) &&
      mayLieAt(uses, part.cell, starts[i]) &&
      readersStayApart(uses, part.cell, inside);
    if (fits) {
      inside.add(part.cell);
      moved.set(part.cell, shiftedInto(y.cell, starts[i]));
      return;
    }
    const { shape, dtype } = part.view;
    const view = { ...contiguousView({ shape, dtype }), offset: starts[i] };
    copies.push({
      op: copy,
      attrs: { dtype },
      inputs: [part],
      outputs: [{ cell: y.cell, view }],
      path: whole.path,
      fused: [],
    });
  });
  // A part that is copied out of the whole itself would be read and written at once.
  if (copies.some(({ inputs: [x] }) => inside.has(x.cell))) return;
  replaceCalls(graph, new Map([[whole, copies]]));
  moveCells(graph, moved);
}

/** Whether no call reads a part and writes another one into the same memory. */
function readersStayApart(
  uses: Uses,
  part: Cell,
  inside: ReadonlySet<Cell>,
): boolean {
  return uses.readers(part).every(({ op, outputs }) =>
    op === concat || outputs.every(({ cell }) => !inside.has(cell))
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
