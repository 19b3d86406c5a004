/** LeNet against PyTorch: values, gradients, a training curve. */
import { assert, assertEquals, assertLess } from "@std/assert";
import { decodeSafetensors } from "../../core/formats/safetensors.ts";
import {
  device,
  init,
  nn,
  randn,
  scope,
  type Tensor,
  tensor,
  zoo,
} from "../../mod.ts";

type Fixture = Map<string, Tensor>;

async function load(name: string): Promise<Fixture> {
  const url = new URL(
    `../fixtures/lenet/${name}.safetensors`,
    import.meta.url,
  );
  const { tensors } = decodeSafetensors(await Deno.readFile(url), name);
  return new Map(
    Array.from(tensors, ([key, { shape, dtype, data }]) => {
      const kept = dtype === "f64" && device().backend === "webgpu";
      return [key, tensor(data, { shape, dtype: kept ? "f32" : dtype })];
    }),
  );
}

/** Largest difference, relative to the largest wanted value. */
async function relativeError(got: Tensor, want: Tensor): Promise<number> {
  assertEquals(got.shape, want.shape);
  const [a, b] = await Promise.all([got.read(), want.read()]);
  let worst = 0;
  let largest = 0;
  for (let i = 0; i < b.length; i++) {
    worst = Math.max(worst, Math.abs(a[i] - b[i]));
    largest = Math.max(largest, Math.abs(b[i]));
    assert(Number.isFinite(a[i]), `element ${i} is ${a[i]}`);
  }
  return worst / largest;
}

function withParameters(net: nn.Module, fixture: Fixture): nn.Module {
  const names = new Set(Array.from(net.namedParameters(), ([name]) => name));
  net.loadStateDict(new Map([...fixture].filter(([key]) => names.has(key))));
  return net;
}

const FORMS = [
  { name: "sigmoid28", options: {} },
  { name: "relu32", options: { variant: "tutorial" } },
  { name: "small28", options: { variant: "small" } },
] as const;

for (const backend of ["webgpu", "cpu"] as const) {
  for (const { name, options } of FORMS) {
    Deno.test(`LeNet ${name} has PyTorch's logits, loss and gradients (${backend})`, async () => {
      await init({ device: backend, seed: 0 });
      using _ = scope();
      const fixture = await load(name);
      const net = withParameters(zoo.lenet(options), fixture);
      const logits = net(fixture.get("images")!);
      const loss = nn.crossEntropy(logits, fixture.get("labels")!);
      loss.backward();
      assertLess(await relativeError(logits, fixture.get("logits")!), 1e-5);
      assertLess(await relativeError(loss, fixture.get("loss")!), 1e-5);
      for (const [key, parameter] of net.namedParameters()) {
        const want = fixture.get(`grad.${key}`);
        assert(want, `the fixture has no gradient of ${key}`);
        assert(parameter.grad, `${key} received no gradient`);
        assertLess(await relativeError(parameter.grad, want), 1e-5, key);
      }
      net.dispose();
    });
  }
}

/** The losses of 100 steps of SGD on the fixture's images, in their order. */
async function lossCurve(
  fixture: Fixture,
  net: nn.Module,
  images: Tensor,
): Promise<number[]> {
  const labels = await fixture.get("labels")!.read();
  const optimizer = new nn.SGD(net.parameters(), { lr: 0.01, momentum: 0.9 });
  const losses: number[] = [];
  for (let step = 0; step < 100; step++) {
    using _ = scope();
    const start = step * 16 % 400;
    const targets = tensor(labels.slice(start, start + 16), { dtype: "i32" });
    const loss = nn.crossEntropy(
      net(images.slice(0, start, start + 16)),
      targets,
    );
    optimizer.zeroGrad();
    loss.backward();
    optimizer.step();
    losses.push(await loss.item());
  }
  return losses;
}

/** Largest distance between two curves. */
function distance(a: ArrayLike<number>, b: ArrayLike<number>): number {
  return Math.max(...Array.from(a, (value, i) => Math.abs(value - b[i])));
}

Deno.test("LeNet follows PyTorch's loss curve for 100 steps of SGD", async () => {
  await init({ seed: 0 });
  using _ = scope();
  const fixture = await load("curve");
  const images = fixture.get("images")!.to("f32").div(255);
  const net = withParameters(
    zoo.lenet({ activation: "relu", pooling: "max" }),
    fixture,
  );
  const losses = await lossCurve(fixture, net, images);
  const want = await fixture.get("losses")!.read();
  assertLess(distance(losses, want), 1e-5);
  net.dispose();
});

Deno.test("in float64 the curve is PyTorch's to the last digits", async () => {
  await init({ device: "cpu", seed: 0 });
  using _ = scope();
  const fixture = await load("curve");
  const images = fixture.get("images")!.to("f64").div(255);
  const net = zoo.lenet({ activation: "relu", pooling: "max" });
  for (const [name, layer] of net.namedModules()) {
    for (const field of ["weight", "bias"]) {
      const value = fixture.get(`${name}.${field}`);
      if (!value) continue;
      Reflect.set(layer, field, new nn.Parameter(value.to("f64")));
    }
  }
  const losses = await lossCurve(fixture, net, images);
  const want = await fixture.get("losses")!.read();
  assertLess(distance(losses, want), 1e-12);
});

Deno.test("the three forms have the published parameter counts", async () => {
  await init({ seed: 0 });
  const counts = FORMS.map(({ options }) =>
    zoo.lenet(options).parameterCount()
  );
  assertEquals(counts, [61706, 61706, 8490]);
});

Deno.test("the d2l form has the shapes of figure 2 after each layer", async () => {
  await init({ seed: 0 });
  using _ = scope();
  const { layers } = nn.summary(zoo.lenet(), [1, 1, 28, 28]);
  assertEquals(layers.slice(1).map(({ outputShape }) => outputShape), [
    [1, 6, 28, 28],
    [1, 6, 28, 28],
    [1, 6, 14, 14],
    [1, 16, 10, 10],
    [1, 16, 10, 10],
    [1, 16, 5, 5],
    [1, 400],
    [1, 120],
    [1, 120],
    [1, 84],
    [1, 84],
    [1, 10],
  ]);
});

Deno.test("the same seed gives the same weights, bit for bit, after 200 steps", async () => {
  const runs: string[] = [];
  for (let run = 0; run < 2; run++) {
    await init({ seed: 7 });
    using _ = scope();
    const net = zoo.lenet({ variant: "small" });
    const optimizer = new nn.SGD(net.parameters(), { lr: 0.05, momentum: 0.9 });
    for (let step = 0; step < 200; step++) {
      using _ = scope();
      const x = randn([4, 1, 28, 28]);
      const loss = nn.crossEntropy(
        nn.dropout(net(x)),
        x.sum([1, 2, 3]).gt(0).to("i32"),
      );
      optimizer.zeroGrad();
      loss.backward();
      optimizer.step();
    }
    const values = await Promise.all(net.parameters().map((p) => p.read()));
    runs.push(values.map((v) => new Uint32Array(v.buffer).join()).join(";"));
    net.dispose();
  }
  assert(runs[0] === runs[1]);
});
