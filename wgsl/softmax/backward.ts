/** Launch plans of the gradients of softmax and log-softmax. */
import { storageType } from "../launch.ts";
import type { DType, Launch, Limits, Variant } from "../op.ts";
import { foldOf } from "../reduce/fold.ts";
import type { Operand } from "../reduce/parts.ts";
import { reductionLaunches, type Scratch } from "../reduce/plan.ts";
import { sizeOf, stridesOf } from "../shape.ts";
import applyCode from "./backward_apply.wgsl" with { type: "text" };
import logCode from "./backward_log_softmax.wgsl" with { type: "text" };
import naiveCode from "./backward_naive.wgsl" with { type: "text" };
import rowsCode from "./backward_rows.wgsl" with { type: "text" };
import registersCode from "./backward_registers.wgsl" with { type: "text" };
import expCode from "./backward_softmax.wgsl" with { type: "text" };
import termsCode from "./backward_terms.wgsl" with { type: "text" };
import treeCode from "./backward_tree.wgsl" with { type: "text" };
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

const registersKernel = {
  label: "wgsl/softmax/backward_registers.wgsl",
  code: registersCode,
};
const rowsKernel = {
  label: "wgsl/softmax/backward_rows.wgsl",
  code: rowsCode,
};
const termsKernel = {
  label: "wgsl/softmax/backward_terms.wgsl",
  code: termsCode,
};
const applyKernel = {
  label: "wgsl/softmax/backward_apply.wgsl",
  code: applyCode,
};
const treeKernel = {
  label: "wgsl/softmax/backward_tree.wgsl",
  code: treeCode,
};
const naiveKernel = {
  label: "wgsl/softmax/backward_naive.wgsl",
  code: naiveCode,
};

/** What an element costs: a term and its sum, a difference and a product. */
const FLOPS = 4;

/** Plans of the gradient of softmax, or of log-softmax, from its output. */
export function backwardVariants(log: boolean): Variant<AlongAxis>[] {
  const declare = (dtype: DType) =>
    `alias T = ${storageType(dtype)};\n${log ? logCode : expCode}`;
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
    wholeRows("rows", {
      kernel: rowsKernel,
      declare,
      invocations: 1,
      trips: (n) => 2 * (Math.floor(n / 4) + n % 4),
      suits: ({ kept, n }) => n < LONG_ROW || sizeOf(kept) >= FEW_ROWS,
      flops,
    }),
    stagedRows((rows, dtype, limits, scratch) =>
      stagedLaunches(rows, declare(dtype), log, dtype, limits, scratch)
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
      trips: (n) => 2 * n,
      flops,
    }),
  ];
}

/** Rows of any length: the terms of the sums, unless they are dy itself; the sums, by the launches of a reduction; their application. */
function stagedLaunches(
  { kept, n, operands: [y, dy, dx] }: Rows,
  declarations: string,
  log: boolean,
  dtype: DType,
  limits: Limits,
  scratch: Scratch,
): Launch[] {
  const share = {
    declarations,
    whole: false,
    invocations: (length: number) => Math.ceil(length / SPAN),
    trips: () => SPAN,
  };
  const scratchOf = (name: string, shape: readonly number[]): Operand => ({
    slot: "scratch",
    index: scratch.reserve(name, sizeOf(shape) * 4),
    bytes: 4,
    strides: stridesOf(shape),
    offset: 0,
  });
  const launches: Launch[] = [];
  let terms = dy;
  if (!log) {
    terms = scratchOf("terms", [...kept, n]);
    launches.push(...rowLaunches({ kept, n, operands: [y, dy, terms] }, {
      ...share,
      kernel: termsKernel,
      flops: 1,
    }, limits));
  }
  const perRow = scratchOf("sums", kept);
  const sums = { ...perRow, strides: [...perRow.strides, 0] };
  const fold = {
    ...foldOf("sum", log ? dtype : "f32"),
    result: "f32",
    store: "a",
  };
  launches.push(
    ...reductionLaunches(
      { fold, kept, reduced: [n], input: terms, output: sums },
      "chunk",
      limits,
      scratch,
    ),
    ...rowLaunches({ kept, n, operands: [y, dy, sums, dx] }, {
      ...share,
      kernel: applyKernel,
      flops: 3,
    }, limits),
  );
  return launches;
}
