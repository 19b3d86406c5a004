/**
 * Runs an op's launch plan straight on WebGPU, without core's device, memory and queue, and compares each variant with the op's reference.
 *
 * Every launch is checked for errors and held against the limits; the adapter must be there, or the test fails.
 */
import { assert } from "@std/assert";
import type {
  Binding,
  HostArray,
  HostData,
  Launch,
  Limits,
  Meta,
  Op,
  Plan,
  Slot,
  View,
} from "../../wgsl/op.ts";
import {
  contiguousView,
  isContiguous,
  itemBytes,
  sizeOf,
} from "../../wgsl/shape.ts";
import { emptyData } from "../../core/host.ts";
import { leaveOut, prepare } from "./pipelines.ts";
import { elsewhere, record } from "./record.ts";
import { assertClose } from "./tolerance.ts";

/** Limits that every WebGPU device keeps, with the loop limit of the strictest known driver. */
export const PORTABLE_LIMITS: Limits = {
  maxStorageBufferBindingSize: 128 * 1024 * 1024,
  maxBufferSize: 256 * 1024 * 1024,
  maxComputeWorkgroupsPerDimension: 65535,
  maxComputeInvocationsPerWorkgroup: 256,
  maxComputeWorkgroupStorageSize: 16384,
  maxLoopTrips: 60000,
};

/** Bytes behind each tensor that a kernel may not touch, and what they hold, as does all memory that wasn't written yet. */
const MARGIN = 1024;
const FILL = 0x7b;

let device: GPUDevice | undefined;

/** The device that plans run on. */
export async function testDevice(): Promise<GPUDevice> {
  if (device) return device;
  const adapter = await navigator.gpu.requestAdapter();
  assert(adapter, "No WebGPU adapter: run `deno task test`, which sets one up");
  record({ adapter: adapter.info.description });
  device = await adapter.requestDevice({
    requiredFeatures: adapter.features.has("shader-f16") ? ["shader-f16"] : [],
    requiredLimits: { maxBufferSize: adapter.limits.maxBufferSize },
  });
  return device;
}

/** Whether a test of values may use a type here. Where the device lacks half precision, the record says that `of` left it out. */
export async function offers(dtype: Meta["dtype"], of: string) {
  const offered = !elsewhere || dtype !== "f16" ||
    (await testDevice()).features.has("shader-f16");
  if (!offered) record({ leftOut: "f16", of });
  return offered;
}

/** An array on the host from plain numbers. */
export function host(
  values: Iterable<number>,
  shape: readonly number[],
  dtype: Meta["dtype"] = "f32",
): HostArray {
  const data = emptyData(dtype, sizeOf(shape));
  let i = 0;
  for (const value of values) data[i++] = value;
  assert(i === data.length, `${i} values for ${data.length} elements`);
  return { shape, dtype, data };
}

/** An array of pseudo-random normal-ish values (f32) or small integers, the same for the same seed. */
export function noise(
  shape: readonly number[],
  seed = 1,
  dtype: Meta["dtype"] = "f32",
): HostArray {
  let state = (seed * 2654435761) >>> 0;
  const next = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
  const float = dtype === "f32" || dtype === "f16" || dtype === "f64";
  const values = Array.from(
    { length: sizeOf(shape) },
    () =>
      float
        ? next() + next() + next() + next() - 2
        : dtype === "bool"
        ? Number(next() < 0.5)
        : Math.floor(next() * 20) - (dtype === "i32" ? 10 : 0),
  );
  return host(values, shape, dtype);
}

/** What an op is given in a check. `views` replaces the contiguous view of an input: same buffer, other shape and strides. */
export interface Case<Attrs> {
  readonly inputs: readonly HostArray[];
  readonly attrs: Attrs;
  readonly views?: readonly (View | undefined)[];
  readonly limits?: Partial<Limits>;
  /** Terms that each output element sums, for the tolerance. @default 1 */
  readonly length?: number;
  /** Times the tolerance that a variant may err, for those that compute in another way than the sum. @default 1 each */
  readonly factors?: Readonly<Record<string, number>>;
  /** Names of the variants to run. @default every variant that applies */
  readonly variants?: readonly string[];
}

/** Results by the reference of cases that are being checked. */
const references = new WeakMap<object, HostArray[]>();

/** Computes a case by the op's reference. */
export function runReference<Attrs>(
  op: Op<Attrs>,
  { inputs, views, attrs }: Case<Attrs>,
): HostArray[] {
  const dense = inputs.map((input, i) => gather(input, views?.[i]));
  const outputs = op.infer(dense, attrs).map((meta, i) =>
    op.inPlace
      ? { ...meta, data: dense[op.inPlace[i]].data.slice() }
      : { ...meta, data: emptyData(meta.dtype, sizeOf(meta.shape)) }
  );
  op.reference(dense, outputs, attrs);
  return outputs;
}

