/** Checkpointed functions: gradients of the plain call, bit for bit, with less memory. */
import {
  assert,
  assertAlmostEquals,
  assertEquals,
  assertLess,
  assertThrows,
} from "@std/assert";
import {
  AutogradError,
  concat,
  gradients,
  init,
  memory,
  nn,
  noGrad,
  ones,
  rand,
  randn,
  randomState,
  resetPeakMemory,
  scope,
  seed,
  synchronize,
  type Tensor,
  tensor,
  zeros,
} from "../../mod.ts";
import { liveMemory, onBothDevices } from "../support/devices.ts";

type Call = (net: nn.Module, x: Tensor) => Tensor;

const plain: Call = (net, x) => net(x);
const checkpointed: Call = (net, x) => nn.checkpoint(net, x);

function makeNet(): nn.Sequential {
  return new nn.Sequential(
    new nn.Conv2d(2, 4, 3, { padding: 1 }),
    new nn.BatchNorm2d(4, { momentum: null }),
    new nn.Tanh(),
    new nn.Dropout(0.5),
    new nn.Conv2d(4, 3, 3),
    new nn.BatchNorm2d(3),
    new nn.ReLU(),
  );
}

/** Everything that two training steps leave: outputs, gradients, buffers and where the random stream stands. */
async function traces(call: Call): Promise<unknown[]> {
  using _ = scope();
  seed(5);
  const net = makeNet();
  const x = randn([2, 2, 6, 6], { requiresGrad: true });
  const seen: unknown[] = [];
  for (let step = 0; step < 2; step++) {
    const y = call(net, x);
    seen.push(await y.array());
    y.mul(randn(y.shape)).sum().backward();
  }
  seen.push(await x.grad!.array());
  for (const p of net.parameters()) seen.push(await p.grad!.array());
  for (const [, value] of net.stateDict()) seen.push(await value.array());
  net.dispose();
  return [...seen, randomState()];
}

onBothDevices(
  "a checkpointed network has the plain one's outputs, gradients, running statistics and random numbers, bit for bit",
  async () => {
    const want = await traces(plain);
    assertEquals(await traces(checkpointed), want);
    const parts: Call = (net, x) => {
      const layers = net.children();
      const run = (from: number, to?: number) => (h: Tensor) =>
        layers.slice(from, to).reduce((value, layer) => layer(value), h);
      return nn.checkpoint(run(4), nn.checkpoint(run(0, 4), x));
    };
    assertEquals(await traces(parts), want);
  },
);

onBothDevices(
  "checkpoints may stand in checkpoints",
  async () => {
    const want = await traces(plain);
    const nested: Call = (net, x) => {
      const layers = net.children();
      const run = (from: number, to: number) => (h: Tensor) =>
        layers.slice(from, to).reduce((value, layer) => layer(value), h);
      return nn.checkpoint(
        (h) => {
          const first = nn.checkpoint(run(1, 4), run(0, 1)(h));
          return nn.checkpoint((g) => nn.checkpoint(run(4, 7), g), first);
        },
        x,
      );
    };
    assertEquals(await traces(nested), want);
  },
);

onBothDevices(
  "several inputs, some of which need no gradient, get theirs",
  async () => {
    const a = tensor([1, 2], { requiresGrad: true });
    const b = tensor([3, 4]);
    const c = tensor([5], { requiresGrad: true });
    const body = (...parts: Tensor[]) => {
      const all = concat(parts);
      return all.square().mul(all).sum();
    };
    nn.checkpoint(body, a, b, c).backward();
    assertEquals(await a.grad?.array(), [3, 12]);
    assertEquals(b.grad, null);
    assertEquals(await c.grad?.array(), [75]);
  },
);

onBothDevices(
  "gradients of gradients, a graph that is kept, and gradients of one parameter go through it",
  async () => {
    const x = tensor([2, 3], { requiresGrad: true });
    const y = nn.checkpoint((h) => h.square().mul(h), x);
    const options = { gradient: ones([2]), createGraph: true };
    const [slope] = gradients(y, [x], options);
    assertEquals(await slope.array(), [12, 27]);
    const [curve] = gradients(slope.sum(), [x], { retainGraph: true });
    assertEquals(await curve.array(), [12, 18]);
    y.sum().backward(undefined, { retainGraph: true });
    y.sum().backward();
    assertEquals(await x.grad?.array(), [24, 54]);

    const layer = new nn.Linear(2, 1);
    const out = nn.checkpoint((h) => layer(h).square(), ones([1, 2]));
    const [bias] = gradients(out, [layer.bias!], { gradient: ones([1, 1]) });
    const root = Math.sqrt(await out.item());
    assertAlmostEquals(Math.abs(await bias.item()), 2 * root, 1e-6);
    assertEquals(layer.weight.grad, null);
    layer.dispose();
  },
);

