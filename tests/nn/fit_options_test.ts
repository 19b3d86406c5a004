/** What fit does with its options, one by one. */
import {
  assert,
  assertAlmostEquals,
  assertEquals,
  assertGreater,
  assertLess,
  assertRejects,
  assertThrows,
} from "@std/assert";
import {
  AnomalyError,
  init,
  memory,
  nn,
  ones,
  scope,
  type Tensor,
  tensor,
} from "../../mod.ts";
import { onBothDevices } from "../support/devices.ts";
import { bitsOf, smallNet, stripes } from "../support/small_data.ts";

const QUIET = { onProgress: false, batchSize: 16 } as const;

/** Runs a body with a network and its optimiser. */
async function training(
  body: (net: nn.Sequential, optimizer: nn.SGD) => Promise<void>,
): Promise<void> {
  const net = smallNet();
  const optimizer = new nn.SGD(net.parameters(), { lr: 0.1, momentum: 0.9 });
  await body(net, optimizer);
  net.dispose();
  optimizer.dispose();
}

onBothDevices(
  "a loop written by hand gives the same bits as fit",
  async (device) => {
    const data = stripes(70);
    const runs: Map<string, string>[] = [];
    for (const byHand of [false, true]) {
      await init({ device, seed: 4 });
      const net = smallNet();
      const optimizer = new nn.Adam(net.parameters(), { lr: 0.01 });
      const schedule = new nn.StepLR(optimizer, 1, { gamma: 0.5 });
      if (byHand) {
        const loader = new nn.DataLoader(data, {
          batchSize: 16,
          shuffle: true,
        });
        for (let epoch = 0; epoch < 3; epoch++) {
          for (const { inputs, targets } of loader) {
            using _ = scope();
            const loss = nn.crossEntropy(net(inputs), targets);
            optimizer.zeroGrad();
            loss.backward();
            optimizer.step();
          }
          schedule.step();
        }
      } else {
        await nn.fit(net, data, { ...QUIET, optimizer, schedule, epochs: 3 });
      }
      runs.push(await bitsOf(net));
      net.dispose();
      optimizer.dispose();
    }
    assertEquals(runs[0], runs[1]);
  },
);

onBothDevices(
  "fit keeps losses, step sizes, metrics and times, and leaves no memory behind",
  () =>
    training(async (net, optimizer) => {
      const data = stripes(48);
      await nn.fit(net, data, { ...QUIET, optimizer });
      // Steps that run as a plan leave no gradients, others do.
      optimizer.zeroGrad();
      const { tensors, bytes } = memory();
      const history = await nn.fit(net, data, {
        ...QUIET,
        optimizer,
        epochs: 4,
        schedule: new nn.ExponentialLR(optimizer, 0.5),
        validation: data,
        metrics: { accuracy: nn.accuracy, top2: (y, t) => nn.topK(y, t, 2) },
      });
      optimizer.zeroGrad();
      assertEquals([memory().tensors, memory().bytes], [tensors, bytes]);
      assertEquals([history.steps, history.epochs.length], [12, 4]);
      const lrs = [0.1, 0.1, 0.1, 0.05, 0.05, 0.05];
      assertEquals(history.lrs.slice(0, 6), lrs);
      const [first] = history.epochs;
      assertEquals(first.lr, 0.1);
      assertGreater(first.seconds, 0);
      const mean = history.losses.slice(0, 3).reduce((a, b) => a + b) / 3;
      assertAlmostEquals(first.loss, mean, 1e-6);
      const { accuracy, metrics } = history.epochs[3].validation!;
      assertEquals(accuracy, metrics.accuracy);
      assert(metrics.top2 >= metrics.accuracy);
      assertEquals(history.stopped, "finished");
    }),
);

