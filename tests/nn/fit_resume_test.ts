/** Going on: after an interrupt, from a checkpoint, after the process was killed. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { onInterrupt } from "../../core/runtime.ts";
import { init, nn, randn } from "../../mod.ts";
import { killRuns } from "../kills.ts";
import { type DeviceName, onBothDevices } from "../support/devices.ts";
import { bitsOf, smallNet, stripes } from "../support/small_data.ts";

/** 70 examples in batches of 16 make 5 steps an epoch: 30 steps. */
const EPOCHS = 6;

/** What a run is made of, from the same seed each time; dropout, running statistics, momentum and schedule all have to go on. */
async function setUp(device: DeviceName, seed = 11) {
  await init({ device, seed });
  const net = smallNet();
  const optimizer = new nn.Adam(net.parameters(), { lr: 0.01 });
  const schedule = new nn.OneCycleLR(optimizer, 0.05, {
    totalSteps: 40,
  });
  const options = {
    optimizer,
    schedule,
    scheduleBy: "step",
    epochs: EPOCHS,
    batchSize: 16,
    onProgress: false,
  } as const;
  const dispose = () => {
    net.dispose();
    optimizer.dispose();
  };
  return { net, data: stripes(70), options, dispose };
}

/** What a history tells, but for the seconds. */
function factsOf({ losses, lrs, epochs, stopped }: nn.History) {
  const results = epochs.map(({ seconds: _, ...rest }) => rest);
  return { losses, lrs, results, stopped };
}

async function straight(device: DeviceName) {
  const { net, data, options, dispose } = await setUp(device);
  const history = await nn.fit(net, data, options);
  const bits = await bitsOf(net);
  dispose();
  return { bits, facts: factsOf(history) };
}

/** Ends a run after some steps. */
const stopAfter = (count: number): nn.Callbacks => ({
  onStep: ({ step }) => step === count ? "stop" : undefined,
});

