/** Launches that copy elements from one strided place to another, converting them on the way. */
import { bind, linearGrid, splitBox, windowOf, words } from "../launch.ts";
import type { Walk } from "../launch.ts";
import type { Launch, Limits, Slot } from "../op.ts";
import { itemBytes, sizeOf } from "../shape.ts";
import { convertDeclarations } from "./convert.ts";
import copyCode from "./copy.wgsl" with { type: "text" };
import flatCode from "./copy_flat.wgsl" with { type: "text" };
import tileCode from "./copy_tile.wgsl" with { type: "text" };
import { type BoxWords, boxWords, WORKGROUP } from "./walk.ts";

const copyKernel = { label: "wgsl/move/copy.wgsl", code: copyCode };
const flatKernel = { label: "wgsl/move/copy_flat.wgsl", code: flatCode };
const tileKernel = { label: "wgsl/move/copy_tile.wgsl", code: tileCode };

/** Elements of an invocation of the contiguous kernel, and sides of a block of the tiled one. */
const PER = 4;

/** One side of a copy: a buffer, and how the elements lie in it. */
export interface Side {
  readonly slot: Slot;
  readonly index: number;
  readonly walk: Walk;
}

/** Which kernels a copy may use: the general one alone, or the contiguous one and the tiled one where they fit. */
export type CopyMethod = "naive" | "tiled";

/** Launches that copy an iteration space, one for each box in which both sides fit a binding. */
export function copyLaunches(
  shape: readonly number[],
  from: Side,
  to: Side,
  method: CopyMethod,
  limits: Limits,
): Launch[] {
  if (sizeOf(shape) === 0) return [];
  return splitBox(shape, [from.walk, to.walk], limits).map((box): Launch => {
    const source = windowOf(from.walk, box);
    const target = windowOf(to.walk, box);
    const bases = [source.base, target.base];
    const part = boxWords(box.size, [from.walk.strides, to.walk.strides]);
    const { count } = part;
    const flat = part.rank === 1 && part.strides.every(([step]) => step === 1);
    const bytes = itemBytes(from.walk.dtype) + itemBytes(to.walk.dtype);
    return {
      declarations: convertDeclarations(from.walk.dtype, to.walk.dtype),
      bindings: [
        bind(from.slot, from.index, "read", source),
        bind(to.slot, to.index, "write", target),
      ],
      flops: 0,
      bytes: count * bytes,
      ...(method === "naive"
        ? general(part, bases, limits)
        : flat
        ? contiguous(count, bases, limits)
        : tiled(part, bases, limits)),
    };
  });
}

/** What depends on the kernel. */
type Choice = Pick<
  Launch,
  "kernel" | "constants" | "params" | "workgroups" | "trips"
>;

function general(
  { rank, count, words: tail }: BoxWords,
  bases: readonly number[],
  limits: Limits,
): Choice {
  return {
    kernel: copyKernel,
    constants: { RANK: rank },
    params: words(count, ...bases, 0, ...tail),
    workgroups: linearGrid(count, WORKGROUP, limits),
    trips: rank,
  };
}

function contiguous(
  count: number,
  bases: readonly number[],
  limits: Limits,
): Choice {
  return {
    kernel: flatKernel,
    constants: { PER },
    params: words(count, ...bases),
    workgroups: linearGrid(count, WORKGROUP * PER, limits),
    trips: PER,
  };
}

function tiled(
  part: BoxWords,
  bases: readonly number[],
  limits: Limits,
): Choice {
  const order = tileOrder(part);
  const { shape, words: tail } = boxWords(
    order.map((d) => part.shape[d]),
    part.strides.map((strides) => order.map((d) => strides[d])),
  );
  const lead = Math.max(shape.length - 2, 0);
  const blocks = sizeOf(
    shape.map((n, d) => d < lead ? n : Math.ceil(n / PER)),
  );
  return {
    kernel: tileKernel,
    constants: { RANK: lead },
    params: words(blocks, ...bases, 0, ...tail),
    workgroups: linearGrid(blocks, WORKGROUP, limits),
    trips: lead + PER + PER * PER,
  };
}

/**
 * The order of axes for the tiled kernel, whose rows are the axis before the last.
 *
 * Where another axis than the last lies closest in the source, rows go along it: that is a transposition. Otherwise they go along
 * the longest, which wastes least of the blocks at the edges.
 */
function tileOrder({ shape, strides: [steps] }: BoxWords): number[] {
  const last = shape.length - 1;
  const order = shape.map((_, d) => d);
  if (last < 2) return order;
  const least = steps.reduce((a, b) => b > 0 ? Math.min(a, b) : a, Infinity);
  const close = steps.indexOf(least);
  const lead = order.slice(0, last);
  const rows = close >= 0 && close < last
    ? close
    : lead.reduce((a, b) => shape[b] > shape[a] ? b : a);
  return [...lead.filter((d) => d !== rows), rows, last];
}
