/** Compiled steps whose time passes on the GPU: what is foreseen, what isn't, and that nothing is uploaded in between. */
import { assertEquals, assertThrows } from "@std/assert";
import {
  compile,
  dropout,
  nn,
  ones,
  randint,
  randn,
  randomState,
  scope,
  seed,
  setRandomState,
  type Tensor,
} from "../../mod.ts";
import { LaunchError } from "../../core/errors.ts";
import { freeing, onBothDevices, onDevice } from "../support/devices.ts";
import { assertFails, assertFailsLater } from "../support/errors.ts";
import { assertStepsAgree, type Training } from "../support/training.ts";

const { SGD, Adam, AdamW, RMSprop, Adagrad } = nn;

/** Two linear layers with dropout between, whose fused kernels round as they do call by call. */
function net(): nn.Module {
  return new nn.Sequential(
    new nn.Linear(6, 8),
    new nn.ReLU(),
    new nn.Dropout(0.5),
    new nn.Linear(8, 3),
  );
}

const batch = (): [Tensor, Tensor] => [randn([4, 6]), randint(0, 3, [4])];

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

/** Counts uploads while `body` runs. */
function uploadsOf(body: () => void): number {
  const { writeBuffer } = GPUQueue.prototype;
  let count = 0;
  GPUQueue.prototype.writeBuffer = function (...given) {
    count++;
    return writeBuffer.apply(this, given);
  };
  try {
    body();
  } finally {
    GPUQueue.prototype.writeBuffer = writeBuffer;
  }
  return count;
}

/** A compiled step with Adam and a schedule on one batch. */
function prepared() {
  const model = net();
  const optimizer = new Adam(model.parameters());
  const schedule = new nn.CosineAnnealingLR(optimizer, 50);
  const loss = nn.crossEntropy;
  const step = nn.compileStep(model, { loss, optimizer, schedule });
  const [x, y] = batch();
  const run = (count: number) => {
    for (let k = 0; k < count; k++) {
      using _ = scope();
      step(x, y);
    }
  };
  const dispose = () => {
    step.dispose();
    optimizer.dispose();
    model.dispose();
  };
  return { optimizer, schedule, run, [Symbol.dispose]: dispose };
}

onDevice(
  "webgpu",
  "100 steps with Adam, dropout and a schedule upload their table alone, twice as much each time",
  () => {
    using made = prepared();
    made.run(2);
    // Runs 2, 4, 8, 16, 32 and 64 fill the table, and go back to its first row.
    assertEquals(uploadsOf(() => made.run(100)), 12);
    assertEquals(uploadsOf(() => made.run(25)), 0);
    // From 256 rows on it is filled at every 256th step.
    made.run(128 + 256);
    assertEquals(uploadsOf(() => made.run(256 * 2)), 4);
  },
);

onDevice("webgpu", "what breaks the course is uploaded once", async () => {
  using made = prepared();
  made.run(70);
  assertEquals(uploadsOf(() => made.run(1)), 0);
  // Drawing moves the state alone.
  await randn([5]).read();
  assertEquals(uploadsOf(() => made.run(20)), 1);
  // A step size has one row written, then two, four and eight.
  made.optimizer.lr = 0.5;
  assertEquals(uploadsOf(() => made.run(8)), 8);
  // And so does each of many.
  const changed = uploadsOf(() => {
    for (let k = 0; k < 10; k++) {
      made.optimizer.lr = 0.5 + k;
      made.run(1);
    }
  });
  assertEquals(changed, 20);
});

onDevice(
  "webgpu",
  "plans in which nothing changes upload nothing",
  async () => {
    const model = net().eval();
    using _model = freeing(model);
    using run = await compile(model, [4, 6]);
    const x = randn([4, 6]);
    await x.read();
    assertEquals(uploadsOf(() => run(x).dispose()), 0);
  },
);

onBothDevices("plans draw on from where they are", async () => {
  using run = await compile((x: Tensor) => dropout(x, { p: 0.5 }), [64]);
  const x = ones([64]);
  const want = () => dropout(x, { p: 0.5 }).array();
  for (let k = 0; k < 3; k++) {
    const state = randomState();
    const expected = [await want(), await want()];
    setRandomState(state);
    assertEquals([await run(x).array(), await run(x).array()], expected);
  }
});

