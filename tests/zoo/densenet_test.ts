/** The densely connected networks against published counts, and the shapes of table 1. */
import { assertEquals } from "@std/assert";
import { init, nn, noGrad, randn, scope, type Tensor, zoo } from "../../mod.ts";

await init({ seed: 0 });

Deno.test("the densely connected networks have the published parameter counts", () => {
  const counts = {
    densenet121: 7_978_856,
    densenet161: 28_681_000,
    densenet169: 14_149_480,
    densenet201: 20_013_928,
    d2lDenseNet: 758_226,
  };
  for (const [name, count] of Object.entries(counts)) {
    const make: () => nn.Module = zoo[name as keyof typeof counts];
    const net = nn.init.skipInit(make);
    assertEquals(net.parameterCount(), count, name);
    net.dispose();
  }
});

Deno.test("DenseNet-121's blocks and transitions have the shapes of table 1", () => {
  using _ = scope();
  const net = zoo.densenet121({ classes: 7 });
  const { layers } = nn.summary(net, [2, 3, 64, 64]);
  const shapes = Object.fromEntries(
    layers.map(({ name, outputShape }) => [name, outputShape]),
  );
  const parts = [1, 2, 3].flatMap((i) => [`denseblock${i}`, `transition${i}`]);
  assertEquals(
    ["conv0", "pool0", ...parts, "denseblock4"].map((name) =>
      shapes[`features.${name}`]
    ),
    [
      [2, 64, 32, 32],
      [2, 64, 16, 16],
      [2, 256, 16, 16],
      [2, 128, 8, 8],
      [2, 512, 8, 8],
      [2, 256, 4, 4],
      [2, 1024, 4, 4],
      [2, 512, 2, 2],
      [2, 1024, 2, 2],
    ],
  );
  assertEquals(shapes.classifier, [2, 7]);
  net.dispose();
});

Deno.test("a state with the names of older checkpoints loads as well", async () => {
  using _ = scope();
  const sizes = { growthRate: 4, blocks: [2, 1], initFeatures: 8 };
  const make = () => new zoo.DenseNet(sizes, { classes: 3 }).eval();
  const [net, other] = [make(), make()];
  const old = new Map<string, Tensor>(
    Array.from(net.stateDict(), ([name, value]) => [
      name.replace(/(denselayer\d+\.(?:norm|conv))(\d\.)/, "$1.$2"),
      value,
    ]),
  );
  const names = [...old.keys()];
  assertEquals(
    names.includes("features.denseblock1.denselayer2.norm.1.weight"),
    true,
  );
  other.loadStateDict(old);
  const x = randn([2, 3, 32, 32]);
  assertEquals(
    await noGrad(() => other(x)).array(),
    await noGrad(() => net(x)).array(),
  );
});

Deno.test("the course's densely connected network has its stages' shapes", () => {
  using _ = scope();
  const net = zoo.d2lDenseNet();
  const { layers } = nn.summary(net, [2, 1, 96, 96]);
  const shapes = layers.filter(({ name }) => /^\d+$/.test(name))
    .map(({ outputShape }) => outputShape);
  assertEquals(shapes, [
    [2, 64, 24, 24],
    [2, 192, 24, 24],
    [2, 96, 12, 12],
    [2, 224, 12, 12],
    [2, 112, 6, 6],
    [2, 240, 6, 6],
    [2, 120, 3, 3],
    [2, 248, 3, 3],
    [2, 248, 3, 3],
    [2, 248, 3, 3],
    [2, 248, 1, 1],
    [2, 248],
    [2, 10],
  ]);
  net.dispose();
});
