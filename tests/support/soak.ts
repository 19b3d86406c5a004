/**
 * Run by tests/core/soak_test.ts in a process of its own: trains a tiny network for as many steps as the second argument says, and prints as
 * JSON what memory was live after step 10 and after every twentieth of the way, and the size of the process once its garbage has been
 * collected, without what JavaScript's heap holds in reserve.
 */
import { init, memory, nn, randn, scope, tensor } from "../../mod.ts";

const steps = Number(Deno.args[1]);
const part = steps / 20;
const { gc } = globalThis as { gc?: () => void };
if (!gc) throw new Error("Cannot measure: run with --v8-flags=--expose-gc");

const device = Deno.args[0] === "cpu" ? "cpu" : "webgpu";
await init({ device, seed: 0 });
const net = new nn.Sequential(
  new nn.Conv2d(1, 2, 3),
  new nn.ReLU(),
  new nn.MaxPool2d(2),
  new nn.Flatten(),
  new nn.Linear(18, 3),
);
const optimizer = new nn.SGD(net.parameters(), { lr: 0.05, momentum: 0.9 });
const inputs = randn([4, 1, 8, 8]);
const labels = tensor([0, 1, 2, 0], { dtype: "i32" });

/** Live bytes, buffers and tensors, and pooled bytes. */
const live: number[][] = [];
/** Resident bytes of the process, without the reserve that V8 doubles now and then. */
const resident: number[] = [];
const losses: number[] = [];
for (let step = 1; step <= steps; step++) {
  {
    using _ = scope();
    const loss = nn.crossEntropy(net(inputs), labels);
    optimizer.zeroGrad();
    loss.backward();
    optimizer.step();
    if (step % (part / 10) === 0) losses.push(await loss.item());
  }
  if (step === 10 || step % part === 0) {
    const { bytes, buffers, tensors, pooledBytes } = memory();
    live.push([bytes, buffers, tensors, pooledBytes]);
    gc();
    const { rss, heapTotal, heapUsed } = Deno.memoryUsage();
    resident.push(rss - heapTotal + heapUsed);
  }
}
console.log(JSON.stringify({ live, resident, losses }));
