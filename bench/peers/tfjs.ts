/** TensorFlow.js on WebGPU and, for orientation, on WebAssembly. Its convolutions want channels last, and get them so. */
import { waitFor } from "../support.ts";
import {
  NCHW,
  NHWC,
  type Tf,
  type TfBackend,
  type TfTensor,
} from "./tfjs_calls.ts";
import { forwardPass, trainingStep } from "./tfjs_nets.ts";
import {
  EPS,
  type HostTensor,
  type KernelWork,
  type Peer,
  type Runner,
} from "./work.ts";

// Variables, so that the type checker leaves the packages' own types alone.
const PACKAGE: string = "npm:@tensorflow/tfjs@4.22.0";
const WEBGPU: string = "npm:@tensorflow/tfjs-backend-webgpu@4.22.0";
const WASM: string = "npm:@tensorflow/tfjs-backend-wasm@4.22.0";

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
      const finish = backend === "webgpu"
        ? () => finishQueue(tf.backend())
        : () => {};
      switch (work.kind) {
        case "network":
          return forwardPass(tf, work, data, finish);
        case "training":
          if (backend === "wasm") {
            throw new Error("it has no weight gradient of convolutions there");
          }
          return trainingStep(tf, work, data, finish);
        default:
          return kernel(tf, work, data, finish);
      }
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

function kernel(
  tf: Tf,
  work: KernelWork,
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
