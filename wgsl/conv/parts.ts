/**
 * Launches of the weight gradient. Its sum runs over all outputs of all images, which are dealt to parts that run side by side; each part's sums
 * go to scratch memory, and a last launch adds the parts up in order. Large gradients have one part, which goes straight to its place.
 */
import {
  ALIGN,
  bind,
  linearGrid,
  storageType,
  wholeVectors,
  type Window,
  words,
} from "../launch.ts";
import type { DType, Kernel, Launch, Limits, Plan } from "../op.ts";
import { itemBytes } from "../shape.ts";
import {
  fitsTile,
  type Layout,
  type Range,
  type SumBox,
  sumBoxes,
  type SumSpace,
  windowIn,
} from "./cut.ts";
import { area, checkPlanes, type Geometry } from "./geometry.ts";
import packCode from "./pack_pixels.wgsl" with { type: "text" };
import { forwardRoles, sourceLayout, targetLayout } from "./roles.ts";
import sumCode from "./sum_parts.wgsl" with { type: "text" };

const PACK = { label: "wgsl/conv/pack_pixels.wgsl", code: packCode };
const SUM = { label: "wgsl/conv/sum_parts.wgsl", code: sumCode };

/** Invocations of a workgroup, as written in the kernels of this file. */
const WORKGROUP = 64;

/** Fewest outputs that make a part worth its stores and the adding up. */
const SHORTEST = 32;

/** Most bytes of a scratch buffer, as far as the work can be cut smaller. */
const SCRATCH = 64 * 1024 * 1024;

/** Scratch buffers: the sums of parts, and dy packed. */
const PARTS = 0;
const PACKED = 1;

/** A kernel that sums parts, and what it needs. */
export interface PartKernel {
  readonly kernel: Kernel;
  readonly constants: Readonly<Record<string, number>>;
  /** Tiles of a workgroup: one each of its invocations, or one that they own together. */
  readonly workgroup: number;
  /** Output channels and taps of a tile. */
  readonly channels: number;
  readonly taps: number;
  /** Outputs in a turn of its loop, and the trips of all loops in that turn. */
  readonly depth: number;
  readonly trips: number;
  /** Tiles that keep a device busy: with fewer of them, the outputs are dealt to parts. */
  readonly busy: number;
  /** Whether it reads x and dy as vectors of four. */
  readonly vectors?: boolean;
  /** Outputs that parts keep together: lengths of parts are multiples. 1 where there is none. */
  readonly unit?: number;
  /** Whether it reads dy packed by tiles of its channels. */
  readonly packed: boolean;
}

/** How the operands lie. */
interface Operands {
  readonly x: Layout;
  readonly dy: Layout;
  readonly dw: Layout;
  /** The tile of one image of dy, packed. */
  readonly packed: Layout;
  readonly space: SumSpace;
}

function operandsOf(
  geometry: Geometry,
  dtype: DType,
  { channels, packed }: PartKernel,
): Operands {
  const roles = forwardRoles(geometry, dtype);
  const tile = packed ? channels : 1;
  const pixels = area(geometry.output) * tile;
  const tiles = Math.ceil(geometry.outChannels / tile);
  return {
    x: sourceLayout(roles),
    dy: targetLayout(roles),
    dw: roles.weights,
    packed: packed
      ? { dtype: "f32", group: tiles * pixels, tile: pixels, block: pixels }
      : { dtype, block: 1 },
    space: {
      images: 1,
      groups: geometry.groups,
      kept: geometry.outChannels,
      summed: geometry.inChannels,
      tile,
    },
  };
}

/** The sums of parts are f32, whatever the gradient's type. */
function inF32(layout: Layout): Layout {
  return { ...layout, dtype: "f32" };
}

/** Whether a kernel can be run under the limits. */
export function canSumParts(
  geometry: Geometry,
  dtype: DType,
  kernel: PartKernel,
  limits: Limits,
): boolean {
  const { x, dy, dw, packed, space } = operandsOf(geometry, dtype, kernel);
  return kernel.trips <= limits.maxLoopTrips &&
    fitsTile(space, [x, dy, inF32(dw), packed], limits);
}