async function inFolder(body: (path: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await body(`${folder}/run`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function namesIn(path: string): Promise<string[]> {
  const names = await Array.fromAsync(Deno.readDir(path), ({ name }) => name);
  return names.sort();
}

onBothDevices(
  "13 steps, a checkpoint and 17 more give the bits of 30 steps",
  (device) =>
    inFolder(async (path) => {
      const whole = await straight(device);
      assertEquals(whole.facts.losses.length, 30);
      const first = await setUp(device);
      const cut = await nn.fit(first.net, first.data, {
        ...first.options,
        checkpoint: { path, every: 4 },
        callbacks: stopAfter(13),
      });
      assertEquals([cut.stopped, cut.steps], ["callback", 13]);
      first.dispose();
      assertEquals(await namesIn(path), [
        "step-00000012.safetensors",
        "step-00000013.safetensors",
      ]);

      // Another seed: everything has to come from the file.
      const second = await setUp(device, 99);
      const history = await nn.fit(second.net, second.data, {
        ...second.options,
        checkpoint: { path, every: 4 },
      });
      assertEquals(await bitsOf(second.net), whole.bits);
      assertEquals(factsOf(history), whole.facts);
      second.dispose();
    }),
);

onBothDevices(
  "an interrupted run goes on from its history, in the middle of an epoch, to the same bits",
  async (device) => {
    const whole = await straight(device);
    const { net, data, options, dispose } = await setUp(device);
    const controller = new AbortController();
    const cut = await nn.fit(net, data, {
      ...options,
      signal: controller.signal,
      callbacks: {
        onStep: ({ step }) => {
          if (step === 13) controller.abort();
        },
      },
    });
    assertEquals([cut.stopped, cut.steps], ["interrupted", 13]);
    randn([3]); // whatever is done in between
    const history = await nn.fit(net, data, { ...options, from: cut });
    assertEquals(await bitsOf(net), whole.bits);
    assertEquals(factsOf(history), whole.facts);
    dispose();
  },
);

onBothDevices(
  "a host's interrupt ends a run after its step, though every call of the library throws then",
  async (device) => {
    const whole = await straight(device);
    for (const step of [7, 10]) {
      const { net, data, options, dispose } = await setUp(device);
      let on = false;
      onInterrupt(() => on);
      try {
        // In the middle of step 7, and before the validation that follows step 10.
        const loss: nn.Loss = (y, t) => {
          if (net.training) calls++;
          on ||= calls === step;
          return nn.crossEntropy(y, t);
        };
        let calls = 0;
        const validation = [];
        for (const batch of new nn.DataLoader(data)) {
          validation.push({
            inputs: batch.inputs.clone(),
            targets: batch.targets.clone(),
          });
        }
        const cut = await nn.fit(net, data, { ...options, loss, validation });
        assertEquals([cut.stopped, cut.steps], ["interrupted", step]);
        assertEquals(cut.epochs.length, 1);
        on = false;
        calls = NaN;
        const again = { ...options, loss, validation, from: cut };
        const history = await nn.fit(net, data, again);
        assertEquals(await bitsOf(net), whole.bits);
        assertEquals(history.losses, whole.facts.losses);
        assertEquals(history.epochs.length, EPOCHS);
      } finally {
        onInterrupt(undefined);
      }
      dispose();
    }
  },
);

onBothDevices(
  "batches that come from a function go on where they were",
  async (device) => {
    function batches(count: number): Iterable<nn.Batch> {
      return {
        *[Symbol.iterator]() {
          for (let i = 0; i < count; i++) {
            const inputs = randn([4, 1, 8, 8]);
            const targets = inputs.mean([1, 2, 3]).gt(0).to("i32");
            yield { inputs, targets };
          }
        },
      };
    }
    const runs: Map<string, string>[] = [];
    for (const cutAt of [undefined, 8]) {
      const { net, options, dispose } = await setUp(device);
      const given = { ...options, epochs: 4 };
      const cut = await nn.fit(net, batches(5), {
        ...given,
        callbacks: cutAt ? stopAfter(cutAt) : [],
      });
      await nn.fit(net, batches(5), { ...given, from: cut });
      runs.push(await bitsOf(net));
      dispose();
    }
    assertEquals(runs[1], runs[0]);
  },
);

onBothDevices(
  "a loader with a stream of its own and random augmentation goes on in another process's stead",
  (device) =>
    inFolder(async (path) => {
      const runs: Map<string, string>[] = [];
      for (const cutAt of [undefined, 8]) {
        for (const last of cutAt ? [false, true] : [true]) {
          const { net, data, options, dispose } = await setUp(device);
          const loader = new nn.DataLoader(data, {
            batchSize: 16,
            shuffle: true,
            seed: 5,
            transform: (x) => x.add(randn(x.shape).mul(0.1)),
          });
          await nn.fit(net, loader, {
            ...options,
            ...(cutAt && { checkpoint: { path } }),
            callbacks: last ? [] : stopAfter(8),
          });
          if (last) runs.push(await bitsOf(net));
          dispose();
        }
      }
      assertEquals(runs[1], runs[0]);
    }),
);

onBothDevices(
  "early stopping goes on with its best weights",
  (device) =>
    inFolder(async (path) => {
      const runs: [Map<string, string>, number][] = [];
      for (const parts of [[30], [13, 30]]) {
        let history: nn.History | undefined;
        for (const end of parts) {
          const { net, data, options, dispose } = await setUp(device);
          history = await nn.fit(net, data, {
            ...options,
            // Nothing counts as better than the first epoch.
            earlyStopping: { patience: 3, minDelta: 100 },
            ...(parts.length > 1 && { checkpoint: { path } }),
            callbacks: stopAfter(end),
          });
          if (end === 30) runs.push([await bitsOf(net), history.steps]);
          dispose();
        }
        assertEquals(history?.stopped, "early");
      }
      assertEquals(runs[1], runs[0]);
      assertEquals(runs[0][1], 25);
    }),
);

onBothDevices(
  "a finished run isn't made again, more epochs are added to it, and a damaged checkpoint is passed over",
  (device) =>
    inFolder(async (path) => {
      const whole = await straight(device);
      const run = async (epochs: number) => {
        const { net, data, options, dispose } = await setUp(device);
        const given = { ...options, epochs, checkpoint: { path, every: 10 } };
        const history = await nn.fit(net, data, given);
        const bits = await bitsOf(net);
        dispose();
        return { bits, history };
      };
      await run(3);
      const again = await run(3);
      assertEquals([again.history.steps, again.history.epochs.length], [15, 3]);
      const left =
        `${path}/step-00000016.safetensors.${crypto.randomUUID()}.part`;
      await Deno.writeTextFile(left, "half");
      await Deno.truncate(`${path}/step-00000015.safetensors`, 1000);
      const { bits, history } = await run(EPOCHS);
      assertEquals(factsOf(history), whole.facts);
      assertEquals(bits, whole.bits);
      assertEquals(await namesIn(path), [
        "step-00000020.safetensors",
        "step-00000030.safetensors",
      ]);

      const { net, data, options, dispose } = await setUp(device);
      const checkpoint = { path, resume: false };
      await assertRejects(
        () => nn.fit(net, data, { ...options, checkpoint }),
        Error,
        `Cannot start over with checkpoints in ${path}: ${path}/step-00000030.safetensors is there from another run, remove it, take another folder, or go on from it with { resume: true }`,
      );
      dispose();
    }),
);

Deno.test("Ctrl-C ends a run after its step, and the script goes on", async () => {
  const child = new URL("../support/ctrl_c.ts", import.meta.url).href;
  const { code, stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--allow-all", "--no-check", child],
  }).output();
  assertEquals(code, 0);
  const { stopped, steps } = JSON.parse(new TextDecoder().decode(stdout));
  assertEquals(stopped, "interrupted");
  assert(steps >= 7 && steps < 2000, `${steps} steps`);
});

Deno.test("five kills during training tear no file and cost at most one interval", async () => {
  const { kills, worst, same } = await killRuns(5);
  assertEquals(kills, 5);
  assert(worst <= 4, `${worst} steps were lost`);
  assert(same, "the weights differ from those of a run without kills");
});
