import { assertEquals, assertNotEquals, assertRejects } from "@std/assert";
import {
  FileFormatError,
  nn,
  ones,
  randn,
  randomState,
  tensor,
} from "../../mod.ts";
import { onBothDevices } from "../support/devices.ts";
import { bitsOf } from "../support/small_data.ts";

/** What the tests make that belongs to no scope. */
const owned: { dispose(): void }[] = [];

function own<T extends { dispose(): void }>(x: T): T {
  owned.push(x);
  return x;
}

/** Runs a body with a temporary folder. */
async function inFolder(body: (folder: string) => Promise<void>) {
  const folder = await Deno.makeTempDir();
  try {
    await body(folder);
  } finally {
    for (const x of owned.splice(0)) x.dispose();
    await Deno.remove(folder, { recursive: true });
  }
}

function parts(features: number) {
  const net = own(new nn.Linear(features, 2));
  const optimizer = new nn.Adam([
    { params: [net.weight], lr: 0.1 },
    { params: [net.bias!], weightDecay: 0.5 },
  ]);
  const schedule = new nn.StepLR(optimizer, 2);
  return { net, optimizer: own(optimizer), schedule };
}

function step({ net, optimizer, schedule }: ReturnType<typeof parts>): void {
  optimizer.zeroGrad();
  net(randn([4, net.weight.shape[1]])).square().sum().backward();
  optimizer.step();
  schedule.step();
}

onBothDevices(
  "a checkpoint brings back network, optimiser, schedule, random numbers, data and tensors",
  async () => {
    await inFolder(async (folder) => {
      const path = `${folder}/a.safetensors`;
      const first = parts(3);
      for (let i = 0; i < 3; i++) step(first);
      const data = { step: 3, odd: [NaN, Infinity, -Infinity], name: "#NaN?" };
      const extra = new Map([["mean", tensor([1, 2])]]);
      await nn.saveCheckpoint(path, first, { data, tensors: extra });
      for (let i = 0; i < 3; i++) step(first);

      const second = parts(3);
      const loaded = await nn.loadCheckpoint(path, second);
      assertEquals(loaded.data, data);
      assertEquals([...loaded.tensors.keys()], ["mean"]);
      assertEquals(await loaded.tensors.get("mean")!.array(), [1, 2]);
      for (let i = 0; i < 3; i++) step(second);
      assertEquals(await bitsOf(second.net), await bitsOf(first.net));
      assertEquals(second.optimizer.lr, first.optimizer.lr);
    });
  },
);

onBothDevices(
  "loadWeights takes the network out of a checkpoint, and loadCheckpoint needs only the network",
  async () => {
    await inFolder(async (folder) => {
      const path = `${folder}/a.safetensors`;
      const first = parts(3);
      await nn.saveCheckpoint(path, first);
      const second = own(new nn.Linear(3, 2));
      const third = own(new nn.Linear(3, 2));
      await nn.loadWeights(second, path);
      assertEquals(await bitsOf(second), await bitsOf(first.net));
      await nn.loadCheckpoint(path, { net: third });
      assertEquals(await bitsOf(third), await bitsOf(first.net));
    });
  },
);

onBothDevices(
  "a checkpoint that doesn't fit changes nothing and says why",
  async () => {
    await inFolder(async (folder) => {
      const path = `${folder}/a.safetensors`;
      const saved = parts(3);
      step(saved);
      await nn.saveCheckpoint(path, saved);

      // The optimiser's state fits where only the network's buffers differ.
      const net = own(new nn.Sequential(saved.net, new nn.BatchNorm1d(2)));
      const other = { net, optimizer: saved.optimizer };
      step(saved);
      const random = randomState();
      const before = await bitsOf(saved.net);
      const state = await saved.optimizer.stateDict().state.get(0)!.tensors.get(
        "exp_avg",
      )!.array();
      await assertRejects(
        () => nn.loadCheckpoint(path, other),
        Error,
        "Cannot load the state, nothing was changed",
      );
      assertEquals(await bitsOf(saved.net), before);
      assertEquals(randomState(), random);
      assertEquals(
        await saved.optimizer.stateDict().state.get(0)!.tensors.get("exp_avg")!
          .array(),
        state,
      );

      await nn.saveCheckpoint(path, { net: saved.net });
      await assertRejects(
        () => nn.loadCheckpoint(path, saved),
        Error,
        `Cannot load the checkpoint ${path}: it has no optimizer, leave that out to load the rest`,
      );
      await nn.saveWeights(saved.net, path);
      const error = await assertRejects(
        () => nn.loadCheckpoint(path, saved),
        FileFormatError,
        `Cannot load ${path} as a checkpoint: its metadata have no "tessera.checkpoint", load a file of weights with loadWeights`,
      );
      assertEquals(error.file, path);
    });
  },
);

onBothDevices(
  "a checkpoint holds the values of the call, whatever happens while it is written",
  async () => {
    await inFolder(async (folder) => {
      const path = `${folder}/a.safetensors`;
      const net = own(new nn.Linear(2, 2));
      const before = await bitsOf(net);
      const saving = nn.saveCheckpoint(path, { net });
      net.weight.assign(ones([2, 2]));
      await saving;
      assertNotEquals(await bitsOf(net), before);
      await nn.loadCheckpoint(path, { net });
      assertEquals(await bitsOf(net), before);
    });
  },
);