/** Launches of a weight gradient by one kernel. */
export function planParts(
  geometry: Geometry,
  dtype: DType,
  kernel: PartKernel,
  limits: Limits,
): Plan {
  checkPlanes(geometry, dtype, limits);
  const operands = operandsOf(geometry, dtype, kernel);
  const { x, dy, dw, packed, space } = operands;
  const boxes = sumBoxes(
    space,
    [x, dy, inF32(dw), packed],
    space.summed,
    limits,
  );
  const launches: Launch[] = [];
  const scratch = [ALIGN, ALIGN];
  for (const box of boxes) {
    const job = jobOf(
      geometry,
      kernel,
      operands,
      box,
      boxes.length === 1,
      limits,
    );
    const pixels = area(geometry.output);
    let parts = 0;
    for (let n = 0; n < geometry.batch; n += job.images) {
      const images = {
        start: n,
        size: Math.min(job.images, geometry.batch - n),
      };
      if (kernel.packed) launches.push(packLaunch(job, images, limits));
      const last = images.size * pixels;
      const most = Math.floor(limits.maxLoopTrips / kernel.trips) *
        kernel.depth;
      const { unit = 1 } = kernel;
      const share = Math.ceil(last / job.parts / unit) * unit;
      const length = Math.min(share, most);
      for (let first = 0; first < last; first += job.parts * length) {
        const outputs = { first, last, length };
        launches.push(partLaunch(job, images, outputs, parts === 0, limits));
        parts = job.parts;
      }
    }
    if (kernel.packed) {
      const bytes = packedBytes(job, job.images);
      scratch[PACKED] = Math.max(scratch[PACKED], bytes);
    }
    if (job.direct) continue;
    launches.push(sumLaunch(job, parts, limits));
    scratch[PARTS] = Math.max(scratch[PARTS], job.parts * job.count * 4);
  }
  return { launches, scratch };
}

/** A box of the gradient and how its sum is dealt out. */
interface Job extends Operands {
  readonly geometry: Geometry;
  readonly kernel: PartKernel;
  readonly box: SumBox;
  /** Elements of the gradient in the box, and tiles of them. */
  readonly count: number;
  readonly tiles: number;
  /** Images whose operands fit a binding together. */
  readonly images: number;
  readonly parts: number;
  /** Whether the one part is the gradient itself, and can be summed where it belongs. */
  readonly direct: boolean;
}

function jobOf(
  geometry: Geometry,
  kernel: PartKernel,
  operands: Operands,
  box: SumBox,
  whole: boolean,
  limits: Limits,
): Job {
  const most = limits.maxStorageBufferBindingSize;
  const { x, dy, packed } = operands;
  const taps = area(geometry.kernel) * box.summed.size;
  const count = box.groups.size * box.kept.size * taps;
  const tiles = box.groups.size *
    Math.ceil(box.kept.size / kernel.channels) *
    Math.ceil(taps / kernel.taps);
  // Images of each operand that fit, if the window starts badly.
  const fitting = [x, dy].map((layout) => {
    const first = windowIn(box, layout).size + ALIGN;
    const next = (layout.image ?? 0) * itemBytes(layout.dtype);
    return 1 + Math.floor((most - first) / next);
  });
  if (kernel.packed) {
    const bytes = box.groups.size * box.tiles.size * packed.block * 4;
    fitting.push(Math.floor(Math.min(most, SCRATCH) / bytes));
  }
  const images = Math.max(1, Math.min(geometry.batch, ...fitting));
  const room = limits.maxComputeWorkgroupsPerDimension ** 2 * kernel.workgroup;
  const parts = Math.min(
    Math.ceil(kernel.busy / tiles),
    Math.floor(room / tiles),
    Math.ceil(images * area(geometry.output) / SHORTEST),
    Math.floor(Math.min(most, SCRATCH) / (count * 4)),
    limits.maxLoopTrips,
  );
  return {
    ...operands,
    geometry,
    kernel,
    box,
    count,
    tiles,
    images,
    parts: Math.max(1, parts),
    direct: whole && parts <= 1 && x.dtype === "f32" && geometry.batch > 0,
  };
}

function packedBytes({ box, packed }: Job, images: number): number {
  return box.groups.size * box.tiles.size * packed.block * images * 4;
}

