/** Plain and pre-activation residual networks, shortcuts without parameters, and the course's block. */
import { assert, assertEquals } from "@std/assert";
import { init, nn, noGrad, ones, randn, scope, zeros, zoo } from "../../mod.ts";

await init({ seed: 0 });

function countOf(make: () => nn.Module): number {
  const net = nn.init.skipInit(make);
  const count = net.parameterCount();
  net.dispose();
  return count;
}

Deno.test("networks with pre-activation have their parameter counts, of which timm publishes that of 50 layers", () => {
  const counts = {
    resnet18V2: 11_687_720,
    resnet34V2: 21_795_880,
    resnet50V2: 25_549_352,
    resnet101V2: 44_541_480,
    resnet152V2: 60_185_128,
  };
  for (const [name, count] of Object.entries(counts)) {
    assertEquals(countOf(zoo[name as keyof typeof counts]), count, name);
  }
});

Deno.test("plain networks lack the projections, padded shortcuts have no parameters", () => {
  // The projections of ResNet-18 and -34: 1×1 convolutions and batch norms of stages 2 to 4.
  const projections = [128, 256, 512].reduce(
    (sum, n) => sum + n * n / 2 + 2 * n,
    0,
  );
  assertEquals(countOf(zoo.plain18), 11_689_512 - projections);
  assertEquals(countOf(zoo.plain34), 21_797_672 - projections);
  assertEquals(countOf(zoo.plain18), 11_515_688);
  assertEquals(
    countOf(() => zoo.resnet18({ shortcut: "padding" })),
    countOf(zoo.plain18),
  );
});

Deno.test("a network with pre-activation carries x past its blocks: without weights, stage 1 gives its input back", async () => {
  using _ = scope();
  const block = new zoo.PreActBottleneck(256, 64, 1).eval();
  block.conv3.weight.assign(zeros([256, 64, 1, 1]));
  const x = randn([1, 256, 3, 3]);
  assertEquals(await block(x).array(), await x.array());
  const net = zoo.resnet50V2({ classes: 7 });
  const { layers } = nn.summary(net, [2, 3, 64, 64]);
  const shapes = Object.fromEntries(
    layers.map(({ name, outputShape }) => [name, outputShape]),
  );
  assertEquals(
    ["stem", "stages.0", "stages.1", "stages.2", "stages.3", "fc"]
      .map((name) => shapes[name]),
    [
      [2, 64, 16, 16],
      [2, 256, 16, 16],
      [2, 512, 8, 8],
      [2, 1024, 4, 4],
      [2, 2048, 2, 2],
      [2, 7],
    ],
  );
  net.dispose();
});

Deno.test("padded shortcuts, small stems and narrow stages fit together", async () => {
  using _ = scope();
  const net = zoo.resnet18({
    shortcut: "padding",
    stem: "small",
    width: 8,
    inChannels: 1,
    classes: 10,
  });
  const { layers } = nn.summary(net, [2, 1, 28, 28]);
  const shapes = layers
    .filter(({ name }) => /^layer\d$/.test(name))
    .map(({ outputShape }) => outputShape);
  assertEquals(shapes, [
    [2, 8, 28, 28],
    [2, 16, 14, 14],
    [2, 32, 7, 7],
    [2, 64, 4, 4],
  ]);
  const shortcut = new zoo.PadShortcut(3, 2);
  assertEquals(
    await shortcut(ones([1, 2, 3, 3])).sum([0, 2, 3]).array(),
    [4, 4, 0],
  );
  net.dispose();
});

Deno.test("the course's ResNet-18 has its stages' shapes, and its block a shortcut of 1×1 convolutions", () => {
  using _ = scope();
  const net = zoo.d2lResnet18();
  const shapes = [...net].map((_layer, i) => i);
  let x = zeros([2, 1, 96, 96]);
  const seen = shapes.map((i) => {
    x = noGrad(() => net.at(i)!(x));
    return x.shape;
  });
  assertEquals(seen, [
    [2, 64, 24, 24],
    [2, 64, 24, 24],
    [2, 128, 12, 12],
    [2, 256, 6, 6],
    [2, 512, 3, 3],
    [2, 512, 1, 1],
    [2, 512],
    [2, 10],
  ]);
  assertEquals(net.parameterCount(), 11_178_378);
  assert(new zoo.Residual(3, 6, { use1x1Conv: true }).conv3 !== null);
  net.dispose();
});
