/** This library's ops, one by one, as a script would call them. */
import {
  batchNorm,
  conv2d,
  init,
  maxPool2d,
  synchronize,
  type Tensor,
  tensor,
} from "../../mod.ts";
import { forwardPass, trainingStep } from "./ours_nets.ts";
import {
  EPS,
  type HostTensor,
  type KernelWork,
  type Peer,
  type Runner,
} from "./work.ts";

/** Opens the library: its calls as they are, or what its compiler makes of networks. */
export async function openOurs(mode: "eager" | "compiled"): Promise<Peer> {
  await init({ seed: 0 });
  const compiled = mode === "compiled";
  return {
    name: compiled ? "Tessera, compiled" : "Tessera",
    device: "webgpu",
    async prepare(work, data) {
      if (work.kind === "network") return await forwardPass(work, data, mode);
      if (work.kind === "training") return trainingStep(work, data, mode);
      if (compiled) throw new Error("there is nothing to compile in one op");
      return kernel(work, data.map(upload));
    },
  };
}

function upload({ data, shape }: HostTensor): Tensor {
  return tensor(data, { shape });
}

function kernel(work: KernelWork, inputs: readonly Tensor[]): Runner {
  const [x, w] = inputs;
  const call = (): Tensor => {
    switch (work.kind) {
      case "matmul":
        return x.matmul(w);
      case "conv": {
        const { stride, padding, groups } = work;
        return conv2d(x, w, { stride, padding, groups });
      }
      case "maxPool":
        return maxPool2d(x, work.kernel, { stride: work.stride });
      case "softmax":
        return x.softmax(1);
      case "sum":
        return x.sum([0, 2, 3]);
      case "average":
        return x.mean([2, 3]);
      case "batchNorm":
        return batchNorm(x, null, null, { training: true, eps: EPS });
    }
  };
  return {
    async run(times) {
      for (let i = 0; i < times; i++) call().dispose();
      await synchronize();
    },
    async result() {
      using y = call();
      return await y.read() as Float32Array;
    },
    dispose: () => inputs.forEach((input) => input.dispose()),
  };
}
