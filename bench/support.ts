/**
 * Runs a chosen variant of an op straight on WebGPU, prepared once and timed without anything of the tensor core.
 *
 * Deno's call of `queue.onSubmittedWorkDone()` returns when the GPU is done, while its promise takes some 10 ms more. So the call is made and
 * its promise left alone.
 */
import { openDevice } from "../core/gpu/adapter.ts";
import { PipelineCache } from "../core/gpu/pipelines.ts";
import type { DeviceInfo } from "../core/backend.ts";
import type { AnyOp, Binding, Launch, Meta, Plan, View } from "../wgsl/op.ts";
import { contiguousView, itemBytes, sizeOf } from "../wgsl/shape.ts";
import type { Cost } from "./shapes.ts";

/** One call of an op, with the cost that its formula gives. */
export interface Case extends Cost {
  /** Where it comes from and its shape. */
  readonly name: string;
  readonly op: AnyOp;
  readonly inputs: readonly View[];
  readonly attrs: unknown;
}

/** Work that is ready to be timed. */
export interface Prepared {
  /** Runs it some times in one submission. Returns wall milliseconds, until the GPU is done. */
  run(times: number): number;
  /** As `run`, by the GPU's own clock. Only where timestamps are offered. */
  runOnGpuClock(times: number): Promise<number>;
  destroy(): void;
}

/** A device to time on. */
export interface Bench {
  readonly info: DeviceInfo;
  /** Names of the variants that can compute a case, the library's default first. */
  variantsOf(given: Case): string[];
  /** Makes buffers, pipelines and bind groups. Rejects where the GPU finds an error in them. */
  prepare(given: Case, variant: string): Promise<Prepared>;
  /** The same for a plan of one's own; `sizes` are bytes of inputs and outputs. */
  preparePlan(plan: Plan, sizes: Sizes): Promise<Prepared>;
}

/** Bytes of the buffers around a plan. */
export interface Sizes {
  readonly input: readonly number[];
  readonly output: readonly number[];
}

/** A contiguous f32 operand. */
export function dense(...shape: number[]): View {
  return contiguousView({ shape, dtype: "f32" });
}

/** A matrix that lies in memory as its transpose, as the weight of a linear layer does. */
export function transposed(rows: number, columns: number): View {
  return {
    shape: [rows, columns],
    dtype: "f32",
    strides: [1, rows],
    offset: 0,
  };
}

/** Opens the adapter, with the limits that the library uses too. */
export async function openBench(): Promise<Bench> {
  const opened = await openDevice();
  if (!opened) {
    throw new Error(
      "Cannot measure: no WebGPU adapter was found, `deno task test` sets one up",
    );
  }
  const { device, info } = opened;
  const pipelines = new PipelineCache(device);
  const request = ({ op, inputs, attrs }: Case) => ({
    inputs,
    outputs: op.infer(inputs, attrs).map(contiguousView),
    attrs,
    limits: info.limits,
  });
  const bytesOf = (meta: Meta) => sizeOf(meta.shape) * itemBytes(meta.dtype);
  const preparePlan = (plan: Plan, sizes: Sizes) =>
    preparePlanOn(device, pipelines, plan, sizes);
  return {
    info,
    preparePlan,
    variantsOf: (given) =>
      given.op.variants
        .filter((variant) => variant.applies?.(request(given)) ?? true)
        .map(({ name }) => name),
    prepare(given, name) {
      const variant = given.op.variants.find((v) => v.name === name);
      if (!variant) throw new Error(`${given.op.name} has no variant ${name}`);
      const call = request(given);
      return preparePlan(variant.plan(call), {
        input: given.inputs.map(bytesOf),
        output: call.outputs.map(bytesOf),
      });
    },
  };
}

