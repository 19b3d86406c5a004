/** Networks by name. */
import { assert, assertEquals, assertThrows } from "@std/assert";
import { init, nn, zoo } from "../../mod.ts";

await init({ seed: 0 });

Deno.test("each network that is listed is built, with the count that its description states", () => {
  for (const name of zoo.list()) {
    const { parameters } = zoo.describe(name);
    const net = nn.init.skipInit(() => zoo.create(name));
    assertEquals(net.parameterCount(), parameters, name);
    net.dispose();
  }
});

Deno.test("the Inception family is built by name in each of its forms", () => {
  for (
    const [name, options, parameters] of [
      ["googlenet", { auxLogits: true }, 13_004_888],
      ["googlenet", { variant: "paper" }, 13_378_280],
      ["googlenet", { variant: "paper", auxLogits: false }, 6_998_552],
      ["googlenet", { variant: "d2l" }, 5_977_530],
      ["inception_v2", { separable: false }, 11_194_984],
      ["inception_v3", { auxLogits: false }, 23_834_568],
      ["inception_v4", { classes: 10 }, 41_158_186],
    ] as const
  ) {
    assert(zoo.list().includes(name));
    const net = nn.init.skipInit(() => zoo.create(name, options));
    assertEquals(net.parameterCount(), parameters, name);
    net.dispose();
  }
  assertEquals(zoo.describe("inception_v3").input, [3, 299, 299]);
  assertEquals(
    Object.keys(zoo.describe("googlenet").variants),
    ["torchvision", "paper", "d2l"],
  );
});

Deno.test("options go to the network's own function", () => {
  const net = zoo.create("alexnet", { variant: "paper", classes: 2 });
  assertEquals(net.stateDict().get("classifier.fc8.bias")!.shape, [2]);
  net.dispose();
});

Deno.test("an unknown name is answered with the nearest", () => {
  assertThrows(
    () => zoo.create("resnet81"),
    RangeError,
    'Cannot find a network called "resnet81", did you mean "resnet18"?: zoo.list() has their names',
  );
  assertThrows(
    () => zoo.describe("toString"),
    RangeError,
    'Cannot find a network called "toString": zoo.list() has their names',
  );
});

Deno.test("each network takes a number of classes, channels of the input and a probability of dropping", () => {
  for (const name of zoo.list()) {
    const options = { classes: 3, inChannels: 2, dropout: 0.25 };
    const net = nn.init.skipInit(() => zoo.create(name, options));
    const layers = [...net.namedModules()].map(([, layer]) => layer);
    const convs = layers.filter((layer) => layer instanceof nn.Conv2d);
    assertEquals(convs[0].inChannels, 2, name);
    const classes = layers.findLast((layer) => layer instanceof nn.Linear);
    // NiN has no linear layer.
    assertEquals(classes?.outFeatures ?? convs.at(-1)!.outChannels, 3, name);
    const dropping = layers.filter((layer) => layer instanceof nn.Dropout);
    assert(dropping.some(({ p }) => p === 0.25), name);
    net.dispose();
  }
});

Deno.test("each form that a description names is built, and others are refused with the nearest", () => {
  // One network of each family: they share their forms.
  const families = new Map(
    zoo.list().map((name) => {
      const variants = Object.keys(zoo.describe(name).variants);
      return [`${variants} ${zoo.describe(name).paper}`, { name, variants }];
    }),
  );
  for (const { name, variants } of families.values()) {
    for (const variant of variants) {
      const net = nn.init.skipInit(() => zoo.create(name, { variant }));
      assert(net.parameterCount() > 0);
      net.dispose();
    }
  }
  assertThrows(
    () => zoo.create("alexnet", { variant: "papre" }),
    RangeError,
    'Cannot build alexnet in the form "papre", did you mean "paper"?: there are "torchvision" and "paper" and "d2l"',
  );
  assertThrows(
    () => zoo.create("inception_v4", { variant: 2 }),
    RangeError,
    'Cannot build inception_v4 in the form 2: there is "paper"',
  );
});
