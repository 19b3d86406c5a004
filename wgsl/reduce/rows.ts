/** Folds of many short rows that lie one after the other, four to an invocation. */
import { linearGrid, words } from "../launch.ts";
import type { Launch, Limits, Plan } from "../op.ts";
import { WORKGROUP } from "./deal.ts";
import { foldDeclarations } from "./fold.ts";
import { bindIn, boxesOf, cut, windowIn } from "./parts.ts";
import { mergeAxes, type Reduction } from "./plan.ts";
import code from "./rows.wgsl" with { type: "text" };

const ROWS = { label: "wgsl/reduce/rows.wgsl", code };

/** Rows of an invocation: as many as make whole vectors of rows of any length. */
const PER = 4;
/** Lengths of rows whose vectors are folded without a loop. */
const SHORTEST = 16;
const LONGEST = 128;
/** Fewest rows that keep a device busy. */
const LEAST = 256;

/** Whether a reduction is one of whole rows, contiguous from a vector's first element on, of a length and number that suit the kernel. */
export function isOfRows(reduction: Reduction, limits: Limits): boolean {
  const { kept, reduced, input, output } = mergeAxes(reduction);
  if (kept.length !== 1 || reduced.length !== 1) return false;
  const [length] = reduced;
  return input.strides[0] === length && input.strides[1] === 1 &&
    input.offset % 4 === 0 && output.strides[0] === 1 &&
    length >= SHORTEST && length < LONGEST &&
    kept[0] >= LEAST && kept[0] % PER === 0 &&
    tripsOf(length) <= limits.maxLoopTrips;
}

/** The launches of such a reduction: one, but for operands that no binding holds. */
export function planRows(reduction: Reduction, limits: Limits): Plan {
  const merged = mergeAxes(reduction);
  const { fold, kept, count } = merged;
  const [length] = merged.reduced;
  const space = [kept[0] / PER, PER, length];
  const input = { ...merged.input, strides: [PER * length, length, 1] };
  const output = { ...merged.output, strides: [PER, 1, 0] };
  const part = cut(space, [input, output], limits, [1, 2])!;
  const groups = limits.maxComputeWorkgroupsPerDimension ** 2;
  part[0] = Math.min(part[0], groups * WORKGROUP);
  const declarations = foldDeclarations(fold, { first: true, last: true }) +
    `const INNER = ${length}u;`;
  const launches = [...boxesOf(space, part)].map((box): Launch => {
    const x = windowIn(input, box);
    const y = windowIn(output, box);
    const outputs = PER * box.size[0];
    return {
      kernel: ROWS,
      declarations,
      bindings: [bindIn(input, "read", x), bindIn(output, "write", y)],
      params: words(outputs, x.base, y.base, count),
      workgroups: linearGrid(box.size[0], WORKGROUP, limits),
      trips: tripsOf(length),
      flops: outputs * length,
      bytes: outputs * (length * input.bytes + output.bytes),
    };
  });
  return { launches };
}

/** Vectors of all rows that an invocation folds. */
function tripsOf(length: number): number {
  return PER * Math.ceil(length / 4);
}
