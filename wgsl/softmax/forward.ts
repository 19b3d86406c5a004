/** Launch plans of softmax and log-softmax. */
import { storageType } from "../launch.ts";
import type { DType, Launch, Limits, Variant } from "../op.ts";
import type { Fold } from "../reduce/fold.ts";
import { reductionLaunches, type Scratch } from "../reduce/plan.ts";
import { sizeOf, stridesOf } from "../shape.ts";
import applyCode from "./apply.wgsl" with { type: "text" };
import naiveCode from "./naive.wgsl" with { type: "text" };
import onlineCode from "./online.wgsl" with { type: "text" };
import pairCode from "./pair.wgsl" with { type: "text" };
import registersCode from "./registers.wgsl" with { type: "text" };
import rowCode from "./row.wgsl" with { type: "text" };
import logCode from "./row_log_softmax.wgsl" with { type: "text" };
import expCode from "./row_softmax.wgsl" with { type: "text" };
import {
  type AlongAxis,
  FEW_ROWS,
  LONG_ROW,
  MOST_REGISTERS,
  rowLaunches,
  type Rows,
  SPAN,
  stagedRows,
  wholeRows,
  WORKGROUP,
} from "./rows.ts";
import treeCode from "./tree.wgsl" with { type: "text" };

const registersKernel = {
  label: "wgsl/softmax/registers.wgsl",
  code: registersCode,
};
const onlineKernel = { label: "wgsl/softmax/online.wgsl", code: onlineCode };
const applyKernel = { label: "wgsl/softmax/apply.wgsl", code: applyCode };
const treeKernel = { label: "wgsl/softmax/tree.wgsl", code: treeCode };
const naiveKernel = { label: "wgsl/softmax/naive.wgsl", code: naiveCode };

/** What an element costs: a comparison, two exponentials and their sum and product, roughly. */
const FLOPS = 5;

/** Plans of softmax, or of log-softmax. */
export function forwardVariants(log: boolean): Variant<AlongAxis>[] {
  const declare = (dtype: DType) =>
    `alias T = ${storageType(dtype)};
${pairCode}${rowCode}${log ? logCode : expCode}`;

  const flops = FLOPS;
  return [
    wholeRows("registers", {
      kernel: registersKernel,
      declare: (dtype, n) => `${declare(dtype)}\nconst N = ${n}u;`,
      invocations: 1,
      trips: () => 0,
      suits: ({ n }) => n <= MOST_REGISTERS,
      flops,
    }),
    wholeRows("online", {
      kernel: onlineKernel,
      declare,
      invocations: 1,
      trips: (n) => 2 * (Math.floor(n / 4) + n % 4),
      suits: ({ kept, n }) => n < LONG_ROW || sizeOf(kept) >= FEW_ROWS,
      flops,
    }),
    stagedRows((rows, dtype, limits, scratch) =>
      stagedLaunches(rows, declare(dtype), dtype, limits, scratch)
    ),
    wholeRows("tree", {
      kernel: treeKernel,
      declare,
      invocations: WORKGROUP,
      trips: (n) => 2 * Math.ceil(n / WORKGROUP),
      suits: ({ n }) => n >= WORKGROUP,
      flops,
    }),
    wholeRows("naive", {
      kernel: naiveKernel,
      declare,
      invocations: 1,
      trips: (n) => 3 * n,
      flops,
    }),
  ];
}

/** Rows of any length: the pairs of maximum and sum by the launches of a reduction, then their application. */
function stagedLaunches(
  { kept, n, operands: [x, y] }: Rows,
  declarations: string,
  dtype: DType,
  limits: Limits,
  scratch: Scratch,
): Launch[] {
  const fold = pairFold(dtype);
  const pairs = {
    slot: "scratch" as const,
    index: scratch.reserve("pairs", sizeOf(kept) * fold.bytes),
    bytes: fold.bytes,
    strides: [...stridesOf(kept), 0],
    offset: 0,
  };
  return [
    ...reductionLaunches(
      { fold, kept, reduced: [n], input: x, output: pairs },
      "chunk",
      limits,
      scratch,
    ),
    ...rowLaunches({ kept, n, operands: [x, pairs, y] }, {
      kernel: applyKernel,
      declarations,
      whole: false,
      invocations: (length) => Math.ceil(length / SPAN),
      trips: () => SPAN,
      flops: 2,
    }, limits),
  ];
}

/** Folds the elements of a row to the pair of their maximum and the sum of their exponentials. */
function pairFold(dtype: DType): Fold {
  return {
    element: storageType(dtype),
    accumulator: "vec2f",
    result: "vec2f",
    bytes: 8,
    identity: "vec2f(LEAST, 0.0)",
    load: "pair_of(f32(value))",
    combine: "merge(a, b)",
    store: "a",
    library: pairCode,
  };
}