/**
 * Computes a case by one variant's plan, on the GPU. Where another implementation of WebGPU leaves the case out, that is recorded and the result is
 * the reference's. `checked` tells that the result is only compared with it.
 */
export async function runVariant<Attrs>(
  op: Op<Attrs>,
  name: string,
  given: Case<Attrs>,
  checked = false,
): Promise<HostArray[]> {
  const { inputs, views, attrs, limits } = given;
  const gpu = await testDevice();
  const inputViews = inputs.map((x, i) => views?.[i] ?? contiguousView(x));
  assert(
    op.strided || inputViews.every(isContiguous),
    `${op.name} isn't declared to take strided inputs`,
  );
  const outputViews = op.infer(inputViews, attrs).map(contiguousView);
  const allowed = { ...PORTABLE_LIMITS, ...limits };
  const variant = op.variants.find((v) => v.name === name);
  assert(variant, `${op.name} has no variant ${name}`);
  const plan = variant.plan({
    inputs: inputViews,
    outputs: outputViews,
    attrs,
    limits: allowed,
  });
  const reason = leaveOut(gpu, plan, checked);
  if (reason) {
    record({ leftOut: reason, of: `${op.name} (${name})` });
    return references.get(given) ?? runReference(op, given);
  }
  const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC |
    GPUBufferUsage.COPY_DST;
  const create = (bytes: number) => {
    const size = Math.max(256, Math.ceil(bytes / 256) * 256) + MARGIN;
    const buffer = gpu.createBuffer({ size, usage });
    // A kernel must not rely on fresh buffers being zero: recycled ones aren't.
    gpu.queue.writeBuffer(buffer, 0, new Uint8Array(size).fill(FILL));
    return buffer;
  };
  const buffers = {
    input: inputs.map((x) => {
      const words = toWords(x);
      const buffer = create(words.byteLength);
      // Deno 2.9.6 panics on writes of no bytes.
      if (words.byteLength > 0) gpu.queue.writeBuffer(buffer, 0, words);
      return buffer;
    }),
    output: outputViews.map((y) =>
      create(sizeOf(y.shape) * itemBytes(y.dtype))
    ),
    scratch: (plan.scratch ?? []).map(create),
  };
  op.inPlace?.forEach((from, to) => buffers.output[to] = buffers.input[from]);
  try {
    const ends = {
      input: inputs.map((x) => toWords(x).byteLength),
      output: outputViews.map((y) => sizeOf(y.shape) * itemBytes(y.dtype)),
      scratch: plan.scratch ?? [],
    };
    for (const launch of plan.launches) checkLaunch(launch, allowed);
    await runLaunches(gpu, withMargins(plan, ends), buffers);
    const assertUntouched = (margin: Uint8Array, what: string) =>
      assert(
        margin.every((byte) => byte === FILL),
        `${op.name} (${name}) writes beyond ${what}`,
      );
    for (const [i, buffer] of buffers.scratch.entries()) {
      const margin = await download(gpu, buffer, toWord(ends.scratch[i]));
      assertUntouched(new Uint8Array(margin), `scratch ${i}`);
    }
    return await Promise.all(outputViews.map(async (y, i) => {
      const bytes = await download(gpu, buffers.output[i]);
      const margin = new Uint8Array(bytes, toWord(ends.output[i]));
      assertUntouched(margin, `output ${i}`);
      return { shape: y.shape, dtype: y.dtype, data: fromWords(bytes, y) };
    }));
  } finally {
    for (const list of Object.values(buffers)) list.forEach((b) => b.destroy());
  }
}

/** Names of the variants that apply to a case, the default first. */
export function applicable<Attrs>(op: Op<Attrs>, given: Case<Attrs>): string[] {
  const inputs = given.inputs.map((x, i) =>
    given.views?.[i] ?? contiguousView(x)
  );
  const request = {
    inputs,
    outputs: op.infer(inputs, given.attrs).map(contiguousView),
    attrs: given.attrs,
    limits: { ...PORTABLE_LIMITS, ...given.limits },
  };
  return op.variants
    .filter((variant) => variant.applies?.(request) ?? true)
    .map(({ name }) => name);
}

/** Checks every variant that applies against the reference. Returns the names of those that ran. */
export async function checkOp<Attrs>(
  op: Op<Attrs>,
  given: Case<Attrs>,
): Promise<string[]> {
  const want = runReference(op, given);
  references.set(given, want);
  const ran: string[] = [];
  for (const name of applicable(op, given)) {
    if (given.variants && !given.variants.includes(name)) continue;
    const got = await runVariant(op, name, given, true);
    got.forEach((y, i) =>
      assertClose(
        y,
        want[i],
        given.length,
        `${op.name} (${name}) output ${i}`,
        given.factors?.[name],
      )
    );
    ran.push(name);
  }
  assert(ran.length > 0, `No variant of ${op.name} applied`);
  return ran;
}

