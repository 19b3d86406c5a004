/** How networks start where it isn't as PyTorch's layers do. */
import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { init, nn, zoo } from "../../mod.ts";

/** The numbers of each convolution's and linear layer's weights, with the fans that they were drawn for. */
async function weightsOf(net: nn.Module) {
  const found: { name: string; data: number[]; fans: number }[] = [];
  for (const [name, layer] of net.namedModules()) {
    if (!(layer instanceof nn.Conv2d || layer instanceof nn.Linear)) continue;
    const [out, into, ...taps] = layer.weight.shape;
    const area = taps.reduce((a, b) => a * b, 1);
    const data = Array.from(await layer.weight.read(), Number);
    found.push({ name, data, fans: (out + into) * area });
  }
  return found;
}

Deno.test("d2l's forms start with Glorot's uniform weights", async () => {
  await init({ seed: 0 });
  const nets: Record<string, () => nn.Module> = {
    vgg: () => zoo.vgg11({ variant: "d2l", widthDivisor: 16, inputSize: 32 }),
    nin: () => zoo.nin(),
    googlenet: () => zoo.googlenet({ variant: "d2l" }),
    resnet: () => zoo.d2lResnet18({ width: 8 }),
    densenet: () => zoo.d2lDenseNet({ growthRate: 8, initFeatures: 16 }),
  };
  for (const [net, make] of Object.entries(nets)) {
    const made = make();
    for (const { name, data, fans } of await weightsOf(made)) {
      // Glorot and Bengio (2010), equation 16.
      const bound = Math.sqrt(6 / fans);
      const most = data.reduce((a, v) => Math.max(a, Math.abs(v)), 0);
      assert(most <= bound * (1 + 1e-6), `${net} ${name}`);
      assert(most > 0.9 * bound, `${net} ${name}: ${most} of ${bound}`);
    }
    made.dispose();
  }
});

Deno.test("the paper's NiN starts with weights of deviation 0.05 and without biases", async () => {
  await init({ seed: 0 });
  const net = zoo.nin({ variant: "paper" });
  for (const { data } of await weightsOf(net)) {
    const squares = data.reduce((sum, v) => sum + v ** 2, 0);
    assertAlmostEquals(Math.sqrt(squares / data.length), 0.05, 2e-3);
  }
  for (const [name, bias] of net.namedParameters()) {
    if (!name.endsWith("bias")) continue;
    const numbers = Array.from(await bias.read(), Number);
    assertEquals(numbers, numbers.map(() => 0));
  }
  net.dispose();
});
