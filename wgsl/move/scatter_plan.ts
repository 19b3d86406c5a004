/** Launch plans of scatterAdd. */
import {
  bind,
  computeType,
  linearGrid,
  splitBox,
  storageType,
  windowOf,
  words,
} from "../launch.ts";
import type { Box, Window } from "../launch.ts";
import type { Launch, Meta, Plan, Request, View } from "../op.ts";
import { itemBytes, sizeOf } from "../shape.ts";
import { fillPlan } from "./fill.ts";
import code from "./scatter_add.wgsl" with { type: "text" };
import entriesCode from "./scatter_add_entries.wgsl" with { type: "text" };
import { boxWords, walkOf, WORKGROUP } from "./walk.ts";

const kernel = { label: "wgsl/move/scatter_add.wgsl", code };
const entriesKernel = {
  label: "wgsl/move/scatter_add_entries.wgsl",
  code: entriesCode,
};

/** Launches of a scatter along an axis, in which each output element looks through all entries. */
export function scatterAddPlan(
  { inputs, outputs: [y], limits }: Request<unknown>,
  axis: number,
): Plan {
  const [source, index] = inputs;
  if (sizeOf(y.shape) === 0) return { launches: [] };
  if (sizeOf(source.shape) === 0) return fillPlan(y, 0, limits);
  const across = (strides: readonly number[]) =>
    strides.map((stride, d) => d === axis ? 0 : stride);
  // The axis of the entries stands last in the space that is cut, after those of y. Parts come in ascending order, so sums stay ordered.
  const walks = [
    {
      ...walkOf(source),
      strides: [...across(source.strides), source.strides[axis]],
    },
    {
      ...walkOf(index),
      strides: [...across(index.strides), index.strides[axis]],
    },
    { ...walkOf(y), strides: [...y.strides, 0] },
  ];
  const last = y.shape.length;
  const entryStrides = y.shape.map((_, d) => d === axis ? 1 : 0);
  const launches = splitBox([...y.shape, index.shape[axis]], walks, limits)
    .flatMap((box) => {
      const part = boxWords(box.size.slice(0, last), [
        ...walks.map(({ strides }) => strides.slice(0, last)),
        entryStrides,
      ]);
      const most = limits.maxLoopTrips - part.rank;
      return cut(box, last, most).map((box): Launch => {
        const [from, at, to] = walks.map((walk) => windowOf(walk, box));
        const entries = box.size[last];
        return {
          kernel,
          declarations: declarationsOf(source, index),
          constants: { RANK: part.rank },
          bindings: [
            bind("input", 0, "read", from),
            bind("input", 1, "read", at),
            bind("output", 0, "write", to),
          ],
          params: words(
            part.count,
            from.base,
            at.base,
            to.base,
            box.start[axis],
            entries,
            source.strides[axis],
            index.strides[axis],
            ...part.words,
            box.start[last] > 0 ? 1 : 0,
          ),
          workgroups: linearGrid(part.count, WORKGROUP, limits),
          trips: part.rank + entries,
          flops: part.count * entries,
          bytes: sizeOf(box.size) * 4 + part.count * itemBytes(y.dtype),
        };
      });
    });
  return { launches };
}

/** A box in pieces that are at most `most` long along an axis. */
function cut(box: Box, axis: number, most: number): Box[] {
  const pieces: Box[] = [];
  for (let done = 0; done < box.size[axis]; done += most) {
    const start = [...box.start];
    const size = [...box.size];
    start[axis] += done;
    size[axis] = Math.min(most, box.size[axis] - done);
    pieces.push({ start, size });
  }
  return pieces;
}

/**
 * Whether each entry can look for its fellows, and has fewer of them than there are elements: all operands fit a binding, and a line of entries the limit
 * on loop trips.
 */
export function canScatterByEntries(
  { inputs, outputs: [y], limits }: Request<unknown>,
  axis: number,
): boolean {
  const [source] = inputs;
  const entries = source.shape[axis];
  return entries < y.shape[axis] &&
    entries + source.shape.length <= limits.maxLoopTrips &&
    [...inputs, y].every((view) =>
      wholeWindow(view).size <= limits.maxStorageBufferBindingSize
    );
}

/** Zeros, and a launch in which the first entry that names an element adds up all that do. */
export function scatterByEntriesPlan(
  { inputs, outputs: [y], limits }: Request<unknown>,
  axis: number,
): Plan {
  const [source, index] = inputs;
  const zeros = fillPlan(y, 0, limits);
  if (sizeOf(source.shape) === 0 || sizeOf(y.shape) === 0) return zeros;
  const line = ({ strides }: View) =>
    strides.map((stride, d) => d === axis ? 0 : stride);
  const own = source.shape.map((_, d) => d === axis ? 1 : 0);
  const { rank, count, words: tail } = boxWords(source.shape, [
    line(source),
    line(index),
    line(y),
    own,
  ]);
  const [from, at, to] = [source, index, y].map(wholeWindow);
  const entries = source.shape[axis];
  const launch: Launch = {
    kernel: entriesKernel,
    declarations: declarationsOf(source, index),
    constants: { RANK: rank },
    bindings: [
      bind("input", 0, "read", from),
      bind("input", 1, "read", at),
      bind("output", 0, "write", to),
    ],
    params: words(
      count,
      from.base,
      at.base,
      to.base,
      entries,
      y.shape[axis],
      source.strides[axis],
      index.strides[axis],
      ...tail,
      y.strides[axis],
    ),
    workgroups: linearGrid(count, WORKGROUP, limits),
    trips: rank + entries,
    flops: count * entries,
    bytes: count * (2 * itemBytes(y.dtype) + 4 * entries),
  };
  return { launches: [...zeros.launches, launch] };
}

function wholeWindow(view: View): Window {
  const box = { start: view.shape.map(() => 0), size: view.shape };
  return windowOf(walkOf(view), box);
}

function declarationsOf({ dtype }: Meta, index: Meta): string {
  return `alias T = ${storageType(dtype)};
alias C = ${computeType(dtype)};
alias I = ${storageType(index.dtype)};`;
}
