/** Asking for the adapter and its device, and measuring what the driver doesn't tell. */
import type { Limits } from "../../wgsl/op.ts";
import type { DeviceInfo } from "../backend.ts";

/** Features that kernels know how to use. Each is optional. */
const WANTED_FEATURES = ["shader-f16", "timestamp-query", "subgroups"] as const;

/** Limits that are asked for at the adapter's own value; the rest stay at WebGPU's defaults. */
const WANTED_LIMITS = [
  "maxBufferSize",
  "maxStorageBufferBindingSize",
  "maxComputeWorkgroupStorageSize",
  "maxComputeInvocationsPerWorkgroup",
  "maxComputeWorkgroupSizeX",
  "maxComputeWorkgroupsPerDimension",
] as const;

/** Iterations that the loop probe asks for. A driver that runs them all is taken to have no limit. */
const PROBE_TRIPS = 2 ** 18;

/** Part of the measured loop limit that plans may use. */
const TRIP_MARGIN = 0.9;

/** What `navigator.gpu` offers here. */
export interface Opened {
  readonly device: GPUDevice;
  readonly info: DeviceInfo;
}

/** Opens the adapter's device with its own limits, or undefined when there is no adapter. */
export async function openDevice(
  powerPreference?: GPUPowerPreference,
): Promise<Opened | undefined> {
  quietDesktopProbe();
  const adapter = await navigator.gpu?.requestAdapter({ powerPreference });
  if (!adapter) return undefined;
  const requiredFeatures = WANTED_FEATURES.filter((name) =>
    adapter.features.has(name)
  ) as GPUFeatureName[];
  const requiredLimits: Record<string, number> = {};
  for (const name of WANTED_LIMITS) requiredLimits[name] = adapter.limits[name];
  const device = await adapter.requestDevice({
    requiredFeatures,
    requiredLimits,
  });
  const { info } = adapter;
  const name = info.device && !/^(0x)?[0-9a-f]+$/i.test(info.device)
    ? info.device
    : info.description || info.vendor || "unnamed adapter";
  return {
    device,
    info: {
      backend: "webgpu",
      name,
      vendor: info.vendor,
      architecture: info.architecture,
      software: info.isFallbackAdapter ||
        /llvmpipe|swiftshader|software/i.test(`${name} ${info.description}`),
      features: requiredFeatures,
      limits: await readLimits(device),
    },
  };
}

/**
 * Without XDG_RUNTIME_DIR, as in containers, the search for adapters prints two lines about it to stderr. Any folder will do, as nothing is put
 * there. Nothing happens without the permission to set it.
 */
function quietDesktopProbe(): void {
  const variable = "XDG_RUNTIME_DIR";
  const allowed = globalThis.Deno?.permissions?.querySync({
    name: "env",
    variable,
  }).state === "granted";
  if (!allowed || Deno.build.os !== "linux" || Deno.env.get(variable)) return;
  Deno.env.set(variable, "/tmp");
}

async function readLimits(device: GPUDevice): Promise<Limits> {
  const { limits } = device;
  return {
    maxStorageBufferBindingSize: limits.maxStorageBufferBindingSize,
    maxBufferSize: limits.maxBufferSize,
    maxComputeWorkgroupsPerDimension: limits.maxComputeWorkgroupsPerDimension,
    maxComputeInvocationsPerWorkgroup: limits.maxComputeInvocationsPerWorkgroup,
    maxComputeWorkgroupStorageSize: limits.maxComputeWorkgroupStorageSize,
    maxLoopTrips: Math.floor(await probeLoopTrips(device) * TRIP_MARGIN),
  };
}

/**
 * Counts how many iterations of one loop the driver really runs. Some end loops early and say nothing: llvmpipe after 65,535.
 *
 * The loop's body depends on itself, so that no compiler can work out the end without running it.
 */
async function probeLoopTrips(device: GPUDevice): Promise<number> {
  const code = `
@group(0) @binding(0) var<storage, read_write> cell: array<u32>;
@compute @workgroup_size(1) fn main() {
  let trips = cell[0];
  var state = 1u;
  var count = 0u;
  for (var i = 0u; i < trips; i++) {
    state = state * 1664525u + 1013904223u;
    count += 1u + (state & 0u);
  }
  cell[0] = count;
  cell[1] = state;
}`;
  const pipeline = device.createComputePipeline({
    layout: "auto",
    compute: {
      module: device.createShaderModule({ label: "loop probe", code }),
      entryPoint: "main",
    },
  });
  const cell = device.createBuffer({
    size: 8,
    usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC |
      GPUBufferUsage.COPY_DST,
  });
  const staging = device.createBuffer({
    size: 8,
    usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST,
  });
  device.queue.writeBuffer(cell, 0, Uint32Array.of(PROBE_TRIPS, 0));
  const encoder = device.createCommandEncoder();
  const pass = encoder.beginComputePass();
  pass.setPipeline(pipeline);
  pass.setBindGroup(
    0,
    device.createBindGroup({
      layout: pipeline.getBindGroupLayout(0),
      entries: [{ binding: 0, resource: { buffer: cell } }],
    }),
  );
  pass.dispatchWorkgroups(1);
  pass.end();
  encoder.copyBufferToBuffer(cell, 0, staging, 0, 8);
  device.queue.submit([encoder.finish()]);
  await staging.mapAsync(GPUMapMode.READ);
  const [count] = new Uint32Array(staging.getMappedRange());
  cell.destroy();
  staging.destroy();
  return count;
}
