/**
 * jax-js on WebGPU and, for orientation, on WebAssembly. Functions are jitted, as its documentation advises.
 *
 * Functions take their arguments away unless they are given a `.ref`. Nothing is dispatched before a result is asked for; asking for its buffer
 * dispatches without a map of its own, so that the wait can be that of all others.
 */
import { waitFor } from "../support.ts";
import {
  convolve,
  type Jax,
  type JaxFunction,
  pool,
  type Queue,
  runnerOf,
  upload,
} from "./jax_calls.ts";
import { forwardPass, trainingStep } from "./jax_nets.ts";
import {
  EPS,
  type HostTensor,
  type KernelWork,
  type Peer,
  type Runner,
} from "./work.ts";

const PACKAGE: string = "npm:@jax-js/jax@0.1.25";

/** Opens the library on one of its devices. */
export async function openJax(device: "webgpu" | "wasm"): Promise<Peer> {
  const jax: Jax = await import(PACKAGE);
  const ready = await jax.init(device);
  if (!ready.includes(device)) {
    throw new Error(`jax-js can't start its ${device} device`);
  }
  const queue: Queue = device === "webgpu"
    ? {
      async dispatch(results) {
        await Promise.all(results.map((result) => result.gpuBuffer()));
      },
      wait: () => waitFor(jax.getWebGPUDevice()),
    }
    : {
      async dispatch(results) {
        await jax.blockUntilReady(results);
        results.forEach((result) => result.dispose());
      },
      wait() {},
    };
  return {
    name: `jax-js ${device}`,
    device: device === "webgpu" ? "webgpu" : "cpu",
    async prepare(work, data) {
      jax.defaultDevice(device);
      // LeNet is what it can do in a second.
      if (device === "wasm" && "net" in work && work.net !== "lenet") {
        throw new Error("its convolutions make 0.2 GFLOP/s there");
      }
      switch (work.kind) {
        case "network":
          return await forwardPass(jax, work, data, queue);
        case "training":
          return await trainingStep(jax, work, data, queue);
        default:
          return kernel(jax, work, data, queue);
      }
    },
  };
}

function kernel(
  jax: Jax,
  work: KernelWork,
  data: readonly HostTensor[],
  queue: Queue,
): Runner {
  const inputs = data.map((host) => upload(jax, host));
  const call = jax.jit<JaxFunction>((x, w) => {
    switch (work.kind) {
      case "matmul":
        return jax.numpy.matmul(x, w);
      case "conv":
        return convolve(jax, x, w, work.padding, work.stride, work.groups);
      case "maxPool":
        return pool(jax, x, work.kernel, work.stride);
      case "softmax":
        return jax.nn.softmax(x, 1);
      case "sum":
        return jax.numpy.sum(x, [0, 2, 3]);
      case "average":
        return jax.numpy.mean(x, [2, 3]);
      case "batchNorm":
        return jax.nn.standardize(x, [0, 2, 3], { epsilon: EPS });
    }
  });
  return runnerOf(call, inputs, queue);
}
