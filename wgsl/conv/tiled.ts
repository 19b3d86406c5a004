/**
 * Launches of the register-tiled correlations: weights are packed tile by tile, then outputs are computed. Inputs are read one by one, or where they are
 * neighbours as the vectors in which they lie.
 */
import {
  bind,
  linearGrid,
  storageType,
  wholeVectors,
  words,
} from "../launch.ts";
import type { Launch, Limits, Plan } from "../op.ts";
import type { Correlation } from "./correlation.ts";
import {
  cutSum,
  fitsTile,
  type Layout,
  type SumBox,
  sumBoxes,
  type SumCut,
  type SumSpace,
  type TapRange,
  windowIn,
} from "./cut.ts";
import { area, type Pair } from "./geometry.ts";
import { packLaunches, type RowWalk } from "./packing.ts";
import {
  epilogueIn,
  type Roles,
  sourceLayout,
  type Stage,
  stageOf,
  targetLayout,
} from "./roles.ts";
import { pixelsOf, spacingOf, type TileForm } from "./tile_forms.ts";

/** Invocations of a workgroup, as written in the kernels. */
const WORKGROUP = 32;

/** Most loop trips in which an invocation stores what it owns: one a channel, of each row. */
function mostStored({ rows }: TileForm): number {
  return 16 * rows;
}

/** Loop trips of a correlation's sum: one a line. */
function tripsOf(
  form: TileForm,
  correlation: Correlation,
  channels: number,
  [rows, columns]: Pair,
): number {
  return channels * (rows + form.rows - 1) *
    form.walk(correlation, columns).lines;
}

/** A correlation and how its operands lie, its weights packed. */
interface Job {
  readonly form: TileForm;
  readonly roles: Roles;
  readonly correlation: Correlation;
  readonly quads: number;
  /** Outputs of a row that an invocation owns. */
  readonly pixels: number;
  readonly wide: boolean;
  readonly walk: RowWalk;
  readonly space: SumSpace;
  readonly source: Layout;
  readonly target: Layout;
  readonly packed: Layout;
  /** Bytes of the packed weights. */
  readonly bytes: number;
}

function jobOf(
  form: TileForm,
  roles: Roles,
  correlation: Correlation,
): Job {
  const { geometry: { batch, groups }, kept, summed } = roles;
  const [rows, columns] = correlation.taps;
  const outputs = Math.ceil(correlation.count[1] / spacingOf(correlation));
  const walk = form.walk(correlation, columns);
  const { quads, wide } = form.tile(kept, outputs, walk, correlation.stride);
  const tile = 4 * quads;
  // Inputs that no tap reaches have no rows, but still need a buffer to bind.
  const block = Math.max(1, rows) * walk.lines * walk.taps * tile;
  const tiles = Math.ceil(kept / tile);
  return {
    form,
    roles,
    correlation,
    quads,
    pixels: pixelsOf({ quads, wide }),
    wide,
    walk,
    space: { images: batch, groups, kept, summed, tile },
    source: sourceLayout(roles),
    target: targetLayout(roles),
    packed: {
      dtype: "f32",
      group: tiles * summed * block,
      tile: summed * block,
      summed: block,
      block,
    },
    bytes: groups * tiles * summed * block * 4,
  };
}

/** Whether correlations can be run in tiles under the limits. */
export function canTile(
  form: TileForm,
  roles: Roles,
  correlations: readonly Correlation[],
  limits: Limits,
): boolean {
  if (limits.maxLoopTrips <= mostStored(form)) return false;
  return form.fits(roles, correlations) && correlations.every((correlation) => {
    const job = jobOf(form, roles, correlation);
    const layouts = [roles.weights, job.source, job.target, job.packed];
    return job.bytes <= limits.maxBufferSize &&
      fitsTile(job.space, layouts, limits);
  });
}

