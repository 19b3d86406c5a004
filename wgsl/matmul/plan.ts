/**
 * From a product to launches: how its axes are cut so that operands fit bindings and loops keep below the trip limit, and where the sums
 * over parts of k are kept.
 */
import { type EpilogueCode, epilogueCode } from "../epilogue.ts";
import { LimitError } from "../errors.ts";
import {
  ALIGN,
  bind,
  type Box,
  linearGrid,
  storageType,
  type Walk,
  windowOf,
  words,
} from "../launch.ts";
import type {
  Binding,
  Kernel,
  Launch,
  Limits,
  Plan,
  Request,
  Slot,
} from "../op.ts";
import { itemBytes, sizeOf, stridesOf } from "../shape.ts";
import {
  type MatmulAttrs,
  OWN_INPUTS,
  type Problem,
  problemOf,
} from "./problem.ts";
import sumCode from "./sum_pieces.wgsl" with { type: "text" };

const SUM_PIECES = { label: "wgsl/matmul/sum_pieces.wgsl", code: sumCode };
const SUM_WORKGROUP = 64;

/** Cuts are made at multiples of this, which keeps vec4 loads aligned and staged blocks full. */
const STEP = 16;

/** An operand as a launch has it: a window of a buffer, walked from element `base`. Axes are [outer, inner, m, n, k]. */
export interface Operand extends Walk {
  readonly binding: Binding;
  readonly base: number;
}

/** One launch of a product. */
export interface Part {
  /** Sizes of [outer, inner, m, n, k]. */
  readonly size: readonly number[];
  /** k is cut into this many pieces of `chunk` steps, each summed on its own. */
  readonly pieces: number;
  readonly chunk: number;
  readonly a: Operand;
  readonly b: Operand;
  readonly c: Operand;
  /** Elements of c from one piece's sums to the next one's. */
  readonly pieceStride: number;
  readonly finish: Finish;
}

/** How the sums of a launch become results. */
export interface Finish extends EpilogueCode {
  /** Elements, in the operands of one value a channel, to the next matrix along the batch axes. */
  readonly outer: number;
  readonly inner: number;
  /** Whether rows count channels, and not columns. */
  readonly rows: boolean;
  /** Operands that it reads. */
  readonly bytes: number;
}

/** How a kernel is spread over a part. */
export interface Spread {
  readonly invocations: number;
  readonly workgroup: number;
  readonly declarations: string;
  readonly constants: Readonly<Record<string, number>>;
  /** Loop trips in which outputs are stored. @default 0 */
  readonly stored?: number;
}

/** A kernel of the family and the rules for launching it. All have the bindings and parameters of naive.wgsl. */
export interface Form {
  readonly kernel: Kernel;
  /** Steps of k in a turn of its outer loop, and the trips of all loops in that turn. */
  readonly depth: number;
  readonly trips: number;
  /** The most trips in which outputs are stored after that. @default 0 */
  readonly mostStored?: number;
  spread(part: Part): Spread;
  /** How many pieces to cut k into, given the sizes of [outer, inner, m, n, k]. @default 1 */
  pieces?(size: readonly number[]): number;
}

/** The launches that compute a product by one form. */
export function planProduct(request: Request<MatmulAttrs>, form: Form): Plan {
  const { limits } = request;
  const problem = problemOf(request);
  const outputs = problem.shape.slice(0, -1);
  if (sizeOf(outputs) === 0) return { launches: [] };
  const tile = tileOf(problem, form, limits);
  const plans = gridOf(outputs, tile).map((region) =>
    planRegion(problem, region, tile[outputs.length], form, limits)
  );
  const scratch = Math.max(...plans.map(({ scratch }) => scratch));
  return {
    launches: plans.flatMap(({ launches }) => launches),
    scratch: scratch > 0 ? [scratch] : [],
  };
}

/** A range of k in a region of the outputs, on all axes, and the pieces of `chunk` steps that it is summed in. */
interface Cut extends Box {
  readonly pieces: number;
  readonly chunk: number;
}

