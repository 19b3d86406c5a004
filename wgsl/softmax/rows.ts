/** Launches over the rows of operands along one axis: rows merged to few axes, cut into parts that fit a binding. */
import type { EpilogueCode } from "../epilogue.ts";
import { type Box, linearGrid, rankWords, words } from "../launch.ts";
import type {
  DType,
  Kernel,
  Launch,
  Limits,
  Request,
  Variant,
  View,
} from "../op.ts";
import {
  bindIn,
  boxesOf,
  cut,
  merge,
  type Operand,
  operandOf,
  windowIn,
} from "../reduce/parts.ts";
import { Scratch } from "../reduce/plan.ts";
import { sizeOf } from "../shape.ts";

/** Invocations of a workgroup, in each softmax kernel. */
export const WORKGROUP = 64;

/** Elements of an invocation of the kernels that share rows out. */
export const SPAN = 16;

/** Longest row that is held in registers: drivers unroll constant loops up to this. */
export const MOST_REGISTERS = 32;

/** Rows from this length on are worth sharing out when there are fewer of them than FEW_ROWS. */
export const LONG_ROW = 4096;
export const FEW_ROWS = 64;

/** The axis that rows run along, counted from the start. */
export interface AlongAxis {
  readonly axis: number;
}

/** Operands of the same shape, as rows along one axis, in as few axes as possible. Their strides follow `kept`, then the row's axis. */
export interface Rows {
  readonly kept: readonly number[];
  readonly n: number;
  readonly operands: readonly Operand[];
}

/** The rows along an axis of views of the same shape; a scalar is a row of one. The last view is the output, the others are inputs. */
export function rowsOf(views: readonly View[], axis: number): Rows {
  const { shape } = views[0];
  const rest = shape.map((_, d) => d).filter((d) => d !== axis);
  const operands = views.map((view, i) => {
    const last = i === views.length - 1;
    const operand = operandOf(
      last ? "output" : "input",
      last ? 0 : i,
      view,
      rest,
    );
    const step = view.strides[axis] ?? 0;
    return { ...operand, strides: [...operand.strides, step] };
  });
  const kept = merge(
    rest.map((d) => shape[d]),
    operands.map(({ strides }) => strides.slice(0, rest.length)),
  );
  return {
    kept: kept.shape,
    n: shape[axis] ?? 1,
    operands: operands.map((operand, i) => {
      const step = operand.strides[rest.length];
      return { ...operand, strides: [...kept.strides[i], step] };
    }),
  };
}

/** Whether each row fits a binding whole. */
function fitsRows({ kept, n, operands }: Rows, limits: Limits): boolean {
  return cut([...kept, n], operands, limits, [kept.length]) !== undefined;
}

/** How one kernel goes over rows. */
export interface RowKernel {
  readonly kernel: Kernel;
  readonly declarations: string;
  /** Whether a launch must see each row whole. */
  readonly whole: boolean;
  /** Invocations and loop trips for a row of a length. */
  invocations(n: number): number;
  trips(n: number): number;
  /** Floating-point operations of an element. */
  readonly flops: number;
  /** Words of `Params` after the operands' bases. @default none */
  readonly words?: readonly number[];
  /** What is done where the last operand is stored. @default nothing */
  finish?(output: Operand, box: Box): EpilogueCode;
}

/** One launch for each part of the rows. The last operand is written. */
export function rowLaunches(
  { kept, n, operands }: Rows,
  { words: more = [], finish, ...work }: RowKernel,
  limits: Limits,
): Launch[] {
  const { kernel, declarations, whole, invocations, trips, flops } = work;
  const space = [...kept, n];
  const r = kept.length;
  const part = cut(space, operands, limits, whole ? [r] : [])!;
  const most = limits.maxComputeWorkgroupsPerDimension ** 2 * WORKGROUP;
  while (sizeOf(part.slice(0, r)) * invocations(part[r]) > most) {
    const longest = Math.max(...part.slice(0, r));
    const axis = longest > 1 ? part.indexOf(longest) : r;
    part[axis] = Math.ceil(part[axis] / 2);
  }
  return [...boxesOf(space, part)].map((box) => {
    const windows = operands.map((operand) => windowIn(operand, box));
    const sizes = box.size.slice(0, r);
    const rows = sizeOf(sizes);
    const length = box.size[r];
    const head: number[] = [
      rows,
      length,
      ...operands.map(({ strides }) => strides[r]),
      ...windows.map(({ base }) => base),
      ...more,
    ];
    while (head.length % 4 !== 0) head.push(0);
    const end = finish?.(operands[operands.length - 1], box);
    const appended = end?.appended ?? [];
    return {
      kernel,
      declarations: [
        declarations,
        `const KEPT_RANK = ${r}u;`,
        ...(end ? [end.declarations] : []),
      ].join("\n"),
      appended,
      bindings: operands.map((operand, i) => {
        const last = i === operands.length - 1;
        return bindIn(operand, last ? "write" : "read", windows[i]);
      }),
      params: words(
        ...head,
        ...rankWords(sizes, 1),
        ...operands.flatMap(({ strides }) => rankWords(strides.slice(0, r), 0)),
      ),
      workgroups: linearGrid(rows * invocations(length), WORKGROUP, limits),
      trips: trips(length),
      flops: rows * length * (flops + (end?.flops ?? 0)),
      bytes: [...operands, ...appended.map(() => operands.at(-1)!)].reduce(
        (sum, { bytes, strides }) =>
          sum + rows * bytes * (strides[r] === 0 ? 1 : length),
        0,
      ),
    };
  });
}

/** A kernel that needs its rows whole, as a variant of an op. */
export interface WholeRows {
  readonly kernel: Kernel;
  /** Declarations for an element type and a row length. */
  declare(dtype: DType, n: number): string;
  /** Invocations of a row. */
  readonly invocations: number;
  trips(n: number): number;
  /** Which rows the kernel is made for. @default all */
  suits?(rows: Rows): boolean;
  readonly flops: number;
}

/** A variant of one launch for each part of the rows. */
export function wholeRows(
  name: string,
  { kernel, declare, invocations, trips, suits, flops }: WholeRows,
): Variant<AlongAxis> {
  return {
    name,
    applies(request) {
      const rows = requestedRows(request);
      return trips(rows.n) <= request.limits.maxLoopTrips &&
        (!suits || suits(rows)) && fitsRows(rows, request.limits);
    },
    plan(request) {
      if (isEmpty(request)) return { launches: [] };
      const rows = requestedRows(request);
      const launches = rowLaunches(rows, {
        kernel,
        declarations: declare(request.inputs[0].dtype, rows.n),
        whole: true,
        invocations: () => invocations,
        trips,
        flops,
      }, request.limits);
      return { launches };
    },
  };
}

/** A variant of several launches, for rows of any length. */
export function stagedRows(
  launchesOf: (
    rows: Rows,
    dtype: DType,
    limits: Limits,
    scratch: Scratch,
  ) => Launch[],
): Variant<AlongAxis> {
  return {
    name: "staged",
    plan(request) {
      if (isEmpty(request)) return { launches: [] };
      const { inputs: [{ dtype }], limits } = request;
      const scratch = new Scratch();
      const rows = requestedRows(request);
      const launches = launchesOf(rows, dtype, limits, scratch);
      return { launches, scratch: scratch.sizes };
    },
  };
}

function requestedRows(
  { inputs, outputs, attrs }: Request<AlongAxis>,
): Rows {
  return rowsOf([...inputs, outputs[0]], attrs.axis);
}

function isEmpty({ outputs: [y] }: Request<AlongAxis>): boolean {
  return sizeOf(y.shape) === 0;
}
