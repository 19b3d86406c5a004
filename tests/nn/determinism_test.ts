import { assertEquals } from "@std/assert";
import { init, nn, randint, randn, scope, zoo } from "../../mod.ts";

Deno.test("a training step gives the same bits in 20 repeats", async () => {
  await init({ seed: 0 });
  using _ = scope();
  const net = new nn.Sequential(
    new zoo.BasicBlock(3, 16, 2),
    new zoo.BasicBlock(16, 40, 1),
    new nn.MaxPool2d(3, { stride: 2, padding: 1 }),
    new nn.Flatten(),
    new nn.Linear(40 * 7 * 7, 10),
  );
  const x = randn([8, 3, 28, 28]);
  const labels = randint(0, 10, [8]);
  const runs = new Set<string>();
  for (let run = 0; run < 20; run++) {
    using _ = scope();
    net.zeroGrad();
    const loss = nn.crossEntropy(net(x), labels);
    loss.backward();
    const grads = net.parameters().map(({ grad }) => grad!.read());
    const bytes = await Promise.all([loss.read(), ...grads]);
    const all = await new Blob(bytes).arrayBuffer();
    const hash = await crypto.subtle.digest("SHA-256", all);
    runs.add(new Uint8Array(hash).toHex());
  }
  assertEquals(runs.size, 1);
  net.dispose();
});
