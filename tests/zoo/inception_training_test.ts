/** A training step of each network with auxiliary heads, at the size that they want. */
import { assertEquals } from "@std/assert";
import { init, scope, tensor, zoo } from "../../mod.ts";
import { assertGradients, picture } from "../support/made_up.ts";

await init({ seed: 0 });

Deno.test("a step at 299×299 gives each parameter of Inception v3 and its head a gradient", async () => {
  using _ = scope();
  const net = zoo.inceptionV3({ classes: 7 });
  const lossOf = zoo.auxiliaryLoss(net, { weight: 0.4 });
  const logits = net(picture([2, 3, 299, 299], 8));
  assertEquals(net.auxLogits.map(({ shape }) => shape), [[2, 7]]);
  lossOf(logits, tensor([3, 6], { dtype: "i32" })).backward();
  await assertGradients(net);
  net.dispose();
});

Deno.test("a step at 224×224 gives each parameter of the paper's GoogLeNet and its heads a gradient", async () => {
  using _ = scope();
  const net = zoo.googlenet({ variant: "paper", classes: 7 });
  const logits = net(picture([1, 3, 224, 224], 9));
  const labels = tensor([3], { dtype: "i32" });
  zoo.auxiliaryLoss(net)(logits, labels).backward();
  await assertGradients(net);
  net.dispose();
});