onBothDevices(
  "a schedule may count steps, and one that looks at results gets the loss",
  () =>
    training(async (net, optimizer) => {
      const data = stripes(32);
      const byStep = await nn.fit(net, data, {
        ...QUIET,
        optimizer,
        epochs: 2,
        schedule: new nn.StepLR(optimizer, 1, { gamma: 0.5 }),
        scheduleBy: "step",
      });
      assertEquals(byStep.lrs, [0.1, 0.05, 0.025, 0.0125]);
      optimizer.lr = 1e-30;
      const options = { patience: 0, factor: 0.5, eps: 0, threshold: 1 };
      const schedule = new nn.ReduceLROnPlateau(optimizer, options);
      await nn.fit(net, data, {
        ...QUIET,
        optimizer,
        epochs: 4,
        validation: data,
        schedule,
      });
      assertLess(optimizer.lr, 1e-30);
    }),
);

onBothDevices(
  "early stopping ends training without improvement and brings the best weights back",
  () =>
    training(async (net, optimizer) => {
      const data = stripes(32);
      const seen: Map<string, string>[] = [];
      // The third epoch is the best: from then on the loss grows.
      const losses = [3, 2, 1, 1.5, 1.2, 5, 6, 7];
      const loss = (y: Tensor, t: Tensor) => {
        const value = nn.crossEntropy(y, t);
        return net.training ? value : value.mul(0).add(losses[seen.length]);
      };
      const history = await nn.fit(net, data, {
        ...QUIET,
        optimizer,
        loss,
        epochs: 8,
        validation: data,
        earlyStopping: { patience: 2 },
        callbacks: {
          onEpochEnd: async () => void seen.push(await bitsOf(net)),
        },
      });
      assertEquals([history.stopped, history.epochs.length], ["early", 6]);
      assertEquals(await bitsOf(net), seen[2]);
    }),
);

onBothDevices(
  "early stopping takes gains of minDelta only, and metrics that grow",
  () =>
    training(async (net, optimizer) => {
      const data = stripes(32);
      let epochs = 0;
      const metrics = {
        score: () => tensor([1 + 0.01 * epochs]),
      };
      const history = await nn.fit(net, data, {
        ...QUIET,
        optimizer,
        metrics,
        epochs: 9,
        earlyStopping: { patience: 1, minDelta: 0.1, monitor: "score" },
        callbacks: [{ onEpochEnd: () => void epochs++ }],
      });
      assertEquals([history.stopped, history.epochs.length], ["early", 3]);
      await assertRejects(
        () =>
          nn.fit(net, data, {
            ...QUIET,
            optimizer,
            earlyStopping: { patience: 1, monitor: "scores" },
          }),
        RangeError,
        "Cannot stop early by scores: expected one of loss, accuracy",
      );
    }),
);

onBothDevices(
  "callbacks see each step and epoch, and may stop",
  () =>
    training(async (net, optimizer) => {
      const data = stripes(48);
      const seen: string[] = [];
      const history = await nn.fit(net, data, {
        ...QUIET,
        optimizer,
        epochs: 3,
        callbacks: {
          onStep: async ({ step, epoch, loss }) => {
            assertEquals(loss.shape, []);
            seen.push(`${epoch}.${step}`);
            if (step === 5) return "stop";
            await loss.item();
          },
          onEpochEnd: ({ epoch, result }) => {
            assertEquals(result.lr, 0.1);
            seen.push(`end ${epoch}`);
          },
        },
      });
      assertEquals(seen, ["1.1", "1.2", "1.3", "end 1", "2.4", "2.5"]);
      assertEquals([history.stopped, history.steps], ["callback", 5]);
    }),
);

onBothDevices("gradients are clipped before the step", async () => {
  const net = new nn.Linear(2, 1, { bias: false });
  const before = await net.weight.read();
  const optimizer = new nn.SGD(net.parameters(), { lr: 1 });
  const batch = { inputs: ones([1, 2]).mul(3), targets: ones([1, 1]) };
  const loss = (y: Tensor) => y.sum();
  const run = (options: Partial<nn.FitOptions>) =>
    nn.fit(net, [batch], { ...QUIET, ...options, optimizer, loss });
  const history = await run({ clipNorm: 1 });
  const after = await net.weight.read();
  assertAlmostEquals(before[0] - after[0], Math.SQRT1_2, 1e-5);
  assert(Number.isNaN(history.epochs[0].accuracy));
  assertEquals(history.epochs[0].metrics, {});
  await run({ clipValue: 0.5 });
  const last = await net.weight.read();
  assertAlmostEquals(after[1] - last[1], 0.5, 1e-6);
  net.dispose();
  optimizer.dispose();
});

