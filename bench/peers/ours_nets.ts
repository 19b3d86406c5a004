/** The zoo's networks by this library: eagerly, as a script calls them, and compiled. */
import {
  nn,
  noGrad,
  scope,
  synchronize,
  type Tensor,
  tensor,
  zoo,
} from "../../mod.ts";
import {
  type HostTensor,
  type NetName,
  type NetworkWork,
  parametersOf,
  type Runner,
  STEPS,
  type TrainingWork,
} from "./work.ts";

type Mode = "eager" | "compiled";

const NETS: Readonly<Record<NetName, () => nn.Module>> = {
  lenet: () => zoo.lenet({ activation: "relu", pooling: "max" }),
  resnet18: () => zoo.resnet18(),
  vgg16: () => zoo.vgg16(),
  googlenet: () => zoo.googlenet(),
  densenet121: () => zoo.densenet121(),
};

function upload({ data, shape }: HostTensor): Tensor {
  return tensor(data, { shape });
}

/** The net with a row's numbers in it. */
function netFor(
  work: NetworkWork | TrainingWork,
  values: readonly HostTensor[],
): nn.Module {
  const net = nn.init.skipInit(NETS[work.net]);
  using _ = scope();
  // How many batches were counted is nothing that others have.
  const counts = [...net.stateDict()]
    .filter(([name]) => name.endsWith("num_batches_tracked"));
  const given = parametersOf(work).map(({ name }, i) =>
    [name, upload(values[i])] as const
  );
  net.loadStateDict(new Map([...counts, ...given]));
  return net;
}

/** The network in evaluation. */
export async function forwardPass(
  work: NetworkWork,
  [pictures, ...values]: readonly HostTensor[],
  mode: Mode,
): Promise<Runner> {
  const net = netFor(work, values).eval();
  const x = upload(pictures);
  const plan = mode === "compiled"
    ? await nn.compile(net, work.shape)
    : undefined;
  const call = (): Tensor => {
    if (plan) return plan(x);
    using inner = scope();
    return inner.keep(noGrad(() => net(x)));
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
    dispose() {
      plan?.dispose();
      [x, ...net.stateDict().values()].forEach((t) => t.dispose());
    },
  };
}

/** A step of gradient descent. */
export function trainingStep(
  work: TrainingWork,
  [pictures, labels, ...values]: readonly HostTensor[],
  mode: Mode,
): Runner {
  const net = netFor(work, values).train();
  const x = upload(pictures);
  const targets = tensor(Int32Array.from(labels.data), { shape: labels.shape });
  const optimizer = new nn.SGD(net.parameters(), { lr: work.rate });
  const plan = mode === "compiled"
    ? nn.compileStep(net, { loss: nn.crossEntropy, optimizer })
    : undefined;
  const step = (): Tensor => {
    if (plan) return plan(x, targets);
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
      plan?.dispose();
      [x, targets, ...net.stateDict().values()].forEach((t) => t.dispose());
    },
  };
}
