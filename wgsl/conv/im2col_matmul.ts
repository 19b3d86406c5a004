/**
 * The forward pass as im2col and a product of matrices: columns are written out to scratch memory, some images or rows of outputs at a time, and
 * multiplied by the weights.
 *
 *     y[n, g] = w[g] · columns[n, g]      [K, C·R·S] · [C·R·S, OH·OW]
 *
 * The columns are R·S / stride² times the input: writing and reading them costs what the product then saves by plain, aligned reads.
 */
import { epilogueInputs, isWhole } from "../epilogue.ts";
import { bind, linearGrid, storageType, words } from "../launch.ts";
import { matmul, type MatmulAttrs } from "../matmul/matmul.ts";
import {
  type Binding,
  type Launch,
  type Limits,
  type Plan,
  planFirst,
  type Request,
  type View,
} from "../op.ts";
import { contiguousView, itemBytes } from "../shape.ts";
import type { Correlation } from "./correlation.ts";
import { type Layout, type Range, sumBoxes, windowIn } from "./cut.ts";
import { area } from "./geometry.ts";
import code from "./im2col.wgsl" with { type: "text" };
import { OWN_INPUTS, type Roles, sourceLayout, targetLayout } from "./roles.ts";
import { ROWS } from "./tile_forms.ts";

const IM2COL = { label: "wgsl/conv/im2col.wgsl", code };

/** Invocations of a workgroup, as written in the kernel. */
const WORKGROUP = 64;

/** Most bytes of columns at a time. */
const MOST_BYTES = 64 * 1024 * 1024;

/** Channels on each side from which a layer counts as deep. */
const DEEP = 128;

/** Outputs of all images below which Winograd's transform of the weights costs more than it saves. */
const FEW_OUTPUTS = 24;

/** Outputs of a row from which the tiles of {@linkcode ROWS} are full enough. */
const FULL_ROW = 7;

/** Scratch buffers: the columns; the product's own come after it. */
const COLUMNS = 0;

/** What is computed at a time: images, and rows of their outputs. */
interface Round {
  readonly images: Range;
  readonly rows: Range;
}

/** Bytes of the columns of one row of an image's outputs. */
function rowBytes({ geometry, summed, dtype }: Roles, c: Correlation): number {
  return geometry.groups * summed * area(c.taps) * c.count[1] *
    itemBytes(dtype);
}

/** Bytes that columns may take together: they are one binding. */
function roomOf({ maxStorageBufferBindingSize }: Limits): number {
  return Math.min(MOST_BYTES, maxStorageBufferBindingSize);
}

/** Whether a pass can be run so: the forward pass, while the columns of one row fit. */
export function canIm2col(
  roles: Roles,
  correlation: Correlation,
  limits: Limits,
): boolean {
  return roles.pass === "forward" &&
    rowBytes(roles, correlation) <= roomOf(limits) &&
    area(roles.from) * itemBytes(roles.dtype) <=
      limits.maxStorageBufferBindingSize &&
    area(correlation.taps) <= limits.maxLoopTrips;
}

/**
 * Whether the product saves more than the columns cost: at strides columns are few, and rows of deep layers short.
 *
 * On a software adapter of 2 cores it took 0.6 to 1.0 of the direct kernels' time for kernels of 1 × 1 at stride 2, from 128 channels of 56 × 56 to 1,024
 * of 14 × 14, and 0.4 to 0.9 for kernels of 3 × 3 whose rows of outputs leave much of a tile empty, but 1.0 to 1.4 where they don't; fewer channels took
 * 1.1 to 1.2 and stride 1 mostly more; with 16 outputs in all it took 0.7 to 0.86 of Winograd's.
 */
export function im2colPays(roles: Roles, correlation: Correlation): boolean {
  const { geometry: { batch, output, stride }, kept, summed } = roles;
  const few = batch * area(output) <= FEW_OUTPUTS;
  const steps = stride.every((step) => step > 1);
  const full = output[1] >= FULL_ROW && ROWS.fits(roles, [correlation]);
  return (few || steps && !full) && Math.min(kept, summed) >= DEEP;
}

/** Launches of a pass for which {@linkcode canIm2col} holds. */
export function planIm2col(
  roles: Roles,
  correlation: Correlation,
  limits: Limits,
): Plan {
  const row = rowBytes(roles, correlation);
  const launches: Launch[] = [];
  let columns = 0;
  const sums: number[] = [];
  for (const round of roundsOf(roles, correlation, row, limits)) {
    columns = Math.max(columns, round.images.size * round.rows.size * row);
    const product = productOf(roles, correlation, round, limits);
    launches.push(
      ...unfoldLaunches(roles, correlation, round, limits),
      ...product.launches,
    );
    product.scratch?.forEach((bytes, i) =>
      sums[i] = Math.max(sums[i] ?? 0, bytes)
    );
  }
  return { launches, scratch: launches.length > 0 ? [columns, ...sums] : [] };
}

