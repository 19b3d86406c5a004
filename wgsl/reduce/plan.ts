/**
 * Launch plans of reductions.
 *
 * A reduction of many elements to few results would leave most of the device idle, add thousands of terms to one float and pass the limit
 * of loop trips. So the elements of one result are dealt to slots, the slots are folded side by side, and their results are reduced by
 * the same plan again, until one slot is left. Operands over the binding limit are cut into parts, which are more slots.
 */
import { linearGrid, rankWords, words } from "../launch.ts";
import type { Box } from "../launch.ts";
import type { Launch, Limits, Plan } from "../op.ts";
import { sizeOf, stridesOf } from "../shape.ts";
import chunkCode from "./chunk.wgsl" with { type: "text" };
import { type Deal, dealSlots, type Strategy, WORKGROUP } from "./deal.ts";
import { type Fold, foldDeclarations } from "./fold.ts";
import naiveCode from "./naive.wgsl" with { type: "text" };
import {
  bindIn,
  boxesOf,
  cut,
  merge,
  type Operand,
  windowIn,
} from "./parts.ts";
import treeCode from "./tree.wgsl" with { type: "text" };
import vectorsCode from "./vectors.wgsl" with { type: "text" };

const kernels = {
  naive: { label: "wgsl/reduce/naive.wgsl", code: naiveCode },
  chunk: { label: "wgsl/reduce/chunk.wgsl", code: chunkCode },
  tree: { label: "wgsl/reduce/tree.wgsl", code: treeCode },
  vectors: { label: "wgsl/reduce/vectors.wgsl", code: vectorsCode },
};

/** Shortest run that is read by vectors, and the bytes of a binding that holds one. */
const SHORTEST_RUN = 16;
const VECTOR_BYTES = 16;

/** A fold over the last axes of an iteration space. Both operands' strides follow `kept`, then `reduced`; the output's are 0 there. */
export interface Reduction {
  readonly fold: Fold;
  readonly kept: readonly number[];
  readonly reduced: readonly number[];
  readonly input: Operand;
  readonly output: Operand;
  /** Elements that each output stands for. @default those along `reduced` */
  readonly count?: number;
}

/** Scratch buffers of a plan, by name, each as large as its largest use. */
export class Scratch {
  readonly sizes: number[] = [];
  readonly #names: string[] = [];

  /** Index of a scratch buffer of at least so many bytes. */
  reserve(name: string, bytes: number): number {
    let index = this.#names.indexOf(name);
    if (index < 0) index = this.#names.push(name) - 1;
    this.sizes[index] = Math.max(this.sizes[index] ?? 0, bytes);
    return index;
  }
}

/** The whole plan of a reduction. */
export function planReduction(
  reduction: Reduction,
  strategy: Strategy,
  limits: Limits,
): Plan {
  const scratch = new Scratch();
  const launches = reductionLaunches(reduction, strategy, limits, scratch);
  return { launches, scratch: scratch.sizes };
}

/** Whether each output can be folded by one invocation, which is all that the naive kernel does. */
export function isShort(reduction: Reduction, limits: Limits): boolean {
  const merged = mergeAxes(reduction);
  const part = cutSpace(merged, limits);
  return merged.reduced.every((n, d) => part.reduced[d] === n) &&
    sizeOf(merged.reduced) <= limits.maxLoopTrips;
}

/** Whether the elements of an output lie side by side, in runs that are worth reading by vectors. */
export function hasRuns(reduction: Reduction): boolean {
  const { kept, reduced, input } = mergeAxes(reduction);
  const inner = reduced.length - 1;
  return input.strides[kept.length + inner] === 1 &&
    reduced[inner] >= SHORTEST_RUN;
}

/** The launches of a reduction. Their intermediate results live in two scratch buffers that take turns. */
export function reductionLaunches(
  reduction: Reduction,
  strategy: Strategy,
  limits: Limits,
  scratch: Scratch,
  level = 0,
): Launch[] {
  const merged = mergeAxes(reduction);
  const { fold, kept, reduced, output, count } = merged;
  const part = cutSpace(merged, limits);
  const boxes = [...boxesOf(reduced, part.reduced)];
  const deal = dealSlots(part.reduced, sizeOf(part.kept), strategy, limits);
  const results = boxes.length * deal.results;
  const last = results === 1;
  shrinkKept(
    part.kept,
    last ? 0 : results * fold.bytes,
    deal.invocations,
    limits,
  );
  const pass = { first: level === 0, last };
  const further = strategy === "vectors" ? "chunk" : strategy;
  return [...boxesOf(kept, part.kept)].flatMap(({ start, size }) => {
    const outputs = sizeOf(size);
    const target = {
      ...output,
      strides: output.strides.slice(0, kept.length),
      offset: start.reduce(
        (at, n, d) => at + n * output.strides[d],
        output.offset,
      ),
    };
    const partials = last ? target : {
      slot: "scratch" as const,
      index: scratch.reserve(
        `partials ${level % 2}`,
        results * outputs * fold.bytes,
      ),
      bytes: fold.bytes,
      strides: stridesOf(size),
      offset: 0,
    };
    const launches = boxes.map((box, n) => {
      const space = {
        start: [...start, ...box.start],
        size: [...size, ...box.size],
      };
      const offset = partials.offset + n * deal.results * outputs;
      const to = { ...partials, offset };
      return launchOf(merged, to, space, deal, pass, limits);
    });
    if (last) return launches;
    const after = {
      fold,
      kept: size,
      reduced: [results],
      input: { ...partials, strides: [...partials.strides, outputs] },
      output: { ...target, strides: [...target.strides, 0] },
      count,
    };
    return [
      ...launches,
      ...reductionLaunches(after, further, limits, scratch, level + 1),
    ];
  });
}

