/**
 * Running an edited kernel in place of one of the library's, and comparing what it computes with the op's reference before anybody relies on it.
 *
 * A swap is compared on made-up values for the calls that the kernel was used for, and refused where one of them comes out wrong. A call that comes
 * later is compared at its first run, on its own values: until that is done the reads that depend on it wait, and they reject if it went wrong.
 */
import type { HostArray, HostData, Variant, View } from "../../wgsl/op.ts";
import { formatShape, itemBytes, sizeOf } from "../../wgsl/shape.ts";
import type { Operand } from "../backend.ts";
import { KernelError } from "../errors.ts";
import { emptyData, gather } from "../host.ts";
import { largestFinite, tolerance } from "../tolerance.ts";
import type { Swap } from "./pipelines.ts";
import type { Call, PreparedPlan } from "./plans.ts";
import type { GpuBlock } from "./pool.ts";
import { madeUpCall, type Workbench } from "./tuner.ts";
import { fromBytes } from "./words.ts";

/** Operations of a call up to which the reference is computed, some seconds' work; beyond, the library's own kernel has to do. */
const REFERENCE_FLOPS = 2e8;

/** Times the tolerance of a plain sum that a kernel may err, so that it may sum in another way. */
const FREEDOM = 2;

/** How many times the error of the library's kernel a swapped one may have, where that is more. */
const LIKE_LIBRARY = 2;

/** What a swapped kernel made of one call. */
export interface SwapCheck {
  readonly op: string;
  readonly variant: string;
  readonly inputs: readonly View[];
  /** What it was compared with: the op's float64 reference, or for a large call the library's own kernel. */
  readonly against: "reference" | "library";
  /** The largest error of an output, and what would have been allowed there. */
  readonly error: number;
  readonly allowed: number;
  /** Where it is: output, index, the kernel's value and the right one. Undefined without any error. */
  readonly worst: {
    readonly output: number;
    readonly index: readonly number[];
    readonly got: number;
    readonly want: number;
  } | undefined;
  /** Whether no output errs more than is allowed. */
  readonly ok: boolean;
}

/**
 * Runs a kernel in place of the library's from now on. Resolves to what it made of the calls that the library's was used for; rejects with a
 * KernelError, and nothing is changed, where it doesn't compile for one of them or comes out wrong.
 */
export async function swapKernel(
  bench: Workbench,
  label: string,
  file: string,
  code: string,
): Promise<SwapCheck[]> {
  await bench.synchronize();
  const { plans, pipelines } = bench;
  const before = pipelines.swaps.get(label);
  const swap: Swap = { label, file, code, verified: new Set() };
  const change = (to: Swap | undefined) => {
    pipelines.swap(label, to);
    plans.clear();
  };
  change(swap);
  const checks: SwapCheck[] = [];
  try {
    for (const { call, variant } of plans.usesOf(label)) {
      checks.push(await checkUse(bench, call, variant, swap));
    }
  } catch (error) {
    change(before);
    // What failed on the way has been told.
    await bench.synchronize().catch(() => {});
    throw error;
  }
  return checks;
}

/** Runs the library's kernel again. Tells whether another one ran. */
export async function unswapKernel(
  { synchronize, pipelines, plans }: Workbench,
  label: string,
): Promise<boolean> {
  if (!pipelines.swaps.has(label)) return false;
  // Whatever its launches come to is theirs.
  await synchronize().catch(() => {});
  pipelines.swap(label, undefined);
  plans.clear();
  return true;
}

/** Has a call of a sequence that is prepared compared on made-up values, and what its kernels compute wait for that. */
export function checkPrepared(
  bench: Workbench,
  call: Call<unknown>,
  plan: PreparedPlan,
): void {
  const { inputs, outputs, release } = madeUpCall(bench, call);
  try {
    bench.quietly(() => recordChecked(bench, call, plan, inputs, outputs));
  } finally {
    release();
  }
}

/** Compares one call on made-up values. */
async function checkUse(
  bench: Workbench,
  call: Call<unknown>,
  variant: Variant<unknown>,
  swap: Swap,
): Promise<SwapCheck> {
  const { inputs, outputs, release } = madeUpCall(bench, call);
  try {
    const plan = bench.plans.prepare(call, variant);
    const comparison = compare(bench, call, variant, inputs);
    bench.quietly(() => bench.record(call.op, plan, inputs, outputs));
    await bench.synchronize();
    const check = await comparison(outputs);
    if (!check.ok) throw refusal(check, swap);
    swap.verified.add(plan.key);
    return check;
  } finally {
    release();
  }
}

