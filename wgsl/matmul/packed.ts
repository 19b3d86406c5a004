/** Products of packed operands: two launches that lay a and b out in panels, and one that multiplies these. */
import { bind, linearGrid, storageType, words } from "../launch.ts";
import type { Launch, Limits, Plan, Request } from "../op.ts";
import { sizeOf } from "../shape.ts";
import { hasFours, storesTo } from "./forms.ts";
import packCode from "./pack.wgsl" with { type: "text" };
import packedCode from "./packed.wgsl" with { type: "text" };
import {
  atStart,
  bytesOf,
  type Finish,
  finishOf,
  type Operand,
  operandOf,
  PART_BINDINGS,
} from "./plan.ts";
import { type MatmulAttrs, OWN_INPUTS, problemOf } from "./problem.ts";

const PACK = { label: "wgsl/matmul/pack.wgsl", code: packCode };
const PACKED = { label: "wgsl/matmul/packed.wgsl", code: packedCode };

/** Lines of a panel of a and of b, as written in packed.wgsl. */
const ROWS = 32;
const COLUMNS = 16;

/** Invocations of a workgroup, and steps of k of one that packs, as written in the kernels. */
const WORKGROUP = 8;
const PACK_WORKGROUP = 64;
const PACK_DEPTH = 16;

/**
 * Fewest multiply-adds, and panels to multiply, that pay for packing and its two launches. On a software adapter of 2 cores it took 0.65 of the
 * time of unpacked tiles for 512³, 0.8 to 0.95 for 13 to 100 million multiply-adds, and 1.05 to 1.3 for 3 million.
 */
const LEAST_WORK = 2 ** 23;
const BUSY = 64;

/** Fewest rows and columns: with fewer, half of a panel is zeros. */
const LEAST_LINES = 24;

/**
 * Most panels of a for which b is read where it lies, if its columns are neighbours in memory and whole fours of f32: it is read so seldom that
 * packing takes longer than it saves.
 */
const FEW_PANELS = 4;

/** Trips of the loops that finish the sums of a panel: four columns at once, row by row. */
const FINISH_TRIPS = (COLUMNS / 4) * (1 + ROWS);

/** An operand in panels. Its matrices are those that differ: a batch axis along which it repeats has size 1. */
interface Panels {
  readonly operand: Operand;
  /** Which of [outer, inner, m, n, k] counts its lines. */
  readonly axis: 2 | 3;
  readonly width: number;
  readonly outer: number;
  readonly inner: number;
  readonly panels: number;
  readonly bytes: number;
  /** Whether it is read where it lies. */
  readonly given: boolean;
}

function panelsOf(
  operand: Operand,
  size: readonly number[],
  axis: 2 | 3,
): Panels {
  const width = axis === 2 ? ROWS : COLUMNS;
  const [outer, inner] = [0, 1].map((d) =>
    operand.strides[d] === 0 ? 1 : size[d]
  );
  const panels = Math.ceil(size[axis] / width);
  const bytes = 4 * outer * inner * panels * width * size[4];
  const given = axis === 3 && size[2] <= FEW_PANELS * ROWS &&
    hasFours(operand, size, axis) && operand.dtype === "f32";
  return { operand, axis, width, outer, inner, panels, bytes, given };
}

interface Job {
  /** Sizes of [outer, inner, m, n, k]. */
  readonly size: readonly number[];
  readonly a: Panels;
  readonly b: Panels;
  readonly c: Operand;
  readonly finish: Finish;
  /** Whether the epilogue does anything. */
  readonly finishes: boolean;
}

function jobOf(request: Request<MatmulAttrs>): Job {
  const problem = problemOf(request);
  const size = problem.shape.slice(-5);
  const { epilogue } = problem;
  const all = atStart(problem.shape);
  const a = operandOf("input", 0, problem.a, all);
  const b = operandOf("input", 1, problem.b, all);
  return {
    size,
    a: panelsOf(a, size, 2),
    b: panelsOf(b, size, 3),
    c: operandOf("output", 0, problem.c, all),
    finish: finishOf(problem, all, PART_BINDINGS),
    finishes: !!epilogue?.activation || request.inputs.length > OWN_INPUTS,
  };
}

/** Invocations that multiply: one for each panel of a and of b. */
function productsOf({ size: [outer, inner], a, b }: Job): number {
  return outer * inner * a.panels * b.panels;
}

