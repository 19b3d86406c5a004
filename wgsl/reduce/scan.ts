/**
 * Launch plans of running sums along rows.
 *
 * Short rows, and many rows, are scanned by one invocation each. Long ones are cut into blocks: the blocks are summed, the sums scanned in
 * the same way, and each block scanned starting from the sum of those before it (Blelloch, "Prefix sums and their applications", 1990,
 * section 1.3).
 */
import { linearGrid, rankWords, words } from "../launch.ts";
import type { Kernel, Launch, Limits } from "../op.ts";
import { sizeOf, stridesOf } from "../shape.ts";
import { WORKGROUP } from "./deal.ts";
import {
  bindIn,
  boxesOf,
  cut,
  merge,
  type Operand,
  windowIn,
} from "./parts.ts";
import type { Scratch } from "./plan.ts";
import blocksCode from "./scan_blocks.wgsl" with { type: "text" };
import naiveCode from "./scan_naive.wgsl" with { type: "text" };
import sumsCode from "./scan_sums.wgsl" with { type: "text" };

const naiveKernel = { label: "wgsl/reduce/scan_naive.wgsl", code: naiveCode };
const sumsKernel = { label: "wgsl/reduce/scan_sums.wgsl", code: sumsCode };
const blocksKernel = {
  label: "wgsl/reduce/scan_blocks.wgsl",
  code: blocksCode,
};

/** Elements of a block, where so many fit a binding. */
const BLOCK = 128;

/** A scan of rows. The operands' strides follow `kept`, then the row's axis. */
export interface Scan {
  readonly kept: readonly number[];
  readonly n: number;
  readonly reverse: boolean;
  readonly input: Operand;
  readonly output: Operand;
  /** WGSL types of the elements, the accumulators and the results. */
  readonly types: {
    readonly element: string;
    readonly accumulator: string;
    readonly result: string;
  };
}

/** Whether every row can be scanned by one invocation. */
export function isDirect(scan: Scan, limits: Limits): boolean {
  return scan.n <= limits.maxLoopTrips &&
    cut(
        [...scan.kept, scan.n],
        [scan.input, scan.output],
        limits,
        [scan.kept.length],
      ) !== undefined;
}

/** Launches with one invocation a row. */
export function scanDirect(scan: Scan, limits: Limits): Launch[] {
  const { kept, n, input, output } = mergeRows(scan);
  const part = cut([...kept, n], [input, output], limits, [kept.length])!;
  const pass = { kernel: naiveKernel, part, block: n, lags: false };
  const operands = [perElement(input), perElement(output)];
  return passLaunches({ ...scan, kept, n }, pass, operands, limits);
}

/** Launches with one invocation a block, where rows have more than one. */
export function scanBlocked(
  scan: Scan,
  limits: Limits,
  scratch: Scratch,
  level = 0,
): Launch[] {
  if (scan.n <= BLOCK && isDirect(scan, limits)) {
    return scanDirect(scan, limits);
  }
  const { kept, n, input, output } = mergeRows(scan);
  const axis = kept.length;
  let part = cut([...kept, n], [input, output], limits)!;
  const block = Math.min(BLOCK, part[axis], limits.maxLoopTrips);
  if (part[axis] < n) part[axis] -= part[axis] % block;
  const blocks = Math.ceil(n / block);
  const scratchOf = (name: string): Operand => ({
    slot: "scratch",
    index: scratch.reserve(`${name} ${level}`, sizeOf(kept) * blocks * 4),
    bytes: 4,
    strides: stridesOf([...kept, blocks]),
    offset: 0,
  });
  const sums = scratchOf("sums");
  const carries = scratchOf("carries");
  const inElements = [...sums.strides.slice(0, axis), 1 / block];
  part = cut(part, [{ ...sums, strides: inElements }], limits, [axis])!;
  const rows = { ...scan, kept, n };
  const { accumulator } = scan.types;
  return [
    ...passLaunches(
      rows,
      { kernel: sumsKernel, part, block, lags: false },
      [perElement(input), perBlock(sums)],
      limits,
    ),
    ...scanBlocked(
      {
        kept,
        n: blocks,
        reverse: false,
        input: sums,
        output: carries,
        types: {
          element: accumulator,
          accumulator,
          result: accumulator,
        },
      },
      limits,
      scratch,
      level + 1,
    ),
    ...passLaunches(
      rows,
      { kernel: blocksKernel, part, block, lags: true },
      [perElement(input), perBlock(carries), perElement(output)],
      limits,
    ),
  ];
}

