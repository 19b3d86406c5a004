/**
 * Launches of convolution as a product of matrices whose right factor, the columns of im2col, is never stored: by tiles in registers, whose weights are
 * packed first, or by blocks in workgroup memory.
 */
import { bind, linearGrid, storageType, words } from "../launch.ts";
import type { Binding, Kernel, Launch, Limits, Plan } from "../op.ts";
import type { Correlation } from "./correlation.ts";
import {
  fitsTile,
  type Layout,
  type SumBox,
  sumBoxes,
  type SumSpace,
  windowIn,
} from "./cut.ts";
import { area } from "./geometry.ts";
import registersCode from "./implicit_gemm.wgsl" with { type: "text" };
import workgroupCode from "./implicit_gemm_workgroup.wgsl" with {
  type: "text",
};
import { type Packing, packLaunches } from "./packing.ts";
import {
  epilogueIn,
  type Roles,
  sourceLayout,
  type Stage,
  targetLayout,
} from "./roles.ts";
import { quadsFor } from "./tile_forms.ts";

/** A kernel of this kind. Both have the same parameters, but for those of the weights. */
export interface GemmForm {
  readonly kernel: Kernel;
  readonly packed: boolean;
  /** Outputs of a tile, and its channels where they aren't chosen by their number. */
  readonly outputs: number;
  readonly channels?: number;
  /** Invocations of a workgroup, and how many tiles they own. */
  readonly workgroup: number;
  readonly tiles: number;
  /** Taps in a turn of the loop, and the trips of all loops in that turn. */
  readonly depth: number;
  readonly trips: number;
}

/** Tiles in registers, without barriers. */
export const GEMM_REGISTERS: GemmForm = {
  kernel: { label: "wgsl/conv/implicit_gemm.wgsl", code: registersCode },
  packed: true,
  outputs: 8,
  workgroup: 32,
  tiles: 32,
  depth: 1,
  trips: 1,
};

/** Blocks in workgroup memory. */
export const GEMM_WORKGROUP: GemmForm = {
  kernel: {
    label: "wgsl/conv/implicit_gemm_workgroup.wgsl",
    code: workgroupCode,
  },
  packed: false,
  outputs: 64,
  channels: 64,
  workgroup: 256,
  tiles: 1,
  depth: 16,
  // The inner loop reads workgroup memory, so that its constant 16 trips count.
  trips: 17,
};

/** A correlation, and how its operands lie. */
interface Job {
  readonly roles: Roles;
  readonly correlation: Correlation;
  readonly form: GemmForm;
  readonly quads: number;
  readonly space: SumSpace;
  readonly source: Layout;
  readonly target: Layout;
  /** The weights as the kernel reads them. */
  readonly weights: Layout;
  /** Bytes of the packed weights. */
  readonly bytes: number;
}

function jobOf(
  roles: Roles,
  correlation: Correlation,
  form: GemmForm,
): Job {
  const { geometry: { batch, groups }, kept, summed } = roles;
  const quads = quadsFor(kept);
  const tile = form.packed ? 4 * quads : 1;
  const tiles = Math.ceil(kept / tile);
  // Inputs that no tap reaches have no weights, but still need a buffer to bind.
  const block = Math.max(1, area(correlation.taps)) * tile;
  const packed: Layout = {
    dtype: "f32",
    group: tiles * summed * block,
    tile: summed * block,
    summed: block,
    block,
  };
  return {
    roles,
    correlation,
    form,
    quads,
    space: { images: batch, groups, kept, summed, tile },
    source: sourceLayout(roles),
    target: targetLayout(roles),
    weights: form.packed ? packed : roles.weights,
    bytes: form.packed ? groups * tiles * summed * block * 4 : 0,
  };
}

/** Whether correlations can be run by a kernel under the limits. */
export function canGemm(
  roles: Roles,
  correlations: readonly Correlation[],
  form: GemmForm,
  limits: Limits,
): boolean {
  if (correlations.length === 0 || limits.maxLoopTrips < form.trips) {
    return false;
  }
  return correlations.every((correlation) => {
    const job = jobOf(roles, correlation, form);
    const layouts = [roles.weights, job.weights, job.source, job.target];
    return job.bytes <= limits.maxBufferSize &&
      fitsTile(job.space, layouts, limits);
  });
}

/** Fewest channels and outputs that fill half a block in workgroup memory. */
const HALF_BLOCK = 32;

/** Whether blocks in workgroup memory are at least half full. */
export function fillsBlocks({ geometry, kept, to }: Roles): boolean {
  return Math.min(kept, geometry.batch * area(to)) >= HALF_BLOCK;
}

