/** Compiled steps whose options change from step to step, against the same steps call by call. */
import { assertEquals } from "@std/assert";
import {
  nn,
  randn,
  scope,
  seed,
  setRandomState,
  type Tensor,
} from "../../mod.ts";
import { freeing, onBothDevices, onDevice } from "../support/devices.ts";
import {
  assertStepsAgree,
  dropoutNet as net,
  smallBatch as batch,
  type Training,
} from "../support/training.ts";

const { SGD, Adam, AdamW, RMSprop, Adagrad } = nn;

const groups = (net: nn.Module) => [
  { params: net.parameters().slice(0, 2) },
  { params: net.parameters().slice(2), lr: 0.01 },
];

const OPTIMISERS: Readonly<Record<string, Training["optimizer"]>> = {
  "SGD": (net) => new SGD(net.parameters(), { lr: 0.05 }),
  "SGD with momentum": (net) =>
    new SGD(net.parameters(), { lr: 0.05, momentum: 0.9, dampening: 0.5 }),
  "Adam": (net) => new Adam(net.parameters(), { lr: 0.01 }),
  "AdamW": (net) => new AdamW(net.parameters(), { lr: 0.01, weightDecay: 0.1 }),
  "RMSprop": (net) => new RMSprop(net.parameters(), { lr: 0.01 }),
  "Adagrad": (net) => new Adagrad(net.parameters(), { lr: 0.05, lrDecay: 0.1 }),
  "groups of Adam": (net) => new Adam(groups(net), { lr: 0.02 }),
};

const SCHEDULES: Readonly<
  Record<string, (optimizer: nn.Optimizer) => nn.LRScheduler>
> = {
  "CosineAnnealingLR": (o) => new nn.CosineAnnealingLR(o, 9),
  "CosineAnnealingWarmRestarts": (o) =>
    new nn.CosineAnnealingWarmRestarts(o, 3, { tMult: 2 }),
  "OneCycleLR": (o) => new nn.OneCycleLR(o, 0.05, { totalSteps: 24 }),
  "StepLR": (o) => new nn.StepLR(o, 4),
  "MultiStepLR": (o) => new nn.MultiStepLR(o, [3, 7, 11]),
  "ExponentialLR": (o) => new nn.ExponentialLR(o, 0.9),
  "LinearLR": (o) => new nn.LinearLR(o, { startFactor: 0.1, totalIters: 8 }),
  "SequentialLR": (o) =>
    new nn.SequentialLR(o, [
      new nn.LinearLR(o, { startFactor: 0.1, totalIters: 4 }),
      new nn.ExponentialLR(o, 0.8),
    ], [5]),
  "ChainedScheduler": (o) =>
    new nn.ChainedScheduler([
      new nn.LinearLR(o, { startFactor: 0.1, totalIters: 4 }),
      new nn.ExponentialLR(o, 0.8),
    ]),
};

/** Steps that are those of call by call, bit for bit. */
function same(training: Partial<Training>): Promise<void> {
  return assertStepsAgree({
    net,
    optimizer: OPTIMISERS.Adam,
    batch,
    steps: 24,
    allowed: 0,
    ...training,
  });
}

for (const [title, optimizer] of Object.entries(OPTIMISERS)) {
  onBothDevices(
    `steps of ${title} by a schedule are those of call by call, bit for bit`,
    () => same({ optimizer, schedule: SCHEDULES.CosineAnnealingLR }),
  );
}

for (const [title, schedule] of Object.entries(SCHEDULES)) {
  onBothDevices(`${title} is foreseen`, () => same({ schedule }));
}

onDevice(
  "webgpu",
  "more steps than the table holds are those of call by call, bit for bit",
  () =>
    same({
      steps: 560,
      schedule: (o) => new nn.CosineAnnealingLR(o, 300),
    }),
);

/** A schedule of somebody's own that remembers more than it tells. */
class Odd extends nn.LRScheduler {
  #hidden = 0;

  override step(): void {
    this.lastEpoch++;
    this.#hidden += this.lastEpoch;
    this.setLrs((lr) => lr / (1 + 0.01 * this.#hidden));
  }

  override begin(): void {}
}

onBothDevices(
  "schedules that can't be foreseen are heard all the same",
  async () => {
    await same({ schedule: (o) => new Odd(o) });
    await same({
      schedule: (o) => new nn.ChainedScheduler([new Odd(o)]),
    });
  },
);

onBothDevices("what changes the course between steps is heard", () => {
  const loads = new WeakMap<nn.Module, () => void>();
  return same({
    steps: 40,
    optimizer: OPTIMISERS["groups of Adam"],
    schedule: SCHEDULES.ExponentialLR,
    between: (step, { net, optimizer }) => {
      const groups = (optimizer as nn.Adam).paramGroups;
      if (step === 5) optimizer.lr = 0.03;
      if (step === 8) groups[1].lr = 0.001;
      if (step === 11) groups[0].betas = [0.5, 0.9];
      if (step === 14) randn([100]).dispose();
      if (step === 17) seed(5);
      if (step === 20) setRandomState({ key: [1, 2], counter: 2 ** 32 - 3 });
      if (step === 23) {
        const state = optimizer.stateDict();
        loads.set(net, () => optimizer.loadStateDict(state));
      }
      if (step === 30) loads.get(net)!();
      if (step === 34) setRandomState({ key: [1, 2], counter: 2 ** 40 - 9 });
    },
  });
});

onBothDevices("a step by call between two compiled ones is heard", async () => {
  const run = async (compiled: boolean) => {
    seed(3);
    using _ = scope();
    const model = net();
    const optimizer = new Adam(model.parameters());
    const plain = (x: Tensor, y: Tensor) => {
      const value = nn.crossEntropy(model(x), y);
      optimizer.zeroGrad();
      value.backward();
      optimizer.step();
      return value.detach();
    };
    const loss = nn.crossEntropy;
    const [a, b] = [0, 1].map(() =>
      compiled ? nn.compileStep(model, { loss, optimizer }) : undefined
    );
    const losses: Promise<number>[] = [];
    for (let k = 0; k < 30; k++) {
      using _ = scope();
      const [x, y] = batch();
      const step = [a, b, a, a, undefined][k % 5] ?? plain;
      losses.push(step(x, y).item());
      optimizer.zeroGrad();
    }
    const values = await Promise.all(losses);
    a?.dispose();
    b?.dispose();
    optimizer.dispose();
    model.dispose();
    return values;
  };
  assertEquals(await run(true), await run(false));
});

onBothDevices(
  "fit foresees a schedule that it steps after each batch",
  async () => {
    const fitted = async (compile: boolean) => {
      seed(2);
      const model = net();
      using _model = freeing(model);
      using optimizer = new Adam(model.parameters());
      const data = {
        *[Symbol.iterator]() {
          for (let k = 0; k < 5; k++) {
            const [inputs, targets] = batch();
            yield { inputs, targets };
          }
        },
      };
      const history = await nn.fit(model, data, {
        optimizer,
        schedule: new nn.OneCycleLR(optimizer, 0.1, { totalSteps: 15 }),
        scheduleBy: "step",
        epochs: 3,
        compile,
        onProgress: false,
      });
      assertEquals(history.compiled, compile);
      return [history.losses, history.lrs];
    };
    assertEquals(await fitted(true), await fitted(false));
  },
);
