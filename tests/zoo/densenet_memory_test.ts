/** DenseNet with concatenations that are computed again in backward, against the plain one. */
import { assertEquals, assertLess } from "@std/assert";
import {
  concat,
  type HostData,
  init,
  memory,
  nn,
  randn,
  resetPeakMemory,
  scope,
  seed,
  tensor,
  zoo,
} from "../../mod.ts";

await init({ seed: 0 });

const SIZES = { growthRate: 8, blocks: [14, 2], initFeatures: 16 };

/** Loss, gradients and buffers after a training step, and the most bytes that it took. */
async function step(
  memoryEfficient: boolean,
): Promise<{ values: HostData; peak: number }> {
  using _ = scope();
  seed(3);
  const net = new zoo.DenseNet(SIZES, {
    classes: 5,
    dropout: 0.2,
    memoryEfficient,
  });
  const x = randn([4, 3, 48, 48]);
  const labels = tensor([0, 1, 2, 3], { dtype: "i32" });
  resetPeakMemory();
  const { bytes } = memory();
  const loss = nn.crossEntropy(net(x), labels);
  loss.backward();
  const peak = memory().peakBytes - bytes;
  const grads = net.parameters().map(({ grad }) => grad!.flatten());
  const buffers = Array.from(
    net.namedBuffers(),
    ([, value]) => value.to("f32").flatten(),
  );
  const all = concat([...grads, ...buffers, loss.reshape([1])]);
  const values = await all.read();
  net.dispose();
  return { values, peak };
}

Deno.test("a memory-efficient DenseNet has the plain one's loss, gradients and statistics, bit for bit, in three fifths of the memory", async () => {
  const plain = await step(false);
  const efficient = await step(true);
  assertEquals(efficient.values, plain.values);
  assertLess(efficient.peak / plain.peak, 0.6);
});

Deno.test("a copy of a memory-efficient DenseNet runs, and evaluates like the plain one", async () => {
  using _ = scope();
  const make = (memoryEfficient: boolean) =>
    new zoo.DenseNet(SIZES, { classes: 5, memoryEfficient });
  const [net, other] = [make(true), make(false)];
  other.loadStateDict(net.stateDict());
  const copy = net.clone();
  const x = randn([2, 3, 32, 32]);
  const want = await other.eval()(x).array();
  assertEquals(await copy.eval()(x).array(), want);
  assertEquals(copy.train()(x).shape, [2, 5]);
  for (const each of [net, other, copy]) each.dispose();
});