/** Launches for a region of the outputs: into the output where k is whole, else into scratch, piece after piece, with a sum at the end. */
function planRegion(
  problem: Problem,
  region: Box,
  range: number,
  form: Form,
  limits: Limits,
): { launches: Launch[]; scratch: number } {
  const cuts = cutsOf(problem, region, range, form, limits);
  const pieces = cuts.reduce((sum, cut) => sum + cut.pieces, 0);
  const outputs = { start: [...region.start, 0], size: [...region.size, 1] };
  const c = operandOf("output", 0, problem.c, outputs);
  if (pieces === 1) {
    const finish = finishOf(problem, outputs, PART_BINDINGS);
    const part = partOf(problem, cuts[0], { c, pieceStride: 0, finish });
    return { launches: [launchPart(part, form, limits)], scratch: 0 };
  }

  const count = sizeOf(region.size);
  const sums = (first: number, pieces: number) =>
    operandOf("scratch", 0, {
      strides: [count, ...stridesOf(region.size), 0],
      offset: first * count,
      dtype: "f32",
    }, atStart([pieces, ...region.size, 1]));
  let first = 0;
  const launches = cuts.map((cut) => {
    const c = sums(first, cut.pieces);
    first += cut.pieces;
    const unfinished = { ...problem, epilogue: undefined };
    const finish = finishOf(unfinished, outputs, PART_BINDINGS);
    const to = { c, pieceStride: count, finish };
    return launchPart(partOf(problem, cut, to), form, limits);
  });
  // An empty k has no pieces, but scratch can't be empty.
  const held = Math.max(pieces, 1);
  const parts = sums(0, held);
  const size = region.size.slice(-4);
  const finish = finishOf(problem, outputs, SUM_BINDINGS);
  launches.push(launchSum({ size, pieces, parts, c, finish }, limits));
  return { launches, scratch: 4 * count * held };
}

/** The ranges of k in a region, in as many pieces as the form asks for and a binding holds. */
function cutsOf(
  { shape }: Problem,
  region: Box,
  range: number,
  form: Form,
  limits: Limits,
): Cut[] {
  const ranges = gridOf(shape.slice(-1), [range]);
  const bytes = 4 * sizeOf(region.size) * ranges.length;
  const room = Math.floor(limits.maxStorageBufferBindingSize / bytes);
  return ranges.map(({ start: [begin], size: [steps] }) => {
    const size = [...region.size, steps];
    const asked = Math.min(form.pieces?.(size.slice(-5)) ?? 1, room);
    const chunk = asked > 1 ? roundUp(steps / asked, STEP) : steps;
    const pieces = Math.ceil(steps / chunk);
    return { start: [...region.start, begin], size, chunk, pieces };
  });
}

function partOf(
  { a, b }: Problem,
  cut: Cut,
  to: Pick<Part, "c" | "pieceStride" | "finish">,
): Part {
  return {
    size: cut.size.slice(-5),
    pieces: cut.pieces,
    chunk: cut.chunk,
    a: operandOf("input", 0, a, cut),
    b: operandOf("input", 1, b, cut),
    ...to,
  };
}

/** Bindings of a launch that come before those of its epilogue, `params` among them. */
export const PART_BINDINGS = 4;
const SUM_BINDINGS = 3;

/** How the sums of a region are finished, as the problem says. */
export function finishOf(problem: Problem, box: Box, binding: number): Finish {
  const { epilogue, channels, channelAxis, c } = problem;
  const windows = { channels, output: c, box };
  const code = epilogueCode(epilogue, OWN_INPUTS, binding, windows);
  const [outer, inner] = channels.strides.slice(-5);
  return {
    ...code,
    declarations: `alias T = ${storageType(c.dtype)};\n${code.declarations}`,
    outer,
    inner,
    rows: channelAxis === "rows",
    bytes: code.appended.reduce((sum, { size }) => sum + size, 0),
  };
}

function launchPart(part: Part, form: Form, limits: Limits): Launch {
  const { size, pieces, chunk, a, b, c, finish } = part;
  const [outer, inner, m, n, k] = size;
  const spread = form.spread(part);
  return {
    kernel: form.kernel,
    declarations: `${spread.declarations}\n${finish.declarations}`,
    constants: { ...spread.constants, CHANNEL_ROWS: Number(finish.rows) },
    bindings: [a, b, c].map(({ binding }) => binding),
    appended: finish.appended,
    params: words(
      ...[m, n, k, pieces, chunk, outer * inner, inner],
      ...[a.base, ...[0, 1, 2, 4].map((axis) => a.strides[axis])],
      ...[b.base, ...[0, 1, 4, 3].map((axis) => b.strides[axis])],
      ...[c.base, part.pieceStride, ...c.strides.slice(0, 3)],
      ...[finish.channel, finish.outer, finish.inner],
    ),
    workgroups: linearGrid(spread.invocations, spread.workgroup, limits),
    trips: Math.ceil(chunk / form.depth) * form.trips + (spread.stored ?? 0),
    flops: 2 * sizeOf(size) + finish.flops * sizeOf(size.slice(0, 4)),
    bytes: bytesOf(a, size) + bytesOf(b, size) + finish.bytes +
      pieces * bytesOf(c, size),
  };
}

/** A sum over pieces. `size` is that of [outer, inner, m, n]. */
interface PieceSum {
  readonly size: readonly number[];
  readonly pieces: number;
  readonly parts: Operand;
  readonly c: Operand;
  readonly finish: Finish;
}