/**
 * The plan with bindings that reach to the end of a buffer, where they reach to the end of a tensor. WebGPU drops writes beyond a binding and reads 0
 * there, which would hide that a kernel strays; memory pools hand out buffers that are longer than a tensor.
 */
function withMargins(
  plan: Plan,
  ends: Readonly<Record<Slot, readonly number[]>>,
): Plan {
  return {
    ...plan,
    launches: plan.launches.map((launch) => ({
      ...launch,
      bindings: launch.bindings.map((binding) => {
        const { slot, index, offset, size } = binding;
        const last = offset + size >= ends[slot][index];
        return last ? { ...binding, size: size + MARGIN } : binding;
      }),
    })),
  };
}

async function runLaunches(
  gpu: GPUDevice,
  plan: Plan,
  buffers: Record<Slot, GPUBuffer[]>,
): Promise<void> {
  for (const launch of plan.launches) {
    gpu.pushErrorScope("validation");
    const { layout, pipeline } = prepare(gpu, launch);
    const bound: GPUBindGroupEntry[] = [];
    const add = ({ slot, index, offset, size }: Binding) => {
      const resource = { buffer: buffers[slot][index], offset, size };
      bound.push({ binding: bound.length, resource });
    };
    launch.bindings.forEach(add);
    if (launch.params) {
      const uniform = gpu.createBuffer({
        size: launch.params.byteLength,
        usage: GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST,
      });
      gpu.queue.writeBuffer(uniform, 0, launch.params);
      bound.push({ binding: bound.length, resource: { buffer: uniform } });
    }
    launch.appended?.forEach(add);
    const encoder = gpu.createCommandEncoder();
    const pass = encoder.beginComputePass();
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, gpu.createBindGroup({ layout, entries: bound }));
    pass.dispatchWorkgroups(...launch.workgroups);
    pass.end();
    gpu.queue.submit([encoder.finish()]);
    const error = await gpu.popErrorScope();
    assert(!error, `${launch.kernel.label}: ${error?.message}`);
  }
}

/** Asserts that a launch keeps to limits, those of its bindings included. */
export function checkLaunch(launch: Launch, limits: Limits): void {
  const { label } = launch.kernel;
  assert(
    launch.trips <= limits.maxLoopTrips,
    `${label}: ${launch.trips} trips`,
  );
  const bindings = [...launch.bindings, ...launch.appended ?? []];
  assert(bindings.length <= 8, `${label}: more than 8 storage buffers`);
  for (const n of launch.workgroups) {
    assert(
      Number.isInteger(n) && n >= 1 &&
        n <= limits.maxComputeWorkgroupsPerDimension,
      `${label}: ${launch.workgroups} workgroups`,
    );
  }
  for (const { offset, size } of bindings) {
    assert(offset % 256 === 0, `${label}: offset ${offset}`);
    assert(
      size > 0 && size % 4 === 0 && size <= limits.maxStorageBufferBindingSize,
      `${label}: binding of ${size} bytes`,
    );
  }
}

/** Bytes rounded up to whole words. */
function toWord(bytes: number): number {
  return Math.ceil(bytes / 4) * 4;
}

async function download(
  gpu: GPUDevice,
  buffer: GPUBuffer,
  from = 0,
): Promise<ArrayBuffer> {
  const size = buffer.size - from;
  const staging = gpu.createBuffer({
    size,
    usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST,
  });
  const encoder = gpu.createCommandEncoder();
  encoder.copyBufferToBuffer(buffer, from, staging, 0, size);
  gpu.queue.submit([encoder.finish()]);
  await staging.mapAsync(GPUMapMode.READ);
  const bytes = staging.getMappedRange().slice(0);
  staging.destroy();
  return bytes;
}

function toWords({ data, dtype }: HostArray): Uint8Array<ArrayBuffer> {
  const source = dtype === "bool" ? Uint32Array.from(data) : data;
  const bytes = new Uint8Array(toWord(source.byteLength));
  bytes.set(
    new Uint8Array(source.buffer, source.byteOffset, source.byteLength),
  );
  return bytes;
}

function fromWords(bytes: ArrayBuffer, { shape, dtype }: Meta): HostData {
  const n = sizeOf(shape);
  if (dtype === "bool") return Uint8Array.from(new Uint32Array(bytes, 0, n));
  const out = emptyData(dtype, n);
  new Uint8Array(out.buffer).set(new Uint8Array(bytes, 0, out.byteLength));
  return out;
}

/** The elements of a view in row-major order. */
function gather(input: HostArray, view?: View): HostArray {
  if (!view) return input;
  const { shape, strides, offset, dtype } = view;
  const data = emptyData(dtype, sizeOf(shape));
  for (let i = 0; i < data.length; i++) {
    let rest = i;
    let at = offset;
    for (let d = shape.length - 1; d >= 0; d--) {
      at += (rest % shape[d]) * strides[d];
      rest = Math.floor(rest / shape[d]);
    }
    data[i] = input.data[at];
  }
  return { shape, dtype, data };
}