/** Launches of correlations, each after the packing of its weights where the kernel wants them packed. */
export function planGemm(
  roles: Roles,
  correlations: readonly Correlation[],
  form: GemmForm,
  limits: Limits,
): Plan {
  const jobs = correlations.map((c) => jobOf(roles, c, form));
  const launches = jobs.flatMap((job) => [
    ...(form.packed ? packLaunches(packingOf(job), limits) : []),
    ...gemmLaunches(job, limits),
  ]);
  const bytes = Math.max(...jobs.map((job) => job.bytes));
  return { launches, scratch: form.packed ? [bytes] : [] };
}

/** A row of taps is one line of all its taps, in one phase. */
function packingOf({ weights: packed, ...job }: Job): Packing {
  const [, taps] = job.correlation.taps;
  return { ...job, packed, walk: { phases: 1, lines: 1, taps } };
}

function gemmLaunches(job: Job, limits: Limits): Launch[] {
  const { correlation, form, space, source, target, weights } = job;
  const turns = Math.floor(limits.maxLoopTrips / form.trips);
  const most = turns * form.depth;
  const boxes = sumBoxes(
    space,
    [source, target, weights],
    space.summed,
    limits,
  );
  return boxes.flatMap((box) => {
    const length = box.summed.size * area(correlation.taps);
    const last = box.summed.start + box.summed.size === space.summed;
    const launches: Launch[] = [];
    for (let first = 0; first === 0 || first < length; first += most) {
      const size = Math.min(most, length - first);
      launches.push(gemmLaunch(job, box, {
        first,
        size,
        adds: box.summed.start > 0 || first > 0,
        completes: last && first + size === length,
      }, limits));
    }
    return launches;
  });
}

/** Which of a box's taps a launch sums. */
interface Taps extends Stage {
  readonly first: number;
  readonly size: number;
}

function gemmLaunch(
  job: Job,
  box: SumBox,
  part: Taps,
  limits: Limits,
): Launch {
  const { roles, correlation, form, quads, source, target } = job;
  const { count, taps, stride, dilation, origin, step } = correlation;
  const { first, size } = part;
  const x = windowIn(box, source);
  const y = windowIn(box, target);
  const width = correlation.target[1];
  const weights = weightsIn(job, box);
  const bindings = [
    bind("input", 0, "read", x),
    weights.binding,
    bind("output", 0, "write", y),
  ];
  const epilogue = epilogueIn(roles, box, part, bindings.length + 1);
  const outputs = box.images.size * area(count);
  const channels = form.channels ?? 4 * quads;
  const tiles = Math.ceil(outputs / form.outputs) *
    Math.ceil(box.kept.size / channels) * box.groups.size;
  const results = outputs * box.groups.size * box.kept.size;
  const all = [...bindings, ...epilogue.appended];
  return {
    kernel: form.kernel,
    declarations: `alias T = ${
      storageType(roles.dtype)
    };\n${epilogue.declarations}`,
    constants: {
      ...(form.packed && { QUADS: quads }),
      ADDS: Number(part.adds),
    },
    bindings,
    appended: epilogue.appended,
    params: words(
      ...[box.images.size, box.groups.size, box.kept.size, ...count],
      ...[...taps, first, size],
      ...[...correlation.source, ...origin, ...stride, ...dilation],
      ...[x.base, source.image ?? 0, source.group ?? 0, source.summed ?? 0],
      y.base + correlation.first[0] * width + correlation.first[1],
      ...[target.image ?? 0, target.group ?? 0, target.kept ?? 0],
      ...[step[0] * width, step[1]],
      ...[epilogue.channel, roles.kept],
      ...weights.params,
    ),
    workgroups: linearGrid(tiles, form.tiles, limits),
    trips: Math.ceil(size / form.depth) * form.trips,
    flops: 2 * results * size + results * epilogue.flops,
    bytes: all.reduce((sum, { size }) => sum + size, 0),
  };
}

/** The window of the weights, and the parameters that are about them. */
function weightsIn(
  { roles, correlation, form, weights }: Job,
  box: SumBox,
): { readonly binding: Binding; readonly params: readonly number[] } {
  const window = windowIn(box, weights);
  const { base } = window;
  const { group = 0, kept = 0, summed = 0, tile = 0 } = weights;
  if (form.packed) {
    return {
      binding: bind("scratch", 0, "read", window),
      params: [base / 4, group / 4, tile / 4],
    };
  }
  const { tapFirst, tapStep } = correlation;
  const [, columns] = roles.geometry.kernel;
  return {
    binding: bind("input", 1, "read", window),
    params: [
      base + tapFirst[0] * columns + tapFirst[1],
      ...[group, kept, summed],
      ...[tapStep[0] * columns, tapStep[1]],
    ],
  };
}
