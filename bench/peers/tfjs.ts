/** TensorFlow.js on WebGPU and, for orientation, on WebAssembly. Its convolutions want channels last, and get them so. */
import { waitFor } from "../support.ts";
import type { NetworkWork } from "./networks.ts";
import {
  EPS,
  type HostTensor,
  LEARNING_RATE,
  type LeNetWork,
  type Peer,
  type Runner,
  STEPS,
  type Work,
} from "./work.ts";

/** A tensor of TensorFlow.js, as far as it is used here. */
interface TfTensor {
  data(): Promise<Float32Array>;
  dispose(): void;
  add(other: TfTensor): TfTensor;
  relu(): TfTensor;
  reshape(shape: readonly number[]): TfTensor;
  transpose(axes: readonly number[]): TfTensor;
  matMul(other: TfTensor): TfTensor;
  softmax(axis: number): TfTensor;
  sum(axes: readonly number[]): TfTensor;
  mean(axes: readonly number[]): TfTensor;
}

/** Its WebGPU backend: commands that wait to be submitted. */
interface TfBackend {
  readonly device: GPUDevice;
  readonly commandEncoder: GPUCommandEncoder | null;
  endComputePassEncoder(): void;
  submitQueue(): void;
}

interface TfOptimizer {
  minimize(loss: () => TfTensor, keep: boolean): TfTensor;
}

/** The package, as far as it is used here. */
interface Tf {
  setBackend(name: string): Promise<boolean>;
  backend(): TfBackend;
  tensor(data: Float32Array, shape: readonly number[]): TfTensor;
  variable(value: TfTensor): TfTensor;
  tidy<T>(body: () => T): T;
  keep(value: TfTensor): TfTensor;
  matMul(a: TfTensor, b: TfTensor): TfTensor;
  conv2d: TfConv;
  depthwiseConv2d: TfConv;
  maxPool(
    x: TfTensor,
    kernel: number,
    stride: number,
    padding: number | "valid",
    rounding?: "floor",
  ): TfTensor;
  readonly fused: {
    conv2d(options: {
      x: TfTensor;
      filter: TfTensor;
      strides: number;
      pad: number;
      dataFormat: "NHWC";
      dimRoundingMode: "floor";
      bias: TfTensor;
      activation: "relu" | "linear";
    }): TfTensor;
    matMul(options: {
      a: TfTensor;
      b: TfTensor;
      transposeB: boolean;
      bias: TfTensor;
    }): TfTensor;
  };
  moments(
    x: TfTensor,
    axes: readonly number[],
  ): { mean: TfTensor; variance: TfTensor };
  batchNorm(
    x: TfTensor,
    mean: TfTensor,
    variance: TfTensor,
    offset: undefined,
    scale: undefined,
    eps: number,
  ): TfTensor;
  oneHot(labels: TfTensor, classes: number): TfTensor;
  tensor1d(data: Int32Array, dtype: "int32"): TfTensor;
  readonly losses: {
    softmaxCrossEntropy(labels: TfTensor, logits: TfTensor): TfTensor;
  };
  readonly train: { sgd(rate: number): TfOptimizer };
}

type TfConv = (
  x: TfTensor,
  w: TfTensor,
  stride: number,
  padding: number,
  format: "NHWC",
  dilation: number,
  rounding: "floor",
) => TfTensor;

// Variables, so that the type checker leaves the packages' own types alone.
const PACKAGE: string = "npm:@tensorflow/tfjs@4.22.0";
const WEBGPU: string = "npm:@tensorflow/tfjs-backend-webgpu@4.22.0";
const WASM: string = "npm:@tensorflow/tfjs-backend-wasm@4.22.0";

const NHWC = [0, 2, 3, 1];
const NCHW = [0, 3, 1, 2];

/** Opens the library on one of its backends. Only one can be in use at a time. */
export async function openTfjs(backend: "webgpu" | "wasm"): Promise<Peer> {
  const tf: Tf = await import(PACKAGE);
  if (backend === "webgpu") await import(WEBGPU);
  else {
    const { setWasmPaths } = await import(WASM);
    setWasmPaths(await wasmFolder());
  }
  if (!await tf.setBackend(backend)) {
    throw new Error(`TensorFlow.js can't start its ${backend} backend`);
  }
  return {
    name: `TensorFlow.js ${backend}`,
    device: backend === "webgpu" ? "webgpu" : "cpu",
    async prepare(work, data) {
      await tf.setBackend(backend);
      // Its wasm backend has no weight gradient of convolutions.
      if (backend === "wasm" && work.kind === "lenet") return undefined;
      const finish = backend === "webgpu"
        ? () => finishQueue(tf.backend())
        : () => {};
      return work.kind === "lenet"
        ? lenet(tf, work, data, finish)
        : forward(tf, work, data, finish);
    },
  };
}

/** Where the package's binaries are: Deno keeps a package in a folder of its own, below one for the registry that it came from. */
async function wasmFolder(): Promise<string> {
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["info", "--json"],
  }).output();
  const { npmCache } = JSON.parse(new TextDecoder().decode(stdout));
  const inside = "@tensorflow/tfjs-backend-wasm/4.22.0/wasm-out/";
  for await (const { name } of Deno.readDir(npmCache)) {
    const folder = `${npmCache}/${name}/${inside}`;
    const found = await Deno.stat(folder).catch(() => undefined);
    if (found) return folder;
  }
  throw new Error(`Cannot find ${inside} below ${npmCache}`);
}

/** Submits what is recorded, which takes ending its pass first, and waits. */
function finishQueue(backend: TfBackend): void {
  backend.endComputePassEncoder();
  if (backend.commandEncoder) backend.submitQueue();
  waitFor(backend.device);
}