function launchSum(sum: PieceSum, limits: Limits): Launch {
  const { size, pieces, parts, c, finish } = sum;
  const [outer, inner, m, n] = size;
  const count = sizeOf(size);
  const read: Binding = { ...parts.binding, access: "read" };
  return {
    kernel: SUM_PIECES,
    declarations: finish.declarations,
    constants: {
      WORKGROUP: SUM_WORKGROUP,
      CHANNEL_ROWS: Number(finish.rows),
    },
    bindings: [read, c.binding],
    appended: finish.appended,
    params: words(
      ...[m, n, pieces, outer * inner, inner],
      ...[parts.base, count, ...parts.strides.slice(-5, -2)],
      ...[c.base, ...c.strides.slice(0, 3)],
      ...[finish.channel, finish.outer, finish.inner],
    ),
    workgroups: linearGrid(count, SUM_WORKGROUP, limits),
    trips: pieces,
    flops: count * (pieces + finish.flops),
    bytes: 4 * count * pieces + bytesOf(c, size) + finish.bytes,
  };
}

/** `alias` declarations of storage types. */
export function elementAliases(
  operands: Readonly<Record<string, Operand>>,
): string {
  return Object.entries(operands)
    .map(([name, { dtype }]) => `alias ${name} = ${storageType(dtype)};`)
    .join("\n");
}

/** Binds the elements that a walk touches in a box. */
export function operandOf(
  slot: Slot,
  index: number,
  walk: Walk,
  box: Box,
): Operand {
  const window = windowOf(walk, box);
  const access = slot === "input" ? "read" : "write";
  return {
    binding: bind(slot, index, access, window),
    base: window.base,
    strides: walk.strides.slice(-5),
    offset: walk.offset,
    dtype: walk.dtype,
  };
}

/** Bytes of the distinct elements of an operand. */
export function bytesOf(
  { strides, dtype }: Operand,
  size: readonly number[],
): number {
  const own = size.filter((_, axis) => strides[axis] !== 0);
  return sizeOf(own) * itemBytes(dtype);
}

/**
 * Sizes of the boxes that the axes of a product are cut into: at most two batch axes at once, no more steps of k than a loop may take,
 * windows that fit bindings. Nearly always the whole.
 */
function tileOf(
  { shape, a, b, c, channels }: Problem,
  form: Form,
  limits: Limits,
): number[] {
  const limit = limits.maxStorageBufferBindingSize;
  const last = shape.length - 1;
  const tile = [...shape].fill(1, 0, last - 4);
  const { trips, mostStored = 0 } = form;
  const turns = Math.floor((limits.maxLoopTrips - mostStored) / trips);
  tile[last] = Math.max(1, Math.min(shape[last], turns * form.depth));
  const walks = [a, b, c, channels];
  for (;;) {
    const cut = tile.some((n, axis) => n < shape[axis]);
    const slack = cut ? ALIGN : 0;
    const ranges = Math.ceil(shape[last] / tile[last]);
    const box = atStart(tile);
    const sums = ranges > 1 ? 4 * ranges * sizeOf(tile.slice(0, -1)) : 0;
    const wide = walks.find((walk) =>
      windowOf(walk, box).size + slack > limit
    ) ??
      (sums + slack > limit ? c : undefined);
    if (!wide) return tile;
    const spans = tile.map((n, axis) => (n - 1) * wide.strides[axis]);
    const most = Math.max(...spans);
    if (most === 0) {
      const asked = Math.max(sums, windowOf(wide, box).size) + slack;
      throw new LimitError(
        `Cannot multiply within bindings of ${limit} bytes: one output needs ${asked}`,
        asked,
        limit,
      );
    }
    const axis = spans.indexOf(most);
    const half = Math.ceil(tile[axis] / 2);
    const rounded = roundUp(half, STEP);
    tile[axis] = rounded < tile[axis] ? rounded : half;
  }
}

/** Cuts axes into boxes of a size, the last one of an axis as long as remains, in row-major order. */
function gridOf(shape: readonly number[], tile: readonly number[]): Box[] {
  let boxes: Box[] = [{ start: [], size: [] }];
  shape.forEach((n, axis) => {
    const starts = Array.from(
      { length: Math.ceil(n / tile[axis]) },
      (_, i) => i * tile[axis],
    );
    boxes = boxes.flatMap(({ start, size }) =>
      starts.map((at) => ({
        start: [...start, at],
        size: [...size, Math.min(tile[axis], n - at)],
      }))
    );
  });
  return boxes;
}

/** A box that starts at 0. */
export function atStart(size: readonly number[]): Box {
  return { start: size.map(() => 0), size };
}

function roundUp(n: number, step: number): number {
  return Math.ceil(n / step) * step;
}
