import {
  assert,
  assertEquals,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import {
  init,
  memory,
  nn,
  noGrad,
  randn,
  scope,
  type Tensor,
  tensor,
  zeros,
  zoo,
} from "../../mod.ts";

await init({ seed: 0 });

/** The message that a call throws. */
function messageOf(run: () => unknown): string {
  return assertThrows(run).message;
}

Deno.test("a module is called like a function and is an instance of its class", () => {
  using _ = scope();
  const linear = new nn.Linear(3, 2);
  assert(linear instanceof nn.Linear && linear instanceof nn.Module);
  assertEquals(typeof linear, "function");
  assertEquals(linear(zeros([4, 3])).shape, [4, 2]);
});

Deno.test("parameters have dotted names in the order of their fields", () => {
  class Block extends nn.Module {
    readonly conv = new nn.Conv2d(1, 2, 3, { bias: false });
    readonly tail = new nn.Sequential(new nn.ReLU(), new nn.Linear(4, 5));
    readonly scale = nn.parameter(() => zeros([1]));
    override forward(x: Tensor): Tensor {
      return this.tail(this.conv(x).flatten(1)).mul(this.scale);
    }
  }
  const block = new Block();
  assertEquals([...block.namedParameters()].map(([name]) => name), [
    "scale",
    "conv.weight",
    "tail.1.weight",
    "tail.1.bias",
  ]);
  assertEquals(block.parameterCount(), 1 + 18 + 25);
});

Deno.test("a network prints as a tree of its layers", () => {
  const net = new nn.Sequential(
    new nn.Conv2d(1, 6, 5, { padding: 2 }),
    new nn.MaxPool2d(2),
    new nn.Flatten(),
    new nn.Linear(1176, 10, { bias: false }),
    new nn.Dropout(),
  );
  assertEquals(
    Deno.inspect(net),
    `Sequential(
  (0): Conv2d(1, 6, kernelSize=[5,5], padding=2)
  (1): MaxPool2d(kernelSize=2)
  (2): Flatten()
  (3): Linear(1176, 10, bias=false)
  (4): Dropout(p=0.5)
)`,
  );
});

Deno.test("train and eval reach every layer, and eval turns dropout off", async () => {
  using _ = scope();
  const net = new nn.Sequential(new nn.Dropout(0.9), new nn.Identity());
  const x = randn([50]);
  net.eval();
  assertEquals(await net(x).array(), await x.array());
  net.train();
  assert((await net(x).eq(0).sum().item()) > 25);
});

Deno.test("what forward makes and doesn't return is freed when the call ends", () => {
  const before = memory();
  {
    using _ = scope();
    const net = zoo.lenet();
    const x = randn([2, 1, 28, 28]);
    const tensors = memory().tensors;
    const y = noGrad(() => net(x));
    assertEquals(memory().tensors, tensors + 1);
    assertEquals(y.shape, [2, 10]);
    net.dispose();
  }
  assertEquals(memory().bytes, before.bytes);
  assertEquals(memory().tensors, before.tensors);
});

Deno.test("a tensor that forward puts into a field outlives the call", async () => {
  class Spy extends nn.Module {
    seen: Tensor | undefined;
    override forward(x: Tensor): Tensor {
      this.seen = x.mul(2);
      return x.add(1);
    }
  }
  using _ = scope();
  const spy = new Spy();
  spy(tensor([1, 2]));
  assertEquals(await spy.seen!.array(), [2, 4]);
});

Deno.test("a wrong number of channels names both shapes and the layer", () => {
  using _ = scope();
  assertEquals(
    messageOf(() => zoo.lenet()(zeros([1, 3, 28, 28]))),
    "Cannot convolve [1, 3, 28, 28] with [6, 1, 5, 5]: the input has 3 channels, the weight expects 1 (1 a group × 1 groups), in 0: Conv2d(1, 6, kernelSize=[5,5], padding=2)",
  );
});

Deno.test("a layer deep below is named by its whole path", () => {
  using _ = scope();
  const net = new nn.Sequential(
    new nn.Sequential(new nn.ReLU(), new nn.Linear(3, 2)),
  );
  assertEquals(
    messageOf(() => net(zeros([1, 4]))),
    "Cannot apply a linear layer with weight [2, 3] to [1, 4]: expected an input of shape [..., 3], in 0.1: Linear(3, 2)",
  );
});

Deno.test("a promise in place of a tensor is named", () => {
  const linear = new nn.Linear(3, 2);
  assertEquals(
    messageOf(() => linear(Promise.resolve() as unknown as Tensor)),
    "Cannot call Linear: expected input 0 to be a Tensor but found a promise: await it first, in Linear(3, 2)",
  );
});

Deno.test("a kernel larger than its padded input gives the formula", () => {
  using _ = scope();
  const conv = new nn.Conv2d(1, 1, 5);
  assertEquals(
    messageOf(() => conv(zeros([1, 1, 3, 3]))),
    "Cannot convolve [1, 1, 3, 3] with [1, 1, 5, 5]: output height floor((3 + 0 + 0 - 1*(5 - 1) - 1) / 1) + 1 = -1 is not positive, in Conv2d(1, 1, kernelSize=[5,5])",
  );
});

Deno.test("a label out of range is refused at the call", () => {
  using _ = scope();
  assertEquals(
    messageOf(() =>
      nn.crossEntropy(zeros([3, 10]), tensor([0, 11, 2], { dtype: "i32" }))
    ),
    "Cannot compute cross-entropy: label 11 at position 1 is out of range for 10 classes, expected 0 to 9",
  );
});

Deno.test("a label out of range that was computed on the device gives NaN", async () => {
  using _ = scope();
  const labels = tensor([0, 5], { dtype: "i32" }).mul(2);
  assert(Number.isNaN(await nn.crossEntropy(zeros([2, 10]), labels).item()));
});

Deno.test("loading a state takes all of it or nothing", async () => {
  using _ = scope();
  const net = new nn.Sequential(new nn.Linear(2, 2), new nn.Linear(2, 1));
  const before = await net.parameters()[0].array();
  const state = new Map<string, Tensor>([
    ["0.weight", zeros([2, 2])],
    ["0.bais", zeros([2])],
    ["1.weight", zeros([1, 3])],
    ["1.bias", zeros([1])],
  ]);
  assertEquals(
    messageOf(() => net.loadStateDict(state)),
    `Cannot load the state, nothing was changed:
  missing     0.bias [2]
  mis-shaped  1.weight: [1, 3] given, [1, 2] needed
  unexpected  0.bais, did you mean 0.bias?`,
  );
  assertEquals(await net.parameters()[0].array(), before);
  state.set("1.weight", zeros([1, 2]));
  const weight = net.stateDict().get("0.weight");
  net.loadStateDict(state, { strict: false });
  assertStrictEquals(net.stateDict().get("0.weight"), weight);
  assertEquals(await weight!.array(), [[0, 0], [0, 0]]);
});

Deno.test("weights survive a file bit for bit", async () => {
  using _ = scope();
  const path = await Deno.makeTempFile({ suffix: ".safetensors" });
  try {
    const net = zoo.lenet({ variant: "small" });
    const twin = zoo.lenet({ variant: "small" });
    await nn.saveWeights(net, path);
    await nn.loadWeights(twin, path);
    const [a, b] = [net.parameters(), twin.parameters()];
    for (const [i, p] of a.entries()) {
      assertEquals(await p.read(), await b[i].read());
    }
  } finally {
    await Deno.remove(path);
  }
});
