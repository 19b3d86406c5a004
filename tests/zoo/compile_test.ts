/** The zoo's networks, compiled, against call by call: all passes together, and each alone. */
import { assertEquals, assertLess } from "@std/assert";
import {
  compile,
  init,
  memory,
  type nn,
  noGrad,
  randn,
  scope,
  type Tensor,
  zoo,
} from "../../mod.ts";
import { PASSES } from "../../core/compile/mod.ts";
import { smallNetwork } from "../support/zoo_small.ts";

/** Logits, where a network has more to say. */
const logitsOf = (y: unknown): Tensor => [y].flat()[0] as Tensor;

/** Expects a plan's output within 1e-5 of the largest value of call by call. */
async function assertCompiled(
  what: string,
  net: nn.Module,
  shape: readonly number[],
  options: nn.CompileOptions = {},
): Promise<nn.Explanation> {
  using _ = scope();
  using run = await compile(net, shape, options);
  const x = randn(shape);
  const want = await logitsOf(noGrad(() => net(x))).read();
  const got = await logitsOf(run(x)).read();
  assertEquals(got.length, want.length, what);
  let [most, worst] = [0, 0];
  want.forEach((v, i) => {
    most = Math.max(most, Math.abs(v));
    worst = Math.max(worst, Math.abs(v - got[i]));
  });
  assertLess(worst, 1e-5 * most, `${what} at ${shape}: of ${most}`);
  return run.explain();
}

for (const name of zoo.list()) {
  Deno.test(`${name} compiled gives what it gives call by call`, async () => {
    await init({ seed: 0 });
    const before = memory().bytes;
    const { net, input } = await smallNetwork(name);
    for (const batch of [1, 3]) {
      const plan = await assertCompiled(name, net, [batch, ...input]);
      assertLess(plan.calls.length, plan.tracedCalls);
    }
    net.dispose();
    assertEquals(memory().bytes, before);
  });
}

/** One network of each family. */
const FAMILIES = [
  "lenet",
  "nin",
  "vgg11_bn",
  "googlenet",
  "resnet18",
  "resnetv2_18",
  "densenet_d2l",
];

Deno.test("each pass alone leaves what networks give as it is", async () => {
  await init({ seed: 0 });
  for (const name of FAMILIES) {
    const { net, input } = await smallNetwork(name);
    for (const { name: pass } of PASSES) {
      const others = PASSES.filter((other) => other.name !== pass);
      const passes = Object.fromEntries(others.map((p) => [p.name, false]));
      const what = `${name} with ${pass} alone`;
      await assertCompiled(what, net, [1, ...input], { passes });
    }
    net.dispose();
  }
});
