/** Inception v4 against its shapes, and the values of its layers in PyTorch. */
import { assertEquals } from "@std/assert";
import { init, nn, noGrad, scope, tensor, zoo } from "../../mod.ts";
import wanted from "../fixtures/inception.json" with { type: "json" };
import {
  assertGradients,
  assertLogits,
  fill,
  loadNames,
  picture,
  shapesOf,
} from "../support/made_up.ts";

await init({ seed: 0 });

Deno.test("Inception v4's stages have the shapes of the paper's figures at 299×299", () => {
  using _ = scope();
  const net = nn.init.skipInit(() => zoo.inceptionV4({ classes: 7 }));
  const stages = [0, 1, 2, 3, 4, 5, 6, 9, 10, 11, 17, 18, 19, 21];
  const names = [...stages.map((i) => `features.${i}`), "last_linear"];
  assertEquals(shapesOf(net, [2, 3, 299, 299], names), [
    [2, 32, 149, 149],
    [2, 32, 147, 147],
    [2, 64, 147, 147],
    [2, 160, 73, 73],
    [2, 192, 71, 71],
    [2, 384, 35, 35],
    [2, 384, 35, 35],
    [2, 384, 35, 35],
    [2, 1024, 17, 17],
    [2, 1024, 17, 17],
    [2, 1024, 17, 17],
    [2, 1536, 8, 8],
    [2, 1536, 8, 8],
    [2, 1536, 8, 8],
    [2, 7],
  ]);
  net.dispose();
});

Deno.test("Inception v4 has timm's names, the logits of its layers in PyTorch, and a gradient for each parameter", async () => {
  using _ = scope();
  const net = nn.init.skipInit(() => zoo.inceptionV4()).eval();
  loadNames(net, wanted.inceptionV4.names);
  fill(net);
  const logits = noGrad(() => net(picture([2, 3, 107, 107], 1003)));
  await assertLogits(logits, wanted.inceptionV4.evaluated);
  net.train();
  const labels = tensor([3, 141], { dtype: "i32" });
  nn.crossEntropy(net(picture([2, 3, 107, 107], 7)), labels).backward();
  await assertGradients(net);
  net.dispose();
});
