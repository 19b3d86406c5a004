/** The stages of a normalisation in several launches: the moments of pieces and their merge, then what is made of them. */
import { storageType } from "../launch.ts";
import type { Launch, Request } from "../op.ts";
import type { Fold } from "../reduce/fold.ts";
import type { Operand } from "../reduce/parts.ts";
import type { Scratch } from "../reduce/plan.ts";
import { rowLaunches } from "../softmax/rows.ts";
import applyCode from "./apply.wgsl" with { type: "text" };
import applyFoursCode from "./apply_fours.wgsl" with { type: "text" };
import { finishCode } from "./finish.ts";
import {
  channelOperand,
  type NormAttrs,
  placeholder,
  rowsAlong,
  spaceOf,
  wholeOperand,
} from "./geometry.ts";
import mergeCode from "./merge.wgsl" with { type: "text" };
import momentsCode from "./moments.wgsl" with { type: "text" };
import momentsFoursCode from "./moments_fours.wgsl" with { type: "text" };
import { piecewiseLaunches } from "./partials.ts";

const applyKernels = {
  1: { label: "wgsl/norm/apply.wgsl", code: applyCode },
  4: { label: "wgsl/norm/apply_fours.wgsl", code: applyFoursCode },
};
const momentKernels = {
  1: { label: "wgsl/norm/moments.wgsl", code: momentsCode },
  4: { label: "wgsl/norm/moments_fours.wgsl", code: momentsFoursCode },
};

/** Neighbours along the space that are read and written at once. */
export type Width = 1 | 4;

/** What an invocation that applies statistics owns. */
export interface Share {
  /** Neighbours at once. @default 1 */
  readonly width?: Width;
  /** Elements in all, a multiple of the width. @default 16 */
  readonly span?: number;
}

/** Operations of an element: a difference, its square and sum; a difference, a factor, a summand. */
export const MOMENT_FLOPS = 4;
export const APPLY_FLOPS = 3;

/** Folds moments of pieces to the mean and the variance. */
const MOMENTS: Fold = {
  element: "vec3f",
  accumulator: "vec3f",
  result: "vec2f",
  bytes: 16,
  identity: "vec3f(0.0)",
  load: "value",
  combine: "merge(a, b)",
  store: "vec2f(a.y, a.z / a.x)",
  library: mergeCode,
};

/** Whether fours of neighbours belong to one mean and one channel each, throughout. */
export function hasFours({ space }: NormAttrs): boolean {
  return space % 4 === 0 && space > 4;
}

/** The space in steps of so many neighbours. */
export function inSteps(attrs: NormAttrs, width: Width): NormAttrs {
  return { ...attrs, space: attrs.space / width };
}

/** An operand of x's shape, of which an element is so many neighbours. */
export function wideOperand(
  ...[slot, index, view, attrs, width]: [
    ...Parameters<typeof wholeOperand>,
    Width,
  ]
): Operand {
  const operand = wholeOperand(slot, index, view, inSteps(attrs, width));
  return { ...operand, bytes: operand.bytes * width };
}

/** Operands of weight and bias, of which the first stands at input `first`; x stands in for those that are missing. */
export function parametersOf(
  { inputs, attrs }: Request<NormAttrs>,
  first: number,
): [Operand, Operand] {
  const none = placeholder(wholeOperand("input", 0, inputs[0], attrs));
  const at = (present: boolean, index: number) =>
    present ? channelOperand(index, inputs[index], attrs) : none;
  return [
    at(attrs.weight, first),
    at(attrs.bias, first + Number(attrs.weight)),
  ];
}

/** What the kernels that apply statistics need appended. */
export function declarationsOf(
  { inputs, attrs }: Request<NormAttrs>,
  first: number,
): string {
  const { eps, centered, weight, bias } = attrs;
  const parameter = weight || bias ? inputs[first] : inputs[0];
  return `alias T = ${storageType(inputs[0].dtype)};
alias W = ${storageType(parameter.dtype)};
const EPSILON = f32(${eps});
const CENTERED = ${centered};
const HAS_WEIGHT = ${weight};
const HAS_BIAS = ${bias};`;
}

/** The launches of the last step: x, parameters and statistics to y. */
export function applyLaunches(
  request: Request<NormAttrs>,
  stats: Operand,
  first: number,
  { width = 1, span = 16 }: Share,
): Launch[] {
  const { inputs: [x], outputs: [y], attrs, limits } = request;
  const rows = rowsAlong(inSteps(attrs, width), [
    wideOperand("input", 0, x, attrs, width),
    ...parametersOf(request, first),
    stats,
    wideOperand("output", 0, y, attrs, width),
  ]);
  const [, weight, bias, pairs] = rows.operands
    .map(({ strides }) => strides[rows.kept.length] > 0);
  const steps = span / width;
  const varies = `const STATS_VARY = ${pairs};
const PARAMETERS_VARY = ${weight || bias};`;
  return rowLaunches(rows, {
    kernel: applyKernels[width],
    declarations: `${declarationsOf(request, first)}
${width === 1 ? varies : ""}
const SPAN = ${steps}u;`,
    whole: false,
    invocations: (n) => Math.ceil(n / steps),
    trips: () => steps,
    flops: APPLY_FLOPS * width,
    finish(output, { start, size }) {
      // Element by element: the neighbours of a step are one more axis.
      const elements = {
        ...output,
        strides: [...output.strides.map((step) => step * width), 1],
      };
      const box = { start: [...start, 0], size: [...size, width] };
      const binding = rows.operands.length + 1;
      return finishCode(attrs, first, binding, elements, y.dtype, box);
    },
  }, limits);
}

/** The launches that take the moments of x's groups. */
export function momentLaunches(
  { inputs: [x], attrs, limits }: Request<NormAttrs>,
  stats: Operand,
  width: Width,
  scratch: Scratch,
): Launch[] {
  return piecewiseLaunches(
    {
      kernel: momentKernels[width],
      declare: () =>
        `alias T = ${storageType(x.dtype)};
const CENTERED = ${attrs.centered};
${mergeCode}`,
      fold: MOMENTS,
      flops: MOMENT_FLOPS * width,
      space: spaceOf(inSteps(attrs, width)),
      reduced: [0, 3, 4],
      inputs: [wideOperand("input", 0, x, attrs, width)],
      output: stats,
      name: "moments",
    },
    limits,
    scratch,
  );
}