/** Records a call whose plan has kernels that nobody has compared for it, and has its results wait for the comparison. */
export function recordChecked(
  bench: Workbench,
  call: Call<unknown>,
  plan: PreparedPlan,
  inputs: readonly Operand[],
  outputs: readonly Operand[],
): void {
  const swaps = plan.unverified;
  plan.unverified = [];
  for (const { verified } of swaps) verified.add(plan.key);
  const { op } = call;
  const [{ variant: name }] = plan.launches;
  const variant = op.variants.find((v) => v.name === name)!;
  const comparison = compare(bench, call, variant, inputs);
  const pipelines = new Set(
    plan.launches.map(({ pipeline }) => pipeline)
      .filter(({ swap }) => swap && swaps.includes(swap)),
  );
  const compiled = [...pipelines].map(({ checked }) => checked);
  const { promise: done, resolve } = Promise.withResolvers<void>();
  for (const pipeline of pipelines) pipeline.checked = done;
  let results: Promise<SwapCheck>;
  try {
    bench.record(op, plan, inputs, outputs);
    bench.submit();
    results = comparison(outputs);
  } catch (error) {
    resolve();
    throw error;
  }
  const judge = async () => {
    await Promise.all(compiled);
    const failed = [...pipelines].some(({ error }) => error);
    const check = failed ? undefined : await results;
    for (const pipeline of pipelines) {
      if (check && !check.ok) pipeline.error = refusal(check, pipeline.swap!);
      if (pipeline.checked === done) pipeline.checked = undefined;
    }
  };
  results.catch(() => {});
  judge().catch((error) => {
    for (const pipeline of pipelines) {
      pipeline.error = new KernelError(
        `Cannot compare ${pipeline.swap?.file} with the reference of ${op.name}: ${error.message}`,
        pipeline.swap?.file ?? "",
        0,
        0,
        op.name,
      );
      pipeline.checked = undefined;
    }
  }).finally(resolve);
}

/**
 * Takes the values that a call starts from and what the library's kernel makes of them. Gives what compares the outputs, once the call has been
 * recorded and submitted.
 */
function compare(
  bench: Workbench,
  call: Call<unknown>,
  variant: Variant<unknown>,
  inputs: readonly Operand[],
): (outputs: readonly Operand[]) => Promise<SwapCheck> {
  const { op } = call;
  bench.submit();
  const library = bench.plans.prepare(call, variant, true);
  const flops = library.launches.reduce(
    (sum, { launch }) => sum + launch.flops,
    0,
  );
  const given = inputs.map((x) => peek(bench.device, x));
  const own = op.inPlace ? undefined : runLibrary(bench, call, library, inputs);
  const large = own !== undefined && flops > REFERENCE_FLOPS;
  return async (outputs) => {
    const got = await Promise.all(outputs.map((y) => peek(bench.device, y)));
    const libraries = own && await Promise.all(own);
    const want = large && libraries
      ? libraries
      : referenceOf(call, await Promise.all(given));
    const size = outputs.reduce((sum, { view }) => sum + sizeOf(view.shape), 0);
    const length = flops / 2 / Math.max(size, 1);
    const errors = got.map((y, i) => {
      const { error, at } = largestError(y.data, want[i].data);
      const scale = largestFinite(want[i].data);
      const usual = FREEDOM * toleranceOf(y, length, scale);
      const likeLibrary = libraries && !large
        ? LIKE_LIBRARY * largestError(libraries[i].data, want[i].data).error
        : 0;
      // An infinite error of the library's own is no excuse.
      const like = likeLibrary < Infinity ? likeLibrary : 0;
      return { i, error, at, allowed: Math.max(usual, like) };
    });
    const worst = errors.reduce((a, b) =>
      b.error - b.allowed > a.error - a.allowed ? b : a
    );
    const { i, error, at, allowed } = worst;
    return {
      op: op.name,
      variant: variant.name,
      inputs: call.inputs,
      against: large ? "library" : "reference",
      error,
      allowed,
      worst: at < 0 ? undefined : {
        output: i,
        index: indexOf(at, got[i].shape),
        got: got[i].data[at],
        want: want[i].data[at],
      },
      ok: error <= allowed,
    };
  };
}

