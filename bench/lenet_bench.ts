/** LeNet forward and one training step, batch 64. Each iteration waits for the device, so that queued work isn't counted as done. */
import {
  init,
  nn,
  noGrad,
  randint,
  randn,
  scope,
  synchronize,
  zoo,
} from "../mod.ts";

await init({ seed: 0 });
const net = zoo.lenet({ activation: "relu", pooling: "max" });
const optimizer = new nn.SGD(net.parameters(), { lr: 0.01, momentum: 0.9 });
const inputs = randn([64, 1, 28, 28]);
const targets = randint(0, 10, [64]);

Deno.bench("LeNet forward, batch 64", { group: "lenet" }, async () => {
  using _ = scope();
  noGrad(() => net(inputs));
  await synchronize();
});

Deno.bench("LeNet training step, batch 64", { group: "lenet" }, async () => {
  using _ = scope();
  const loss = nn.crossEntropy(net(inputs), targets);
  optimizer.zeroGrad();
  loss.backward();
  optimizer.step();
  await synchronize();
});
