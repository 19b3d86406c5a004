/**
 * Launch plans of sorting.
 *
 * Elements become pairs of a key and a place, blocks of them are sorted by counting, and sorted runs are merged two by two until one is
 * left. A row larger than a binding is cut into chunks that are sorted so; neighbouring chunks are then merged, even ones with the next
 * and odd ones with the next in turns, as many times as there are chunks: odd-even transposition sort with merging in the place of
 * exchange (Baudet and Stevenson, "Optimal sorting algorithms for parallel computers", 1978).
 */
import { ALIGN, linearGrid, storageType, words } from "../launch.ts";
import type {
  DType,
  Launch,
  Limits,
  Plan,
  Request,
  Slot,
  View,
} from "../op.ts";
import { itemBytes, sizeOf } from "../shape.ts";
import { WORKGROUP } from "./deal.ts";
import { keyOf, levelKey, orderLibrary, valueOf } from "./order.ts";
import { bindIn, type Operand, windowIn } from "./parts.ts";
import { Scratch } from "./plan.ts";
import type { SortAttrs } from "./sort.ts";
import mergeCode from "./sort_merge.wgsl" with { type: "text" };
import rankCode from "./sort_rank.wgsl" with { type: "text" };
import unpackCode from "./sort_unpack.wgsl" with { type: "text" };

const rankKernel = { label: "wgsl/reduce/sort_rank.wgsl", code: rankCode };
const mergeKernel = { label: "wgsl/reduce/sort_merge.wgsl", code: mergeCode };
const unpackKernel = {
  label: "wgsl/reduce/sort_unpack.wgsl",
  code: unpackCode,
};

/** Elements of a block that is sorted by counting. A power of two. */
const BLOCK = 32;

/** Pairs that an invocation merges. Divides twice the block. */
const SPAN = 16;

/** Longest row whose elements are worth counting against each other. */
const RANKED_ROW = 4096;

/** Bytes of a pair. */
const PAIR = 8;

/** A stretch of elements. */
interface Run {
  readonly start: number;
  readonly size: number;
}

/** Rows of a length, one after the other. */
interface Rows extends Run {
  readonly n: number;
  /** Place of a row's first element, where the row is a chunk of a longer one. */
  readonly place: number;
}

/** What the launches of a sort work on. Operands are numbered by the elements of x. */
interface Sorting {
  readonly x: Operand;
  readonly values: Operand;
  readonly indices: Operand;
  /** The two buffers of pairs: merges read from one side and write to the other, in turns. */
  pairs(side: number): Operand;
  readonly declarations: string;
  readonly limits: Limits;
}

/** Most pairs that fit a binding and a dispatch. */
function mostPairs(limits: Limits): number {
  const { maxStorageBufferBindingSize, maxComputeWorkgroupsPerDimension } =
    limits;
  return Math.min(
    Math.floor((maxStorageBufferBindingSize - ALIGN) / PAIR),
    maxComputeWorkgroupsPerDimension ** 2 * WORKGROUP,
  );
}

/** Whether rows can be sorted by counting alone. */
export function canRank(n: number, limits: Limits): boolean {
  return n <= Math.min(RANKED_ROW, limits.maxLoopTrips, mostPairs(limits));
}

/** The whole plan of a sort. `ranked` counts in whole rows instead of blocks, which leaves nothing to merge. */
export function sortPlan(
  { inputs: [x], outputs: [values, indices], attrs, limits }: Request<
    SortAttrs
  >,
  ranked: boolean,
): Plan {
  const size = sizeOf(x.shape);
  if (size === 0) return { launches: [] };
  const n = x.shape.at(-1) ?? 1;
  const most = mostPairs(limits);
  const chunk = n <= most ? n : 2 ** Math.floor(Math.log2(most));
  const batch = n <= most ? Math.floor(most / n) * n : n;
  const scratch = new Scratch();
  const launches: Launch[] = [];
  for (let start = 0; start < size; start += batch) {
    const together = Math.min(batch, size - start);
    const sorting: Sorting = {
      x: flat("input", 0, x),
      values: flat("output", 0, values),
      indices: flat("output", 1, indices),
      pairs: (side) => ({
        slot: "scratch",
        index: scratch.reserve(`pairs ${side}`, together * PAIR),
        bytes: PAIR,
        strides: [1],
        offset: -start,
      }),
      declarations: declarationsOf(x.dtype, attrs.descending),
      limits,
    };
    const chunks: Rows[] = [];
    if (n <= most) chunks.push({ start, size: together, n, place: 0 });
    else {
      for (let place = 0; place < n; place += chunk) {
        const length = Math.min(chunk, n - place);
        chunks.push({ start: start + place, size: length, n: length, place });
      }
    }
    launches.push(...batchLaunches(sorting, chunks, ranked ? n : BLOCK));
  }
  return { launches, scratch: scratch.sizes };
}

