/** Normalising by the mean and variance of groups of elements: batch, layer, group, instance and RMS norm in one op. */
import type { Tensor } from "../../core/tensor.ts";
import { DTypeError, ShapeError } from "../errors.ts";
import type {
  GradientContext,
  Kernel,
  Meta,
  Op,
  Plan,
  Request,
  Variant,
} from "../op.ts";
import { Scratch } from "../reduce/plan.ts";
import { formatShape, sameShape } from "../shape.ts";
import {
  checkNorm,
  countOf,
  fitWhole,
  meanPairs,
  type NormAttrs,
  statsMeta,
  wholeOperand,
} from "./geometry.ts";
import {
  checkFinish,
  finishCode,
  finishReference,
  savesOf,
  throughFinish,
} from "./finish.ts";
import { areRows, groupLaunch, groupTrips, type Lanes } from "./groups.ts";
import mergeCode from "./merge.wgsl" with { type: "text" };
import rowsCode from "./rows.wgsl" with { type: "text" };
import naiveCode from "./naive.wgsl" with { type: "text" };
import { normalizeBackward } from "./normalize_backward.ts";
import { applyReference, measure } from "./reference.ts";
import {
  APPLY_FLOPS,
  applyLaunches,
  declarationsOf,
  hasFours,
  MOMENT_FLOPS,
  momentLaunches,
  parametersOf,
  type Share,
  type Width,
} from "./stages.ts";
import { channelsIn, columnsOf, spread } from "./tensors.ts";
import treeCode from "./tree.wgsl" with { type: "text" };

const naiveKernel = { label: "wgsl/norm/naive.wgsl", code: naiveCode };
const rowsKernel = { label: "wgsl/norm/rows.wgsl", code: rowsCode };
const treeKernel = { label: "wgsl/norm/tree.wgsl", code: treeCode };

/**
 * `y = (x − mean) / √(variance + eps) · weight + bias`, with the mean and the biased variance of each group of elements.
 *
 * `x: any shape, weight?, bias?: [groups·channels] → y: the shape of x, stats: [samples·groups, 2]` with the mean and the variance that were
 * used, in float32. An epilogue's residual, of the shape of x, comes last among the inputs. Ioffe & Szegedy 2015 (algorithm 1), Ba et al. 2016, Ulyanov et al. 2016, Wu & He 2018; Zhang & Sennrich 2019 without `centered`.
 * Throws a ShapeError or DTypeError for tensors that don't fit the attributes.
 */
export const normalize: Op<NormAttrs> = {
  name: "normalize",
  infer([x, ...parameters], attrs) {
    const own = Number(attrs.weight) + Number(attrs.bias);
    checkNorm(x, parameters.slice(0, own), attrs, "normalise");
    checkFinish([x, ...parameters], attrs, 1);
    return [x, statsMeta(x.dtype, attrs)];
  },
  variants: [
    wholeGroups("rows", rowsKernel, 1, areRows),
    {
      name: "fours",
      applies: ({ attrs }) => hasFours(attrs),
      plan: (request) => planStaged(request, 4),
    },
    { name: "staged", plan: (request) => planStaged(request, 1) },
    wholeGroups("tree", treeKernel, 256),
    wholeGroups("naive", naiveKernel, 1),
  ],
  reference([x, ...parameters], [y, stats], attrs) {
    measure(x, stats, attrs);
    const finish = finishReference([x, ...parameters], attrs, 1);
    applyReference(x, stats, parameters, y, attrs, finish);
  },
  gradient: {
    saves: (attrs) =>
      savesOf(attrs, 1, {
        inputs: attrs.weight ? [0, 1] : [0],
        outputs: [1],
      }),
    rule: (context) => throughFinish(normalize, 1, rule, context),
  },
};

/**
 * As {@linkcode normalize} with statistics that are given: `x, stats: [samples·groups, 2], weight?, bias? → y`.
 *
 * What batch norm does in evaluation mode: one scale and shift a channel, with a residual and an activation if an epilogue says so. No gradient
 * flows into the statistics.
 */
export const normalizeWith: Op<NormAttrs> = {
  name: "normalizeWith",
  infer([x, stats, ...parameters], attrs) {
    const own = Number(attrs.weight) + Number(attrs.bias);
    checkNorm(x, parameters.slice(0, own), attrs, "normalise");
    checkStats(x, stats, attrs);
    checkFinish([x, stats, ...parameters], attrs, 2);
    return [{ shape: x.shape, dtype: x.dtype }];
  },
  variants: [
    {
      name: "fours",
      applies: ({ attrs }) => hasFours(attrs),
      plan: (request) => planWith(request, { width: 4 }),
    },
    { name: "spans", plan: (request) => planWith(request, {}) },
    { name: "naive", plan: (request) => planWith(request, { span: 1 }) },
  ],
  reference([x, stats, ...parameters], [y], attrs) {
    const finish = finishReference([x, stats, ...parameters], attrs, 2);
    applyReference(x, stats, parameters, y, attrs, finish);
  },
  gradient: {
    saves: (attrs) =>
      savesOf(attrs, 2, {
        inputs: attrs.weight ? [0, 1, 2] : [1],
        outputs: [],
      }),
    rule: (context) => throughFinish(normalizeWith, 2, ruleWith, context),
  },
};