function forward(
  tf: Tf,
  work: Exclude<Work, LeNetWork>,
  data: readonly HostTensor[],
  finish: () => void,
): Runner {
  const inputs = tf.tidy(() =>
    data.map(({ data, shape }, i) => {
      const x = tf.tensor(data, shape);
      if (shape.length !== 4) return x;
      if (i === 0) return x.transpose(NHWC);
      return x.transpose(
        work.kind === "conv" && work.groups > 1 ? [2, 3, 0, 1] : [2, 3, 1, 0],
      );
    }).map((x) => tf.keep(x))
  );
  const [x, w] = inputs;
  const call = (): TfTensor => {
    switch (work.kind) {
      case "matmul":
        return tf.matMul(x, w);
      case "conv": {
        const conv = work.groups > 1 ? tf.depthwiseConv2d : tf.conv2d;
        return conv(x, w, work.stride, work.padding, "NHWC", 1, "floor");
      }
      case "maxPool":
        return tf.maxPool(x, work.kernel, work.stride, "valid");
      case "softmax":
        return x.softmax(1);
      case "sum":
        return x.sum([0, 1, 2]);
      case "average":
        return x.mean([1, 2]);
      case "network":
        return network(tf, work, inputs);
      case "batchNorm": {
        const { mean, variance } = tf.moments(x, [0, 1, 2]);
        return tf.batchNorm(x, mean, variance, undefined, undefined, EPS);
      }
    }
  };
  const spatial = ["conv", "maxPool", "batchNorm"].includes(work.kind);
  return {
    run(times) {
      for (let i = 0; i < times; i++) tf.tidy(call).dispose();
      finish();
      return Promise.resolve();
    },
    async result() {
      const y = tf.tidy(() => spatial ? call().transpose(NCHW) : call());
      const values = await y.data();
      y.dispose();
      return values;
    },
    dispose: () => inputs.forEach((input) => input.dispose()),
  };
}

/** Layer by layer, with bias and ReLU in the convolution where it takes them. */
function network(
  tf: Tf,
  { steps }: NetworkWork,
  [x, ...parameters]: readonly TfTensor[],
): TfTensor {
  const values = [x];
  let next = 0;
  for (const step of steps) {
    const of = values[step.of];
    switch (step.op) {
      case "conv": {
        const { stride, padding, relu, plus } = step;
        const y = tf.fused.conv2d({
          x: of,
          filter: parameters[next++],
          strides: stride,
          pad: padding,
          dataFormat: "NHWC",
          dimRoundingMode: "floor",
          bias: parameters[next++],
          activation: relu && plus === undefined ? "relu" : "linear",
        });
        const sum = plus === undefined ? y : y.add(values[plus]);
        values.push(relu && plus !== undefined ? sum.relu() : sum);
        break;
      }
      case "maxPool": {
        // Padded with zeros, which no value after a ReLU is below.
        const { kernel, stride, padding } = step;
        values.push(tf.maxPool(of, kernel, stride, padding, "floor"));
        break;
      }
      case "globalAverage":
        values.push(of.mean([1, 2]));
        break;
      case "linear":
        values.push(tf.fused.matMul({
          a: of,
          b: parameters[next++],
          transposeB: true,
          bias: parameters[next++],
        }));
    }
  }
  return values[steps.length];
}

function lenet(
  tf: Tf,
  { batch }: LeNetWork,
  data: readonly HostTensor[],
  finish: () => void,
): Runner {
  const [images, labels, ...values] = data;
  const x = tf.keep(tf.tensor(images.data, [batch, 28, 28, 1]));
  const targets = tf.keep(
    tf.tidy(() =>
      tf.oneHot(tf.tensor1d(Int32Array.from(labels.data), "int32"), 10)
    ),
  );
  const parameters = values.map(({ data, shape }) =>
    tf.variable(tf.tidy(() => {
      const value = tf.tensor(data, shape);
      if (shape.length === 4) return value.transpose([2, 3, 1, 0]);
      // The first linear layer reads planes whose channels come last.
      if (shape[1] === 400) {
        return value.reshape([120, 16, 5, 5]).transpose([2, 3, 1, 0])
          .reshape([400, 120]);
      }
      return shape.length === 2 ? value.transpose([1, 0]) : value;
    }))
  );
  const [w1, b1, w2, b2, w3, b3, w4, b4, w5, b5] = parameters;
  const optimizer = tf.train.sgd(LEARNING_RATE);
  const pool = (t: TfTensor) => tf.maxPool(t, 2, 2, "valid");
  const loss = () => {
    const conv = (t: TfTensor, w: TfTensor, b: TfTensor, padding: number) =>
      tf.conv2d(t, w, 1, padding, "NHWC", 1, "floor").add(b).relu();
    const planes = pool(conv(pool(conv(x, w1, b1, 2)), w2, b2, 0));
    const hidden = planes.reshape([batch, 400]).matMul(w3).add(b3).relu()
      .matMul(w4).add(b4).relu();
    return tf.losses.softmaxCrossEntropy(targets, hidden.matMul(w5).add(b5));
  };
  return {
    run(times) {
      for (let i = 0; i < times; i++) optimizer.minimize(loss, true).dispose();
      finish();
      return Promise.resolve();
    },
    async result() {
      const losses: number[] = [];
      for (let i = 0; i < STEPS; i++) {
        const value = optimizer.minimize(loss, true);
        losses.push((await value.data())[0]);
        value.dispose();
      }
      return Float32Array.from(losses);
    },
    dispose: () => [x, targets, ...parameters].forEach((t) => t.dispose()),
  };
}
