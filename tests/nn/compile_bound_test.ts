/** Plans that hold no more bytes than they may. */
import {
  assert,
  assertEquals,
  assertLess,
  assertLessOrEqual,
  assertMatch,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import {
  compile,
  CompileError,
  memory,
  nn,
  noGrad,
  randint,
  randn,
  randomState,
  resetPeakMemory,
  scope,
  setRandomState,
  synchronize,
  type Tensor,
  zoo,
} from "../../mod.ts";
import { onBothDevices, onDevice } from "../support/devices.ts";
import { train, type Training } from "../support/training.ts";

/** Layers of each kind that a step treats in its own way, whose activations are more than their parameters. */
function deepNet(): nn.Module {
  const block = (channels: number) => [
    new nn.Conv2d(channels, 8, 3, { padding: 1 }),
    new nn.BatchNorm2d(8),
    new nn.ReLU(),
    new nn.Dropout(0.2),
  ];
  return new nn.Sequential(
    ...block(1),
    ...Array.from({ length: 6 }, () => block(8)).flat(),
    new nn.MaxPool2d(2),
    ...block(8),
    new nn.Flatten(),
    new nn.Linear(8 * 36, 3),
  );
}

const DEEP: Training = {
  net: deepNet,
  optimizer: (net) => new nn.Adam(net.parameters(), { lr: 0.01 }),
  batch: () => [randn([6, 1, 12, 12]), randint(0, 3, [6])],
  steps: 6,
};

/** Trains twice from the same state, the second time within a part of the bytes that the first plan took. */
async function trainWithin(training: Training, part: number) {
  const start = randomState();
  const free = await train(training, true);
  setRandomState(start);
  const maxBytes = Math.floor(free.bytes * part);
  const bounded = await train({ ...training, maxBytes }, true);
  return { free, bounded, maxBytes };
}

onBothDevices(
  "a step within a bound computes the same numbers, some of them again",
  async () => {
    const { free, bounded, maxBytes } = await trainWithin(DEEP, 0.6);
    assertLessOrEqual(bounded.bytes, maxBytes);
    assertEquals(bounded.losses, free.losses);
    assertEquals(bounded.values, free.values);
    assertEquals(bounded.settings, free.settings);
    assertEquals(bounded.random, free.random);
    const again = bounded.plan!.calls.filter((call) => call.again);
    assert(again.length > 0);
    assert(again.every(({ op }) => !op.endsWith("Step")));
    assertEquals(free.plan!.calls.filter((call) => call.again), []);
    const text = `${bounded.plan}`;
    assertMatch(text, /, again /);
    assertMatch(text, /\d+ calls and .*FLOP compute again what was freed/);
    assert(!`${free.plan}`.includes("again"));
  },
);

onBothDevices(
  "where gradients are the most, optimisers that step early are enough",
  async () => {
    const wide: Training = {
      net: () =>
        new nn.Sequential(
          ...Array.from(
            { length: 5 },
            () => [new nn.Linear(64, 64), new nn.ReLU()],
          ).flat(),
          new nn.Linear(64, 3),
        ),
      optimizer: (net) => {
        const params = [...net.parameters()];
        return new nn.SGD([
          { params: params.slice(0, 4), lr: 0.1 },
          { params: params.slice(4), lr: 0.01, momentum: 0.9 },
        ], { lr: 1 });
      },
      schedule: (optimizer) => new nn.StepLR(optimizer, 2),
      batch: () => [randn([4, 64]), randint(0, 3, [4])],
      steps: 7,
    };
    const { free, bounded } = await trainWithin(wide, 0.7);
    assertEquals(bounded.losses, free.losses);
    assertEquals(bounded.values, free.values);
    assertEquals(bounded.settings, free.settings);
    const { calls } = bounded.plan!;
    assertEquals(calls.filter((call) => call.again), []);
    const steps = calls.flatMap(({ op }, i) => op.endsWith("Step") ? [i] : []);
    assertEquals(steps.length, 12);
    assertLess(steps[0], calls.length / 2);
  },
);

onDevice(
  "webgpu",
  "the peak of a bounded step is what it foretells",
  async () => {
    using _ = scope();
    const net = deepNet();
    const optimizer = new nn.SGD(net.parameters(), { lr: 0.01 });
    const loss = nn.crossEntropy;
    using free = nn.compileStep(net, { loss, optimizer });
    const [x, y] = DEEP.batch(0);
    for (let i = 0; i < 2; i++) free(x, y);
    const maxBytes = Math.floor(free.bytes * 0.6);
    free.dispose();
    using step = nn.compileStep(net, { loss, optimizer, maxBytes });
    for (let i = 0; i < 2; i++) step(x, y);
    const { temporaryBytes, constantBytes, resultBytes } = step.explain();
    assertEquals(step.bytes, temporaryBytes + constantBytes);
    assertLessOrEqual(step.bytes, maxBytes);
    await synchronize();
    const { bytes } = memory();
    resetPeakMemory();
    step(x, y);
    await synchronize();
    assertEquals(memory().peakBytes - bytes, resultBytes);
    net.dispose();
    optimizer.dispose();
  },
);

onBothDevices("a bound that can't be kept says what is needed", () => {
  using _ = scope();
  const net = deepNet();
  const optimizer = new nn.SGD(net.parameters(), { lr: 0.01 });
  const loss = nn.crossEntropy;
  using step = nn.compileStep(net, { loss, optimizer, maxBytes: 1000 });
  const [x, y] = DEEP.batch(0);
  step(x, y);
  const { tensors } = memory();
  const error = assertThrows(() => step(x, y), CompileError);
  assertMatch(
    error.message,
    /^Cannot compile for f32\[6, 1, 12, 12\], i32\[6\] within 1000 bytes: the plan needs \d+, train by smaller batches$/,
  );
  assertEquals(memory().tensors, tensors);
  net.dispose();
  optimizer.dispose();
});

onBothDevices(
  "values that are needed late are computed again in evaluation too",
  async () => {
    using _ = scope();
    const f = (x: Tensor) => {
      const kept = [x];
      for (let i = 0; i < 24; i++) kept.push(kept[i].mul(1.01).tanh());
      return kept.reverse().reduce((sum, y) => sum.mul(y).add(y));
    };
    const passes = { pointwise: false };
    using free = await compile(f, [1024], { passes });
    using bounded = await compile(f, [1024], {
      passes,
      maxBytes: Math.floor(free.bytes * 0.6),
    });
    assertLessOrEqual(bounded.bytes, free.bytes * 0.6);
    const x = randn([1024]);
    assertEquals(await bounded(x).read(), await free(x).read());
    assertEquals(await bounded(x).read(), await noGrad(() => f(x)).read());
    assert(bounded.explain().calls.some(({ again }) => again));
  },
);

onDevice("webgpu", "fit keeps the bound, and says where it can't", async () => {
  using _ = scope();
  const net = zoo.lenet({ activation: "relu", pooling: "max" });
  const optimizer = new nn.SGD(net.parameters(), { lr: 0.01 });
  const batches = Array.from({ length: 3 }, () => ({
    inputs: randn([8, 1, 28, 28]),
    targets: randint(0, 10, [8]),
  }));
  const options = { optimizer, onProgress: false } as const;
  const history = await nn.fit(net, batches, { ...options, maxBytes: 1e6 });
  assert(history.compiled);
  await assertRejects(
    () => nn.fit(net, batches, { ...options, maxBytes: 1000 }),
    CompileError,
    "within 1000 bytes: the plan needs",
  );
  const error = await assertRejects(
    () => nn.fit(net, batches, { ...options, maxBytes: 1e6, compile: false }),
    CompileError,
  );
  assertStringIncludes(
    error.message,
    "Cannot train within 1000000 bytes call by call, and steps aren't compiled: compile is false",
  );
  net.dispose();
  optimizer.dispose();
});
