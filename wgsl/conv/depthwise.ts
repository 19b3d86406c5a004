/**
 * Launches of the depthwise correlation: each channel of the result sees one channel, through up to 3 × 3 taps.
 *
 * On a software adapter of 2 cores it took 0.3 to 0.6 of the tiled kernel's time, from 64 channels of 112 × 112 to 1,024 of 7 × 7; where rows are in
 * fours, read and stored as vec4 by tiles of 8 × 8, 0.2 for 128 of 56 × 56.
 */
import { bind, linearGrid, storageType, words } from "../launch.ts";
import type { Launch, Limits, Plan } from "../op.ts";
import type { Correlation } from "./correlation.ts";
import { fitsTile, type SumBox, sumBoxes, windowIn } from "./cut.ts";
import code from "./depthwise.wgsl" with { type: "text" };
import foursCode from "./depthwise_fours.wgsl" with { type: "text" };
import rowsCode from "./depthwise_rows.wgsl" with { type: "text" };
import { area } from "./geometry.ts";
import {
  epilogueIn,
  isImageByImage,
  type Roles,
  sourceLayout,
  targetLayout,
} from "./roles.ts";

const KERNEL = {
  label: "wgsl/conv/depthwise.wgsl",
  code: `${code}\n${rowsCode}`,
};

const FOURS = { label: "wgsl/conv/depthwise_fours.wgsl", code: foursCode };

/** Invocations of a workgroup, as written in the kernels. */
const WORKGROUP = 32;

/** Outputs along each side of an invocation's tile; in fours, outputs come eight by eight. */
const TILE = 4;
const FOURS_TILE = 8;

/** Most taps along an axis, and the largest stride, that the kernel has written out. */
export const MAX_TAPS = 3;
export const MAX_STRIDE = 2;

/** Most channels of the result that see the same one: with more, the tiled kernel reads inputs once for several of them. */
export const MAX_MULTIPLIER = 2;

function spaceOf({ geometry: { batch, groups }, kept }: Roles) {
  return { images: batch, groups, kept, summed: 1, tile: kept };
}

function layoutsOf(roles: Roles) {
  return [sourceLayout(roles), roles.weights, targetLayout(roles)];
}

/** Whether correlations can be run by this kernel under the limits. */
export function isDepthwise(
  roles: Roles,
  correlations: readonly Correlation[],
  limits: Limits,
): boolean {
  return isImageByImage(roles.geometry) && roles.summed === 1 &&
    roles.kept <= MAX_MULTIPLIER &&
    correlations.every(({ taps, stride, dilation }) =>
      [0, 1].every((axis) =>
        taps[axis] <= MAX_TAPS && stride[axis] <= MAX_STRIDE &&
        (dilation[axis] === 1 || taps[axis] <= 1)
      )
    ) && fitsTile(spaceOf(roles), layoutsOf(roles), limits);
}

/** Launches of correlations for which {@linkcode isDepthwise} holds. */
export function planDepthwise(
  roles: Roles,
  correlations: readonly Correlation[],
  limits: Limits,
): Plan {
  const boxes = sumBoxes(spaceOf(roles), layoutsOf(roles), 1, limits);
  return {
    launches: correlations.flatMap((correlation) =>
      boxes.map((box) =>
        inFours(roles, correlation, box)
          ? foursLaunch(roles, correlation, box, limits)
          : launchOf(roles, correlation, box, limits)
      )
    ),
  };
}

/**
 * Whether depthwise_fours.wgsl computes a box: all of a plane by 3 × 3 taps at stride 1 with a column of padding on either side, whose rows are
 * whole fours.
 */
function inFours(
  roles: Roles,
  { count, source, target, step, stride, origin, taps }: Correlation,
  box: SumBox,
): boolean {
  const width = target[1];
  return width % 4 === 0 && source[1] === width && origin[1] === -1 &&
    count.every((n, axis) => n === target[axis]) &&
    [...step, ...stride].every((n) => n === 1) &&
    taps.every((n) => n === 3) &&
    [sourceLayout(roles), targetLayout(roles)].every((layout) =>
      windowIn(box, layout).base % 4 === 0
    );
}

