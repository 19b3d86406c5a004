import { assertEquals } from "@std/assert";
import { init, memory, nn, randint, randn, scope, zoo } from "../../mod.ts";

Deno.test("precompile runs every layer and leaves mode, buffers, gradients and memory as they were", async () => {
  await init({ seed: 0 });
  using _ = scope();
  const net = new nn.Sequential(
    new zoo.BasicBlock(1, 4, 2),
    new nn.Flatten(),
    new nn.Linear(16, 3),
  );
  const loss = nn.crossEntropy(net(randn([2, 1, 4, 4])), randint(0, 3, [2]));
  loss.backward();
  net.eval();
  const state = async () => [
    net.training,
    ...await Promise.all(
      [...net.stateDict().values()].map((value) => value.array()),
    ),
    ...await Promise.all(net.parameters().map(({ grad }) => grad?.array())),
  ];
  const before = await state();
  const { tensors, bytes } = memory();
  const seen: string[] = [];
  await nn.precompile(net, [2, 1, 4, 4], {
    training: true,
    onProgress: (done, layers) => seen.push(`${done}/${layers}`),
  });
  assertEquals(memory().tensors, tensors);
  assertEquals(memory().bytes, bytes);
  assertEquals(await state(), before);
  assertEquals(seen, Array.from({ length: 8 }, (_, i) => `${i + 1}/8`));
});
