import { assert, assertEquals, assertRejects } from "@std/assert";
import {
  compile,
  init,
  memory,
  nn,
  noGrad,
  randint,
  randn,
  type Tensor,
  zoo,
} from "../../mod.ts";

/** The largest difference over the largest value. */
async function distance(a: Tensor, b: Tensor): Promise<number> {
  const [x, y] = [await a.read(), await b.read()];
  let most = 0;
  let worst = 0;
  x.forEach((v, i) => {
    worst = Math.max(worst, Math.abs(v - y[i]));
    most = Math.max(most, Math.abs(y[i]));
  });
  return worst / most;
}

function smallNet(): nn.Sequential {
  const conv = (from: number) => new nn.Conv2d(from, 64, 3, { padding: 1 });
  return new nn.Sequential(
    conv(16),
    new nn.BatchNorm2d(64),
    new nn.ReLU(),
    conv(64),
    conv(64),
    conv(64),
    conv(64),
  ).eval();
}

Deno.test("tune measures a plan's own kernels, and the plan gives the same", async () => {
  await init({ seed: 0 });
  const net = smallNet();
  const x = randn([1, 16, 16, 16]);
  const { bytes } = memory();
  using tuned = await compile(net, x, { tune: true });
  const want = noGrad(() => net(x));
  assert(await distance(tuned(x), want) < 1e-5);
  tuned.dispose();
  want.dispose();
  assert(memory().bytes >= bytes);
});

Deno.test("maxBytes gives rearranged weights up where a plan is too large with them, and says what it needs where it is too large without", async () => {
  await init({ seed: 0 });
  const net = smallNet();
  const x = randn([1, 16, 16, 16]);
  using free = await compile(net, x);
  using bounded = await compile(net, x, { maxBytes: free.bytes - 1 });
  assert(bounded.bytes < free.bytes);
  assert(bounded.explain().constantBytes < free.explain().constantBytes);
  assert(await distance(bounded(x), free(x)) < 1e-5);
  const error = await assertRejects(
    () => compile(net, x, { maxBytes: 1000 }),
    Error,
  );
  assertEquals(
    error.message,
    `Cannot compile for f32[1, 16, 16, 16] within 1000 bytes: the plan needs ${bounded.bytes}, compile it for a smaller batch`,
  );
});

/** Trains for one epoch of four steps and gives the history. */
async function train(
  net: nn.Module,
  options: Partial<nn.FitOptions> = {},
): Promise<nn.History> {
  const batch = () => ({
    inputs: randn([8, 1, 28, 28]),
    targets: randint(0, 10, [8]),
  });
  return await nn.fit(net, [batch(), batch(), batch(), batch()], {
    optimizer: new nn.SGD(net.parameters(), { lr: 0.01 }),
    onProgress: false,
    ...options,
  });
}

Deno.test("fit compiles what is the library's, with the losses of call by call, and its history says so", async () => {
  await init({ seed: 3 });
  const history = await train(zoo.lenet());
  assertEquals([history.compiled, history.notCompiled], [true, undefined]);
  assert(String(history).includes("compiled"));
  await init({ seed: 3 });
  const plain = await train(zoo.lenet(), { compile: false });
  assertEquals(
    [plain.compiled, plain.notCompiled],
    [false, "compile is false"],
  );
  assertEquals(plain.losses.length, 4);
  history.losses.forEach((loss, i) =>
    assert(Math.abs(loss - plain.losses[i]) < 1e-5)
  );
});

Deno.test("fit asks before it compiles somebody else's code", async () => {
  await init({ seed: 3 });
  class Own extends nn.Module {
    readonly net = zoo.lenet();
    override forward(x: Tensor): Tensor {
      return this.net(x);
    }
  }
  const strange = await train(new Own());
  assertEquals(
    strange.notCompiled,
    "Own has a forward that isn't the library's",
  );
  const asked = await train(new Own(), { compile: true });
  assertEquals(asked.compiled, true);
  const loss = (outputs: Tensor, targets: Tensor) =>
    nn.crossEntropy(outputs, targets).mul(2);
  const ownLoss = await train(zoo.lenet(), { loss });
  assertEquals(ownLoss.notCompiled, "loss isn't the library's");
  const hooked = zoo.lenet();
  let calls = 0;
  using _ = hooked.registerForwardHook(() => void calls++);
  const seen = await train(hooked);
  assertEquals(seen.notCompiled, "Sequential has hooks");
  assertEquals(calls, 4);
});

Deno.test("layers that share their forward with others are the library's too", async () => {
  await init({ seed: 0 });
  const options = { classes: 10, inChannels: 1, width: 4 };
  const networks: readonly nn.Module[] = [
    zoo.resnet18({ ...options, stem: "small" }),
    zoo.resnet18V2(options),
    new nn.Sequential(
      new nn.Conv2d(1, 4, 3),
      new nn.InstanceNorm2d(4),
      new nn.GroupNorm(2, 4),
      new nn.LPPool2d(2, 2),
      new nn.AdaptiveMaxPool2d(1),
      new nn.Flatten(),
      new nn.Linear(4, 10),
    ),
  ];
  for (const net of networks) {
    const { compiled, notCompiled } = await train(net);
    assertEquals([compiled, notCompiled], [true, undefined]);
  }
});
