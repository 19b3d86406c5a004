import { assertEquals } from "@std/assert";
import {
  gelu,
  hardswish,
  leakyRelu,
  logSoftmax,
  nn,
  relu,
  selu,
  sigmoid,
  silu,
  softmax,
  tanh,
  tensor,
  zeros,
} from "../../mod.ts";
import { elu, prelu, softplus } from "../../nn/functional_activation.ts";
import { ShapeError } from "../../wgsl/errors.ts";
import fixture from "../fixtures/activations.json" with { type: "json" };
import { onBothDevices, onDevice } from "../support/devices.ts";
import { assertFails } from "../support/errors.ts";
import { sample, testGradients } from "../support/gradcheck.ts";
import { assertStored, load, type Stored } from "../support/torch.ts";

type Layer = new (...args: never[]) => nn.Module;

const LAYERS: Readonly<Record<string, Layer>> = {
  ReLU: nn.ReLU,
  LeakyReLU: nn.LeakyReLU,
  PReLU: nn.PReLU,
  ELU: nn.ELU,
  SELU: nn.SELU,
  GELU: nn.GELU,
  SiLU: nn.SiLU,
  Hardswish: nn.Hardswish,
  Sigmoid: nn.Sigmoid,
  Tanh: nn.Tanh,
  Softplus: nn.Softplus,
  Softmax: nn.Softmax,
  LogSoftmax: nn.LogSoftmax,
};

interface FixtureCase extends Record<"x" | "y" | "dy" | "dx", Stored> {
  readonly name: string;
  readonly arguments: readonly unknown[];
  readonly dw?: Stored;
}

onBothDevices(
  "activations and their gradients are PyTorch's, with their options",
  async (device) => {
    const cases: readonly FixtureCase[] = fixture.cases;
    for (const { name, arguments: args, x, y, dy, dx, dw } of cases) {
      const layer = new LAYERS[name](...args as never[]);
      const [weight] = layer.parameters();
      const input = load(x, device, { requiresGrad: true });
      // Weights are f32 on both devices.
      const given = weight ? input.to("f32") : input;
      const output = layer(given);
      await assertStored(output, y, `${layer}, forward`);
      output.backward(load(dy, device).to(output.dtype));
      await assertStored(input.grad, dx, `${layer}, gradient`, 1e-4);
      if (dw) await assertStored(weight.grad, dw, `${layer}, weight`, 1e-4);
      layer.zeroGrad();
      layer.dispose();
    }
  },
);

onBothDevices("activations as functions are those of the layers", async () => {
  const x = tensor([[-2.5, -0.5, 0, 1.5, 4]]);
  const pairs = [
    [relu(x), nn.ReLU],
    [leakyRelu(x), nn.LeakyReLU],
    [elu(x), nn.ELU],
    [selu(x), nn.SELU],
    [gelu(x), nn.GELU],
    [silu(x), nn.SiLU],
    [hardswish(x), nn.Hardswish],
    [sigmoid(x), nn.Sigmoid],
    [tanh(x), nn.Tanh],
    [softplus(x), nn.Softplus],
    [softmax(x), nn.Softmax],
    [logSoftmax(x), nn.LogSoftmax],
  ] as const;
  for (const [y, Layer] of pairs) {
    const layer = new Layer();
    assertEquals(await y.array(), await layer(x).array(), String(layer));
  }
});

testGradients(
  "prelu has its derivatives, with one weight and with one for each channel",
  (x, w, ws) => [prelu(x, w).square(), prelu(x, ws).square()],
  [sample([2, 3, 2], 1), sample([1], 2), sample([3], 3)],
);

testGradients(
  "softplus has its derivatives, with its options",
  (x) => [
    softplus(x, { beta: 2 }).square(),
    softplus(x, { beta: 1.5, threshold: 0.4 }).square(),
  ],
  [sample([2, 4], 4)],
);

testGradients(
  "elu and gelu have their derivatives, with their options",
  (x) => [elu(x, 0.5).square(), gelu(x, { approximate: "tanh" }).square()],
  [sample([2, 4], 5)],
);

onBothDevices("prelu and softplus let NaN and infinity through", async () => {
  const x = tensor([NaN, Infinity, -Infinity, 0]);
  const half = tensor([0.5]);
  assertEquals(await prelu(x, half).array(), [NaN, Infinity, -Infinity, 0]);
  const bent = await softplus(x, { beta: 2 }).array();
  assertEquals((bent as number[]).slice(0, 3), [NaN, Infinity, 0]);
});

onDevice(
  "cpu",
  "prelu refuses weights that aren't one or one for each channel",
  () => {
    assertFails(
      () => prelu(zeros([2, 3, 4]), zeros([4])),
      ShapeError,
      "Cannot apply prelu to [2, 3, 4] with weights [4]: expected [1] or [3]",
    );
    assertFails(
      () => prelu(zeros([3]), zeros([3])),
      ShapeError,
      "Cannot apply prelu to [3] with weights [3]: expected [1]",
    );
  },
);

onDevice("cpu", "activation layers print their options", () => {
  const layers = [
    new nn.LeakyReLU(0.2),
    new nn.ELU(),
    new nn.GELU({ approximate: "tanh" }),
    new nn.Softplus({ beta: 2 }),
    new nn.SiLU(),
  ];
  assertEquals(layers.map(String), [
    "LeakyReLU(negativeSlope=0.2)",
    "ELU(alpha=1)",
    "GELU(approximate=tanh)",
    "Softplus(beta=2, threshold=20)",
    "SiLU()",
  ]);
  const prelu = new nn.PReLU(3);
  assertEquals(String(prelu), "PReLU(numParameters=3)");
  assertEquals([...prelu.stateDict().keys()], ["weight"]);
  prelu.dispose();
});