/** Launches of correlations, each after the packing of its weights into the same scratch buffer. */
export function planTiled(
  form: TileForm,
  roles: Roles,
  correlations: readonly Correlation[],
  limits: Limits,
): Plan {
  const launches: Launch[] = [];
  let bytes = 0;
  for (const correlation of correlations) {
    const cut = cutSum(
      correlation.taps,
      (...size) => tripsOf(form, correlation, ...size),
      { ...limits, maxLoopTrips: limits.maxLoopTrips - mostStored(form) },
    );
    cut.ranges.forEach((range, i) => {
      const job = jobOf(form, roles, partOf(correlation, range));
      bytes = Math.max(bytes, job.bytes);
      launches.push(
        ...packLaunches(job, limits),
        ...tileLaunches(job, cut, i, limits),
      );
    });
  }
  return { launches, scratch: [bytes] };
}

/** A correlation by some of its taps. */
function partOf(c: Correlation, { first, size }: TapRange): Correlation {
  const move = (from: Pair, step: Pair): Pair => [
    from[0] + first[0] * step[0],
    from[1] + first[1] * step[1],
  ];
  return {
    ...c,
    origin: move(c.origin, c.dilation),
    taps: size,
    tapFirst: move(c.tapFirst, c.tapStep),
  };
}

function tileLaunches(
  job: Job,
  cut: SumCut,
  range: number,
  limits: Limits,
): Launch[] {
  const { form, roles, correlation, space, quads, pixels, wide, walk } = job;
  const { source, target, packed } = job;
  const { count, taps } = correlation;
  const spacing = spacingOf(correlation);
  const across = Math.ceil(Math.ceil(count[1] / spacing) / pixels) * spacing;
  const boxes = sumBoxes(space, [source, target, packed], cut.channels, limits);
  // Channels of the last four, where one tile has all.
  const last = space.kept <= space.tile ? (space.kept - 1) % 4 + 1 : 4;
  return boxes.map((box) => {
    const stage = stageOf(roles, cut, range, box);
    const outputs = box.images.size * box.groups.size * area(count);
    const invocations = box.images.size * box.groups.size * box.tiles.size *
      Math.ceil(count[0] / form.rows) * across;
    const { bindings, params, epilogue } = operands(job, box, stage);
    return {
      kernel: form.kernel,
      declarations: `alias T = ${storageType(roles.dtype)};
${epilogue.declarations}
${form.appended(correlation)}`,
      constants: {
        QUADS: quads,
        WIDE: Number(wide),
        SPACING: spacing,
        ADDS: Number(stage.adds),
        TAPS: walk.taps,
        LAST: last,
        ...form.constants(correlation, walk),
      },
      bindings,
      appended: epilogue.appended,
      params,
      workgroups: linearGrid(invocations, WORKGROUP, limits),
      trips: tripsOf(form, correlation, box.summed.size, taps) +
        form.rows * Math.min(4 * quads, box.kept.size),
      flops: outputs * box.kept.size *
        (2 * box.summed.size * area(taps) + epilogue.flops),
      bytes: [...bindings, ...epilogue.appended]
        .reduce((sum, { size }) => sum + size, 0),
    };
  });
}

/** Bindings and parameters of one launch of the tiled kernel, in its order. */
function operands(
  { form, roles, correlation, source, target, packed }: Job,
  box: SumBox,
  stage: Stage,
) {
  const { count, taps, first, step, origin, stride, dilation } = correlation;
  const x = windowIn(box, source);
  const w = windowIn(box, packed);
  const y = windowIn(box, target);
  const width = correlation.target[1];
  const bindings = [
    bind("input", 0, "read", form.vectors ? wholeVectors(x, roles.dtype) : x),
    bind("scratch", 0, "read", w),
    bind("output", 0, "write", y),
  ];
  const epilogue = epilogueIn(roles, box, stage, bindings.length + 1);
  const params = words(
    box.images.size,
    box.groups.size,
    box.kept.size,
    ...count,
    box.summed.size,
    ...taps,
    ...correlation.source,
    ...origin,
    ...stride,
    ...dilation,
    x.base,
    source.image ?? 0,
    source.group ?? 0,
    source.summed ?? 0,
    w.base / 4,
    (packed.group ?? 0) / 4,
    (packed.tile ?? 0) / 4,
    y.base + first[0] * width + first[1],
    target.image ?? 0,
    target.group ?? 0,
    target.kept ?? 0,
    step[0] * width,
    step[1],
    epilogue.channel,
    roles.kept,
  );
  return { bindings, params, epilogue };
}
