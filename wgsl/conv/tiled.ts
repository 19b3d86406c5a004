/** Launches of the register-tiled correlation: weights are packed tile by tile, then outputs are computed. */
import { bind, linearGrid, storageType, words } from "../launch.ts";
import type { Launch, Limits, Plan } from "../op.ts";
import { type Correlation, gcd } from "./correlation.ts";
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
import tiledCode from "./conv2d_tiled.wgsl" with { type: "text" };

const TILED = { label: "wgsl/conv/conv2d_tiled.wgsl", code: tiledCode };

/** Invocations of a workgroup, as written in the kernel. */
const TILED_WORKGROUP = 32;

/** Outputs of a row that an invocation owns, and that a wide one owns. */
const PIXELS = 8;
const WIDE_PIXELS = 16;

/** Most taps that the kernel has written out. */
const MAX_TAPS = 7;

/**
 * Fours of channels that an invocation owns, 1 to 4.
 *
 * Besides its multiply-adds, a tap costs a tile the reads of its inputs, about as much as 1.2 fours of channels, and those of its weights. This gives
 * the tile with the least cost in all.
 */
export function quadsFor(channels: number): number {
  const cost = (quads: number) =>
    Math.ceil(channels / (4 * quads)) * (1.2 + quads);
  return [4, 3, 2, 1].reduce((best, q) => cost(q) < cost(best) ? q : best);
}

/** What an invocation owns. */
interface Tile {
  readonly quads: number;
  /** Whether it owns 16 outputs of a row, and then at most 2 fours of channels, instead of 8. */
  readonly wide: boolean;
}

/**
 * The tile with the least cost for a number of channels and of outputs side by side.
 *
 * Weights cost more to read than to multiply with: 16 outputs cost about a third more than 8 do, 1.35 for 1 four of channels, and 1.7 for 1.2 to read inputs.
 * Lines of few taps read too many inputs for it.
 */
function tileFor(channels: number, outputs: number, walk: RowWalk): Tile {
  const quads = quadsFor(channels);
  const narrow = Math.ceil(outputs / PIXELS) *
    Math.ceil(channels / (4 * quads)) * (1.2 + quads);
  const least = { quads, wide: false, cost: narrow };
  if (walk.lines > 1 || walk.taps < 3) return least;
  for (const quads of [2, 1]) {
    const cost = Math.ceil(outputs / WIDE_PIXELS) *
      Math.ceil(channels / (4 * quads)) * (1.7 + 1.35 * quads);
    if (cost < least.cost) Object.assign(least, { quads, wide: true, cost });
  }
  return least;
}

/** How far apart outputs are whose taps step over each other's inputs. */
function spacingOf({ dilation, stride }: Correlation): number {
  return dilation[1] / gcd(stride[1], dilation[1]);
}

/**
 * Every phases-th tap makes a phase: within one, a tap further moves the tile's inputs by one place. There are no more phases than taps, of which
 * each is then a phase of its own. A phase with more taps than the kernel has written out is walked in several lines.
 */
function rowWalk({ stride, dilation }: Correlation, columns: number): RowWalk {
  const common = gcd(stride[1], dilation[1]);
  const phases = Math.max(1, Math.min(stride[1] / common, columns));
  const longest = Math.max(1, Math.ceil(columns / phases));
  const pieces = Math.ceil(longest / MAX_TAPS);
  return {
    phases,
    lines: phases * pieces,
    taps: Math.ceil(longest / pieces),
  };
}

/** Loop trips of a correlation: one a line. */
function tripsOf(
  correlation: Correlation,
  channels: number,
  [rows, columns]: Pair,
): number {
  return channels * rows * rowWalk(correlation, columns).lines;
}