function packLaunch(job: Job, images: Range, limits: Limits): Launch {
  const { kernel, box, dy, geometry } = job;
  const from = windowIn({ ...box, images }, dy);
  const size = packedBytes(job, images.size);
  const quads = kernel.channels / 4;
  return {
    kernel: PACK,
    declarations: `alias T = ${storageType(dy.dtype)};`,
    constants: { QUADS: quads },
    bindings: [
      bind("input", 1, "read", from),
      bind("scratch", PACKED, "write", { offset: 0, size }),
    ],
    params: words(
      images.size,
      box.groups.size,
      box.tiles.size,
      box.kept.size,
      area(geometry.output),
      from.base,
      dy.image ?? 0,
      dy.group ?? 0,
      dy.kept ?? 0,
    ),
    workgroups: linearGrid(size / (16 * quads), WORKGROUP, limits),
    trips: quads,
    flops: 0,
    bytes: from.size + size,
  };
}

function partLaunch(
  job: Job,
  images: Range,
  outputs: { first: number; last: number; length: number },
  starts: boolean,
  limits: Limits,
): Launch {
  const { geometry: g, kernel, box, x, dy, parts, count } = job;
  const { first, last, length } = outputs;
  const windowOn = (layout: Layout): Window => {
    const window = windowIn({ ...box, images }, layout);
    return kernel.vectors ? wholeVectors(window, layout.dtype) : window;
  };
  const a = windowOn(x);
  const b = windowOn(dy);
  const packed = { offset: 0, size: packedBytes(job, images.size) };
  const bindings = [
    bind("input", 0, "read", a),
    kernel.packed
      ? bind("scratch", PACKED, "read", packed)
      : bind("input", 1, "read", b),
    job.direct
      ? bind("output", 0, "write", windowIn(box, job.dw))
      : bind("scratch", PARTS, "write", { offset: 0, size: parts * count * 4 }),
  ];
  const summed = Math.min(last - first, parts * length);
  return {
    kernel: kernel.kernel,
    declarations: `alias T = ${storageType(x.dtype)};`,
    constants: {
      ...kernel.constants,
      ADDS: Number(!starts),
    },
    bindings,
    params: words(
      parts,
      box.groups.size,
      box.kept.size,
      box.summed.size,
      ...g.kernel,
      first,
      last,
      length,
      ...g.input,
      ...g.output,
      ...g.stride,
      ...g.dilation,
      ...g.padding,
      a.base,
      x.image ?? 0,
      x.group ?? 0,
      x.summed ?? 0,
      ...(kernel.packed
        ? [images.size * job.packed.block / 4]
        : [b.base, dy.image ?? 0, dy.group ?? 0, dy.kept ?? 0]),
    ),
    workgroups: linearGrid(parts * job.tiles, kernel.workgroup, limits),
    trips: Math.ceil(length / kernel.depth) * kernel.trips,
    flops: 2 * count * summed,
    bytes: bindings.reduce((sum, { size }) => sum + size, 0),
  };
}

function sumLaunch(
  { box, dw, count, parts: dealt, geometry }: Job,
  parts: number,
  limits: Limits,
): Launch {
  return sumParts(
    {
      groups: box.groups.size,
      kept: box.kept.size,
      run: box.summed.size * area(geometry.kernel),
    },
    { parts, bytes: dealt * count * 4 },
    {
      dtype: dw.dtype,
      window: windowIn(box, dw),
      group: dw.group ?? 0,
      kept: dw.kept ?? 0,
    },
    limits,
  );
}

/** The adding up of parts, which are in the first scratch buffer, into a gradient. */
export function sumParts(
  /** Groups, filters of each and neighbouring elements of each. */
  { groups, kept, run }: Readonly<Record<"groups" | "kept" | "run", number>>,
  from: { readonly parts: number; readonly bytes: number },
  to: {
    readonly dtype: DType;
    readonly window: Window;
    /** Elements to the next group and filter. */
    readonly group: number;
    readonly kept: number;
  },
  limits: Limits,
): Launch {
  const count = groups * kept * run;
  return {
    kernel: SUM,
    declarations: `alias T = ${storageType(to.dtype)};`,
    bindings: [
      bind("scratch", PARTS, "read", { offset: 0, size: from.bytes }),
      bind("output", 0, "write", to.window),
    ],
    params: words(
      from.parts,
      groups,
      kept,
      run,
      to.window.base,
      to.group,
      to.kept,
    ),
    workgroups: linearGrid(count, WORKGROUP, limits),
    trips: from.parts,
    flops: from.parts * count,
    bytes: from.bytes + to.window.size,
  };
}
