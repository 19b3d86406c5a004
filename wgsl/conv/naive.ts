/** Launches of the naive forward pass and the naive input gradient: one output an invocation. */
import { bind, linearGrid, storageType, words } from "../launch.ts";
import type { Kernel, Launch, Limits, Plan } from "../op.ts";
import {
  cutSum,
  type SumBox,
  sumBoxes,
  type TapRange,
  windowIn,
} from "./cut.ts";
import { area, checkPlanes, type Pair } from "./geometry.ts";
import {
  epilogueIn,
  type Roles,
  sourceLayout,
  type Stage,
  stageOf,
  targetLayout,
} from "./roles.ts";

/** Invocations of a workgroup, as written in the kernels. */
const WORKGROUP = 64;

/** Loop trips of the kernels, which loop over channels, rows and columns of taps. */
function tripsOf(channels: number, [rows, columns]: Pair): number {
  return channels * (1 + rows * (1 + columns));
}

/** Launches of one of the two passes: one, unless operands or loops must be cut. */
export function planNaive(roles: Roles, kernel: Kernel, limits: Limits): Plan {
  const { geometry, dtype, kept, summed, weights } = roles;
  checkPlanes(geometry, dtype, limits);
  const cut = cutSum(geometry.kernel, tripsOf, limits);
  const boxes = sumBoxes(
    { images: geometry.batch, groups: geometry.groups, kept, summed, tile: 1 },
    [sourceLayout(roles), weights, targetLayout(roles)],
    cut.channels,
    limits,
  );
  const launches = cut.ranges.flatMap((taps, i) =>
    boxes.map((box): Launch => {
      const stage = stageOf(roles, cut, i, box);
      const { bindings, params, epilogue } = operands(roles, box, taps, stage);
      const outputs = box.images.size * box.groups.size * box.kept.size *
        area(roles.to);
      return {
        kernel,
        declarations: `alias T = ${storageType(dtype)};
${epilogue.declarations}`,
        bindings,
        appended: epilogue.appended,
        params,
        workgroups: linearGrid(outputs, WORKGROUP, limits),
        trips: tripsOf(box.summed.size, taps.size),
        flops: outputs *
          (2 * box.summed.size * area(taps.size) + epilogue.flops),
        bytes: [...bindings, ...epilogue.appended]
          .reduce((sum, { size }) => sum + size, 0),
      };
    })
  );
  return { launches };
}

/** Bindings and parameters of one launch, in the order of the kernels. */
function operands(roles: Roles, box: SumBox, taps: TapRange, stage: Stage) {
  const { geometry: g, weights } = roles;
  const source = sourceLayout(roles);
  const target = targetLayout(roles);
  const x = windowIn(box, source);
  const w = windowIn(box, weights);
  const y = windowIn(box, target);
  const bindings = [
    bind("input", 0, "read", x),
    bind("input", 1, "read", w),
    bind("output", 0, "write", y),
  ];
  const epilogue = epilogueIn(roles, box, stage, bindings.length + 1);
  const params = words(
    box.images.size,
    box.groups.size,
    box.kept.size,
    box.summed.size,
    taps.first[0],
    taps.size[0],
    taps.first[1],
    taps.size[1],
    ...roles.from,
    ...roles.to,
    ...g.stride,
    ...g.dilation,
    ...g.padding,
    x.base,
    source.image ?? 0,
    source.group ?? 0,
    source.summed ?? 0,
    w.base + taps.first[0] * g.kernel[1] + taps.first[1],
    weights.group ?? 0,
    weights.kept ?? 0,
    weights.summed ?? 0,
    g.kernel[1],
    y.base,
    target.image ?? 0,
    target.group ?? 0,
    target.kept ?? 0,
    Number(stage.adds),
    epilogue.channel,
    roles.kept,
  );
  return { bindings, params, epilogue };
}