onBothDevices(
  "with detectAnomaly, fit names the step, the op and the layer",
  async () => {
    class Log extends nn.Module {
      override forward(x: Tensor): Tensor {
        return x.log();
      }
    }
    const net = new nn.Sequential(
      new nn.Linear(1, 1, { bias: false }),
      new Log(),
    );
    const [linear] = net.children() as nn.Linear[];
    linear.weight.assign(ones([1, 1]));
    const optimizer = new nn.SGD(net.parameters(), { lr: 0.6 });
    const batch = { inputs: ones([1, 1]), targets: ones([1, 1]) };
    const error = await assertRejects(
      () =>
        nn.fit(net, [batch], {
          optimizer,
          loss: (y) => y.sum(),
          epochs: 5,
          detectAnomaly: true,
          onProgress: false,
        }),
      AnomalyError,
      "Cannot go on training: in step 3 the first value that isn't finite is NaN, log in 1 (Log) gave it",
    );
    assertEquals([error.step, error.op, error.path], [3, "log", "1 (Log)"]);
    net.dispose();
    optimizer.dispose();
  },
);

onBothDevices(
  "fit refuses options that can't be, and data without a batch",
  () =>
    training(async (net, optimizer) => {
      const cases: [Partial<nn.FitOptions>, string][] = [
        [
          { epochs: 1.5 },
          "Cannot train with 1.5 epochs: expected an integer from 0",
        ],
        [
          { checkpoint: { path: "never", every: 0 } },
          "Cannot train with 0 steps between checkpoints: expected an integer from 1",
        ],
        [
          { earlyStopping: { patience: -1 } },
          "Cannot stop early with patience -1: expected an integer of 0 or more",
        ],
        [
          { earlyStopping: { patience: 1, minDelta: NaN } },
          "Cannot stop early with minDelta NaN: expected a number of 0 or more",
        ],
      ];
      for (const [options, message] of cases) {
        await assertRejects(
          () => nn.fit(net, stripes(4), { ...QUIET, optimizer, ...options }),
          RangeError,
          message,
        );
      }
      await assertRejects(
        () => nn.fit(net, [], { ...QUIET, optimizer }),
        RangeError,
        "Cannot train: the data have no batch",
      );
      await assertRejects(
        () => nn.evaluate(net, []),
        RangeError,
        "Cannot evaluate: the data have no batch",
      );
    }),
);

Deno.test("a history draws its loss, step sizes and metrics, and says what there is", async () => {
  await init({ seed: 0 });
  await training(async (net, optimizer) => {
    const data = stripes(48);
    const history = await nn.fit(net, data, {
      ...QUIET,
      optimizer,
      epochs: 3,
      validation: data,
    });
    const size = { width: 30, height: 4 };
    const loss = history.plot(size).toString();
    assert(/^ +loss\n/.test(loss) && /validation/.test(loss), loss);
    const lr = history.plot({ metric: "lr", ...size }).toString();
    assert(/^ +lr\n/.test(lr) && /step/.test(lr), lr);
    const accuracy = history.plot({ metric: "accuracy", ...size }).toString();
    assert(/epoch/.test(accuracy), accuracy);
    assertThrows(
      () => history.plot({ metric: "top5" }),
      RangeError,
      "Cannot plot top5: expected one of loss, lr, accuracy",
    );
    const text = String(history);
    assert(
      /^History\(3 epochs, 9 steps, loss [\d.]+, accuracy [\d.]+, validation loss [\d.]+, validation accuracy [\d.]+, compiled\)$/
        .test(text),
      text,
    );
  });
});
