/**
 * ONNX Runtime Web on WebGPU, its data in GPU buffers, and for orientation on WebAssembly with as many threads as the machine has cores.
 *
 * Weights of convolutions are part of the model, so that it may pack them once.
 */
import { waitFor } from "../support.ts";
import { type OnnxModel, onnxModel, type OnnxNode } from "./onnx.ts";
import { networkModel, windowOf } from "./ort_nets.ts";
import type {
  BatchNormWork,
  HostTensor,
  KernelWork,
  Peer,
  Runner,
} from "./work.ts";

/** A tensor of the runtime, as far as it is used here. */
interface OrtTensor {
  getData(): Promise<Float32Array>;
  dispose(): void;
}

interface OrtSession {
  run(
    inputs: Readonly<Record<string, OrtTensor>>,
  ): Promise<Record<string, OrtTensor>>;
  release(): Promise<void>;
}

/** The package, as far as it is used here. */
interface Ort {
  readonly env: {
    logLevel: string;
    readonly wasm: { numThreads: number };
    readonly webgpu: { readonly device: Promise<GPUDevice> };
  };
  readonly InferenceSession: {
    create(model: Uint8Array, options: unknown): Promise<OrtSession>;
  };
  readonly Tensor: {
    new (
      type: "float32",
      data: Float32Array,
      dims: readonly number[],
    ): OrtTensor;
    fromGpuBuffer(
      buffer: GPUBuffer,
      options: { dataType: "float32"; dims: readonly number[] },
    ): OrtTensor;
  };
}

/** Its build with WebGPU can start no threads in Deno, and the other one can. */
const PACKAGES = {
  webgpu: "npm:onnxruntime-web@1.30.0/webgpu",
  wasm: "npm:onnxruntime-web@1.30.0",
};

/** Opens the library with one of its execution providers. */
export async function openOrt(provider: "webgpu" | "wasm"): Promise<Peer> {
  const ort: Ort = await import(PACKAGES[provider]);
  ort.env.logLevel = "error";
  const gpu = provider === "webgpu";
  ort.env.wasm.numThreads = gpu ? 1 : navigator.hardwareConcurrency;
  return {
    name: `ONNX Runtime Web ${provider}`,
    device: gpu ? "webgpu" : "cpu",
    async prepare(work, data) {
      if (work.kind === "training" || work.kind === "batchNorm") {
        throw new Error("it has no training");
      }
      const model = work.kind === "network"
        ? networkModel(work, data)
        : modelFor(work, data);
      const session = await ort.InferenceSession.create(
        onnxModel(model),
        {
          executionProviders: [provider],
          graphOptimizationLevel: "all",
          preferredOutputLocation: gpu ? "gpu-buffer" : "cpu",
        },
      );
      const device = gpu ? await ort.env.webgpu.device : undefined;
      const inputs = work.kind === "matmul" ? data : data.slice(0, 1);
      return runnerFor(ort, session, inputs, device);
    },
  };
}

function modelFor(
  work: Exclude<KernelWork, BatchNormWork>,
  data: readonly HostTensor[],
): OnnxModel {
  const [x, w] = data;
  const given = { x: x.shape };
  const one = (
    op: string,
    attributes: OnnxNode["attributes"] = {},
    names = ["x"],
  ): OnnxNode[] => [{ op, inputs: names, output: "y", attributes }];
  switch (work.kind) {
    case "matmul":
      return {
        inputs: { ...given, b: w.shape },
        nodes: one("MatMul", {}, ["x", "b"]),
      };
    case "conv": {
      const nodes = one("Conv", windowOf(work, work.groups), ["x", "b"]);
      return { inputs: given, weights: { b: w }, nodes };
    }
    case "maxPool":
      return {
        inputs: given,
        nodes: one("MaxPool", windowOf({ ...work, padding: 0 })),
      };
    case "average":
      return { inputs: given, nodes: one("GlobalAveragePool") };
    case "softmax":
      return { inputs: given, nodes: one("Softmax", { axis: 1 }) };
    case "sum": {
      const nodes = one("ReduceSum", { axes: [0, 2, 3], keepdims: 0 });
      return { inputs: given, nodes };
    }
  }
}

function runnerFor(
  ort: Ort,
  session: OrtSession,
  data: readonly HostTensor[],
  device: GPUDevice | undefined,
): Runner {
  const buffers: GPUBuffer[] = [];
  const tensors = data.map(({ data, shape }) => {
    if (!device) return new ort.Tensor("float32", data, shape);
    const buffer = device.createBuffer({
      size: data.byteLength,
      usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST |
        GPUBufferUsage.COPY_SRC,
    });
    buffers.push(buffer);
    device.queue.writeBuffer(buffer, 0, data);
    return ort.Tensor.fromGpuBuffer(buffer, {
      dataType: "float32",
      dims: shape,
    });
  });
  const inputs = Object.fromEntries(
    tensors.map((tensor, i) => [["x", "b"][i], tensor]),
  );
  return {
    async run(times) {
      for (let i = 0; i < times; i++) (await session.run(inputs)).y.dispose();
      if (device) waitFor(device);
    },
    async result() {
      const { y } = await session.run(inputs);
      const values = await y.getData();
      y.dispose();
      return values;
    },
    dispose() {
      session.release();
      buffers.forEach((buffer) => buffer.destroy());
    },
  };
}
