/** AlexNet, VGG and NiN against published counts and the shapes of their papers' and notes' tables. */
import { assertEquals, assertThrows } from "@std/assert";
import { init, nn, scope, zoo } from "../../mod.ts";

await init({ seed: 0 });

/** Output shapes of a network's parts, by path. */
function shapesOf(
  net: nn.Module,
  input: readonly number[],
): Record<string, readonly number[]> {
  const { layers } = nn.summary(net, input);
  return Object.fromEntries(
    layers.map(({ name, outputShape }) => [name, outputShape]),
  );
}

/** The shapes of some parts, in order. */
function pick(
  shapes: Record<string, readonly number[]>,
  names: readonly string[],
): (readonly number[])[] {
  return names.map((name) => shapes[name]);
}

function countOf(make: () => nn.Module): number {
  const net = nn.init.skipInit(make);
  const count = net.parameterCount();
  net.dispose();
  return count;
}

Deno.test("AlexNet's forms have the published parameter counts", () => {
  assertEquals(countOf(() => zoo.alexnet()), 61_100_840);
  assertEquals(countOf(() => zoo.alexnet({ variant: "paper" })), 60_965_224);
  assertEquals(countOf(() => zoo.alexnet({ variant: "d2l" })), 46_764_746);
});

Deno.test("AlexNet's maps have the sizes of the paper's figure 2", () => {
  using _ = scope();
  const net = zoo.alexnet({ variant: "paper", classes: 5 });
  const shapes = shapesOf(net, [2, 3, 224, 224]);
  const stages = [
    "conv1",
    "pool1",
    "conv2",
    "pool2",
    "conv3",
    "conv4",
    "conv5",
    "pool5",
  ];
  assertEquals(pick(shapes, stages.map((name) => `features.${name}`)), [
    [2, 96, 55, 55],
    [2, 96, 27, 27],
    [2, 256, 27, 27],
    [2, 256, 13, 13],
    [2, 384, 13, 13],
    [2, 384, 13, 13],
    [2, 256, 13, 13],
    [2, 256, 6, 6],
  ]);
  assertEquals(shapes["classifier.fc8"], [2, 5]);
  net.dispose();
});

Deno.test("torchvision's and d2l's AlexNet end in maps of 6×6 and 5×5", () => {
  using _ = scope();
  const torch = zoo.alexnet();
  const shapes = shapesOf(torch, [2, 3, 224, 224]);
  assertEquals(shapes.features, [2, 256, 6, 6]);
  assertEquals(shapes.classifier, [2, 1000]);
  torch.dispose();
  const d2l = zoo.alexnet({ variant: "d2l" });
  const layers = shapesOf(d2l, [2, 1, 224, 224]);
  assertEquals(pick(layers, ["0", "2", "3", "5", "10", "12", "13", "20"]), [
    [2, 96, 54, 54],
    [2, 96, 26, 26],
    [2, 256, 26, 26],
    [2, 256, 12, 12],
    [2, 256, 12, 12],
    [2, 256, 5, 5],
    [2, 6400],
    [2, 10],
  ]);
  d2l.dispose();
});

Deno.test("the VGG networks have the published parameter counts", () => {
  const counts = {
    vgg11: 132_863_336,
    vgg13: 133_047_848,
    vgg16: 138_357_544,
    vgg19: 143_667_240,
    vgg11Bn: 132_868_840,
    vgg13Bn: 133_053_736,
    vgg16Bn: 138_365_992,
    vgg19Bn: 143_678_248,
  };
  for (const [name, count] of Object.entries(counts)) {
    assertEquals(countOf(zoo[name as keyof typeof counts]), count, name);
  }
});

Deno.test("VGG-16 halves the picture five times, by torchvision's names", () => {
  using _ = scope();
  const net = zoo.vgg16({ classes: 3 });
  const shapes = shapesOf(net, [2, 3, 64, 64]);
  const pools = ["4", "9", "16", "23", "30"].map((i) => `features.${i}`);
  assertEquals(pick(shapes, [...pools, "avgpool", "classifier.6"]), [
    [2, 64, 32, 32],
    [2, 128, 16, 16],
    [2, 256, 8, 8],
    [2, 512, 4, 4],
    [2, 512, 2, 2],
    [2, 512, 7, 7],
    [2, 3],
  ]);
  net.dispose();
});

Deno.test("d2l's VGG takes a width divisor and smaller pictures", () => {
  using _ = scope();
  const net = zoo.vgg11({ variant: "d2l", widthDivisor: 4, inputSize: 64 });
  const shapes = shapesOf(net, [2, 1, 64, 64]);
  assertEquals(pick(shapes, ["0", "1", "2", "3", "4", "5", "12"]), [
    [2, 16, 32, 32],
    [2, 32, 16, 16],
    [2, 64, 8, 8],
    [2, 128, 4, 4],
    [2, 128, 2, 2],
    [2, 512],
    [2, 10],
  ]);
  net.dispose();
  assertThrows(
    () => zoo.vgg11({ variant: "d2l", inputSize: 100 }),
    RangeError,
    "Cannot make a VGG for pictures of 100×100: expected a multiple of 32, which is halved five times",
  );
});

Deno.test("NiN's forms have their counts, and shapes as in their tables", () => {
  using _ = scope();
  const paper = zoo.nin({ variant: "paper" });
  assertEquals(paper.parameterCount(), 966_986);
  const small = shapesOf(paper, [2, 3, 32, 32]);
  assertEquals(pick(small, ["0", "1", "3", "4", "6", "8"]), [
    [2, 96, 32, 32],
    [2, 96, 16, 16],
    [2, 192, 16, 16],
    [2, 192, 8, 8],
    [2, 10, 8, 8],
    [2, 10],
  ]);
  paper.dispose();
  const d2l = zoo.nin();
  assertEquals(d2l.parameterCount(), 1_992_166);
  const shapes = shapesOf(d2l, [2, 1, 224, 224]);
  assertEquals(pick(shapes, ["0", "1", "2", "3", "4", "5", "7", "9"]), [
    [2, 96, 54, 54],
    [2, 96, 26, 26],
    [2, 256, 26, 26],
    [2, 256, 12, 12],
    [2, 384, 12, 12],
    [2, 384, 5, 5],
    [2, 10, 5, 5],
    [2, 10],
  ]);
  d2l.dispose();
});
