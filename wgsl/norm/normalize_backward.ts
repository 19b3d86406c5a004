/** The gradient of normalisation, fused, and its own gradient in tensor calls. */
import type { Tensor } from "../../core/tensor.ts";
import { storageType } from "../launch.ts";
import type {
  GradientContext,
  Launch,
  Op,
  Plan,
  Request,
  Variant,
} from "../op.ts";
import type { Fold } from "../reduce/fold.ts";
import type { Operand } from "../reduce/parts.ts";
import { Scratch } from "../reduce/plan.ts";
import { rowLaunches } from "../softmax/rows.ts";
import applyCode from "./backward_apply.wgsl" with { type: "text" };
import applyFoursCode from "./backward_apply_fours.wgsl" with { type: "text" };
import naiveCode from "./backward_naive.wgsl" with { type: "text" };
import treeCode from "./backward_tree.wgsl" with { type: "text" };
import {
  channelOperand,
  channelPairs,
  channelsOf,
  checkNorm,
  countOf,
  fitWhole,
  meanPairs,
  meansOf,
  type NormAttrs,
  placeholder,
  rowsAlong,
  spaceOf,
  sumsMeta,
  wholeOperand,
} from "./geometry.ts";
import { groupLaunch, groupTrips, type Lanes } from "./groups.ts";
import { checkStats, normalize } from "./normalize.ts";
import { piecewiseLaunches } from "./partials.ts";
import { backwardReference } from "./reference.ts";
import { hasFours, inSteps, wideOperand, type Width } from "./stages.ts";
import sumsCode from "./sums.wgsl" with { type: "text" };
import sumsFoursCode from "./sums_fours.wgsl" with { type: "text" };
import { channelsIn, columnsOf, groupMean, spread } from "./tensors.ts";

const applyKernels = {
  1: { label: "wgsl/norm/backward_apply.wgsl", code: applyCode },
  4: { label: "wgsl/norm/backward_apply_fours.wgsl", code: applyFoursCode },
};
const naiveKernel = {
  label: "wgsl/norm/backward_naive.wgsl",
  code: naiveCode,
};
const treeKernel = { label: "wgsl/norm/backward_tree.wgsl", code: treeCode };
const sumsKernels = {
  1: { label: "wgsl/norm/sums.wgsl", code: sumsCode },
  4: { label: "wgsl/norm/sums_fours.wgsl", code: sumsFoursCode },
};

/** Elements of an invocation that applies sums. */
const SPAN = 16;

/** Operations of an element: xhat, its product with dy, two sums; xhat, two products, three differences and factors. */
const SUM_FLOPS = 6;
const APPLY_FLOPS = 7;

/** Adds up pairs. */
const PAIRS: Fold = {
  element: "vec2f",
  accumulator: "vec2f",
  result: "vec2f",
  bytes: 8,
  identity: "vec2f(0.0)",
  load: "value",
  combine: "a + b",
  store: "a",
};

/**
 * The gradient of `normalize`: with h = dy·weight and r = 1 / √(variance + eps), `dx = r·(h − ⟨h⟩ − xhat·⟨h·xhat⟩)` where ⟨ ⟩ is the mean of a group;
 * without `centered` ⟨h⟩ is left out.
 *
 * `dy, x: the same shape, stats: [samples·groups, 2], weight?: [groups·channels] → dx: the shape of x` and, where there is a weight or a bias,
 * `sums: [groups·channels, 2]` of dy (the bias's gradient) and of dy·xhat (the weight's), in float32. The statistics must be those of x: the op's own
 * gradient counts them as functions of x.
 */
export const normalizeBackward: Op<NormAttrs> = {
  name: "normalizeBackward",
  infer([dy, x, stats, ...parameters], attrs) {
    checkNorm(x, parameters, attrs, "take the gradient of normalised");
    checkNorm(dy, [], attrs, "take the gradient of normalised");
    checkStats(x, stats, attrs);
    const dx = { shape: x.shape, dtype: x.dtype };
    return attrs.weight || attrs.bias ? [dx, sumsMeta(x.dtype, attrs)] : [dx];
  },
  variants: [
    {
      name: "fours",
      applies: ({ attrs }) => hasFours(attrs),
      plan: (request) => planStaged(request, 4),
    },
    { name: "staged", plan: (request) => planStaged(request, 1) },
    wholeGroups("tree", 256),
    wholeGroups("naive", 1),
  ],
  reference: backwardReference,
  gradient: { saves: { inputs: [0, 1, 2, 3] }, rule },
};