/**
 * Whether a product stores whole fours, fits bindings without being cut, and fills enough panels to pay for packing. Sums that are still to be
 * finished are kept in the output, so that they aren't rounded to halves.
 */
export function packingPays(request: Request<MatmulAttrs>): boolean {
  const { limits } = request;
  const { shape } = problemOf(request);
  if (shape.length > 5 || sizeOf(shape) < LEAST_WORK) return false;
  const job = jobOf(request);
  const { size, a, b, c, finishes } = job;
  if (finishes && c.dtype !== "f32") return false;
  const [, , m, n, k] = size;
  const bindings = [a.operand, b.operand, c].map(({ binding }) => binding.size);
  const most = Math.max(a.bytes, b.bytes, ...bindings);
  return most <= limits.maxStorageBufferBindingSize &&
    k + FINISH_TRIPS <= limits.maxLoopTrips && Math.min(m, n) >= LEAST_LINES &&
    productsOf(job) >= BUSY && storesTo(c, size).constants.C_VEC4 === 1;
}

/** Launches of a product for which {@linkcode packingPays} holds. */
export function planPacked(request: Request<MatmulAttrs>): Plan {
  const { limits, outputs } = request;
  if (sizeOf(outputs[0].shape) === 0) return { launches: [] };
  const job = jobOf(request);
  return {
    launches: [
      packLaunch(job, job.a, 0, limits),
      ...(job.b.given ? [] : [packLaunch(job, job.b, 1, limits)]),
      productLaunch(job, limits),
    ],
    scratch: job.b.given ? [job.a.bytes] : [job.a.bytes, job.b.bytes],
  };
}

function packLaunch(
  { size }: Job,
  { operand, axis, width, outer, inner, panels, bytes }: Panels,
  index: number,
  limits: Limits,
): Launch {
  const k = size[4];
  const runs = Math.ceil(k / PACK_DEPTH);
  const batches = outer * inner;
  const { strides } = operand;
  return {
    kernel: PACK,
    declarations: `alias T = ${storageType(operand.dtype)};`,
    constants: { WIDTH: width },
    bindings: [
      operand.binding,
      bind("scratch", index, "write", { offset: 0, size: bytes }),
    ],
    params: words(
      ...[size[axis], k, batches, inner],
      ...[operand.base, strides[0], strides[1], strides[axis], strides[4]],
    ),
    workgroups: linearGrid(
      batches * panels * runs * (width / 4),
      PACK_WORKGROUP,
      limits,
    ),
    trips: PACK_DEPTH,
    flops: 0,
    bytes: bytesOf(operand, size) + bytes,
  };
}

function productLaunch(job: Job, limits: Limits): Launch {
  const { size, a, b, c, finish, finishes } = job;
  const [outer, inner, m, n, k] = size;
  const { operand: { binding, base, strides } } = b;
  // Fours from one matrix to the next, along both axes of the batch.
  const matrices = ({ operand, inner, panels, width }: Panels) => {
    const fours = panels * width * k / 4;
    const [byOuter, byInner] = operand.strides;
    return [byOuter === 0 ? 0 : inner * fours, byInner === 0 ? 0 : fours];
  };
  // Where b starts, its matrices, its panels, and its steps of k.
  const walk = b.given
    ? [base, strides[0], strides[1], COLUMNS, strides[4]].map((n) => n / 4)
    : [0, ...matrices(b), COLUMNS / 4 * k, COLUMNS / 4];
  return {
    kernel: PACKED,
    declarations: `${storesTo(c, size).declarations}\n${finish.declarations}`,
    constants: {
      WORKGROUP,
      FINISHES: Number(finishes),
      CHANNEL_ROWS: Number(finish.rows),
    },
    bindings: [
      bind("scratch", 0, "read", { offset: 0, size: a.bytes }),
      b.given
        ? binding
        : bind("scratch", 1, "read", { offset: 0, size: b.bytes }),
      c.binding,
    ],
    appended: finish.appended,
    params: words(
      ...[m, n, k, outer * inner, inner, ...matrices(a), ...walk],
      ...[c.base, ...c.strides.slice(0, 3)],
      ...[finish.channel, finish.outer, finish.inner],
    ),
    workgroups: linearGrid(productsOf(job), WORKGROUP, limits),
    trips: k + FINISH_TRIPS,
    flops: 2 * sizeOf(size) + finish.flops * sizeOf(size.slice(0, 4)),
    bytes: a.bytes + b.bytes + bytesOf(c, size) + finish.bytes,
  };
}