onBothDevices("values inside are kept by nobody, before or after", () => {
  const before = liveMemory();
  {
    using _ = scope();
    const x = rand([64], { requiresGrad: true });
    const held = liveMemory().bytes;
    const y = nn.checkpoint((h) => h.exp().sin().exp(), x);
    assertEquals(liveMemory().bytes, held + 256);
    y.sum().backward();
    const forgotten = nn.checkpoint((h) => h.exp().sin(), x);
    forgotten.dispose();
    noGrad(() => nn.checkpoint((h) => h.exp().sin(), x));
  }
  assertEquals(liveMemory(), before);
});

onBothDevices(
  "a function that computes something else the second time is an error, and frees what it made",
  () => {
    const x = tensor([1, 2], { requiresGrad: true });
    let calls = 0;
    const longer = (h: Tensor) =>
      ++calls % 2 === 1 ? h.exp() : h.exp().sin().exp();
    const y = nn.checkpoint(longer, x);
    const before = liveMemory();
    assertThrows(
      () => y.sum().backward(),
      AutogradError,
      "Cannot run backward through a checkpoint: its function kept 1 values and keeps 3 now, it has to compute the same each time",
    );
    assertEquals(x.grad, null);
    calls = 0;
    const shorter = (h: Tensor) =>
      (++calls % 2 === 1 ? concat([h, h]) : h).exp();
    const wider = nn.checkpoint(shorter, x);
    assertThrows(
      () => wider.sum().backward(),
      AutogradError,
      "Cannot run backward through a checkpoint: value 1 that its function keeps was f32[4] and is f32[2] now, it has to compute the same each time",
    );
    wider.dispose();
    assertLess(liveMemory().buffers, before.buffers + 3);
  },
);

onBothDevices(
  "inputs and weights that were changed in place since are found",
  () => {
    const layer = new nn.Linear(2, 2);
    const x = ones([1, 2]);
    const y = nn.checkpoint((h) => layer(h).sigmoid(), x);
    layer.bias!.assign(zeros([2]));
    assertThrows(
      () => y.sum().backward(),
      AutogradError,
      "Cannot run backward through sigmoid: a tensor that its checkpoint's function reads has been changed in place since",
    );
    const z = nn.checkpoint((h) => layer(h).sigmoid(), x);
    x.assign(zeros([1, 2]));
    assertThrows(
      () => z.sum().backward(),
      AutogradError,
      "which the gradient of sigmoid needs, has been changed in place since",
    );
    layer.dispose();
  },
);

onBothDevices(
  "backward inside of the function, and inputs that aren't tensors, are errors",
  () => {
    const x = tensor([1, 2], { requiresGrad: true });
    assertThrows(
      () =>
        nn.checkpoint((h) => {
          const y = h.exp().exp().sum();
          y.backward();
          return y;
        }, x),
      AutogradError,
      "Cannot run backward through exp: its checkpoint's function hasn't returned yet",
    );
    const wrong: unknown = 3;
    assertThrows(
      () => nn.checkpoint((h) => h, wrong as Tensor),
      TypeError,
      "Cannot checkpoint a function: its input 0 is a number, expected a tensor",
    );
  },
);

Deno.test("a deep network takes a fraction of the memory when its blocks are checkpointed", async () => {
  await init({ seed: 0 });
  const blocks = Array.from(
    { length: 8 },
    () =>
      new nn.Sequential(
        new nn.Conv2d(8, 8, 3, { padding: 1 }),
        new nn.BatchNorm2d(8),
        new nn.Tanh(),
        new nn.Conv2d(8, 8, 3, { padding: 1 }),
        new nn.Tanh(),
      ),
  );
  async function peakOf(call: Call): Promise<number> {
    using _ = scope();
    const x = randn([4, 8, 32, 32]);
    resetPeakMemory();
    const { bytes } = memory();
    blocks.reduce((h, block) => call(block, h), x).sum().backward();
    await synchronize();
    return memory().peakBytes - bytes;
  }
  await peakOf(plain); // so that gradients are there
  const all = await peakOf(plain);
  const few = await peakOf(checkpointed);
  assert(few < 0.55 * all, `${few} bytes of ${all}`);
});
