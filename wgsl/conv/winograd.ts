/**
 * Winograd's minimal filtering F(4×4, 3×3): tiles of 4 × 4 outputs from 6 × 6 inputs with 36 multiplications a channel, where the direct sum
 * takes 144; and F(2×2, 3×3): tiles of 2 × 2 from 4 × 4 with 16, where that takes 36. Kernels, tiles of inputs and tiles of outputs are transformed by the matrices G, B and A; between the transforms stand 36 or 16
 * products of matrices.
 *
 *     y = Aᵀ · [ (G · w · Gᵀ) ⊙ (Bᵀ · d · B) ] · A
 *
 * Lavin and Gray 2015, "Fast Algorithms for Convolutional Neural Networks" (arXiv:1509.09308), sections 4.1 and 4.3.
 *
 * The price is accuracy: the transforms of F(4×4) multiply by up to 8 and cancel again. Its errors are 3 to 25 times (mostly 4 to 8) those of the direct
 * sum; the largest that was seen with numbers around 1, from 3 to 256 channels, is 6e-6 of the largest output. The transforms of F(2×2) only add and halve;
 * its errors are 0.2 to 0.9 times those of the direct sum, which adds one tap after another, and 5e-7 of the largest output at most.
 * An infinity or NaN in the input makes NaN of every output of the tiles that read it, also of those that its own taps don't reach.
 *
 * Half-precision operands are transformed, multiplied and summed in f32.
 *
 * Neither form is used for strides and dilations, where neighbouring outputs share too few inputs for a tile to save anything; for groups, of which the
 * common networks have many with few channels, too few to pay for the transforms; nor for weight gradients.
 */
import { ALIGN, bind, linearGrid, storageType, words } from "../launch.ts";
import type { Launch, Limits, Plan } from "../op.ts";
import { itemBytes } from "../shape.ts";
import type { Correlation } from "./correlation.ts";
import { type Layout, type Range, type SumBox, windowIn } from "./cut.ts";
import { area } from "./geometry.ts";
import {
  epilogueIn,
  isImageByImage,
  type Roles,
  sourceLayout,
  targetLayout,
} from "./roles.ts";
import { quadsFor } from "./tile_forms.ts";
import type { WinogradForm } from "./winograd_forms.ts";
import productsCode from "./winograd_products.wgsl" with { type: "text" };
import wideCode from "./winograd_products_wide.wgsl" with { type: "text" };

/** The kernels of the products; their workgroups, and the columns that an invocation owns, tiles of the image, are as written in them. */
const PRODUCTS = {
  kernel: { label: "wgsl/conv/winograd_products.wgsl", code: productsCode },
  workgroup: 32,
  columns: 8,
};
const WIDE = {
  kernel: { label: "wgsl/conv/winograd_products_wide.wgsl", code: wideCode },
  workgroup: 8,
  columns: 16,
};

/** Fours of kept channels in a tile of the wide products. */
export const WIDE_QUADS = 8;

/** Invocations of a workgroup, as written in the kernels of the transforms. */
const TRANSFORM_WORKGROUP = 64;

/** Scratch buffers: transformed weights, inputs and products. */
const SCRATCH = { weights: 0, input: 1, products: 2 } as const;

/** Most bytes of transformed inputs, and of products: rounds that a cache holds took 10 to 15 % less time than those of 32 MiB. */
const ROUND_BYTES = 4 * 1024 * 1024;

/** A correlation and how it is cut: into runs of images that fit bindings, and those into rounds of tiles. */
interface Job {
  readonly form: WinogradForm;
  readonly products: typeof PRODUCTS;
  readonly roles: Roles;
  readonly correlation: Correlation;
  readonly quads: number;
  /** Kept channels in tiles, and summed ones in fours. */
  readonly tiles: number;
  readonly fours: number;
  readonly tileRows: number;
  readonly tileColumns: number;
  /** Images of a run. */
  readonly images: number;
  /** Tiles of outputs in a round: a multiple of `columns`. */
  readonly round: number;
  readonly source: Layout;
  readonly target: Layout;
}

