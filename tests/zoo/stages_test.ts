/** Shapes after each stage, at batch 2, of the forms and depths that the networks' own tests leave out. Pictures of 64×64 where stages only halve them. */
import { assertEquals } from "@std/assert";
import { init, nn, scope, zoo } from "../../mod.ts";
import { shapesOf } from "../support/made_up.ts";

await init({ seed: 0 });

/** Channels and size after a part, by its path; a number alone is that many features. */
type Stages = Readonly<Record<string, readonly [number, number] | number>>;

function assertStages(
  make: () => nn.Module,
  [channels, size]: readonly [number, number],
  stages: Stages,
): void {
  using _ = scope();
  const net = nn.init.skipInit(make);
  const found = shapesOf(net, [2, channels, size, size], Object.keys(stages));
  const want = Object.values(stages).map((stage) =>
    typeof stage === "number" ? [2, stage] : [2, stage[0], stage[1], stage[1]]
  );
  assertEquals(found, want);
  net.dispose();
}

Deno.test("LeNet's three forms have their stages' shapes", () => {
  assertStages(() => zoo.lenet(), [1, 28], {
    0: [6, 28],
    2: [6, 14],
    3: [16, 10],
    5: [16, 5],
    6: 400,
    7: 120,
    9: 84,
    11: 10,
  });
  assertStages(() => zoo.lenet({ variant: "tutorial" }), [1, 32], {
    conv1: [6, 28],
    conv2: [16, 10],
    pool: [16, 5],
    fc1: 120,
    fc2: 84,
    fc3: 10,
  });
  assertStages(() => zoo.lenet({ variant: "small" }), [1, 28], {
    conv1: [10, 24],
    conv2: [20, 8],
    pool: [20, 4],
    fc: 10,
  });
});

Deno.test("torchvision's AlexNet has its stages' shapes at 224×224", () => {
  assertStages(() => zoo.alexnet({ classes: 7 }), [3, 224], {
    "features.0": [64, 55],
    "features.2": [64, 27],
    "features.3": [192, 27],
    "features.5": [192, 13],
    "features.6": [384, 13],
    "features.8": [256, 13],
    "features.10": [256, 13],
    "features.12": [256, 6],
    avgpool: [256, 6],
    "classifier.1": 4096,
    "classifier.4": 4096,
    "classifier.6": 7,
  });
});

Deno.test("torchvision's GoogLeNet has the stages' shapes of table 1 at 224×224, heads included", () => {
  const make = () => zoo.googlenet({ classes: 7, auxLogits: true });
  assertStages(make, [3, 224], {
    conv1: [64, 112],
    maxpool1: [64, 56],
    conv2: [64, 56],
    conv3: [192, 56],
    maxpool2: [192, 28],
    inception3a: [256, 28],
    inception3b: [480, 28],
    maxpool3: [480, 14],
    inception4a: [512, 14],
    inception4b: [512, 14],
    inception4c: [512, 14],
    inception4d: [528, 14],
    inception4e: [832, 14],
    maxpool4: [832, 7],
    inception5a: [832, 7],
    inception5b: [1024, 7],
    avgpool: [1024, 1],
    fc: 7,
  });
});

Deno.test("the VGG networks halve 64×64 pictures five times, after as many layers as table 1 says", () => {
  const pools = {
    vgg11: [2, 5, 10, 15, 20],
    vgg13: [4, 9, 14, 19, 24],
    vgg19: [4, 9, 18, 27, 36],
    vgg11_bn: [3, 7, 14, 21, 28],
    vgg13_bn: [6, 13, 20, 27, 34],
    vgg16_bn: [6, 13, 23, 33, 43],
    vgg19_bn: [6, 13, 26, 39, 52],
  };
  const stages = [[64, 32], [128, 16], [256, 8], [512, 4], [512, 2]] as const;
  for (const [name, places] of Object.entries(pools)) {
    assertStages(() => zoo.create(name, { classes: 7 }), [3, 64], {
      ...Object.fromEntries(
        places.map((place, i) => [`features.${place}`, stages[i]]),
      ),
      avgpool: [512, 7],
      "classifier.6": 7,
    });
  }
});

/** Of a residual network at 64×64: a quarter, then halves. */
function residual(names: readonly string[], expansion: number): Stages {
  const shapes = names.map((_, i): [number, number] => [
    64 * 2 ** i * expansion,
    16 / 2 ** i,
  ]);
  return Object.fromEntries(names.map((name, i) => [name, shapes[i]]));
}

Deno.test("the residual networks of every depth and form have the stages' shapes of table 1", () => {
  const layers = ["layer1", "layer2", "layer3", "layer4"];
  for (const name of ["resnet18", "resnet34", "plain18", "plain34"]) {
    assertStages(() => zoo.create(name, { classes: 7 }), [3, 64], {
      conv1: [64, 32],
      maxpool: [64, 16],
      ...residual(layers, 1),
      fc: 7,
    });
  }
  for (
    const [name, options] of [
      ["resnet50", { variant: "v1" }],
      ["resnet101", {}],
      ["resnet152", {}],
    ] as const
  ) {
    const make = () => zoo.create(name, { classes: 7, ...options });
    assertStages(make, [3, 64], { ...residual(layers, 4), fc: 7 });
  }
  const stages = layers.map((_, i) => `stages.${i}`);
  for (const [depth, expansion] of [[18, 1], [34, 1], [101, 4], [152, 4]]) {
    const make = () => zoo.create(`resnetv2_${depth}`, { classes: 7 });
    assertStages(make, [3, 64], {
      stem: [64, 16],
      ...residual(stages, expansion),
      fc: 7,
    });
  }
});

Deno.test("the densely connected networks have the stages' shapes of table 1", () => {
  const sizes = {
    densenet161: [96, 48, [6, 12, 36, 24]],
    densenet169: [64, 32, [6, 12, 32, 32]],
    densenet201: [64, 32, [6, 12, 48, 32]],
  } as const;
  for (const [name, [first, growth, blocks]] of Object.entries(sizes)) {
    const stages: Record<string, [number, number]> = {
      "features.conv0": [first, 32],
      "features.pool0": [first, 16],
    };
    let channels: number = first;
    blocks.forEach((layers, i) => {
      channels += layers * growth;
      stages[`features.denseblock${i + 1}`] = [channels, 16 / 2 ** i];
      if (i === 3) return;
      channels /= 2;
      stages[`features.transition${i + 1}`] = [channels, 8 / 2 ** i];
    });
    const make = () => zoo.create(name, { classes: 7 });
    assertStages(make, [3, 64], { ...stages, classifier: 7 });
  }
});