/** What the library's own kernels make of a call. */
function runLibrary(
  bench: Workbench,
  call: Call<unknown>,
  library: PreparedPlan,
  inputs: readonly Operand[],
): Promise<HostArray>[] {
  const outputs = call.outputs.map((view) => ({
    view,
    block: bench.allocate(view),
  }));
  bench.quietly(() => bench.record(call.op, library, inputs, outputs));
  bench.submit();
  const values = outputs.map((y) => peek(bench.device, y));
  // The copies have been submitted: whatever reuses the memory comes after them.
  for (const { block } of outputs) bench.release(block);
  return values;
}

function referenceOf(
  { op, attrs, outputs }: Call<unknown>,
  inputs: readonly HostArray[],
): HostArray[] {
  const results = outputs.map(({ shape, dtype }, i): HostArray =>
    op.inPlace
      ? inputs[op.inPlace[i]]
      : { shape, dtype, data: emptyData(dtype, sizeOf(shape)) }
  );
  op.reference(inputs, results, attrs);
  return results;
}

function toleranceOf({ dtype }: HostArray, length: number, scale: number) {
  return dtype === "f32" || dtype === "f16"
    ? tolerance(length, scale, dtype)
    : 0;
}

/** The largest difference and where it is; -1 for none. NaN equals NaN and nothing else. */
function largestError(
  got: HostData,
  want: HostData,
): { readonly error: number; readonly at: number } {
  let most = 0;
  let at = -1;
  for (let i = 0; i < want.length; i++) {
    const a = got[i];
    const b = want[i];
    if (a === b || Number.isNaN(a) && Number.isNaN(b)) continue;
    const size = Math.abs(a - b);
    const error = Number.isNaN(size) ? Infinity : size;
    if (error > most) [most, at] = [error, i];
  }
  return { error: most, at };
}

function indexOf(at: number, shape: readonly number[]): number[] {
  const index: number[] = [];
  for (let d = shape.length - 1, rest = at; d >= 0; d--) {
    index.unshift(rest % shape[d]);
    rest = Math.floor(rest / shape[d]);
  }
  return index;
}

function refusal(
  { op, against, inputs, worst, error, allowed }: SwapCheck,
  { file, label }: Swap,
): KernelError {
  const { output, index, got, want } = worst!;
  const which = output > 0 ? ` of output ${output}` : "";
  const shapes = inputs.map(({ shape }) => formatShape(shape)).join(", ");
  return new KernelError(
    `Cannot run ${file} for ${label}: in ${op} of ${shapes}, element ${
      formatShape(index)
    }${which} is ${got} where the ${
      against === "reference" ? "reference" : "library's own kernel"
    } has ${want} (largest error ${short(error)}, allowed ${short(allowed)})`,
    file,
    0,
    0,
    op,
  );
}

function short(value: number): string {
  return value === 0 ? "0" : value.toPrecision(2);
}

/** The values of an operand at this place in the queue, whoever wrote them. */
async function peek(
  device: GPUDevice,
  { view, block }: Operand,
): Promise<HostArray> {
  const { shape, dtype, strides, offset } = view;
  const size = sizeOf(shape);
  if (size === 0) return { shape, dtype, data: emptyData(dtype, 0) };
  const item = itemBytes(dtype);
  const last = shape.reduce((at, n, d) => at + (n - 1) * strides[d], offset);
  // Copies go by words.
  const first = Math.floor(offset * item / 4) * 4;
  const bytes = Math.ceil((last + 1) * item / 4) * 4 - first;
  const staging = device.createBuffer({
    size: bytes,
    usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST,
  });
  try {
    const encoder = device.createCommandEncoder();
    const { buffer } = block as GpuBlock;
    encoder.copyBufferToBuffer(buffer, first, staging, 0, bytes);
    device.queue.submit([encoder.finish()]);
    await staging.mapAsync(GPUMapMode.READ);
    const skipped = offset * item - first;
    const data = fromBytes(
      dtype,
      staging.getMappedRange().slice(0),
      skipped,
      last + 1 - offset,
    );
    return { shape, dtype, data: gather(data, { ...view, offset: 0 }) };
  } finally {
    staging.destroy();
  }
}
