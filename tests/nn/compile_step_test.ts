/** Compiled training steps against the same steps call by call. */
import { assert, assertEquals, assertNotEquals } from "@std/assert";
import {
  compile,
  init,
  memory,
  nn,
  noGrad,
  randint,
  randn,
  randomState,
  scope,
  setRandomState,
  type Tensor,
  tensor,
} from "../../mod.ts";
import { CompileError, InterruptedError } from "../../core/errors.ts";
import { onInterrupt } from "../../core/runtime.ts";
import { freeing, onBothDevices, onDevice } from "../support/devices.ts";
import { assertFails } from "../support/errors.ts";
import { assertNear } from "../support/compiled.ts";
import { assertStepsAgree, train, type Training } from "../support/training.ts";

const { SGD, Adam, AdamW, RMSprop, Adagrad } = nn;

/** Convolution, norm, dropout, pooling and a linear layer. */
function smallNet(p = 0): nn.Module {
  return new nn.Sequential(
    new nn.Conv2d(1, 4, 3, { padding: 1 }),
    new nn.BatchNorm2d(4),
    new nn.ReLU(),
    new nn.MaxPool2d(2),
    new nn.Flatten(),
    new nn.Dropout(p),
    new nn.Linear(16, 3),
  );
}

const INPUT = [4, 1, 4, 4];
const batch = (n = 4): [Tensor, Tensor] => [
  randn([n, ...INPUT.slice(1)]),
  randint(0, 3, [n]),
];

const OPTIMISERS: Readonly<
  Record<string, Training["optimizer"]>
> = {
  "SGD": (net) => new SGD(net.parameters(), { lr: 0.05 }),
  "SGD with momentum and weight decay": (net) =>
    new SGD(net.parameters(), { lr: 0.05, momentum: 0.9, weightDecay: 0.01 }),
  "SGD with Nesterov's step": (net) =>
    new SGD(net.parameters(), { lr: 0.05, momentum: 0.9, nesterov: true }),
  "Adam": (net) => new Adam(net.parameters(), { lr: 0.01 }),
  "AdamW with amsgrad": (net) =>
    new AdamW(net.parameters(), { lr: 0.01, amsgrad: true }),
  "RMSprop": (net) =>
    new RMSprop(net.parameters(), { lr: 0.01, momentum: 0.5, centered: true }),
  "Adagrad": (net) => new Adagrad(net.parameters(), { lr: 0.05 }),
  "parameter groups": (net) =>
    new SGD([
      { params: net.parameters().slice(0, 2) },
      { params: net.parameters().slice(2), lr: 0.01, momentum: 0.5 },
    ], { lr: 0.05 }),
};

for (const [title, make] of Object.entries(OPTIMISERS)) {
  onBothDevices(
    `compiled steps of ${title} are those of call by call`,
    () =>
      assertStepsAgree({
        net: () => smallNet(),
        optimizer: make,
        batch: () => batch(),
        steps: 8,
      }),
  );
}

onBothDevices(
  "dropout draws what it draws call by call, and batch norms measure and count",
  () =>
    assertStepsAgree({
      net: () => smallNet(0.5),
      optimizer: OPTIMISERS.Adam,
      batch: () => batch(),
      steps: 8,
    }),
);

onBothDevices(
  "schedules and changes by hand are heard",
  () =>
    assertStepsAgree({
      net: () => smallNet(),
      optimizer: OPTIMISERS["SGD with momentum and weight decay"],
      batch: () => batch(),
      steps: 12,
      between: (step, { optimizer }) => {
        const [group] = (optimizer as nn.SGD).paramGroups;
        if (step === 3) optimizer.lr = 0.01;
        if (step === 5) group.weightDecay = 0;
        if (step === 6) group.momentum = 0.5;
        if (step === 8) group.nesterov = true;
        if (step === 10) Object.assign(group, { nesterov: false, momentum: 0 });
        optimizer.lr *= 0.9;
      },
    }),
);

onBothDevices("gradients are clipped", async () => {
  for (const options of [{ clipNorm: 0.1 }, { clipValue: 0.01 }]) {
    await assertStepsAgree({
      net: () => smallNet(),
      optimizer: OPTIMISERS.SGD,
      batch: () => batch(),
      steps: 5,
      ...options,
    });
  }
});

