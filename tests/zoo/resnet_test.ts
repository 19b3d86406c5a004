/** The residual networks against their published counts, and ResNet-18 against torchvision's. */
import { assert, assertEquals, assertLess } from "@std/assert";
import {
  init,
  nn,
  noGrad,
  scope,
  type Tensor,
  tensor,
  zoo,
} from "../../mod.ts";
import type { HostData } from "../../wgsl/op.ts";
import { sizeOf } from "../../wgsl/shape.ts";
import wanted from "../fixtures/resnet18.json" with { type: "json" };

/** Fractions in [-0.5, 0.5): the same as in resnet18.py. */
function noise(count: number, number: number): Float64Array {
  const start = Number(BigInt(number) * 2654435761n % 2n ** 32n);
  return Float64Array.from({ length: count }, (_, i) => {
    let h = (i + start) >>> 0;
    h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
    h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
    return ((h ^ (h >>> 16)) >>> 0) / 2 ** 32 - 0.5;
  });
}

/** Sets the made-up weights of resnet18.py. */
function fill(net: nn.Module): void {
  const state = [...net.stateDict()]
    .filter(([name]) => !name.endsWith("num_batches_tracked"))
    .sort(([a], [b]) => a < b ? -1 : 1);
  for (const [t, [name, value]] of state.entries()) {
    using _ = scope();
    const { shape, rank } = value;
    const fanIn = sizeOf(shape.slice(1));
    const flat = noise(value.size, t).map((v) =>
      rank > 1
        ? v * Math.sqrt(24 / fanIn)
        : name.endsWith("running_var")
        ? v + 1
        : name.endsWith("weight")
        ? 1 + v / 2
        : v
    );
    value.assign(tensor(Float32Array.from(flat), { shape }));
  }
}

function dot(a: HostData, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < b.length; i++) sum += a[i] * b[i];
  return sum;
}

Deno.test("the residual networks have the published parameter counts", async () => {
  await init({ seed: 0 });
  const counts = {
    resnet18: 11_689_512,
    resnet34: 21_797_672,
    resnet50: 25_557_032,
    resnet101: 44_549_160,
    resnet152: 60_192_808,
  };
  for (const [name, count] of Object.entries(counts)) {
    const net = zoo[name as keyof typeof counts]();
    assertEquals(net.parameterCount(), count, name);
    net.dispose();
  }
});

Deno.test("ResNet-50's stages have the shapes of table 1", async () => {
  await init({ seed: 0 });
  using _ = scope();
  const net = zoo.resnet50({ classes: 7 });
  const { layers } = nn.summary(net, [1, 3, 64, 64]);
  const shapes = Object.fromEntries(
    layers.map(({ name, outputShape }) => [name, outputShape]),
  );
  assertEquals(shapes.conv1, [1, 64, 32, 32]);
  assertEquals(shapes.layer1, [1, 256, 16, 16]);
  assertEquals(shapes.layer2, [1, 512, 8, 8]);
  assertEquals(shapes.layer3, [1, 1024, 4, 4]);
  assertEquals(shapes.layer4, [1, 2048, 2, 2]);
  assertEquals(shapes.fc, [1, 7]);
  net.dispose();
});

Deno.test("ResNet-18 has torchvision's logits and, after one training step, its loss, gradients and statistics", async () => {
  await init({ seed: 0 });
  using _ = scope();
  const net = zoo.resnet18();
  fill(net);
  const pixels = noise(4 * 3 * 64 * 64, wanted.picture).map((v) =>
    Math.fround(v) * 4
  );
  const x = tensor(Float32Array.from(pixels), { shape: [4, 3, 64, 64] });
  const labels = tensor([3, 141, 592, 653], { dtype: "i32" });

  net.eval();
  const logits = await noGrad(() => net(x).slice(1, 0, 20)).read();
  const worst = wanted.logits.flat().reduce(
    (most, want, i) => Math.max(most, Math.abs(logits[i] - want)),
    0,
  );
  assertLess(worst / wanted.largest, 5e-6);

  net.train();
  const loss = nn.crossEntropy(net(x), labels);
  loss.backward();
  assertLess(Math.abs(await loss.item() - wanted.loss) / wanted.loss, 1e-5);
  const gradients: Record<string, { length: number; products: number[] }> =
    wanted.gradients;
  for (const [name, { grad }] of net.namedParameters()) {
    assert(grad, `${name} received no gradient`);
    const values = await grad.read();
    const { length, products } = gradients[name];
    const found = Math.sqrt(dot(values, Float64Array.from(values)));
    assertLess(Math.abs(found - length) / length, 1e-4, name);
    for (const [k, want] of products.entries()) {
      const product = dot(values, noise(values.length, 2000 + k));
      // Of a vector of that length with noise: the product's own size may be near 0.
      const scale = length * Math.sqrt(1 / 12);
      assertLess(Math.abs(product - want) / scale, 1e-4, name);
    }
  }
  const state: ReadonlyMap<string, Tensor> = net.stateDict();
  const variance = await state.get("layer4.1.bn2.running_var")!.read();
  for (const [i, want] of wanted.runningVar.entries()) {
    assertLess(Math.abs(variance[i] - want) / want, 1e-5);
  }
  net.dispose();
});