/** Sorts rows that are in one piece, or the one row whose chunks are given. */
function batchLaunches(
  sorting: Sorting,
  chunks: readonly Rows[],
  block: number,
): Launch[] {
  const launches = chunks.map((rows) => rankLaunch(sorting, rows, block));
  let from = 0;
  for (let width = block; width < chunks[0].n; width *= 2) {
    for (const rows of chunks) {
      const all = { a: rows, b: rows, out: rows, first: 0 };
      const merge = { ...all, n: rows.n, width, count: rows.n };
      launches.push(mergeLaunch(sorting, from, merge));
    }
    from = 1 - from;
  }
  const rounds = chunks.length > 1 ? chunks.length : 0;
  for (let round = 0; round < rounds; round++) {
    chunks.forEach((out, i) => {
      const lower = i % 2 === round % 2;
      const other = chunks[lower ? i + 1 : i - 1];
      const [a, b] = lower || !other ? [out, other] : [other, out];
      launches.push(mergeLaunch(sorting, from, {
        a,
        b: b ?? a,
        out,
        n: a.size + (b?.size ?? 0),
        width: a.size,
        first: out === a ? 0 : a.size,
        count: out.size,
      }));
    });
    from = 1 - from;
  }
  return [
    ...launches,
    ...chunks.map((rows) => unpackLaunch(sorting, from, rows)),
  ];
}

function rankLaunch(
  { x, pairs, declarations, limits }: Sorting,
  { start, size, n, place }: Rows,
  block: number,
): Launch {
  const target = pairs(0);
  const from = windowIn(x, { start: [start], size: [size] });
  const to = windowIn(target, { start: [start], size: [size] });
  return {
    kernel: rankKernel,
    declarations,
    bindings: [bindIn(x, "read", from), bindIn(target, "write", to)],
    params: words(size / n, n, block, place, from.base, to.base),
    workgroups: linearGrid(size, WORKGROUP, limits),
    trips: Math.min(block, n),
    flops: 0,
    bytes: size * (x.bytes + PAIR),
  };
}

/** Runs to merge: all those of the rows that `a`, `b` and `out` show alike, or the one run in `a` with the one in `b`. */
interface Merge {
  readonly a: Run;
  readonly b: Run;
  readonly out: Run;
  /** Length of a row, or of both runs together. */
  readonly n: number;
  readonly width: number;
  /** The places of a row that `out` takes. */
  readonly first: number;
  readonly count: number;
}

function mergeLaunch(
  { pairs, declarations, limits }: Sorting,
  from: number,
  { a, b, out, n, width, first, count }: Merge,
): Launch {
  const source = pairs(from);
  const target = pairs(1 - from);
  const [aWindow, bWindow, outWindow] = [a, b, out].map((run, i) =>
    windowIn(i < 2 ? source : target, { start: [run.start], size: [run.size] })
  );
  const rows = out.size / count;
  return {
    kernel: mergeKernel,
    declarations,
    bindings: [
      bindIn(source, "read", aWindow),
      bindIn(source, "read", bWindow),
      bindIn(target, "write", outWindow),
    ],
    params: words(
      rows,
      n,
      width,
      first,
      count,
      aWindow.base,
      a === b ? bWindow.base : bWindow.base - width,
      outWindow.base,
    ),
    workgroups: linearGrid(rows * Math.ceil(count / SPAN), WORKGROUP, limits),
    trips: SPAN + Math.ceil(Math.log2(width + 1)),
    flops: 0,
    bytes: 2 * out.size * PAIR,
  };
}

function unpackLaunch(
  { pairs, values, indices, declarations, limits }: Sorting,
  from: number,
  { start, size }: Run,
): Launch {
  const operands = [pairs(from), values, indices];
  const windows = operands.map((operand) =>
    windowIn(operand, { start: [start], size: [size] })
  );
  return {
    kernel: unpackKernel,
    declarations,
    bindings: operands.map((operand, i) =>
      bindIn(operand, i === 0 ? "read" : "write", windows[i])
    ),
    params: words(size, ...windows.map(({ base }) => base)),
    workgroups: linearGrid(size, WORKGROUP, limits),
    trips: 0,
    flops: 0,
    bytes: size * (PAIR + values.bytes + indices.bytes),
  };
}

/** A contiguous operand as one run of elements. */
function flat(slot: Slot, index: number, { dtype, offset }: View): Operand {
  return { slot, index, bytes: itemBytes(dtype), strides: [1], offset };
}

/** What the kernels of a sort are completed with. Descending keys are the complements of ascending ones. */
function declarationsOf(dtype: DType, descending: boolean): string {
  const turn = descending ? "~" : "";
  return `
alias T = ${storageType(dtype)};
const SPAN = ${SPAN}u;
fn key_of(value: T) -> i32 { return ${turn}(${keyOf(dtype)}); }
fn value_from(key: i32) -> T { return ${valueOf(dtype)}; }
fn value_of(key: i32) -> T { return value_from(${turn}key); }
fn before(a: vec2i, b: vec2i) -> bool {
  let p = ${levelKey(dtype, "a.x")};
  let q = ${levelKey(dtype, "b.x")};
  return p < q || (p == q && a.y < b.y);
}
${orderLibrary}`;
}