onDevice(
  "webgpu",
  "after a run that failed on the GPU the next has its own place in the stream",
  async () => {
    using run = await compile((x: Tensor) => dropout(x, { p: 0.5 }), [64]);
    const x = ones([64]);
    await run(x).read();
    const { createCommandEncoder } = GPUDevice.prototype;
    GPUDevice.prototype.createCommandEncoder = function (descriptor) {
      GPUDevice.prototype.createCommandEncoder = createCommandEncoder;
      // An error in the scope of what is recorded next.
      this.createBuffer({ size: 16, usage: 0 });
      return this.createCommandEncoder(descriptor);
    };
    await assertFailsLater(
      run(x).read(),
      LaunchError,
      "Cannot run advance, dropout: Invalid usage flags BufferUsages(0x0)",
    );
    const state = randomState();
    const want = await dropout(x, { p: 0.5 }).array();
    setRandomState(state);
    assertEquals(await run(x).array(), want);
  },
);

onDevice(
  "webgpu",
  "a step that can't be recorded isn't made, and the next ones are what they would have been",
  async () => {
    const lossesOf = (failing: boolean) => {
      seed(1);
      const model = net();
      using _model = freeing(model);
      using optimizer = new Adam(model.parameters());
      const schedule = new nn.ExponentialLR(optimizer, 0.9);
      const loss = nn.crossEntropy;
      using step = nn.compileStep(model, { loss, optimizer, schedule });
      const [x, y] = batch();
      const losses: Promise<number>[] = [];
      for (let k = 0; k < 9; k++) {
        using _ = scope();
        if (failing && k === 5) failToRecord(() => step(x, y));
        losses.push(step(x, y).item());
      }
      return Promise.all(losses);
    };
    assertEquals(await lossesOf(true), await lossesOf(false));
  },
);

/** Expects a run to throw what its second launch throws. */
function failToRecord(run: () => void): void {
  const { dispatchWorkgroups } = GPUComputePassEncoder.prototype;
  let launches = 0;
  GPUComputePassEncoder.prototype.dispatchWorkgroups = function (...given) {
    if (launches++ === 1) throw new Error("No more");
    return dispatchWorkgroups.apply(this, given);
  };
  try {
    assertFails(run, Error, "No more");
  } finally {
    GPUComputePassEncoder.prototype.dispatchWorkgroups = dispatchWorkgroups;
  }
}

onBothDevices("a schedule must be the optimiser's, and know its way", () => {
  const model = net();
  using _model = freeing(model);
  using optimizer = new SGD(model.parameters(), { lr: 0.1 });
  using other = new SGD(model.parameters(), { lr: 0.1 });
  const loss = nn.crossEntropy;
  assertThrows(
    () =>
      nn.compileStep(model, {
        loss,
        optimizer,
        schedule: new nn.StepLR(other, 2),
      }),
    RangeError,
    "Cannot compile a step with the schedule of another optimiser: expected one of its own",
  );
  assertThrows(
    () =>
      nn.compileStep(model, {
        loss,
        optimizer,
        schedule: new nn.ReduceLROnPlateau(optimizer),
      }),
    TypeError,
    "Cannot step ReduceLROnPlateau after each training step: it needs a metric, call its step yourself",
  );
});

onBothDevices("a cycle's end is told, and the step that met it is made", () => {
  const model = net();
  using _model = freeing(model);
  using optimizer = new Adam(model.parameters());
  const schedule = new nn.OneCycleLR(optimizer, 0.1, { totalSteps: 5 });
  const loss = nn.crossEntropy;
  using step = nn.compileStep(model, { loss, optimizer, schedule });
  const [x, y] = batch();
  for (let k = 0; k < 5; k++) step(x, y);
  assertFails(
    () => step(x, y),
    RangeError,
    "Cannot make step 6 of a cycle: it has 5 steps",
  );
  const { state } = optimizer.stateDict();
  assertEquals([...state.values()].map(({ step }) => step), [6, 6, 6, 6]);
});