async function preparePlanOn(
  device: GPUDevice,
  pipelines: PipelineCache,
  plan: Plan,
  sizes: Sizes,
): Promise<Prepared> {
  device.pushErrorScope("out-of-memory");
  device.pushErrorScope("validation");
  const buffers = {
    input: sizes.input.map((bytes) => filledBuffer(device, bytes)),
    output: sizes.output.map((bytes) => storageBuffer(device, bytes)),
    scratch: (plan.scratch ?? []).map((bytes) => storageBuffer(device, bytes)),
  };
  const uniforms: GPUBuffer[] = [];
  const steps = plan.launches.map((launch) => {
    const pipeline = pipelines.get(launch, "bench");
    const entries: GPUBindGroupEntry[] = launch.bindings.map(
      ({ slot, index, offset, size }: Binding, binding) => ({
        binding,
        resource: { buffer: buffers[slot][index], offset, size },
      }),
    );
    if (launch.params) {
      const buffer = uniformBuffer(device, launch);
      uniforms.push(buffer);
      entries.push({ binding: entries.length, resource: { buffer } });
    }
    for (const { slot, index, offset, size } of launch.appended ?? []) {
      entries.push({
        binding: entries.length,
        resource: { buffer: buffers[slot][index], offset, size },
      });
    }
    const group = device.createBindGroup({ layout: pipeline.layout, entries });
    return { pipeline, group, workgroups: launch.workgroups };
  });
  const record = (
    times: number,
    timestampWrites?: GPUComputePassTimestampWrites,
  ) => {
    const encoder = device.createCommandEncoder();
    const pass = encoder.beginComputePass({ timestampWrites });
    for (let i = 0; i < times; i++) {
      for (const { pipeline, group, workgroups } of steps) {
        pass.setPipeline(pipeline.gpu);
        pass.setBindGroup(0, group);
        pass.dispatchWorkgroups(...workgroups);
      }
    }
    pass.end();
    return encoder;
  };
  const prepared: Prepared = {
    run(times) {
      const start = performance.now();
      device.queue.submit([record(times).finish()]);
      waitFor(device);
      return performance.now() - start;
    },
    runOnGpuClock: (times) =>
      timeOnGpu(device, (writes) => record(times, writes)),
    destroy() {
      const all = [...Object.values(buffers).flat(), ...uniforms];
      for (const buffer of all) buffer.destroy();
    },
  };
  // Software drivers compile at the first dispatch.
  prepared.run(1);
  await Promise.all(steps.map(({ pipeline }) => pipeline.checked));
  const errors = [await device.popErrorScope(), await device.popErrorScope()];
  const failure =
    steps.find(({ pipeline }) => pipeline.error)?.pipeline.error ??
      errors.find((error) => error !== null);
  if (failure) {
    prepared.destroy();
    throw new Error(`Cannot measure: ${failure.message}`);
  }
  return prepared;
}

/** Returns when the GPU has done all that was submitted. */
export function waitFor(device: GPUDevice): void {
  device.queue.onSubmittedWorkDone().catch(() => {});
}

async function timeOnGpu(
  device: GPUDevice,
  record: (writes: GPUComputePassTimestampWrites) => GPUCommandEncoder,
): Promise<number> {
  const querySet = device.createQuerySet({ type: "timestamp", count: 2 });
  const resolved = device.createBuffer({
    size: 16,
    usage: GPUBufferUsage.QUERY_RESOLVE | GPUBufferUsage.COPY_SRC,
  });
  const staging = device.createBuffer({
    size: 16,
    usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST,
  });
  const encoder = record({
    querySet,
    beginningOfPassWriteIndex: 0,
    endOfPassWriteIndex: 1,
  });
  encoder.resolveQuerySet(querySet, 0, 2, resolved, 0);
  encoder.copyBufferToBuffer(resolved, 0, staging, 0, 16);
  device.queue.submit([encoder.finish()]);
  await staging.mapAsync(GPUMapMode.READ);
  const [start, end] = new BigUint64Array(staging.getMappedRange());
  staging.destroy();
  resolved.destroy();
  querySet.destroy();
  return Number(end - start) / 1e6;
}

function storageBuffer(device: GPUDevice, bytes: number): GPUBuffer {
  return device.createBuffer({
    size: Math.max(256, Math.ceil(bytes / 256) * 256),
    usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST,
  });
}

/** Floats from -1 to 1: zeros would be kinder to some hardware, and denormals and NaN unkinder. */
function filledBuffer(device: GPUDevice, bytes: number): GPUBuffer {
  const buffer = storageBuffer(device, bytes);
  const values = Float32Array.from(
    { length: Math.min(buffer.size / 4, 2 ** 16) },
    (_, i) => Math.sin(i * i),
  );
  for (let at = 0; at < buffer.size; at += values.byteLength) {
    const count = Math.min(values.length, (buffer.size - at) / 4);
    device.queue.writeBuffer(buffer, at, values, 0, count);
  }
  return buffer;
}

function uniformBuffer(device: GPUDevice, { params }: Launch): GPUBuffer {
  const buffer = device.createBuffer({
    size: params!.byteLength,
    usage: GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST,
  });
  device.queue.writeBuffer(buffer, 0, params!);
  return buffer;
}