/** A correlation and how its operands lie, its weights packed. */
interface Job {
  readonly roles: Roles;
  readonly correlation: Correlation;
  readonly quads: number;
  readonly wide: boolean;
  readonly walk: RowWalk;
  readonly space: SumSpace;
  readonly source: Layout;
  readonly target: Layout;
  readonly packed: Layout;
  /** Bytes of the packed weights. */
  readonly bytes: number;
}

function jobOf(roles: Roles, correlation: Correlation): Job {
  const { geometry: { batch, groups }, kept, summed } = roles;
  const [rows, columns] = correlation.taps;
  const outputs = Math.ceil(correlation.count[1] / spacingOf(correlation));
  const walk = rowWalk(correlation, columns);
  const { quads, wide } = tileFor(kept, outputs, walk);
  const tile = 4 * quads;
  // Inputs that no tap reaches have no rows, but still need a buffer to bind.
  const block = Math.max(1, rows) * walk.lines * walk.taps * tile;
  const tiles = Math.ceil(kept / tile);
  return {
    roles,
    correlation,
    quads,
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
  roles: Roles,
  correlations: readonly Correlation[],
  limits: Limits,
): boolean {
  return correlations.every((correlation) => {
    const job = jobOf(roles, correlation);
    const layouts = [roles.weights, job.source, job.target, job.packed];
    return job.bytes <= limits.maxBufferSize &&
      fitsTile(job.space, layouts, limits);
  });
}

/** Launches of correlations, each after the packing of its weights into the same scratch buffer. */
export function planTiled(
  roles: Roles,
  correlations: readonly Correlation[],
  limits: Limits,
): Plan {
  const launches: Launch[] = [];
  let bytes = 0;
  for (const correlation of correlations) {
    const cut = cutSum(
      correlation.taps,
      (...size) => tripsOf(correlation, ...size),
      limits,
    );
    cut.ranges.forEach((range, i) => {
      const job = jobOf(roles, partOf(correlation, range));
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
  const { roles, correlation, space, quads, wide, walk } = job;
  const { source, target, packed } = job;
  const { count, taps } = correlation;
  const spacing = spacingOf(correlation);
  const pixels = wide ? WIDE_PIXELS : PIXELS;
  const across = Math.ceil(Math.ceil(count[1] / spacing) / pixels) * spacing;
  const boxes = sumBoxes(space, [source, target, packed], cut.channels, limits);
  return boxes.map((box) => {
    const stage = stageOf(roles, cut, range, box);
    const outputs = box.images.size * box.groups.size * area(count);
    const invocations = box.images.size * box.groups.size * box.tiles.size *
      count[0] * across;
    const { bindings, params, epilogue } = operands(job, box, stage, spacing);
    return {
      kernel: TILED,
      declarations: `alias T = ${storageType(roles.dtype)};
${epilogue.declarations}`,
      constants: {
        QUADS: quads,
        PHASES: walk.phases,
        LINES: walk.lines,
        TAPS: walk.taps,
        WIDE: Number(wide),
        ADDS: Number(stage.adds),
      },
      bindings,
      appended: epilogue.appended,
      params,
      workgroups: linearGrid(invocations, TILED_WORKGROUP, limits),
      trips: tripsOf(correlation, box.summed.size, taps),
      flops: outputs * box.kept.size *
        (2 * box.summed.size * area(taps) + epilogue.flops),
      bytes: [...bindings, ...epilogue.appended]
        .reduce((sum, { size }) => sum + size, 0),
    };
  });
}

/** Bindings and parameters of one launch of the tiled kernel, in its order. */
function operands(
  { roles, correlation, source, target, packed }: Job,
  box: SumBox,
  stage: Stage,
  spacing: number,
) {
  const { count, taps, first, step, origin, stride, dilation } = correlation;
  const x = windowIn(box, source);
  const w = windowIn(box, packed);
  const y = windowIn(box, target);
  const width = correlation.target[1];
  const bindings = [
    bind("input", 0, "read", x),
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
    spacing,
    x.base,
    source.image ?? 0,
    source.group ?? 0,
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
