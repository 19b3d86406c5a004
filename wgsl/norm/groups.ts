/** Launches in which one invocation or one workgroup has all elements of a mean, with every operand bound whole. */
import type { EpilogueCode } from "../epilogue.ts";
import { type Box, linearGrid, words } from "../launch.ts";
import type { Kernel, Launch, Limits } from "../op.ts";
import { bindIn, type Operand, windowIn } from "../reduce/parts.ts";
import { sizeOf } from "../shape.ts";
import { countOf, meansOf, type NormAttrs, spaceOf } from "./geometry.ts";

/** Lanes that share a mean: alone, or a workgroup of the tree kernels. */
export type Lanes = 1 | 256;

/** Invocations of a workgroup of the kernels whose invocations are alone. */
const WORKGROUP = 64;

/** Fewest rows that keep a device busy with one invocation each, and the longest row that a cache keeps for a second look. */
const FEWEST_ROWS = 64;
const LONGEST_ROW = 4096;

/** Whether the groups are rows with parameters for each element, as in layer norm, that one invocation each should have. */
export function areRows(attrs: NormAttrs): boolean {
  const { outer, groups, channels, space } = attrs;
  return outer === 1 && groups === 1 && space === 1 &&
    meansOf(attrs) >= FEWEST_ROWS && channels <= LONGEST_ROW;
}

/** Loop trips of an invocation that goes over its elements `passes` times. */
export function groupTrips(
  attrs: NormAttrs,
  lanes: Lanes,
  passes: number,
): number {
  const { outer, channels, space } = attrs;
  return lanes === 1
    ? passes * outer * (channels * space + 1)
    : passes * Math.ceil(countOf(attrs) / lanes) + 2 * Math.log2(lanes);
}

/** One launch over all means. The last `written` operands are outputs. */
export function groupLaunch(
  attrs: NormAttrs,
  operands: readonly Operand[],
  { kernel, declarations, lanes, passes, flops, written, finish }: {
    readonly kernel: Kernel;
    readonly declarations: string;
    readonly lanes: Lanes;
    readonly passes: number;
    /** Floating-point operations of an element. */
    readonly flops: number;
    readonly written: number;
    /** What is done where the first of these is stored. @default nothing */
    readonly finish?: (output: Operand, box: Box) => EpilogueCode;
  },
  limits: Limits,
): Launch {
  const { outer, groups, channels, space } = attrs;
  const sizes = spaceOf(attrs);
  const box = { start: sizes.map(() => 0), size: sizes };
  const bindings = operands.map((operand, i) => {
    const out = i >= operands.length - written;
    return bindIn(operand, out ? "write" : "read", windowIn(operand, box));
  });
  const means = meansOf(attrs);
  const end = finish?.(operands[operands.length - written], box);
  const appended = end?.appended ?? [];
  return {
    kernel,
    declarations: end ? `${declarations}\n${end.declarations}` : declarations,
    bindings,
    appended,
    params: words(means, outer, channels * space, groups, channels, space),
    workgroups: linearGrid(
      means * lanes,
      lanes === 1 ? WORKGROUP : lanes,
      limits,
    ),
    trips: groupTrips(attrs, lanes, passes),
    flops: sizeOf(sizes) * (flops + (end?.flops ?? 0)),
    bytes: [...bindings, ...appended].reduce((sum, { size }) => sum + size, 0),
  };
}
