/** Networks by name. */
import { assertEquals, assertThrows } from "@std/assert";
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