function jobOf(
  form: WinogradForm,
  roles: Roles,
  correlation: Correlation,
  limits: Limits,
): Job {
  const { kept, summed, geometry: { batch } } = roles;
  const quads = form.wide ? WIDE_QUADS : quadsFor(kept);
  const products = form.wide ? WIDE : PRODUCTS;
  const { columns } = products;
  const tiles = Math.ceil(kept / (4 * quads));
  const fours = Math.ceil(summed / 4);
  const [height, width] = correlation.target;
  const tileRows = Math.ceil(height / form.tile);
  const tileColumns = Math.ceil(width / form.tile);
  const limit = limits.maxStorageBufferBindingSize;
  const imageBytes = itemBytes(roles.dtype) *
    Math.max(summed * area(roles.from), kept * area(roles.to));
  const most = Math.floor((limit - ALIGN) / imageBytes);
  // Where planes lie channel by channel, a few images are spread over the whole.
  const images = isImageByImage(roles.geometry) || most >= batch
    ? Math.min(batch, most)
    : 0;
  const columnBytes = 4 * form.planes *
    Math.max(4 * fours, 4 * quads * tiles);
  const columnsAtOnce = Math.floor(Math.min(limit, ROUND_BYTES) / columnBytes);
  const all = images * tileRows * tileColumns;
  return {
    form,
    products,
    roles,
    correlation,
    quads,
    tiles,
    fours,
    tileRows,
    tileColumns,
    images,
    round:
      Math.min(Math.ceil(all / columns), Math.floor(columnsAtOnce / columns)) *
      columns,
    source: sourceLayout(roles),
    target: targetLayout(roles),
  };
}

/** Bytes of the transformed weights. */
function weightBytes({ form, tiles, fours, quads }: Job): number {
  return 4 * form.planes * tiles * fours * 16 * quads;
}

/** Whether a correlation is one of 3 × 3 neighbouring taps at stride 1, in one group, whose parts fit the limits. */
export function canWinograd(
  form: WinogradForm,
  roles: Roles,
  correlation: Correlation,
  limits: Limits,
): boolean {
  const { geometry: { batch, groups, kernel, stride, dilation } } = roles;
  const plain = groups === 1 &&
    kernel.every((n) => n === 3) &&
    [...stride, ...dilation].every((n) => n === 1);
  if (!plain) return false;
  const job = jobOf(form, roles, correlation, limits);
  const binding = limits.maxStorageBufferBindingSize;
  return (batch === 0 || job.images > 0 && job.round > 0) &&
    tripsOf(job) <= limits.maxLoopTrips &&
    weightBytes(job) <= binding &&
    givenWeightBytes(roles) <= binding;
}

/** Turns of the products' loop: channels, or fours of them. */
function turnsOf({ form, fours }: Job): number {
  return form.wide ? 4 * fours : fours;
}

/** Trips of the products: wide ones are stored in a loop, four channels at a time. */
function tripsOf(job: Job): number {
  return turnsOf(job) + (job.form.wide ? WIDE_QUADS : 0);
}

/** Bytes of the weights as they are given. */
function givenWeightBytes({ dtype, kept, summed, geometry }: Roles): number {
  const elements = kept * summed * area(geometry.kernel);
  return Math.ceil(elements * itemBytes(dtype) / 4) * 4;
}

/** Launches of a correlation for which {@linkcode canWinograd} holds. */
export function planWinograd(
  form: WinogradForm,
  roles: Roles,
  correlation: Correlation,
  limits: Limits,
): Plan {
  const { batch } = roles.geometry;
  if (batch === 0) return { launches: [] };
  const job = jobOf(form, roles, correlation, limits);
  const launches = [weightsLaunch(job, limits)];
  for (let n = 0; n < batch; n += job.images) {
    const images = { start: n, size: Math.min(job.images, batch - n) };
    const count = images.size * job.tileRows * job.tileColumns;
    for (let first = 0; first < count; first += job.round) {
      const tiles = { first, count: Math.min(job.round, count - first) };
      launches.push(
        inputLaunch(job, boxOver(job, images), tiles, limits),
        productsLaunch(job, tiles, limits),
        outputLaunch(job, boxOver(job, images), tiles, limits),
      );
    }
  }
  return { launches, scratch: scratchBytes(job) };
}

/** Tiles of a round, counted from the first of the run's images. */
interface Tiles {
  readonly first: number;
  readonly count: number;
}

/** The tiles of a round in eights or sixteens, as the products have them. */
function runsOf({ products: { columns } }: Job, { count }: Tiles): number {
  return Math.ceil(count / columns);
}

/** A run of images with all their channels. */
function boxOver({ roles: { kept, summed } }: Job, images: Range): SumBox {
  const all = (size: number) => ({ start: 0, size });
  return {
    images,
    groups: all(1),
    tiles: all(1),
    kept: all(kept),
    summed: all(summed),
  };
}

function scratchBytes(job: Job): number[] {
  const columns = 4 * job.form.planes * job.round;
  return [
    weightBytes(job),
    columns * 4 * job.fours,
    columns * 4 * job.quads * job.tiles,
  ];
}

