/** Launches of the depthwise correlation with inputs staged in workgroup memory: for GPUs, and for any kernel whose inputs fit there. */
import { bind, linearGrid, storageType, words } from "../launch.ts";
import type { Launch, Limits, Plan } from "../op.ts";
import type { Correlation } from "./correlation.ts";
import { fitsTile, type SumBox, sumBoxes, windowIn } from "./cut.ts";
import code from "./depthwise_workgroup.wgsl" with { type: "text" };
import { area, type Pair } from "./geometry.ts";
import {
  epilogueIn,
  isImageByImage,
  type Roles,
  sourceLayout,
  targetLayout,
} from "./roles.ts";

const KERNEL = { label: "wgsl/conv/depthwise_workgroup.wgsl", code };

/** Outputs along each side of a workgroup's tile, and its invocations. */
const TILE = 8;
const WORKGROUP = TILE * TILE;

/** Most channels of the result that see the same one: with more, products read inputs once for several of them. */
const MAX_MULTIPLIER = 4;

/** Bytes of an element of workgroup memory, which is f32 whatever is loaded. */
const ELEMENT = 4;

/** The inputs under a workgroup's outputs, and how many words their rows are apart. */
interface Staged {
  readonly size: Pair;
  readonly pitch: number;
  readonly trips: number;
}

function stagedBy({ taps, stride, dilation }: Correlation): Staged {
  const [rows, columns] = [0, 1].map((axis) =>
    (TILE - 1) * stride[axis] + Math.max(0, taps[axis] - 1) * dilation[axis] + 1
  );
  // The next 8 above a multiple of 16.
  const pitch = Math.ceil((columns - 8) / 16) * 16 + 8;
  const size: Pair = [rows, columns];
  // Loops that touch workgroup memory count even if their bounds are constant.
  const trips = Math.ceil(area(size) / WORKGROUP) + taps[0] * (1 + taps[1]);
  return { size, pitch, trips };
}

function spaceOf({ geometry: { batch, groups }, kept }: Roles) {
  return { images: batch, groups, kept, summed: 1, tile: 1 };
}

function layoutsOf(roles: Roles) {
  return [sourceLayout(roles), roles.weights, targetLayout(roles)];
}

/** Whether correlations can be run by this kernel under the limits. */
export function canStageDepthwise(
  roles: Roles,
  correlations: readonly Correlation[],
  limits: Limits,
): boolean {
  return isImageByImage(roles.geometry) && roles.summed === 1 &&
    roles.kept <= MAX_MULTIPLIER &&
    correlations.length > 0 &&
    correlations.every((correlation) => {
      const { size: [rows], pitch, trips } = stagedBy(correlation);
      return ELEMENT * rows * pitch <= limits.maxComputeWorkgroupStorageSize &&
        trips <= limits.maxLoopTrips;
    }) && fitsTile(spaceOf(roles), layoutsOf(roles), limits);
}

/** Launches of correlations for which {@linkcode canStageDepthwise} holds. */
export function planStagedDepthwise(
  roles: Roles,
  correlations: readonly Correlation[],
  limits: Limits,
): Plan {
  const boxes = sumBoxes(spaceOf(roles), layoutsOf(roles), 1, limits);
  return {
    launches: correlations.flatMap((correlation) =>
      boxes.map((box) => launchOf(roles, correlation, box, limits))
    ),
  };
}

function launchOf(
  roles: Roles,
  correlation: Correlation,
  box: SumBox,
  limits: Limits,
): Launch {
  const { count, taps, first, step, stride, dilation } = correlation;
  const { tapFirst, tapStep, target: [, width] } = correlation;
  const { geometry: { kernel }, weights } = roles;
  const { size, pitch, trips } = stagedBy(correlation);
  const source = sourceLayout(roles);
  const target = targetLayout(roles);
  const x = windowIn(box, source);
  const w = windowIn(box, weights);
  const y = windowIn(box, target);
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
      DILATION_H: dilation[0],
      DILATION_W: dilation[1],
      TAP_ROWS: taps[0],
      TAP_COLUMNS: taps[1],
      STAGED_ROWS: size[0],
      STAGED_COLUMNS: size[1],
      PITCH: pitch,
      STAGED: size[0] * pitch,
    },
    bindings,
    appended: epilogue.appended,
    params: words(
      ...[box.images.size, box.groups.size, box.kept.size, ...count],
      ...[...correlation.source, ...correlation.origin],
      ...[x.base, source.image ?? 0, source.group ?? 0],
      w.base + tapFirst[0] * kernel[1] + tapFirst[1],
      ...[weights.group ?? 0, weights.kept ?? 0],
      ...[tapStep[0] * kernel[1], tapStep[1]],
      y.base + first[0] * width + first[1],
      ...[target.image ?? 0, target.group ?? 0, target.kept ?? 0],
      ...[step[0] * width, step[1]],
      ...[epilogue.channel, roles.kept],
    ),
    workgroups: linearGrid(planes * tiles, 1, limits),
    trips,
    flops: planes * area(count) * (2 * area(taps) + epilogue.flops),
    bytes: [...bindings, ...epilogue.appended]
      .reduce((sum, { size }) => sum + size, 0),
  };
}
