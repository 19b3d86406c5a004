import {
  assert,
  assertAlmostEquals,
  assertEquals,
  assertNotStrictEquals,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import {
  device,
  init,
  memory,
  nn,
  ones,
  randn,
  scope,
  type Tensor,
  tensor,
  zeros,
  zoo,
} from "../../mod.ts";

await init({ seed: 0 });

Deno.test("a ModuleList holds modules by position and can grow", () => {
  using _ = scope();
  const list = new nn.ModuleList([new nn.Linear(2, 3)]);
  list.append(new nn.ReLU()).extend([new nn.Linear(3, 1)]);
  assertEquals(list.count, 3);
  assert(list.at(-1) instanceof nn.Linear);
  assertEquals([...list].length, 3);
  assertEquals([...list.namedParameters()].map(([name]) => name), [
    "0.weight",
    "0.bias",
    "2.weight",
    "2.bias",
  ]);
  assertThrows(
    () => list.append(1 as unknown as nn.Module),
    TypeError,
    "Cannot put 3 into a ModuleList: expected a Module but found 1",
  );
  assertThrows(
    () => list(),
    TypeError,
    "Cannot call a ModuleList: call its modules, or make a Sequential of them",
  );
});

Deno.test("a ModuleDict holds modules by name", () => {
  using _ = scope();
  const dict = new nn.ModuleDict({ relu: new nn.ReLU() });
  dict.set("linear", new nn.Linear(2, 2));
  assertEquals(dict.keys(), ["relu", "linear"]);
  assertEquals(dict.count, 2);
  assert(dict.get("linear") instanceof nn.Linear);
  assertEquals(dict.get("nothing"), undefined);
  assert(dict.delete("relu") && !dict.has("relu"));
  assertEquals([...dict].map(([name]) => name), ["linear"]);
  assertEquals(dict.values().length, dict.entries().length);
  for (const name of ["forward", "a.b", ""]) {
    assertThrows(
      () => dict.set(name, new nn.ReLU()),
      RangeError,
      `Cannot call a module "${name}": expected a name without dots that isn't a method or field of ModuleDict`,
    );
  }
  assertThrows(
    () => dict(),
    TypeError,
    "Cannot call a ModuleDict: call one of its modules, for instance dict.get(name)(x)",
  );
});

Deno.test("Unflatten splits an axis, with one size worked out", () => {
  using _ = scope();
  assertEquals(
    new nn.Unflatten(1, [2, -1, 3])(zeros([4, 12])).shape,
    [4, 2, 2, 3],
  );
  assertEquals(
    new nn.Unflatten(-1, [3, 4])(zeros([4, 12, 12])).shape,
    [4, 12, 3, 4],
  );
  assertThrows(
    () => new nn.Unflatten(1, [5, -1])(zeros([4, 12])),
    TypeError,
    "Cannot unflatten axis 1 of [4, 12] to [5, -1]: it has 12 elements, in Unflatten(1, [5,-1])",
  );
  assertThrows(
    () => new nn.Unflatten(1, [-1, -1])(zeros([4, 12])),
    TypeError,
    "Cannot unflatten axis 1 of [4, 12] to [-1, -1]: it has 12 elements and only one size may be -1",
  );
});

Deno.test("an embedding's gradient adds up where a row is used twice, and leaves the padding row alone", async () => {
  const table = new nn.Embedding(4, 2, { paddingIdx: -3 });
  assertEquals((await table.weight.array() as number[][])[1], [0, 0]);
  const y = table(tensor([[0, 1], [0, 3]], { dtype: "i32" }));
  assertEquals(y.shape, [2, 2, 2]);
  y.sum().backward();
  assertEquals(await table.weight.grad!.array(), [
    [2, 2],
    [0, 0],
    [0, 0],
    [1, 1],
  ]);
  assertThrows(
    () => table(tensor([4], { dtype: "i32" })),
    RangeError,
    "Cannot look rows up: index 4 at position 0 is out of range, expected 0 to 3",
  );
  assertThrows(
    () => new nn.Embedding(4, 2, { paddingIdx: 4 }),
    RangeError,
    "Cannot pad with row 4: the table has rows 0 to 3",
  );
  assertEquals(table.describe(), "4, 2, paddingIdx=-3");
});

Deno.test("Dropout2d drops channels whole, AlphaDropout keeps mean and variance", async () => {
  using _ = scope();
  const channels = new nn.Dropout2d(0.25);
  const x = ones([8, 64, 3, 3]);
  const sums = [...await channels(x).sum([2, 3]).read()];
  assertEquals(new Set(sums), new Set([0, 12]));
  const dropped = sums.filter((sum) => sum === 0).length / sums.length;
  assertAlmostEquals(dropped, 0.25, 0.06);
  const alpha = new nn.AlphaDropout(0.3);
  const y = alpha(randn([200_000]));
  assertAlmostEquals(await y.mean().item(), 0, 0.02);
  assertAlmostEquals(await y.square().mean().item(), 1, 0.02);
  assertEquals(new Set(await alpha.eval()(ones([5])).read()), new Set([1]));
  assertEquals(
    new Set(await new nn.AlphaDropout(1)(ones([5])).read()),
    new Set([0]),
  );
  assertThrows(
    () => channels(ones([3])),
    TypeError,
    "Cannot drop channels of [3]: expected [N, C, …]",
  );
});

Deno.test("forward hooks see inputs and output, may replace them, and can be taken away", async () => {
  using _ = scope();
  const net = new nn.Sequential(new nn.Identity(), new nn.Identity());
  const seen: string[] = [];
  const first = net.at(0)!;
  const hooks = [
    first.registerForwardPreHook((module, [x]) => {
      seen.push(`before ${module.constructor.name} [${x.shape}]`);
      return [x.mul(2)];
    }),
    first.registerForwardHook((_module, [x], y) => {
      seen.push(`after [${x.shape}] [${y.shape}]`);
      return y.add(1);
    }),
  ];
  assertEquals(await net(ones([2])).array(), [3, 3]);
  assertEquals(seen, ["before Identity [2]", "after [2] [2]"]);
  hooks[0].remove();
  hooks[1][Symbol.dispose]();
  assertEquals(await net(ones([2])).array(), [1, 1]);
  assertEquals(seen.length, 2);
});

Deno.test("what a hook makes and keeps outlives the call, and what it returns is freed like any output", async () => {
  const net = zoo.lenet();
  const [first, , , second] = net.children();
  const kept: Tensor[] = [];
  first.registerForwardHook((_module, _inputs, y) => {
    kept.push(y.clone());
  });
  second.registerForwardHook((_module, _inputs, y) => y.mul(1));
  const run = () => {
    using _ = scope();
    net(zeros([1, 1, 28, 28]));
  };
  run();
  assertEquals(kept[0].shape, [1, 6, 28, 28]);
  assertEquals((await kept[0].read()).length, 6 * 28 * 28);
  kept.pop()!.dispose();
  const { tensors } = memory();
  run();
  kept.pop()!.dispose();
  assertEquals(memory().tensors, tensors);
});

Deno.test("clone copies a network deeply: values, mode, sharing and frozen parameters", async () => {
  using _ = scope();
  class Tied extends nn.Module {
    readonly first = new nn.Linear(3, 3);
    readonly again = this.first;
    readonly norm = new nn.BatchNorm1d(3);
    readonly sizes = { list: [1, 2] };
    override forward(x: Tensor): Tensor {
      return this.norm(this.again(this.first(x)));
    }
  }
  const net = new Tied();
  net(randn([5, 3]));
  net.first.bias!.requiresGrad = false;
  net.eval();
  const copy = net.clone();
  assert(copy instanceof Tied);
  assertStrictEquals(copy.first, copy.again);
  assertNotStrictEquals(copy.first, net.first);
  assertNotStrictEquals(copy.sizes.list, net.sizes.list);
  assertEquals(copy.toString(), net.toString());
  assertEquals([...copy.stateDict().keys()], [...net.stateDict().keys()]);
  assert(!copy.first.bias!.requiresGrad && copy.first.weight.requiresGrad);
  assert(!copy.norm.training);
  const x = randn([2, 3]);
  assertEquals(await copy(x).array(), await net(x).array());
  copy.first.weight.assign(zeros([3, 3]));
  assert([...await net.first.weight.read()].some((v) => v !== 0));
  const state = net.norm.num_batches_tracked!;
  assertEquals(await copy.norm.num_batches_tracked!.item(), await state.item());
  const sequence = new nn.Sequential(new nn.Linear(3, 2), new nn.ReLU());
  assertEquals(await sequence.clone()(x).array(), await sequence(x).array());
  const conv = new nn.Conv2d(1, 2, 3, { padding: "same" });
  const picture = randn([1, 1, 5, 5]);
  assertEquals(
    await conv.clone()(picture).array(),
    await conv(picture).array(),
  );
});

Deno.test("to stores a network in half precision, which runs where the adapter has it", async () => {
  using _ = scope();
  const net = new nn.Sequential(
    new nn.Conv2d(1, 4, 3),
    new nn.BatchNorm2d(4),
    new nn.ReLU(),
    new nn.Flatten(),
    new nn.Linear(4 * 36, 3),
  );
  net.eval();
  const x = randn([2, 1, 8, 8]);
  const want = [...await net(x).read()];
  if (!device().features.includes("shader-f16")) return;
  const half = net.clone().to("f16");
  assertEquals(
    new Set([...half.namedParameters()].map(([, p]) => p.dtype)),
    new Set(["f16"]),
  );
  const y = half(x.to("f16"));
  assertEquals(y.dtype, "f16");
  [...await y.to("f32").read()].forEach((v, i) =>
    assertAlmostEquals(v, want[i], 0.01)
  );
  assertEquals(half.to("f32").parameters()[0].dtype, "f32");
});

Deno.test("gains are PyTorch's", () => {
  const { calculateGain } = nn.init;
  assertEquals(calculateGain("linear"), 1);
  assertEquals(calculateGain("sigmoid"), 1);
  assertEquals(calculateGain("leakyRelu", 0.2), Math.sqrt(2 / 1.04));
  assertEquals(calculateGain("selu"), 0.75);
});

/** Mean and standard deviation. */
async function momentsOf(x: Tensor): Promise<[number, number]> {
  const values = [...await x.read()];
  const mean = values.reduce((a, b) => a + b, 0) / values.length;
  const square = values.reduce((a, b) => a + (b - mean) ** 2, 0);
  return [mean, Math.sqrt(square / values.length)];
}

Deno.test("initial values have the spread that their papers give", async () => {
  using _ = scope();
  const shape = [64, 32, 3, 3];
  const cases: [Tensor, number][] = [
    [nn.init.xavierUniform(shape, 2), 2 * Math.sqrt(2 / (288 + 576))],
    [nn.init.xavierNormal(shape), Math.sqrt(2 / (288 + 576))],
    [nn.init.kaimingUniform(shape), Math.sqrt(2 / 288)],
    [nn.init.kaimingNormal(shape, { mode: "fanOut" }), Math.sqrt(2 / 576)],
    [
      nn.init.kaimingUniform(shape, { nonlinearity: "tanh" }),
      5 / 3 / Math.sqrt(288),
    ],
    [
      nn.init.kaimingNormal(shape, { a: Math.sqrt(5) }),
      Math.sqrt(1 / 3 / 288),
    ],
    // Of a normal distribution cut at two deviations, 0.87962566 is left.
    [nn.init.truncatedNormal(shape, { std: 0.5, low: -1, high: 1 }), 0.43981],
  ];
  for (const [x, std] of cases) {
    const [mean, got] = await momentsOf(x);
    assertAlmostEquals(mean, 0, 0.03 * std);
    assertAlmostEquals(got, std, 0.03 * std);
  }
});

Deno.test("truncated normal numbers keep to their bounds, also far out", async () => {
  using _ = scope();
  const x = [
    ...await nn.init.truncatedNormal([5000], { low: 5, high: 6 }).read(),
  ];
  assert(x.every((v) => v >= 5 && v <= 6));
  // The mean of a normal number between 5 and 6: (φ(5) − φ(6)) / (Φ(6) − Φ(5)).
  const mean = x.reduce((a, b) => a + b, 0) / x.length;
  assertAlmostEquals(mean, 5.1829, 0.01);
  assertThrows(
    () => nn.init.truncatedNormal([2], { low: 1, high: 1 }),
    RangeError,
    "Cannot draw normal numbers of deviation 1 between 1 and 1: expected a positive deviation and bounds in order",
  );
});

Deno.test("orthogonal weights have orthonormal rows or columns, times the gain", async () => {
  using _ = scope();
  for (const shape of [[4, 2, 3], [7, 3], [5, 5]]) {
    const rows = shape[0];
    const w = nn.init.orthogonal(shape, 2).reshape([rows, -1]);
    const columns = w.shape[1];
    const product = rows <= columns
      ? w.matmul(w.transpose(0, 1))
      : w.transpose(0, 1).matmul(w);
    const few = Math.min(rows, columns);
    [...await product.read()].forEach((v, i) =>
      assertAlmostEquals(v, i % (few + 1) === 0 ? 4 : 0, 1e-5)
    );
  }
});

Deno.test("functions with an underscore fill a tensor in place", async () => {
  using _ = scope();
  const layer = new nn.Linear(20, 30);
  const { weight } = layer;
  assertStrictEquals(nn.init.constant_(weight, 3), weight);
  assertEquals(new Set(await weight.read()), new Set([3]));
  assertEquals(new Set(await nn.init.ones_(weight).read()), new Set([1]));
  assertEquals(new Set(await nn.init.zeros_(weight).read()), new Set([0]));
  const fillers = [
    nn.init.uniform_,
    nn.init.normal_,
    nn.init.xavierUniform_,
    nn.init.xavierNormal_,
    nn.init.kaimingUniform_,
    nn.init.kaimingNormal_,
    nn.init.truncatedNormal_,
    nn.init.orthogonal_,
  ] as ((x: Tensor) => Tensor)[];
  for (const filler of fillers) {
    nn.init.zeros_(weight);
    const [, std] = await momentsOf(filler(weight));
    assert(std > 0.05 && std < 2, filler.name);
  }
  assert(weight.requiresGrad);
});
