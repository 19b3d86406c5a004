/** Dropping elements at random. */
import { DTypeError } from "../errors.ts";
import { f32, linearGrid, storageType, words } from "../launch.ts";
import { isFloat } from "../move/convert.ts";
import { bindRun, runsOf, WORKGROUP } from "../move/walk.ts";
import type { Op, Plan, Request } from "../op.ts";
import { itemBytes, sizeOf } from "../shape.ts";
import code from "./dropout.wgsl" with { type: "text" };
import { counterWords, eachBlock, type Stream } from "./philox.ts";
import philoxCode from "./philox.wgsl" with { type: "text" };
import { checkProbability, ROUNDS, thresholdOf } from "./random.ts";

const kernel = { label: "wgsl/random/dropout.wgsl", code };

/** The probability of an element to be dropped, and the call's place in a stream. */
export interface DropoutAttrs extends Stream {
  readonly p: number;
}

/**
 * Zeros in place of elements dropped with probability p; the others are multiplied by 1 / (1 − p). `x: any shape → the same`
 *
 * Srivastava et al., "Dropout: a simple way to prevent neural networks from overfitting" (2014), in the inverted form that leaves evaluation as it is.
 * The gradient drops the same elements by drawing the same words again. Throws a DTypeError for x that isn't a float, and a RangeError for a p
 * outside [0, 1].
 */
export const dropout: Op<DropoutAttrs> = {
  name: "dropout",
  volatile: true,
  infer([{ shape, dtype }], { p }) {
    checkProbability(p, "drop elements");
    if (!isFloat(dtype)) {
      throw new DTypeError(
        `Cannot drop elements of ${dtype}: expected a float dtype`,
        [dtype],
      );
    }
    return [{ shape, dtype }];
  },
  variants: [
    { name: "blocks", plan: (request) => plan(request, 4) },
    { name: "naive", plan: (request) => plan(request, 1) },
  ],
  reference([x], [y], attrs) {
    const threshold = thresholdOf(1 - attrs.p);
    const scale = scaleOf(attrs.p);
    eachBlock(x.data.length, attrs, (first, block) => {
      const end = Math.min(first + 4, x.data.length);
      for (let i = first; i < end; i++) {
        const kept = block[i - first] >>> 8 < threshold;
        y.data[i] = x.data[i] * (kept ? scale : 0);
      }
    });
  },
  gradient: {
    rule: ({ grads: [grad], attrs, apply }) => [
      grad && apply(dropout, [grad], attrs)[0],
    ],
  },
};

function plan(
  { inputs: [x], outputs: [y], attrs, limits }: Request<DropoutAttrs>,
  per: number,
): Plan {
  const { p, key, counter } = attrs;
  const bytes = itemBytes(x.dtype);
  return {
    launches: runsOf(sizeOf(x.shape), bytes, limits).map((run) => ({
      kernel,
      declarations: `alias T = ${storageType(x.dtype)};
${philoxCode}`,
      constants: { PER: per },
      bindings: [
        bindRun("input", 0, "read", x, run),
        bindRun("output", 0, "write", y, run),
      ],
      params: words(
        ...key,
        ...counterWords(counter + run.start / 4),
        run.count,
        thresholdOf(1 - p),
        f32(scaleOf(p)),
      ),
      workgroups: linearGrid(run.count, WORKGROUP * per, limits),
      trips: ROUNDS + per,
      flops: run.count,
      bytes: 2 * run.count * bytes,
    })),
  };
}

/** What keeps the expected sum the same; nothing is kept at p = 1. */
function scaleOf(p: number): number {
  return p === 1 ? 0 : 1 / (1 - p);
}