function foursLaunch(
  roles: Roles,
  { count, tapFirst, tapStep, source: [height, width], origin }: Correlation,
  box: SumBox,
  limits: Limits,
): Launch {
  const { geometry: { kernel }, weights } = roles;
  const source = sourceLayout(roles);
  const target = targetLayout(roles);
  const x = windowIn(box, source);
  const w = windowIn(box, weights);
  const y = windowIn(box, target);
  const planes = box.images.size * box.groups.size * box.kept.size;
  const tiles = Math.ceil(count[0] / FOURS_TILE) *
    Math.ceil(count[1] / FOURS_TILE);
  const bindings = [
    bind("input", 0, "read", x),
    bind("input", 1, "read", w),
    bind("output", 0, "write", y),
  ];
  const stage = { adds: false, completes: true };
  const epilogue = epilogueIn(roles, box, stage, bindings.length + 1);
  const fours = (elements = 0) => elements / 4;
  return {
    kernel: FOURS,
    declarations: `alias T = ${storageType(roles.dtype)};
${epilogue.declarations}`,
    bindings,
    appended: epilogue.appended,
    params: words(
      ...[box.images.size, box.groups.size, box.kept.size],
      ...[count[0], height, fours(width), origin[0]],
      ...[fours(x.base), fours(source.image), fours(source.group)],
      w.base + tapFirst[0] * kernel[1] + tapFirst[1],
      ...[weights.group ?? 0, weights.kept ?? 0],
      ...[tapStep[0] * kernel[1], tapStep[1]],
      ...[fours(y.base), fours(target.image), fours(target.group)],
      fours(target.kept),
      ...[epilogue.channel, roles.kept],
    ),
    workgroups: linearGrid(planes * tiles, WORKGROUP, limits),
    trips: FOURS_TILE,
    flops: planes * area(count) * (2 * area([3, 3]) + epilogue.flops),
    bytes: [...bindings, ...epilogue.appended]
      .reduce((sum, { size }) => sum + size, 0),
  };
}

function launchOf(
  roles: Roles,
  correlation: Correlation,
  box: SumBox,
  limits: Limits,
): Launch {
  const { count, taps, first, step, stride } = correlation;
  const { geometry: { kernel }, weights } = roles;
  const source = sourceLayout(roles);
  const target = targetLayout(roles);
  const x = windowIn(box, source);
  const w = windowIn(box, weights);
  const y = windowIn(box, target);
  const { tapFirst, tapStep, target: [, width] } = correlation;
  const planes = box.images.size * box.groups.size * box.kept.size;
  const tiles = Math.ceil(count[0] / TILE) * Math.ceil(count[1] / TILE);
  const bindings = [
    bind("input", 0, "read", x),
    bind("input", 1, "read", w),
    bind("output", 0, "write", y),
  ];
  const stage = { adds: false, completes: true };
  const epilogue = epilogueIn(roles, box, stage, bindings.length + 1);
  return {
    kernel: KERNEL,
    declarations: `alias T = ${storageType(roles.dtype)};
${epilogue.declarations}`,
    constants: {
      STRIDE_H: stride[0],
      STRIDE_W: stride[1],
      TAP_ROWS: taps[0],
      TAP_COLUMNS: taps[1],
    },
    bindings,
    appended: epilogue.appended,
    params: words(
      box.images.size,
      box.groups.size,
      box.kept.size,
      ...count,
      ...correlation.source,
      ...correlation.origin,
      x.base,
      source.image ?? 0,
      source.group ?? 0,
      w.base + tapFirst[0] * kernel[1] + tapFirst[1],
      weights.group ?? 0,
      weights.kept ?? 0,
      tapStep[0] * kernel[1],
      tapStep[1],
      y.base + first[0] * width + first[1],
      target.image ?? 0,
      target.group ?? 0,
      target.kept ?? 0,
      step[0] * width,
      step[1],
      epilogue.channel,
      roles.kept,
    ),
    workgroups: linearGrid(planes * tiles, WORKGROUP, limits),
    trips: 0,
    flops: planes * area(count) * (2 * area(taps) + epilogue.flops),
    bytes: [...bindings, ...epilogue.appended]
      .reduce((sum, { size }) => sum + size, 0),
  };
}
