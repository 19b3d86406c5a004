/** Calls that change nothing, that are made twice, or whose results nobody reads. */
import { copy } from "../../../wgsl/move/copy.ts";
import { conv2d } from "../../../wgsl/conv/conv2d.ts";
import { pad, type PadAttrs } from "../../../wgsl/move/pad.ts";
import type { Conv2dAttrs } from "../../../wgsl/conv/geometry.ts";
import { contiguousView, isContiguous } from "../../../wgsl/shape.ts";
import { textOf } from "../../attributes.ts";
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

/** Removes copies of what lies contiguous already: whoever reads the copy reads the original. */
export function removeCopies(graph: Graph): void {
  const uses = new Uses(graph);
  const inPlace = new Set(
    graph.calls.filter(({ op }) => op.inPlace).flatMap(({ outputs }) =>
      outputs.map(({ cell }) => cell)
    ),
  );
  const moved = new Map<Cell, (place: Place) => Place>();
  const instead = new Map<GraphCall, readonly GraphCall[]>();
  for (const call of graph.calls) {
    const [x] = call.inputs;
    const [y] = call.outputs;
    if (call.op !== copy || x.view.dtype !== y.view.dtype) continue;
    const same = isContiguous(x.view) && coversCell(y) &&
      x.view.offset === 0 && uses.writtenOnce(y.cell) &&
      !inPlace.has(x.cell) && !inPlace.has(y.cell) &&
      !uses.isResult(y.cell);
    // A chain of copies is taken apart from its end.
    if (!same || moved.has(x.cell)) continue;
    moved.set(y.cell, ({ view }) => ({ cell: x.cell, view }));
    instead.set(call, []);
  }
  replaceCalls(graph, instead);
  moveCells(graph, moved);
}

/** Computes what is computed twice from the same once. */
export function shareCommon(graph: Graph): void {
  const uses = new Uses(graph);
  const ids = new Map<unknown, number>();
  const idOf = (thing: unknown) => {
    if (!ids.has(thing)) ids.set(thing, ids.size);
    return ids.get(thing)!;
  };
  const first = new Map<string, GraphCall>();
  const moved = new Map<Cell, (place: Place) => Place>();
  const instead = new Map<GraphCall, readonly GraphCall[]>();
  const constant = constantCells(graph);
  const settled = ({ cell }: Place) =>
    uses.writtenOnce(cell) || cell.source.kind === "input" ||
    constant.has(cell);
  for (const call of graph.calls) {
    const { op, attrs } = call;
    const inputs = call.inputs.map((place) =>
      moved.get(place.cell)?.(place) ?? place
    );
    const sure = !op.volatile && !op.inPlace && inputs.every(settled) &&
      call.outputs.every(({ cell }) =>
        uses.writtenOnce(cell) && !uses.isResult(cell)
      );
    if (!sure) continue;
    const operands = inputs.map(({ cell, view }) =>
      [cell.id, view.dtype, view.shape, view.strides, view.offset].join("/")
    );
    const key = [idOf(op), textOf(attrs), ...operands].join("|");
    const before = first.get(key);
    if (!before) {
      first.set(key, call);
      continue;
    }
    instead.set(call, []);
    call.outputs.forEach(({ cell }, i) => {
      const other = before.outputs[i].cell;
      moved.set(cell, ({ view }) => ({ cell: other, view }));
    });
  }
  replaceCalls(graph, instead);
  moveCells(graph, moved);
}

/** Leaves out calls whose results nobody reads. */
export function removeDead(graph: Graph): void {
  const read = new Set(graph.outputs.map(({ cell }) => cell));
  graph.calls = graph.calls.toReversed().filter((call) => {
    const alive = call.op.inPlace !== undefined ||
      call.outputs.some(({ cell }) => read.has(cell) || !cell.computed);
    if (alive) { for (const { cell } of call.inputs) read.add(cell); }
    return alive;
  }).reverse();
}

/** Zeros around the planes of a convolution's input become its own padding. */
export function foldPadding(graph: Graph): void {
  const uses = new Uses(graph);
  const instead = new Map<GraphCall, readonly GraphCall[]>();
  for (const call of graph.calls) {
    if (call.op !== pad) continue;
    const conv = uses.onlyReader(call);
    const attrs = call.attrs as PadAttrs;
    const [x] = call.inputs;
    const fits = conv?.op === conv2d && conv.inputs[0].cell ===
        call.outputs[0].cell &&
      coversCell(conv.inputs[0]) && isPlanar(attrs) && isContiguous(x.view) &&
      x.view.offset === 0 && x.view.shape.length === 4;
    if (!fits) continue;
    const { padding } = conv.attrs as Conv2dAttrs;
    const [top, bottom, left, right] = padding;
    const { before, after } = attrs;
    instead.set(call, []);
    instead.set(conv, [{
      ...conv,
      attrs: {
        ...conv.attrs as object,
        padding: [
          top + before[2],
          bottom + after[2],
          left + before[3],
          right + after[3],
        ],
      },
      inputs: [
        { cell: x.cell, view: contiguousView(x.view) },
        ...conv.inputs.slice(1),
      ],
      fused: [...conv.fused, "pad"],
    }]);
  }
  replaceCalls(graph, instead);
}

/** Whether a padding puts zeros around planes and does nothing else. */
function isPlanar({ before, after, steps, mode, value = 0 }: PadAttrs) {
  const outer = [before[0], before[1], after[0], after[1]];
  return (mode ?? "constant") === "constant" && value === 0 &&
    before.length === 4 && outer.every((n) => n === 0) &&
    [...before, ...after].every((n) => n >= 0) &&
    (steps ?? []).every((n) => n === 1);
}