onBothDevices("batches of two shapes take turns", () =>
  assertStepsAgree({
    net: () => smallNet(),
    optimizer: OPTIMISERS.Adam,
    batch: (step) => batch(step % 2 ? 4 : 3),
    steps: 9,
  }));

onBothDevices(
  "layers may be frozen, released and put into another mode between steps",
  () =>
    assertStepsAgree({
      net: () => smallNet(0.5),
      optimizer: OPTIMISERS["SGD with momentum and weight decay"],
      batch: () => batch(),
      steps: 18,
      between: (step, { net }) => {
        const [conv, norm] = [...net.namedChildren()].map(([, m]) => m);
        if (step === 3) conv.requiresGrad_(false);
        if (step === 7) conv.requiresGrad_(true);
        if (step === 11) norm.eval();
        if (step === 15) norm.train();
      },
    }),
);

onBothDevices(
  "a checkpoint that is loaded in the middle is gone on from",
  () => {
    const loads = new WeakMap<nn.Module, () => void>();
    return assertStepsAgree({
      net: () => smallNet(),
      optimizer: OPTIMISERS.Adam,
      batch: () => batch(),
      steps: 10,
      between: (step, { net, optimizer }) => {
        if (step === 4) {
          const own = [...net.stateDict()].map(([k, v]) =>
            [k, v.clone()] as const
          );
          const state = optimizer.stateDict();
          loads.set(net, () => {
            net.loadStateDict(new Map(own));
            optimizer.loadStateDict(state);
          });
        }
        if (step === 7) loads.get(net)!();
      },
    });
  },
);

onBothDevices(
  "an optimiser of a part of the parameters leaves the others alone",
  () =>
    assertStepsAgree({
      net: () => smallNet(),
      optimizer: (net) =>
        new SGD(net.parameters().slice(-2), { lr: 0.1, momentum: 0.9 }),
      batch: () => batch(),
      steps: 5,
    }),
);

onBothDevices(
  "labels out of range give the error of call by call, and change nothing",
  async () => {
    const net = smallNet(0.5);
    using _net = freeing(net);
    using optimizer = new Adam(net.parameters());
    using step = nn.compileStep(net, { loss: nn.crossEntropy, optimizer });
    const [x, y] = batch();
    const bad = tensor([0, 1, 3, 2], { dtype: "i32" });
    const part = tensor([9, 0, 1, 3, 2], { dtype: "i32" }).slice(0, 1, 5);
    const message =
      "Cannot compute cross-entropy: label 3 at position 2 is out of range for 3 classes, expected 0 to 2";
    const counts = () =>
      [...optimizer.stateDict().state.values()].map((state) => state.step);
    // At first sight, at the second, which is traced, and later.
    for (let k = 0; k < 4; k++) {
      // Call by call, batch norms have measured before the loss is asked for.
      const before = [counts(), await valuesOf(net, k > 0)];
      assertFails(() => step(x, bad), RangeError, message);
      assertFails(() => step(x, part), RangeError, message);
      assertEquals([counts(), await valuesOf(net, k > 0)], before);
      step(x, y);
    }
    assertEquals(counts(), Array(6).fill(4));
  },
);

/** Parameters, and running statistics. */
async function valuesOf(net: nn.Module, measured = true): Promise<unknown[]> {
  const values: unknown[] = [];
  for (const [name, x] of net.stateDict()) {
    const counts = name.endsWith("tracked");
    if (!counts && (measured || !name.includes("running"))) {
      values.push(await x.array());
    }
  }
  return values;
}

onBothDevices("batch norms that average all batches can't be compiled", () => {
  const net = new nn.Sequential(
    new nn.BatchNorm1d(3, { momentum: null }),
    new nn.Linear(3, 2),
  );
  using _net = freeing(net);
  using optimizer = new SGD(net.parameters(), { lr: 0.1 });
  using step = nn.compileStep(net, { loss: nn.mseLoss, optimizer });
  const [x, y] = [randn([4, 3]), randn([4, 2])];
  step(x, y);
  assertFails(
    () => step(x, y),
    CompileError,
    "Cannot compile what replaces a tensor's memory: use calls that write in place instead of assign(), in 0: BatchNorm1d(3, eps=0.00001, momentum=null, affine=true, trackRunningStats=true)",
  );
});

