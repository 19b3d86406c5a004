/** This library, as a script would call it: eager, launches included. */
import {
  batchNorm,
  conv2d,
  init,
  linear,
  maxPool2d,
  nn,
  scope,
  synchronize,
  type Tensor,
  tensor,
  zoo,
} from "../../mod.ts";
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

/** Opens the library. */
export async function openOurs(): Promise<Peer> {
  await init({ seed: 0 });
  return { name: "Tessera", device: "webgpu", prepare };
}

function upload({ data, shape }: HostTensor): Tensor {
  return tensor(data, { shape });
}

function prepare(
  work: Work,
  data: readonly HostTensor[],
): Promise<Runner> {
  const runner = work.kind === "lenet"
    ? lenet(work, data)
    : forward(work, data.map(upload));
  return Promise.resolve(runner);
}

function forward(
  work: Exclude<Work, LeNetWork>,
  inputs: readonly Tensor[],
): Runner {
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
      case "network":
        return network(work, inputs);
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

/** Layer by layer, as the functions of the library are called in a script. */
function network(
  { steps }: NetworkWork,
  [x, ...parameters]: readonly Tensor[],
): Tensor {
  using inner = scope();
  const values = [x];
  let next = 0;
  for (const step of steps) {
    const of = values[step.of];
    switch (step.op) {
      case "conv": {
        const { stride, padding, relu, plus } = step;
        const [w, bias] = [parameters[next++], parameters[next++]];
        let y = conv2d(of, w, { bias, stride, padding });
        if (plus !== undefined) y = y.add(values[plus]);
        values.push(relu ? y.relu() : y);
        break;
      }
      case "maxPool": {
        const { kernel, stride, padding } = step;
        values.push(maxPool2d(of, kernel, { stride, padding }));
        break;
      }
      case "globalAverage":
        values.push(of.mean([2, 3]));
        break;
      case "linear":
        values.push(linear(of, parameters[next++], parameters[next++]));
    }
  }
  return inner.keep(values[steps.length]);
}

function lenet({ batch }: LeNetWork, data: readonly HostTensor[]): Runner {
  const [images, labels, ...values] = data;
  const x = upload(images);
  const targets = tensor(Int32Array.from(labels.data), { shape: [batch] });
  const net = zoo.lenet({ activation: "relu", pooling: "max" });
  const names = [...net.stateDict().keys()];
  net.loadStateDict(
    new Map(values.map((value, i) => [names[i], upload(value)])),
  );
  const optimizer = new nn.SGD(net.parameters(), { lr: LEARNING_RATE });
  const step = (): Tensor => {
    const loss = nn.crossEntropy(net(x), targets);
    optimizer.zeroGrad();
    loss.backward();
    optimizer.step();
    return loss;
  };
  return {
    async run(times) {
      for (let i = 0; i < times; i++) {
        using _ = scope();
        step();
      }
      await synchronize();
    },
    async result() {
      const losses: number[] = [];
      for (let i = 0; i < STEPS; i++) {
        using _ = scope();
        losses.push(await step().item());
      }
      return Float32Array.from(losses);
    },
    dispose() {
      [x, targets, ...net.parameters()].forEach((t) => t.dispose());
    },
  };
}