/** A scratch buffer bound as a whole. */
function scratch(
  job: Job,
  name: keyof typeof SCRATCH,
  access: "read" | "write",
) {
  const index = SCRATCH[name];
  const window = { offset: 0, size: scratchBytes(job)[index] };
  return bind("scratch", index, access, window);
}

function weightsLaunch(job: Job, limits: Limits): Launch {
  const { roles, correlation: { tapFirst, tapStep }, quads, tiles, fours } =
    job;
  const { kept, summed, weights, geometry: { kernel } } = roles;
  const bytes = givenWeightBytes(roles);
  const invocations = tiles * fours * 4 * quads;
  return {
    kernel: job.form.weights,
    declarations: `alias T = ${storageType(roles.dtype)};`,
    constants: { QUADS: quads, ALONG_K: Number(job.form.wide) },
    bindings: [
      bind("input", 1, "read", { offset: 0, size: bytes }),
      scratch(job, "weights", "write"),
    ],
    params: words(
      kept,
      summed,
      tiles,
      fours,
      tapFirst[0] * kernel[1] + tapFirst[1],
      weights.kept ?? 0,
      weights.summed ?? 0,
      tapStep[0] * kernel[1],
      tapStep[1],
    ),
    workgroups: linearGrid(invocations, TRANSFORM_WORKGROUP, limits),
    trips: job.form.weightTrips,
    flops: 0,
    bytes: bytes + weightBytes(job),
  };
}

function inputLaunch(
  job: Job,
  box: SumBox,
  tiles: Tiles,
  limits: Limits,
): Launch {
  const { roles, correlation, fours, source } = job;
  const x = windowIn(box, source);
  const v = scratch(job, "input", "write");
  return {
    kernel: job.form.input,
    declarations: `alias T = ${storageType(roles.dtype)};`,
    constants: { PANELS: Number(job.form.wide) },
    bindings: [bind("input", 0, "read", x), v],
    params: words(
      roles.summed,
      4 * fours,
      ...correlation.source,
      ...correlation.origin,
      job.tileRows,
      job.tileColumns,
      tiles.first,
      tiles.count,
      runsOf(job, tiles) * job.products.columns,
      x.base,
      source.image ?? 0,
      source.summed ?? 0,
    ),
    workgroups: linearGrid(
      tiles.count * 4 * fours,
      TRANSFORM_WORKGROUP,
      limits,
    ),
    trips: 0,
    flops: 0,
    bytes: x.size + v.size,
  };
}

function productsLaunch(job: Job, tiles: Tiles, limits: Limits): Launch {
  const runs = runsOf(job, tiles);
  const { form: { planes, wide }, products: { kernel, workgroup } } = job;
  const bindings = [
    scratch(job, "weights", "read"),
    scratch(job, "input", "read"),
    scratch(job, "products", "write"),
  ];
  return {
    kernel,
    constants: wide ? {} : { QUADS: job.quads },
    bindings,
    params: words(planes, job.tiles, turnsOf(job), runs),
    workgroups: linearGrid(planes * job.tiles * runs, workgroup, limits),
    trips: tripsOf(job),
    flops: 2 * planes * tiles.count * job.roles.kept * job.roles.summed,
    bytes: bindings.reduce((sum, { size }) => sum + size, 0),
  };
}

function outputLaunch(
  job: Job,
  box: SumBox,
  tiles: Tiles,
  limits: Limits,
): Launch {
  const { roles, correlation, target } = job;
  const { kept } = roles;
  const y = windowIn(box, target);
  const m = scratch(job, "products", "read");
  const row = runsOf(job, tiles) * job.products.columns;
  const bindings = [m, bind("output", 0, "write", y)];
  const stage = { adds: false, completes: true };
  const epilogue = epilogueIn(roles, box, stage, bindings.length + 1);
  return {
    kernel: job.form.output,
    declarations: `alias T = ${storageType(roles.dtype)};
${epilogue.declarations}`,
    bindings,
    appended: epilogue.appended,
    params: words(
      kept,
      ...correlation.target,
      job.tileRows,
      job.tileColumns,
      tiles.first,
      tiles.count,
      row,
      row * 4 * job.quads * job.tiles,
      y.base,
      target.image ?? 0,
      target.kept ?? 0,
    ),
    workgroups: linearGrid(tiles.count * kept, TRANSFORM_WORKGROUP, limits),
    trips: 0,
    flops: tiles.count * job.form.tile ** 2 * kept * epilogue.flops,
    bytes: [...bindings, ...epilogue.appended]
      .reduce((sum, { size }) => sum + size, 0),
  };
}