function weightOf({ inputs, attrs }: Request<NormAttrs>): Operand {
  return attrs.weight
    ? channelOperand(3, inputs[3], attrs)
    : placeholder(wholeOperand("input", 1, inputs[1], attrs));
}

function declarationsOf(
  { inputs, attrs }: Request<NormAttrs>,
  weight = attrs.weight,
): string {
  return `alias T = ${storageType(inputs[1].dtype)};
alias W = ${storageType(inputs[attrs.weight ? 3 : 1].dtype)};
const EPSILON = f32(${attrs.eps});
const CENTERED = ${attrs.centered};
const HAS_WEIGHT = ${weight};`;
}

/** The launches of the sums over dy and over dy·xhat, times the weight or not. */
function sumLaunches(
  request: Request<NormAttrs>,
  reduced: readonly number[],
  output: Operand,
  weighed: boolean,
  width: Width,
  scratch: Scratch,
): Launch[] {
  const { inputs: [dy, x], attrs, limits } = request;
  const weight = weightOf(request);
  return piecewiseLaunches(
    {
      kernel: sumsKernels[width],
      declare: (varies) =>
        `${declarationsOf(request, weighed)}
const STATS_VARY = ${varies[3]};
const WEIGHT_VARIES = ${varies[2]};`,
      fold: PAIRS,
      flops: SUM_FLOPS * width,
      space: spaceOf(inSteps(attrs, width)),
      reduced,
      inputs: [
        wideOperand("input", 0, dy, attrs, width),
        wideOperand("input", 1, x, attrs, width),
        weighed ? weight : placeholder(weight),
        meanPairs("input", 2, attrs),
      ],
      output,
      name: "pieces",
    },
    limits,
    scratch,
  );
}

/** The launches of the parameters' sums, if they are asked for. */
function channelLaunches(
  request: Request<NormAttrs>,
  width: Width,
  scratch: Scratch,
): Launch[] {
  const { outputs, attrs } = request;
  if (outputs.length < 2) return [];
  const output = channelPairs("output", 1, attrs);
  return sumLaunches(request, [0, 1, 4], output, false, width, scratch);
}

function planStaged(request: Request<NormAttrs>, width: Width): Plan {
  const { inputs: [dy, x], outputs, attrs, limits } = request;
  const scratch = new Scratch();
  const launches = channelLaunches(request, width, scratch);
  // Where each group is one channel of all samples, as in batch norm, its sums are the parameters' sums.
  const shared = outputs.length > 1 && meansOf(attrs) === channelsOf(attrs) &&
    attrs.samples === 1;
  const sums = shared
    ? channelPairs("output", 1, attrs)
    : meanPairs("scratch", scratch.reserve("sums", meansOf(attrs) * 8), attrs);
  if (!shared) {
    launches.push(
      ...sumLaunches(request, [0, 3, 4], sums, attrs.weight, width, scratch),
    );
  }
  const rows = rowsAlong(inSteps(attrs, width), [
    wideOperand("input", 0, dy, attrs, width),
    wideOperand("input", 1, x, attrs, width),
    weightOf(request),
    meanPairs("input", 2, attrs),
    sums,
    wideOperand("output", 0, outputs[0], attrs, width),
  ]);
  const [, , weight, pairs, means] = rows.operands
    .map(({ strides }) => strides[rows.kept.length] > 0);
  const steps = SPAN / width;
  const varies = `const STATS_VARY = ${pairs || means};
const WEIGHT_VARIES = ${weight};`;
  launches.push(...rowLaunches(rows, {
    kernel: applyKernels[width],
    declarations: `${declarationsOf(request)}
const WEIGHT_LAST = ${shared};
${width === 1 ? varies : ""}
const SPAN = ${steps}u;`,
    whole: false,
    invocations: (n) => Math.ceil(n / steps),
    trips: () => steps,
    flops: APPLY_FLOPS * width,
    words: [countOf(attrs)],
  }, limits));
  return { launches, scratch: scratch.sizes };
}