/** Refuses statistics that don't belong to x. */
export function checkStats(x: Meta, stats: Meta, attrs: NormAttrs): void {
  const want = statsMeta(x.dtype, attrs);
  if (!sameShape(stats.shape, want.shape)) {
    throw new ShapeError(
      `Cannot normalise ${formatShape(x.shape)} with statistics ${
        formatShape(stats.shape)
      }: expected ${formatShape(want.shape)}`,
      [x.shape, stats.shape],
    );
  }
  if (stats.dtype !== want.dtype) {
    throw new DTypeError(
      `Cannot normalise ${x.dtype} with statistics of ${stats.dtype}: expected ${want.dtype}`,
      [x.dtype, stats.dtype],
    );
  }
}

function planStaged(request: Request<NormAttrs>, width: Width): Plan {
  const scratch = new Scratch();
  const stats = meanPairs("output", 1, request.attrs);
  const launches = [
    ...momentLaunches(request, stats, width, scratch),
    ...applyLaunches(request, stats, 1, { width }),
  ];
  return { launches, scratch: scratch.sizes };
}

function planWith(request: Request<NormAttrs>, share: Share): Plan {
  const stats = meanPairs("input", 1, request.attrs);
  return { launches: applyLaunches(request, stats, 2, share) };
}

/** A variant of one launch, in which one invocation or one workgroup has a group whole. */
function wholeGroups(
  name: string,
  kernel: Kernel,
  lanes: Lanes,
  suits: (attrs: NormAttrs) => boolean = () => true,
): Variant<NormAttrs> {
  const operandsOf = (request: Request<NormAttrs>) => {
    const { inputs: [x], outputs: [y], attrs } = request;
    return [
      wholeOperand("input", 0, x, attrs),
      ...parametersOf(request, 1),
      wholeOperand("output", 0, y, attrs),
      meanPairs("output", 1, attrs),
    ];
  };
  const passes = 3;
  return {
    name,
    applies: (request) =>
      suits(request.attrs) &&
      groupTrips(request.attrs, lanes, passes) <= request.limits.maxLoopTrips &&
      fitWhole(request.attrs, operandsOf(request), request.limits),
    plan(request) {
      const { outputs: [y], attrs, limits } = request;
      const operands = operandsOf(request);
      const launch = groupLaunch(attrs, operands, {
        kernel,
        declarations: `${declarationsOf(request, 1)}
${kernel === rowsKernel ? mergeCode : ""}`,
        lanes,
        passes,
        flops: MOMENT_FLOPS + APPLY_FLOPS,
        written: 2,
        finish: (output, box) =>
          finishCode(attrs, 1, operands.length + 1, output, y.dtype, box),
      }, limits);
      return { launches: [launch] };
    },
  };
}

/**
 * dx, dweight and dbias are the fused op {@linkcode normalizeBackward}. A gradient of the statistics themselves, mean m and variance v of n
 * elements, adds dm / n + 2·dv·(x − m) / n.
 */
function rule(context: GradientContext<NormAttrs>): (Tensor | null)[] {
  const { attrs, grads: [dy, dstats], inputs, outputs, apply } = context;
  const [x, weight] = inputs;
  const stats = outputs[1];
  const wide = stats.dtype;
  let dx: Tensor | null = null;
  let sums: Tensor | undefined;
  if (dy) {
    const given = attrs.weight ? [dy, x, stats, weight] : [dy, x, stats];
    [dx, sums] = apply(normalizeBackward, given, attrs);
  }
  if (dstats) {
    const [mean] = columnsOf(stats, attrs);
    const [dmean, dvariance] = columnsOf(dstats, attrs);
    const difference = spread(x, attrs).to(wide).sub(mean);
    const own = difference.mul(dvariance).mul(2);
    const both = attrs.centered ? own.add(dmean) : own;
    const part = both.div(countOf(attrs)).reshape(x.shape).to(x.dtype);
    dx = dx ? dx.add(part) : part;
  }
  return [dx, ...parameterGradients(context, sums, 1)];
}

/** The gradients of weight and bias from the sums of their channels. */
function parameterGradients(
  { attrs, inputMetas }: GradientContext<NormAttrs>,
  sums: Tensor | undefined,
  first: number,
): (Tensor | null)[] {
  const columns = [...(attrs.weight ? [1] : []), ...(attrs.bias ? [0] : [])];
  return columns.map((column, i) => {
    const { shape, dtype } = inputMetas[first + i];
    return sums
      ? sums.slice(1, column, column + 1).reshape(shape).to(dtype)
      : null;
  });
}

/** dx = dy·weight·r, dweight = Σ dy·(x − mean)·r, dbias = Σ dy, r = 1 / √(variance + eps). */
function ruleWith(context: GradientContext<NormAttrs>): (Tensor | null)[] {
  const { attrs, grads: [grad], inputs, inputMetas, needs } = context;
  const [x, stats, weight] = inputs;
  const wide = stats.dtype;
  if (!grad) return inputMetas.map(() => null);
  const dy = spread(grad, attrs).to(wide);
  const [mean, variance] = columnsOf(stats, attrs);
  const root = variance.add(attrs.eps).rsqrt();
  const scale = attrs.weight
    ? root.mul(channelsIn(weight, attrs).to(wide))
    : root;
  const results = [
    needs[0] ? dy.mul(scale).reshape(grad.shape).to(grad.dtype) : null,
    null,
  ];
  const parameters = [
    attrs.weight &&
    (() => dy.mul(spread(x, attrs).to(wide).sub(mean).mul(root))),
    attrs.bias && (() => dy),
  ];
  for (const terms of parameters) {
    if (!terms) continue;
    const { shape, dtype } = inputMetas[results.length];
    results.push(
      needs[results.length]
        ? terms().sum([0, 1, 4]).reshape(shape).to(dtype)
        : null,
    );
  }
  return results;
}
