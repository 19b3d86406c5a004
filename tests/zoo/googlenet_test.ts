/** GoogLeNet's forms against published counts, table 1, and torchvision's values. */
import { assert, assertEquals, assertLess, assertThrows } from "@std/assert";
import {
  init,
  memory,
  nn,
  noGrad,
  ones,
  scope,
  tensor,
  zeros,
  zoo,
} from "../../mod.ts";
import wanted from "../fixtures/inception.json" with { type: "json" };
import {
  assertGradients,
  assertLogits,
  countOf,
  fill,
  loadNames,
  picture,
  shapesOf,
} from "../support/made_up.ts";

await init({ seed: 0 });

const BLOCKS = ["3a", "3b", "4a", "4b", "4c", "4d", "4e", "5a", "5b"];

Deno.test("GoogLeNet's forms have the published parameter counts", () => {
  assertEquals(countOf(() => zoo.googlenet()), 6_624_904);
  assertEquals(countOf(() => zoo.googlenet({ auxLogits: true })), 13_004_888);
  const variant = "paper";
  assertEquals(countOf(() => zoo.googlenet({ variant })), 13_378_280);
  assertEquals(
    countOf(() => zoo.googlenet({ variant, auxLogits: false })),
    6_998_552,
  );
  assertEquals(countOf(() => zoo.googlenet({ variant: "d2l" })), 5_977_530);
});

Deno.test("the naive block keeps the input's channels, and the one with reductions costs a third of its weights", async () => {
  using _ = scope();
  const naive = new zoo.NaiveInception(192, 64, 128, 32);
  const reducing = new zoo.Inception(192, 64, [96, 128], [16, 32], 32);
  const x = ones([2, 192, 5, 5]);
  assertEquals(naive(x).shape, [2, 416, 5, 5]);
  assertEquals(await naive(x).slice(1, 224, 416).mean().item(), 1);
  assertEquals(reducing(x).shape, [2, 256, 5, 5]);
  assertEquals(naive.parameterCount(), 387_296);
  assertEquals(reducing.parameterCount(), 163_696);
});

Deno.test("the paper's form has the shapes of table 1", () => {
  using _ = scope();
  const make = () => zoo.googlenet({ variant: "paper", classes: 7 });
  const net = nn.init.skipInit(make);
  const names = [
    "conv1",
    "maxpool1",
    "norm1",
    "conv3",
    "maxpool2",
    ...BLOCKS.map((name) => `inception${name}`),
    "maxpool3",
    "maxpool4",
    "avgpool",
    "fc",
  ];
  assertEquals(shapesOf(net, [2, 3, 224, 224], names), [
    [2, 64, 112, 112],
    [2, 64, 56, 56],
    [2, 64, 56, 56],
    [2, 192, 56, 56],
    [2, 192, 28, 28],
    [2, 256, 28, 28],
    [2, 480, 28, 28],
    [2, 512, 14, 14],
    [2, 512, 14, 14],
    [2, 512, 14, 14],
    [2, 528, 14, 14],
    [2, 832, 14, 14],
    [2, 832, 7, 7],
    [2, 1024, 7, 7],
    [2, 480, 14, 14],
    [2, 832, 7, 7],
    [2, 1024, 1, 1],
    [2, 7],
  ]);
  net.train();
  assertEquals(net.aux1!(zeros([2, 512, 14, 14])).shape, [2, 7]);
  assertEquals(net.aux2!(zeros([2, 528, 14, 14])).shape, [2, 7]);
  net.dispose();
});

Deno.test("the course's form has the shapes of its notes, and each parameter gets a gradient", async () => {
  using _ = scope();
  const net = zoo.googlenet({ variant: "d2l" });
  const names = ["0", "1", "2", "3", "4", "5"];
  assertEquals(shapesOf(net, [2, 1, 96, 96], names), [
    [2, 64, 24, 24],
    [2, 192, 12, 12],
    [2, 480, 6, 6],
    [2, 832, 3, 3],
    [2, 1024],
    [2, 10],
  ]);
  const labels = tensor([3, 7], { dtype: "i32" });
  nn.crossEntropy(net(picture([2, 1, 96, 96], 5)), labels).backward();
  await assertGradients(net);
  net.dispose();
});

Deno.test("GoogLeNet has torchvision's names, logits and, in training, its heads' logits and loss", async () => {
  using _ = scope();
  const { googlenet } = wanted;
  const net = nn.init.skipInit(() =>
    zoo.googlenet({ auxLogits: true, dropout: 0, auxDropout: 0 })
  );
  loadNames(net, googlenet.names);
  fill(net);
  const x = picture([2, 3, 64, 64], 1000);
  net.eval();
  await assertLogits(noGrad(() => net(x)), googlenet.evaluated);
  assertEquals(net.auxLogits, []);

  const ranged = nn.init.skipInit(() =>
    zoo.googlenet({ transformInput: true })
  );
  ranged.eval().loadStateDict(net.stateDict());
  await assertLogits(noGrad(() => ranged(x)), googlenet.transformed);
  ranged.dispose();

  net.train();
  const labels = tensor([3, 141, 592, 653], { dtype: "i32" });
  const logits = net(picture([4, 3, 64, 64], 1004));
  const loss = zoo.auxiliaryLoss(net)(logits, labels);
  for (const [i, made] of [logits, ...net.auxLogits].entries()) {
    await assertLogits(made, googlenet.trained[i]);
  }
  const error = await loss.item() - googlenet.loss;
  assertLess(Math.abs(error) / googlenet.loss, 1e-5);
  loss.backward();
  await assertGradients(net);
  net.dispose();
});

Deno.test("heads' logits live as long as the step's, and a network is copied without them", async () => {
  const net = nn.init.skipInit(() =>
    zoo.googlenet({ classes: 3, auxLogits: true })
  );
  const labels = tensor([1, 2], { dtype: "i32" });
  const before = memory().tensors;
  {
    using _ = scope();
    const x = zeros([2, 3, 32, 32]);
    const lossOf = zoo.auxiliaryLoss(net, { weight: 0.5 });
    noGrad(() => {
      const logits = net(x);
      assertEquals(net.auxLogits.map(({ shape }) => shape), [[2, 3], [2, 3]]);
      assert(!net.auxLogits[0].disposed);
      return lossOf(logits, labels);
    }).dispose();
    // All weights are 0, so each loss is log 3, and the heads' count half.
    const loss = noGrad(() => lossOf(net(x), labels));
    assertLess(Math.abs(await loss.item() - 2 * Math.log(3)), 1e-6);
    net.eval();
    const plain = noGrad(() => lossOf(net(x), labels));
    assertLess(Math.abs(await plain.item() - Math.log(3)), 1e-6);
    net.train();
    noGrad(() => net(x));
  }
  assertEquals(memory().tensors, before);
  assert(net.auxLogits[0].disposed);
  const copy = net.clone();
  assertEquals(copy.parameterCount(), net.parameterCount());
  copy.dispose();
  net.dispose();
  labels.dispose();
});

Deno.test("transforming inputs wants three channels", () => {
  assertThrows(
    () => zoo.googlenet({ inChannels: 1, transformInput: true }),
    RangeError,
    "Cannot transform inputs of 1 channels: expected 3, as the constants are those of red, green and blue",
  );
});
