/** Pipelines of launches in tests: a kernel with the same constants is compiled once. */
import type { Launch, Plan } from "../../wgsl/op.ts";
import { elsewhere, type Reason, record } from "./record.ts";

/** A compiled launch. */
export interface Prepared {
  readonly layout: GPUBindGroupLayout;
  readonly pipeline: GPUComputePipeline;
}

/**
 * Pipelines that a test file makes of one kernel on another implementation, as some compile slowly: SwiftShader takes 50 to 500 ms. What
 * differs between implementations is how they read a kernel's text, which further constants hardly add to.
 */
const MOST = 2;

/** Most floating-point operations, and bytes, of a case there: how operands are cut where they exceed a binding is the plan's work, the same everywhere. */
const MOST_FLOPS = 4e6;
const MOST_BYTES = 2 ** 21;

const prepared = new Map<string, Prepared>();

/** Pipelines made so far, by kernel. */
const counts = new Map<string, number>();

/**
 * Whether SwiftShader's compiler comes to no end, while its memory grows: for one kernel's strides of 2, whose loop within a loop holds most from turn
 * to turn. Stride 1 compiles and is run. A single loop compiles too, but takes 1.2 to 1.4 times as long on other drivers.
 */
function isEndless({ kernel, constants = {} }: Launch): boolean {
  return kernel.label === "wgsl/conv/depthwise_weight_gradient.wgsl" &&
    (constants.STRIDE_H === 2 || constants.STRIDE_W === 2);
}

function needsHalf({ declarations }: Launch): boolean {
  return declarations?.includes("f16") ?? false;
}

function sourceOf(launch: Launch): string {
  const { kernel, declarations = "" } = launch;
  return `${
    needsHalf(launch) ? "enable f16; " : ""
  }${kernel.code}\n${declarations}`;
}

/** What each binding is, in their order. */
function typesOf(
  { bindings, params, appended = [] }: Launch,
): GPUBufferBindingType[] {
  const typeOf = ({ access }: Launch["bindings"][number]) =>
    access === "read" ? "read-only-storage" : "storage";
  return [
    ...bindings.map(typeOf),
    ...(params ? ["uniform" as const] : []),
    ...appended.map(typeOf),
  ];
}

function keyOf(launch: Launch): string {
  return JSON.stringify([
    sourceOf(launch),
    launch.constants,
    typesOf(launch),
  ]);
}

/** A kernel's name and what is appended to it, whatever the numbers there are. Epilogues are alike: with an activation, or without. */
function kernelOf({ kernel, declarations = "" }: Launch): string {
  if (declarations.includes("fn finish(")) {
    const types = declarations.match(/^alias .*$/gm)?.join() ?? "";
    return `${kernel.label}\n${types} ${declarations.includes("fn relu(")}`;
  }
  return `${kernel.label}\n${declarations.replace(/\b[\d.]+u?\b/g, "#")}`;
}

/** Why a plan can't be run here or, of a case that is only `checked` against its reference, isn't worth its time, if so: only on other implementations. */
export function leaveOut(
  gpu: GPUDevice,
  plan: Plan,
  checked: boolean,
): Reason | undefined {
  if (!elsewhere) return undefined;
  if (!gpu.features.has("shader-f16") && plan.launches.some(needsHalf)) {
    return "f16";
  }
  if (plan.launches.some(isEndless)) return "endless";
  if (!checked) return undefined;
  const total = (of: "flops" | "bytes") =>
    plan.launches.reduce((sum, launch) => sum + launch[of], 0);
  if (total("flops") > MOST_FLOPS || total("bytes") > MOST_BYTES) {
    return "size";
  }
  const tooMany = plan.launches.some((launch) =>
    (counts.get(kernelOf(launch)) ?? 0) >= MOST && !prepared.has(keyOf(launch))
  );
  return tooMany ? "constants" : undefined;
}

/** Compiles a launch, unless that was done before. Errors go to the error scope around the call. */
export function prepare(gpu: GPUDevice, launch: Launch): Prepared {
  const key = keyOf(launch);
  const known = prepared.get(key);
  if (known) return known;
  const { kernel: { label }, constants } = launch;
  const code = sourceOf(launch);
  const layout = gpu.createBindGroupLayout({
    entries: typesOf(launch).map((type, binding) => ({
      binding,
      visibility: GPUShaderStage.COMPUTE,
      buffer: { type },
    })),
  });
  const pipeline = gpu.createComputePipeline({
    layout: gpu.createPipelineLayout({ bindGroupLayouts: [layout] }),
    compute: {
      module: gpu.createShaderModule({ label, code }),
      entryPoint: "main",
      constants,
    },
  });
  const made = { layout, pipeline };
  prepared.set(key, made);
  const kernel = kernelOf(launch);
  counts.set(kernel, (counts.get(kernel) ?? 0) + 1);
  record({ kernel: label, source: code });
  return made;
}