/** The same reduction with as few axes as possible, kept and reduced ones apart. */
export function mergeAxes(reduction: Reduction): Required<Reduction> {
  const { fold, kept, reduced, input, output } = reduction;
  const { count = sizeOf(reduced) } = reduction;
  const k = kept.length;
  const outer = merge(kept, [
    input.strides.slice(0, k),
    output.strides.slice(0, k),
  ]);
  const inner = merge(reduced, [input.strides.slice(k)]);
  const zeros = inner.shape.map(() => 0);
  return {
    fold,
    kept: outer.shape,
    reduced: inner.shape,
    input: { ...input, strides: [...outer.strides[0], ...inner.strides[0]] },
    output: { ...output, strides: [...outer.strides[1], ...zeros] },
    count,
  };
}

/** Sizes of the parts in which both operands fit a binding. */
function cutSpace(
  { kept, reduced, input, output }: Reduction,
  limits: Limits,
): { kept: number[]; reduced: number[] } {
  const part = cut([...kept, ...reduced], [input, output], limits)!;
  return { kept: part.slice(0, kept.length), reduced: part.slice(kept.length) };
}

/** Makes a kept part smaller until its intermediate results fit a binding and its workgroups a dispatch. */
function shrinkKept(
  kept: number[],
  bytes: number,
  invocations: number,
  limits: Limits,
): void {
  const groups = limits.maxComputeWorkgroupsPerDimension ** 2;
  while (
    sizeOf(kept) * bytes > limits.maxStorageBufferBindingSize ||
    Math.ceil(sizeOf(kept) * invocations / WORKGROUP) > groups
  ) {
    const most = Math.max(...kept);
    if (most === 1) return;
    kept[kept.indexOf(most)] = Math.ceil(most / 2);
  }
}

/** One launch over a box of the merged space. `to` is walked along the kept axes; its slots follow one another whole. */
function launchOf(
  { fold, kept, input, count }: Required<Reduction>,
  to: Operand,
  { start, size }: Box,
  deal: Deal,
  pass: { readonly first: boolean; readonly last: boolean },
  limits: Limits,
): Launch {
  const k = kept.length;
  const keptSize = size.slice(0, k);
  const reducedSize = size.slice(k);
  const outputs = sizeOf(keptSize);
  const elements = sizeOf(reducedSize);
  const { strides } = input;
  const x = windowIn(input, { start, size });
  const y = windowIn({ ...to, strides: [outputs, ...to.strides] }, {
    start: [0, ...keptSize.map(() => 0)],
    size: [deal.results, ...keptSize],
  });
  const inner = reducedSize.length - 1;
  const byVectors = strides[k + inner] === 1 && x.size >= VECTOR_BYTES;
  // The last of several parts may be too short for a vector; both kernels share their elements out alike.
  const strategy = deal.strategy === "vectors" && !byVectors
    ? "chunk"
    : deal.strategy;
  const place = start[k];
  const keptWords = [
    ...rankWords(keptSize, 1),
    ...rankWords(strides.slice(0, k), 0),
    ...rankWords(to.strides, 0),
  ];
  // Neighbouring invocations take neighbouring slots where those lie closer in x than neighbouring outputs.
  const slotsFirst = strides[k + inner] < strides[k - 1] ? 1 : 0;
  const share = strategy === "tree" ? deal.results : slotsFirst;
  const params = strategy === "naive"
    ? words(
      outputs,
      elements,
      place,
      x.base,
      y.base,
      count,
      0,
      0,
      ...keptWords,
      ...rankWords(reducedSize, 1),
      ...rankWords(strides.slice(k), 0),
    )
    : words(
      outputs,
      share,
      deal.outerSlots,
      deal.innerSlots,
      elements / reducedSize[inner],
      reducedSize[inner],
      strides[k + inner],
      place,
      x.base,
      y.base,
      outputs,
      count,
      ...keptWords,
      ...rankWords(reducedSize.slice(0, inner), 1),
      ...rankWords(strides.slice(k, k + inner), 0),
    );
  return {
    kernel: kernels[strategy],
    declarations: foldDeclarations(fold, pass) +
      `const KEPT_RANK = ${k}u;
const ${strategy === "naive" ? "REDUCED" : "OUTER"}_RANK = ${
        strategy === "naive" ? inner + 1 : inner
      }u;`,
    bindings: [
      bindIn(input, "read", x),
      ...(strategy === "vectors" ? [bindIn(input, "read", x)] : []),
      bindIn(to, "write", y),
    ],
    params,
    workgroups: linearGrid(outputs * deal.invocations, WORKGROUP, limits),
    trips: deal.trips,
    flops: outputs * elements,
    bytes: outputs * (elements * input.bytes + deal.results * to.bytes),
  };
}
