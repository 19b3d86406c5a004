/**
 * Run by tests/core/collected_test.ts in a process of its own with the garbage collector exposed: makes garbage in no scope, collects it, and
 * prints what is live afterwards, beyond what was before, as JSON: `{ name: [tensors, buffers, bytes] }`.
 */
import {
  init,
  memory,
  nn,
  noGrad,
  ones,
  type Tensor,
  tensor,
} from "../../mod.ts";

/** What lives on, so that what it must not hold can be told from it. */
const kept: unknown[] = [];

/** What is done, in no scope. What it returns is kept. */
const CASES: Readonly<Record<string, () => unknown>> = {
  "results of calls": () => {
    for (let i = 0; i < 50; i++) ones([4]).mul(2).transpose(0, 0);
  },
  "the past of a running value": () => {
    let x: Tensor = ones([4]);
    for (let i = 0; i < 200; i++) x = x.mul(0.5).add(1);
    return x;
  },
  "graphs that backward never ran through": () => {
    const w = ones([4], { requiresGrad: true });
    for (let i = 0; i < 20; i++) w.mul(2).exp().softmax(0).max().tanh();
    return w;
  },
  "a training loop": () => {
    const layer = new nn.Linear(4, 2);
    const optimizer = new nn.SGD(layer.parameters(), { lr: 0.1 });
    for (let i = 0; i < 10; i++) {
      const loss = layer(ones([3, 4])).square().mean();
      optimizer.zeroGrad();
      loss.backward();
      optimizer.step();
    }
    optimizer.zeroGrad();
    return layer;
  },
  "a leaf and its gradient": () => {
    const w = tensor([1, 2], { requiresGrad: true });
    w.mul(w).sum().backward();
  },
  "a module": () => noGrad(() => new nn.Linear(3, 3)(ones([1, 3]))),
};

async function collect(): Promise<void> {
  const { gc } = globalThis as { gc?: () => void };
  if (!gc) throw new Error("Cannot collect: run with --v8-flags=--expose-gc");
  // Finalizers run in later turns, and each may make more garbage.
  for (let i = 0; i < 10; i++) {
    gc();
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

const device = Deno.args[0] === "cpu" ? "cpu" : "webgpu";
await init({ device, seed: 0 });
const live: Record<string, number[]> = {};
for (const [name, run] of Object.entries(CASES)) {
  const before = memory();
  kept.push(run());
  await collect();
  const after = memory();
  live[name] = [
    after.tensors - before.tensors,
    after.buffers - before.buffers,
    after.bytes - before.bytes,
  ];
}
console.log(JSON.stringify(live));