/** A variant in which one invocation or one workgroup has a group whole; the parameters' sums are taken in pieces. */
function wholeGroups(name: string, lanes: Lanes): Variant<NormAttrs> {
  const operandsOf = (request: Request<NormAttrs>) => {
    const { inputs: [dy, x], outputs: [dx], attrs } = request;
    return [
      wholeOperand("input", 0, dy, attrs),
      wholeOperand("input", 1, x, attrs),
      weightOf(request),
      meanPairs("input", 2, attrs),
      wholeOperand("output", 0, dx, attrs),
    ];
  };
  const passes = 2;
  return {
    name,
    applies: (request) =>
      groupTrips(request.attrs, lanes, passes) <= request.limits.maxLoopTrips &&
      fitWhole(request.attrs, operandsOf(request), request.limits),
    plan(request) {
      const { attrs, limits } = request;
      const scratch = new Scratch();
      const launches = channelLaunches(request, 1, scratch);
      launches.push(groupLaunch(attrs, operandsOf(request), {
        kernel: lanes === 1 ? naiveKernel : treeKernel,
        declarations: declarationsOf(request),
        lanes,
        passes,
        flops: SUM_FLOPS + APPLY_FLOPS,
        written: 1,
      }, limits));
      return { launches, scratch: scratch.sizes };
    },
  };
}

/**
 * The second derivative, a composition. With u the gradient of dx, and P(t) the dx that t in place of h gives (P is its own adjoint), h gets P(u)
 * and xhat gets −r·(u·⟨h·xhat⟩ + h·⟨u·xhat⟩), which P takes on to x. What x does to the factor r adds
 * −r²·xhat·(⟨u·h⟩ − ⟨u⟩·⟨h⟩ − ⟨u·xhat⟩·⟨h·xhat⟩). The sums dy and dy·xhat of each channel, with gradients z and v, add z + v·xhat to dy and
 * v·dy to xhat.
 */
function rule(context: GradientContext<NormAttrs>): (Tensor | null)[] {
  const { attrs, grads: [grad, dsums], inputs, inputMetas, apply } = context;
  const [dyFlat, x, stats, weight] = inputs;
  const wide = stats.dtype;
  const plain = { ...attrs, weight: false, bias: false };
  const project = (t: Tensor) => {
    const given = [t.reshape(x.shape).to(x.dtype), x, stats];
    return spread(apply(normalizeBackward, given, plain)[0], attrs).to(wide);
  };
  const [normal, own] = apply(normalize, [x], plain);
  const xhat = spread(normal, attrs).to(wide);
  const root = columnsOf(own, attrs)[1].add(attrs.eps).rsqrt();
  const dy = spread(dyFlat, attrs).to(wide);
  const w = attrs.weight ? channelsIn(weight, attrs).to(wide) : undefined;
  const total: (Tensor | undefined)[] = [];
  const add = (i: number, t: Tensor) => total[i] = total[i]?.add(t) ?? t;
  const [TO_DY, TO_X, TO_HAT, TO_WEIGHT] = [0, 1, 2, 3];
  if (grad) {
    const u = spread(grad, attrs).to(wide);
    const h = w ? dy.mul(w) : dy;
    const back = project(u);
    add(TO_DY, w ? back.mul(w) : back);
    if (w) add(TO_WEIGHT, back.mul(dy).sumTo(w.shape));
    const hx = groupMean(h.mul(xhat));
    const ux = groupMean(u.mul(xhat));
    add(TO_HAT, u.mul(hx).add(h.mul(ux)).mul(root).neg());
    const through = groupMean(u.mul(h)).sub(ux.mul(hx));
    const centred = attrs.centered
      ? through.sub(groupMean(u).mul(groupMean(h)))
      : through;
    add(TO_X, xhat.mul(root.square().mul(centred)).neg());
  }
  if (dsums) {
    const [z, v] = [0, 1].map((i) =>
      channelsIn(dsums.slice(1, i, i + 1), attrs)
    );
    add(TO_DY, xhat.mul(v).add(z));
    add(TO_HAT, dy.mul(v));
  }
  const toHat = total[TO_HAT];
  if (toHat) add(TO_X, project(toHat));
  const give = (t: Tensor | undefined, i: number) =>
    t ? t.reshape(inputMetas[i].shape).to(inputMetas[i].dtype) : null;
  const results = [give(total[TO_DY], 0), give(total[TO_X], 1), null];
  return attrs.weight ? [...results, give(total[TO_WEIGHT], 3)] : results;
}
