/**
 * Sums over several operands: each piece of a run is folded by one invocation of a kernel of this family, and what the pieces gave by the
 * launches of a reduction.
 */
import type { Kernel, Launch, Limits } from "../op.ts";
import { cut, merge, type Operand } from "../reduce/parts.ts";
import type { Fold } from "../reduce/fold.ts";
import { reductionLaunches, type Scratch } from "../reduce/plan.ts";
import { sizeOf, stridesOf } from "../shape.ts";
import { rowLaunches } from "../softmax/rows.ts";

/** Most and fewest elements that are worth a piece, and pieces that keep a device busy. */
const LONGEST = 256;
const SHORTEST = 16;
const PIECES = 512;

/** A fold of several operands over some axes of a space. */
export interface PiecewiseFold {
  readonly kernel: Kernel;
  /** What the kernel needs appended, beside `R` and `store`. `varies` tells which operands change along a run. */
  declare(varies: readonly boolean[]): string;
  readonly fold: Fold;
  readonly flops: number;
  readonly space: readonly number[];
  /** Axes of the space that are folded. */
  readonly reduced: readonly number[];
  readonly inputs: readonly Operand[];
  /** Its strides along the folded axes don't count. */
  readonly output: Operand;
  /** Name of the scratch buffer that holds the pieces' results. */
  readonly name: string;
}

/** The launches of a fold: the pieces, then their results if there is more than one. */
export function piecewiseLaunches(
  given: PiecewiseFold,
  limits: Limits,
  scratch: Scratch,
): Launch[] {
  const { kernel, fold, flops, space, inputs } = given;
  const axes = space.map((_, d) => d);
  const pick = (part: readonly number[]) => (o: Operand) =>
    part.map((d) => o.strides[d]);
  const keptAxes = axes.filter((d) => !given.reduced.includes(d));
  const operands = [...inputs, given.output];
  const kept = merge(
    keptAxes.map((d) => space[d]),
    operands.map(pick(keptAxes)),
  );
  const folded = merge(
    given.reduced.map((d) => space[d]),
    inputs.map(pick(given.reduced)),
  );
  const run = runOf(folded.shape);
  const n = folded.shape[run];
  const others = folded.shape.map((_, d) => d).filter((d) => d !== run);
  const outside = [...kept.shape, ...others.map((d) => folded.shape[d])];
  const walks = inputs.map((o, i) => ({
    ...o,
    strides: [
      ...kept.strides[i],
      ...others.map((d) => folded.strides[i][d]),
      folded.strides[i][run],
    ],
  }));
  const span = spanOf(sizeOf(space), n, outside, walks, limits);
  const full = Math.floor(n / span);
  const rest = n - full * span;
  const slots = full + Math.sign(rest);
  const single = slots * sizeOf(others.map((d) => folded.shape[d])) === 1;
  const shape = [...outside, slots];
  const output = {
    ...given.output,
    strides: [...kept.strides[inputs.length], ...others.map(() => 0), 0],
  };
  const partials = single ? output : {
    slot: "scratch" as const,
    index: scratch.reserve(given.name, sizeOf(shape) * fold.bytes),
    bytes: fold.bytes,
    strides: stridesOf(shape),
    offset: 0,
  };
  const declarations = `${
    given.declare(walks.map((o) => o.strides.at(-1)! > 0))
  }
alias R = ${single ? fold.result : fold.accumulator};
fn store(a: ${fold.accumulator}) -> R { return ${single ? fold.store : "a"}; }`;
  const piece = {
    kernel,
    declarations,
    whole: true,
    invocations: () => 1,
    trips: (length: number) => length,
    flops,
  };
  const launches = rowLaunches(
    {
      kept: [...outside, full],
      n: span,
      operands: [
        ...walks.map((o) => ({
          ...o,
          strides: [
            ...o.strides.slice(0, -1),
            o.strides.at(-1)! * span,
            o.strides.at(-1)!,
          ],
        })),
        { ...partials, strides: [...partials.strides, 0] },
      ],
    },
    piece,
    limits,
  );
  if (rest > 0) {
    launches.push(...rowLaunches(
      {
        kept: outside,
        n: rest,
        operands: [
          ...walks.map((o) => ({
            ...o,
            offset: o.offset + full * span * o.strides.at(-1)!,
          })),
          {
            ...partials,
            strides: [...partials.strides.slice(0, -1), 0],
            offset: full,
          },
        ],
      },
      piece,
      limits,
    ));
  }
  if (single) return launches;
  const results = {
    fold: { ...fold, element: fold.accumulator, load: "value" },
    kept: kept.shape,
    reduced: shape.slice(kept.shape.length),
    input: partials,
    output,
  };
  return [
    ...launches,
    ...reductionLaunches(results, "chunk", limits, scratch),
  ];
}

/** The axis that pieces run along: the innermost that is long enough, else the longest. */
function runOf(shape: readonly number[]): number {
  for (let d = shape.length - 1; d >= 0; d--) {
    if (shape[d] >= SHORTEST) return d;
  }
  return shape.indexOf(Math.max(...shape));
}

/** Length of a piece: even parts of the run, few enough, and such that every operand's part fits a binding. */
function spanOf(
  elements: number,
  n: number,
  outside: readonly number[],
  walks: readonly Operand[],
  limits: Limits,
): number {
  const wanted = Math.min(
    LONGEST,
    limits.maxLoopTrips,
    Math.max(SHORTEST, Math.ceil(elements / PIECES)),
  );
  let span = Math.ceil(n / Math.ceil(n / wanted));
  const fits = () =>
    cut([...outside, span], walks, limits, [outside.length]) !== undefined;
  while (span > 1 && !fits()) span = Math.ceil(span / 2);
  return span;
}