/** As many images a round as fit, or rows of one image where not even one does. */
function roundsOf(
  { geometry: { batch } }: Roles,
  { count: [rows] }: Correlation,
  row: number,
  limits: Limits,
): Round[] {
  const fitting = Math.floor(roomOf(limits) / row);
  const step = Math.min(rows, fitting);
  const images = step < rows ? 1 : Math.floor(fitting / rows);
  return partsOf(batch, images).flatMap((images) =>
    partsOf(rows, step).map((rows) => ({ images, rows }))
  );
}

/** A range in parts of a size, the last as long as remains. */
function partsOf(length: number, size: number): Range[] {
  return Array.from({ length: Math.ceil(length / size) }, (_, i) => ({
    start: i * size,
    size: Math.min(size, length - i * size),
  }));
}

function unfoldLaunches(
  roles: Roles,
  c: Correlation,
  { images, rows }: Round,
  limits: Limits,
): Launch[] {
  const { geometry: { groups }, summed, dtype } = roles;
  const places = rows.size * c.count[1];
  const taps = area(c.taps);
  const block = taps * places;
  const columns: Layout = {
    dtype,
    image: groups * summed * block,
    group: summed * block,
    summed: block,
    block,
  };
  const source = sourceLayout(roles);
  const boxes = sumBoxes(
    { images: images.size, groups, kept: 1, summed, tile: 1 },
    [source, columns],
    summed,
    limits,
  );
  return boxes.map((box) => {
    const start = images.start + box.images.start;
    const x = windowIn(
      { ...box, images: { start, size: box.images.size } },
      source,
    );
    const to = windowIn(box, columns);
    const channels = box.images.size * box.groups.size * box.summed.size;
    return {
      kernel: IM2COL,
      declarations: `alias T = ${storageType(dtype)};`,
      bindings: [
        bind("input", 0, "read", x),
        bind("scratch", COLUMNS, "write", to),
      ],
      params: words(
        ...[box.images.size, box.groups.size, box.summed.size],
        ...[rows.size, c.count[1], ...c.taps, ...c.source],
        ...[c.origin[0] + rows.start * c.stride[0], c.origin[1]],
        ...[...c.stride, ...c.dilation],
        ...[x.base, source.image ?? 0, source.group ?? 0, source.summed ?? 0],
        ...[to.base, columns.image ?? 0, columns.group ?? 0],
      ),
      workgroups: linearGrid(channels * places, WORKGROUP, limits),
      trips: taps,
      flops: 0,
      bytes: x.size + to.size,
    };
  });
}

/** The product of the weights and a round's columns, with the epilogue. */
function productOf(
  roles: Roles,
  { taps, count, target: [, width] }: Correlation,
  { images, rows }: Round,
  limits: Limits,
): Plan {
  const { geometry: { groups }, kept, summed, dtype, weights } = roles;
  const { epilogue = {} } = roles;
  const depth = summed * area(taps);
  const places = rows.size * count[1];
  const { image = 0, group = 0, kept: plane = 0 } = targetLayout(roles);
  const w: View = {
    shape: [groups, kept, depth],
    dtype,
    strides: [weights.group ?? 0, weights.kept ?? 0, 1],
    offset: 0,
  };
  const columns: View = {
    shape: [images.size, groups, depth, places],
    dtype,
    strides: [groups * depth * places, depth * places, places, 1],
    offset: 0,
  };
  const y: View = {
    shape: [images.size, groups, kept, places],
    dtype,
    strides: [image, group, plane, 1],
    offset: images.start * image + rows.start * width,
  };
  // A group's channels are the rows of its products, and operands of y's shape lie as it does.
  const perChannel = contiguousView({ shape: [groups, kept], dtype });
  const given = epilogueInputs(epilogue, OWN_INPUTS);
  const operands = Array.from(
    { length: given.count - OWN_INPUTS },
    (_, i) => isWhole(given, OWN_INPUTS + i) ? y : perChannel,
  );
  const request: Request<MatmulAttrs> = {
    inputs: [w, columns, ...operands],
    outputs: [y],
    attrs: { epilogue, channels: "rows" },
    limits,
  };
  const { launches, scratch } = planFirst(matmul, request);
  const moved = launches.map((launch) => ({
    ...launch,
    bindings: launch.bindings.map(operandOf),
  }));
  return { launches: moved, scratch };
}

/** A factor or the result of the product as an operand of the convolution. Those of the epilogue have the same places in both. */
function operandOf(binding: Binding): Binding {
  const { slot, index } = binding;
  if (slot === "scratch") return { ...binding, index: COLUMNS + 1 + index };
  if (slot === "output") return binding;
  return index === 0
    ? { ...binding, index: 1 }
    : { ...binding, slot: "scratch", index: COLUMNS };
}