/** The same rows with as few axes as possible. */
function mergeRows({ kept, n, input, output }: Scan) {
  const axis = kept.length;
  const merged = merge(kept, [
    input.strides.slice(0, axis),
    output.strides.slice(0, axis),
  ]);
  const on = (operand: Operand, strides: readonly number[]): Operand => ({
    ...operand,
    strides: [...strides, operand.strides[axis]],
  });
  return {
    kept: merged.shape,
    n,
    input: on(input, merged.strides[0]),
    output: on(output, merged.strides[1]),
  };
}

/** An operand of a pass, with an entry for each element of the row or for each block. */
interface PassOperand {
  readonly operand: Operand;
  readonly blocked: boolean;
}

function perElement(operand: Operand): PassOperand {
  return { operand, blocked: false };
}

function perBlock(operand: Operand): PassOperand {
  return { operand, blocked: true };
}

/** A kernel and how its launches cut the rows. */
interface Pass {
  readonly kernel: Kernel;
  /** Sizes of a part; along the row a multiple of the block. */
  readonly part: readonly number[];
  readonly block: number;
  /** Whether each block reads the entry of the block before it. */
  readonly lags: boolean;
}

/** One launch for each part of the rows. The last operand is written. */
function passLaunches(
  { kept, n, reverse, types }: Scan,
  pass: Pass,
  operands: readonly PassOperand[],
  limits: Limits,
): Launch[] {
  const { kernel, block, lags } = pass;
  const axis = kept.length;
  const space = [...kept, n];
  const part = fitGrid(pass, axis, limits);
  return [...boxesOf(space, part)].map(({ start, size }) => {
    const first = start[axis] / block;
    const blocks = Math.ceil(size[axis] / block);
    const lag = lags && first > 0 ? 0 : 1;
    const windows = operands.map(({ operand, blocked }) => {
      const [from, count] = blocked
        ? [
          lags ? first - 1 + lag : first,
          lags ? Math.max(1, blocks - lag) : blocks,
        ]
        : [reverse ? n - start[axis] - size[axis] : start[axis], size[axis]];
      return windowIn(operand, {
        start: [...start.slice(0, axis), from],
        size: [...size.slice(0, axis), count],
      });
    });
    const rows = sizeOf(size.slice(0, axis));
    const elements = operands.filter(({ blocked }) => !blocked);
    const turn = reverse ? -1 : 1;
    const head = [
      rows,
      size[axis],
      ...(kernel === naiveKernel ? [] : [block]),
      ...(lags ? [lag] : []),
      ...elements.map(({ operand }) => turn * operand.strides[axis]),
      ...operands.map(({ operand, blocked }, i) =>
        windows[i].base +
        (reverse && !blocked ? (size[axis] - 1) * operand.strides[axis] : 0)
      ),
    ];
    while (head.length % 4 !== 0) head.push(0);
    return {
      kernel,
      declarations: `alias T = ${types.element};
alias A = ${types.accumulator};
alias R = ${types.result};
const KEPT_RANK = ${axis}u;`,
      bindings: operands.map(({ operand }, i) => {
        const last = i === operands.length - 1;
        return bindIn(operand, last ? "write" : "read", windows[i]);
      }),
      params: words(
        ...head,
        ...rankWords(size.slice(0, axis), 1),
        ...operands.flatMap(({ operand }) =>
          rankWords(operand.strides.slice(0, axis), 0)
        ),
      ),
      workgroups: linearGrid(rows * blocks, WORKGROUP, limits),
      trips: Math.min(block, size[axis]),
      flops: rows * size[axis],
      bytes: operands.reduce(
        (sum, { operand, blocked }) =>
          sum + rows * (blocked ? blocks : size[axis]) * operand.bytes,
        0,
      ),
    };
  });
}

/** The part of a pass, with so few rows that its invocations fit a dispatch. */
function fitGrid(
  { part, block }: Pass,
  axis: number,
  { maxComputeWorkgroupsPerDimension }: Limits,
): number[] {
  const fit = [...part];
  const most = maxComputeWorkgroupsPerDimension ** 2 * WORKGROUP;
  const blocks = () => Math.ceil(fit[axis] / block);
  while (sizeOf(fit.slice(0, axis)) * blocks() > most) {
    const longest = Math.max(...fit.slice(0, axis));
    if (longest > 1) fit[fit.indexOf(longest)] = Math.ceil(longest / 2);
    else fit[axis] = Math.ceil(blocks() / 2) * block;
  }
  return fit;
}
