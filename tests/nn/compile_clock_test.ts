/** The time of compiled steps: when something is uploaded, what is launched, and how it goes wrong. */
import { assertEquals, assertThrows } from "@std/assert";
import {
  compile,
  dropout,
  nn,
  ones,
  randn,
  randomState,
  scope,
  seed,
  setRandomState,
  synchronize,
  type Tensor,
} from "../../mod.ts";
import { CompileError, LaunchError } from "../../core/errors.ts";
import { apply } from "../../core/tensor.ts";
import { sgdStep } from "../../wgsl/optim/sgd.ts";
import { freeing, onBothDevices, onDevice } from "../support/devices.ts";
import { assertFails, assertFailsLater } from "../support/errors.ts";
import { dropoutNet as net, smallBatch as batch } from "../support/training.ts";

const { SGD, Adam } = nn;

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
    await synchronize().catch(() => {}); // tells it once more
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

onBothDevices("explain tells of the launch that moves on", async (device) => {
  const model = net();
  using _model = freeing(model);
  using optimizer = new SGD(model.parameters(), { lr: 0.1 });
  using step = nn.compileStep(model, { loss: nn.crossEntropy, optimizer });
  const [x, y] = batch();
  for (let k = 0; k < 3; k++) step(x, y);
  const plan = step.explain();
  using run = await compile(model.eval(), [4, 6]);
  assertEquals(run.explain().advance, undefined);
  if (device === "cpu") {
    assertEquals(plan.advance, undefined);
    return;
  }
  assertEquals(plan.advance?.kernel.label, "wgsl/clock/advance.wgsl");
  const { dispatchWorkgroups } = GPUComputePassEncoder.prototype;
  let launches = 0;
  GPUComputePassEncoder.prototype.dispatchWorkgroups = function (...given) {
    launches++;
    return dispatchWorkgroups.apply(this, given);
  };
  try {
    model.train();
    step(x, y);
    step(x, y);
    launches = 0;
    step(x, y);
  } finally {
    GPUComputePassEncoder.prototype.dispatchWorkgroups = dispatchWorkgroups;
  }
  assertEquals(launches, step.explain().launches);
  const own = plan.calls.reduce((sum, { launches }) => sum + launches, 0);
  assertEquals(plan.launches, own + 1);
  const row = plan.rows().find((line) => line.includes("advance"));
  assertEquals(row?.trim().split(/ {2,}/).slice(0, 3), [
    "advance",
    "1",
    "0 FLOP",
  ]);
});

/** Expects steps of an optimiser to be refused when they are to be compiled, at the second one. */
function assertNotCompiled(
  OwnOptimizer: new (
    parameters: Iterable<Tensor>,
    options: { readonly lr: number },
  ) => nn.Optimizer<{ readonly lr: number }>,
  message: string,
): void {
  const model = net();
  using _model = freeing(model);
  using optimizer = new OwnOptimizer(model.parameters(), { lr: 1 });
  using step = nn.compileStep(model, { loss: nn.crossEntropy, optimizer });
  const [x, y] = batch();
  step(x, y);
  assertFails(() => step(x, y), CompileError, message);
}

/** An optimiser of somebody's own, whose step isn't an op. */
class Plain extends nn.Optimizer<{ readonly lr: number }> {
  protected override checkOptions(): void {}

  protected override nextStep(): nn.Step {
    return { names: [], run: () => {} };
  }
}

onBothDevices("steps that aren't ops aren't compiled", () =>
  assertNotCompiled(
    Plain,
    "Cannot compile the steps of Plain: they aren't an op each",
  ));

/** A step by an op that doesn't tell which of its words change. */
class Silent extends nn.Optimizer<{ readonly lr: number }> {
  protected override checkOptions(): void {}

  protected override nextStep(): nn.Step {
    const { tail: _, ...op } = sgdStep(4);
    const attrs = { lr: 0.1, weightDecay: 0 };
    const run = (_: number, operands: readonly Tensor[]) =>
      void apply(op, operands, attrs);
    return { names: [], op: () => op, attrs, run };
  }
}

onBothDevices(
  "ops that don't tell what changes aren't compiled",
  () =>
    assertNotCompiled(
      Silent,
      "Cannot compile the steps of Silent: their ops don't tell which of their parameters change",
    ),
);

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