onBothDevices(
  "a plan for inference sees what compiled steps have learned",
  async () => {
    const net = smallNet();
    using _net = freeing(net);
    using optimizer = new Adam(net.parameters(), { lr: 0.05 });
    using step = nn.compileStep(net, { loss: nn.crossEntropy, optimizer });
    using run = await compile(net.eval(), INPUT);
    const [x, y] = batch();
    let before: unknown;
    for (let k = 0; k < 4; k++) {
      net.train();
      step(x, y);
      step(x, y);
      net.eval();
      await assertNear(run(x), noGrad(() => net(x)));
      const now = await run(x).array();
      assertNotEquals(now, before);
      before = now;
    }
  },
);

onBothDevices("explain and bytes tell of plans that there are", () => {
  const net = smallNet();
  using _net = freeing(net);
  using optimizer = new SGD(net.parameters(), { lr: 0.1 });
  const step = nn.compileStep(net, { loss: nn.crossEntropy, optimizer });
  assertFails(
    () => step.explain(),
    CompileError,
    "Cannot explain the step: it is compiled when it meets a shape for the second time",
  );
  const [x, y] = batch();
  const before = memory().bytes;
  for (let k = 0; k < 3; k++) {
    using _ = scope();
    step(x, y);
  }
  const plan = step.explain();
  assertEquals(plan.name, "Training step of Sequential");
  assertEquals(memory().bytes - before, step.bytes);
  assertEquals(step.bytes, plan.temporaryBytes + plan.constantBytes);
  assertEquals(
    Deno.inspect(step),
    "Compiled training step of Sequential",
  );
  for (const p of net.parameters()) assertEquals(p.grad, null);
  step.dispose();
  assertEquals(step.bytes, 0);
  assertEquals(memory().bytes, before);
});

onBothDevices("memory stays where it is over 300 steps", () => {
  const net = smallNet(0.5);
  using _net = freeing(net);
  using optimizer = new Adam(net.parameters());
  using step = nn.compileStep(net, { loss: nn.crossEntropy, optimizer });
  const [x, y] = batch();
  const run = () => {
    using _ = scope();
    step(x, y);
    const { bytes, tensors, buffers } = memory();
    return [bytes, tensors, buffers];
  };
  for (let k = 0; k < 3; k++) run();
  const settled = run();
  for (let k = 0; k < 300; k++) assertEquals(run(), settled);
});

onBothDevices("an interrupted step isn't made", async () => {
  const net = smallNet(0.5);
  using _net = freeing(net);
  using optimizer = new Adam(net.parameters());
  using step = nn.compileStep(net, { loss: nn.crossEntropy, optimizer });
  const [x, y] = batch();
  for (let k = 0; k < 3; k++) step(x, y);
  const before = [randomState(), await valuesOf(net)];
  onInterrupt(() => true);
  try {
    assertFails(() => step(x, y), InterruptedError, "Interrupted");
  } finally {
    onInterrupt(undefined);
  }
  assertEquals([randomState(), await valuesOf(net)], before);
  // And one that is interrupted on its way is finished.
  let asked = 0;
  onInterrupt(() => asked++ > 0);
  try {
    step(x, y);
  } finally {
    onInterrupt(undefined);
  }
  assertNotEquals(await valuesOf(net), before[1]);
});

onDevice("webgpu", "a plan of steps is lost with its device", async () => {
  const net = new nn.Linear(2, 2);
  const optimizer = new SGD(net.parameters(), { lr: 0.1 });
  const step = nn.compileStep(net, { loss: nn.mseLoss, optimizer });
  const x = randn([1, 2]);
  for (let k = 0; k < 3; k++) step(x, x);
  await init({ device: "cpu", seed: 0 });
  assertFails(
    () => step(x, x),
    CompileError,
    "Cannot go on training with what was compiled for another device: compile it anew after init()",
  );
  await init({ seed: 0 });
  assert(Number.isFinite(await step(x, x).item()));
  step.dispose();
  optimizer.dispose();
  net.dispose();
});

onBothDevices("the same seed gives the same steps", async () => {
  const training: Training = {
    net: () => smallNet(0.5),
    optimizer: OPTIMISERS.Adam,
    batch: () => batch(),
    steps: 4,
  };
  const start = randomState();
  const first = await train(training, true);
  setRandomState(start);
  assertEquals(await train(training, true), first);
});
