/**
 * ONNX Runtime Web on WebGPU, its data in GPU buffers, and for orientation on WebAssembly with one thread.
 *
 * Weights of convolutions are part of the model, so that it may pack them once.
 */
import { waitFor } from "../support.ts";
import { onnxModel, type OnnxNode } from "./onnx.ts";
import type {
  BatchNormWork,
  HostTensor,
  LeNetWork,
  Peer,
  Runner,
  Work,
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

const PACKAGE: string = "npm:onnxruntime-web@1.30.0/webgpu";

/** Opens the library with one of its execution providers. */
export async function openOrt(provider: "webgpu" | "wasm"): Promise<Peer> {
  const ort: Ort = await import(PACKAGE);
  ort.env.logLevel = "error";
  ort.env.wasm.numThreads = 1;
  const gpu = provider === "webgpu";
  return {
    name: `ONNX Runtime Web ${provider}`,
    device: gpu ? "webgpu" : "cpu",
    async prepare(work, data) {
      // It has no training, of batch norms neither.
      if (work.kind === "lenet" || work.kind === "batchNorm") return undefined;
      const session = await ort.InferenceSession.create(
        onnxModel(nodeFor(work, data)),
        {
          executionProviders: [provider],
          preferredOutputLocation: gpu ? "gpu-buffer" : "cpu",
        },
      );
      const device = gpu ? await ort.env.webgpu.device : undefined;
      const inputs = work.kind === "matmul" ? data : data.slice(0, 1);
      return runnerFor(ort, session, inputs, device);
    },
  };
}

function nodeFor(
  work: Exclude<Work, LeNetWork | BatchNormWork>,
  [x, w]: readonly HostTensor[],
): OnnxNode {
  const inputShape = x.shape;
  switch (work.kind) {
    case "matmul":
      return { op: "MatMul", inputShape, moreInputs: [w.shape] };
    case "conv": {
      const { kernel, stride, padding, groups } = work;
      const attributes = {
        kernel_shape: [kernel, kernel],
        strides: [stride, stride],
        pads: [padding, padding, padding, padding],
        group: groups,
      };
      return { op: "Conv", inputShape, attributes, weights: [w] };
    }
    case "maxPool": {
      const { kernel, stride } = work;
      const attributes = {
        kernel_shape: [kernel, kernel],
        strides: [stride, stride],
      };
      return { op: "MaxPool", inputShape, attributes };
    }
    case "average":
      return { op: "GlobalAveragePool", inputShape };
    case "softmax":
      return { op: "Softmax", inputShape, attributes: { axis: 1 } };
    case "sum": {
      const attributes = { axes: [0, 2, 3], keepdims: 0 };
      return { op: "ReduceSum", inputShape, attributes };
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
