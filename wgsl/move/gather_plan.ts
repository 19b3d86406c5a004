/** Launch plans of gather and scatterAdd. */
import {
  bind,
  computeType,
  linearGrid,
  splitBox,
  storageType,
  windowOf,
  words,
} from "../launch.ts";
import type { Box } from "../launch.ts";
import type { Launch, Plan, Request } from "../op.ts";
import { itemBytes, sizeOf } from "../shape.ts";
import { bitsDeclarations, bitsOf, isFloat } from "./convert.ts";
import { fillPlan } from "./fill.ts";
import gatherCode from "./gather.wgsl" with { type: "text" };
import scatterAddCode from "./scatter_add.wgsl" with { type: "text" };
import { boxWords, walkOf, WORKGROUP } from "./walk.ts";

const gatherKernel = { label: "wgsl/move/gather.wgsl", code: gatherCode };
const scatterAddKernel = {
  label: "wgsl/move/scatter_add.wgsl",
  code: scatterAddCode,
};

/** Launches of a gather whose index walks the output with the given strides. */
export function gatherPlan(
  { inputs: [x, index], outputs: [y], limits }: Request<unknown>,
  axis: number,
  indexStrides: readonly number[],
): Plan {
  if (sizeOf(y.shape) === 0) return { launches: [] };
  const step = x.strides[axis];
  const across = x.strides.map((stride, d) => d === axis ? 0 : stride);
  // The axis of x stands last in the space that is cut, after those of y: an x too large for a binding is searched in parts.
  const walks = [
    { ...walkOf(x), strides: [...across, step] },
    { ...walkOf(index), strides: [...indexStrides, 0] },
    { ...walkOf(y), strides: [...y.strides, 0] },
  ];
  const last = y.shape.length;
  const size = x.shape[axis];
  const bytes = itemBytes(x.dtype);
  const launches = splitBox([...y.shape, size], walks, limits).map(
    (box): Launch => {
      const [from, at, to] = walks.map((walk) => windowOf(walk, box));
      const part = boxWords(
        box.size.slice(0, last),
        walks.map(({ strides }) => strides.slice(0, last)),
      );
      return {
        kernel: gatherKernel,
        declarations: `${bitsDeclarations(x.dtype)}
alias I = ${storageType(index.dtype)};`,
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
          step,
          box.start[last],
          box.size[last],
          size,
          ...part.words,
          isFloat(x.dtype) ? bitsOf(NaN, x.dtype) : 0,
        ),
        workgroups: linearGrid(part.count, WORKGROUP, limits),
        trips: part.rank,
        flops: 0,
        bytes: part.count * (2 * bytes + 4),
      };
    },
  );
  return { launches };
}

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
          kernel: scatterAddKernel,
          declarations: `alias T = ${storageType(source.dtype)};
alias C = ${computeType(source.dtype)};
alias I = ${storageType(index.dtype)};`,
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
