/** Inception v2, v3 and v4 against published counts, their papers' tables, and values of torchvision's names and layers. */
import { assertEquals } from "@std/assert";
import { init, nn, noGrad, scope, tensor, zeros, zoo } from "../../mod.ts";
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

Deno.test("the Inception networks have the published parameter counts", () => {
  assertEquals(countOf(() => zoo.inceptionV3()), 27_161_264);
  assertEquals(
    countOf(() => zoo.inceptionV3({ auxLogits: false })),
    27_161_264 - 3_326_696,
  );
  assertEquals(countOf(() => zoo.inceptionV4()), 42_679_816);
});

/** Figure 5 of Ioffe and Szegedy: input, 1×1, 3×3 reduce, 3×3, double reduce, double, pool's projection. */
const FIGURE_5 = [
  [192, 64, 64, 64, 64, 96, 32],
  [256, 64, 64, 96, 64, 96, 64],
  [320, 0, 128, 160, 64, 96, 0],
  [576, 224, 64, 96, 96, 128, 128],
  [576, 192, 96, 128, 96, 128, 128],
  [576, 160, 128, 160, 128, 160, 96],
  [576, 96, 128, 192, 160, 192, 96],
  [576, 0, 128, 192, 192, 256, 0],
  [1024, 352, 192, 320, 160, 224, 128],
  [1024, 352, 192, 320, 192, 224, 128],
];

Deno.test("Inception v2 has the parameters of its table's rows", () => {
  const conv = (from: number, to: number, size: number) =>
    from * to * size + 2 * to;
  const blocks = FIGURE_5.map(([c, one, three, made, twice, double, pool]) =>
    conv(c, one, 1) + conv(c, three, 1) + conv(three, made, 9) +
    conv(c, twice, 1) + conv(twice, double, 9) + conv(double, double, 9) +
    conv(c, pool, 1)
  ).reduce((a, b) => a + b);
  const stem = conv(64, 64, 1) + conv(64, 192, 9);
  const rest = stem + blocks + 1024 * 1000 + 1000;
  const separable = 24 * 49 + conv(24, 64, 1) + rest;
  assertEquals(countOf(() => zoo.inceptionV2()), separable);
  assertEquals(separable, 11_188_288);
  assertEquals(
    countOf(() => zoo.inceptionV2({ separable: false })),
    conv(3, 64, 49) + rest,
  );
});

Deno.test("Inception v2's stages have the shapes of its table, and each parameter gets a gradient", async () => {
  using _ = scope();
  const net = zoo.inceptionV2({ classes: 7 });
  const blocks = ["3a", "3b", "3c", "4a", "4b", "4c", "4d", "4e", "5a", "5b"];
  const names = [
    "conv1",
    "maxpool1",
    "conv3",
    "maxpool2",
    ...blocks.map((name) => `inception${name}`),
  ].map((name) => `features.${name}`);
  assertEquals(shapesOf(net, [2, 3, 64, 64], [...names, "fc"]), [
    [2, 64, 32, 32],
    [2, 64, 16, 16],
    [2, 192, 16, 16],
    [2, 192, 8, 8],
    [2, 256, 8, 8],
    [2, 320, 8, 8],
    [2, 576, 4, 4],
    [2, 576, 4, 4],
    [2, 576, 4, 4],
    [2, 576, 4, 4],
    [2, 576, 4, 4],
    [2, 1024, 2, 2],
    [2, 1024, 2, 2],
    [2, 1024, 2, 2],
    [2, 7],
  ]);
  const labels = tensor([3, 6], { dtype: "i32" });
  nn.crossEntropy(net(picture([2, 3, 64, 64], 6)), labels).backward();
  await assertGradients(net);
  net.dispose();
});

Deno.test("an odd picture's halves fit together in Inception v2, and the course's block is Inception v3's first", () => {
  using _ = scope();
  const reduction = new zoo.BnReduction(320, [128, 160], [64, 96]);
  assertEquals(reduction(zeros([2, 320, 7, 9])).shape, [2, 576, 4, 5]);
  const max = new zoo.BnInception(8, 1, [2, 3], [4, 5], 6, "max");
  assertEquals(max(zeros([2, 8, 3, 3])).shape, [2, 15, 3, 3]);
  const block = zoo.inceptionV2Block(192, 32);
  assertEquals(block(zeros([2, 192, 5, 5])).shape, [
    2,
    64 + 64 + 96 + 32,
    5,
    5,
  ]);
  assertEquals(block.branch5x5_2.conv.weight.shape, [64, 48, 5, 5]);
});

Deno.test("Inception v3's stages have the shapes of torchvision's at 299×299", () => {
  using _ = scope();
  const net = nn.init.skipInit(() => zoo.inceptionV3({ classes: 7 }));
  const names = [
    "Conv2d_1a_3x3",
    "Conv2d_2a_3x3",
    "Conv2d_2b_3x3",
    "maxpool1",
    "Conv2d_3b_1x1",
    "Conv2d_4a_3x3",
    "maxpool2",
    ...["5b", "5c", "5d", "6a", "6b", "6c", "6d", "6e", "7a", "7b", "7c"]
      .map((name) => `Mixed_${name}`),
    "fc",
  ];
  assertEquals(shapesOf(net, [2, 3, 299, 299], names), [
    [2, 32, 149, 149],
    [2, 32, 147, 147],
    [2, 64, 147, 147],
    [2, 64, 73, 73],
    [2, 80, 73, 73],
    [2, 192, 71, 71],
    [2, 192, 35, 35],
    [2, 256, 35, 35],
    [2, 288, 35, 35],
    [2, 288, 35, 35],
    [2, 768, 17, 17],
    [2, 768, 17, 17],
    [2, 768, 17, 17],
    [2, 768, 17, 17],
    [2, 768, 17, 17],
    [2, 1280, 8, 8],
    [2, 2048, 8, 8],
    [2, 2048, 8, 8],
    [2, 7],
  ]);
  net.dispose();
});

Deno.test("Inception v3 has torchvision's names, logits and head", async () => {
  using _ = scope();
  const net = nn.init.skipInit(() => zoo.inceptionV3()).eval();
  loadNames(net, wanted.inceptionV3.names);
  fill(net);
  const logits = noGrad(() => net(picture([2, 3, 107, 107], 1001)));
  await assertLogits(logits, wanted.inceptionV3.evaluated);
  const maps = picture([1, 768, 17, 17], 1002);
  const head = noGrad(() => net.AuxLogits!(maps));
  await assertLogits(head, wanted.inceptionV3.head);

  const headless = nn.init.skipInit(() =>
    zoo.inceptionV3({ auxLogits: false })
  );
  headless.loadStateDict(net.stateDict());
  assertEquals(
    await headless.fc.bias!.slice(0, 0, 3).array(),
    await net.fc.bias!.slice(0, 0, 3).array(),
  );
  headless.dispose();
  net.dispose();
});
