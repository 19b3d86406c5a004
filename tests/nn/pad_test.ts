import { assertEquals } from "@std/assert";
import { nn, pad, tensor, zeros } from "../../mod.ts";
import type { PadOptions } from "../../nn/functional_pad.ts";
import { ShapeError } from "../../wgsl/errors.ts";
import fixture from "../fixtures/pad.json" with { type: "json" };
import { onBothDevices, onDevice } from "../support/devices.ts";
import { assertFails } from "../support/errors.ts";
import { sample, testGradients } from "../support/gradcheck.ts";
import { assertLikeTorch, type Stored } from "../support/torch.ts";

interface FixtureCase extends Record<"x" | "y" | "dy" | "dx", Stored> {
  readonly pads: readonly number[];
  readonly mode: string;
  readonly value: number;
}

onBothDevices(
  "padding and its gradients are PyTorch's in every mode",
  async (device) => {
    const cases: readonly FixtureCase[] = fixture.cases;
    for (const { pads, mode, value, ...tensors } of cases) {
      const options = { mode: mode as PadOptions["mode"], value };
      const what = `pad [${tensors.x.shape}] by [${pads}], ${mode}`;
      await assertLikeTorch(
        (x) => pad(x, pads, options),
        tensors,
        device,
        what,
      );
    }
  },
);

testGradients(
  "padding has its derivatives in every mode",
  (x) => [
    pad(x, [1, 2, 0, 1], { value: 2 }).square(),
    pad(x, [-1, 2, 1, -1]).square(),
    pad(x, [2, 1, 1, 0], { mode: "reflect" }).square(),
    pad(x, [3, 1, 2, 0], { mode: "replicate" }).square(),
  ],
  [sample([1, 1, 2, 3], 1)],
);

onBothDevices("padding layers pad as PyTorch's do", async () => {
  const x = tensor([[[[1, 2], [3, 4]]]]);
  assertEquals(await new nn.ZeroPad2d([1, 0, 0, 1])(x).array(), [[[
    [0, 1, 2],
    [0, 3, 4],
    [0, 0, 0],
  ]]]);
  assertEquals(await new nn.ReflectionPad2d(1)(x).array(), [[[
    [4, 3, 4, 3],
    [2, 1, 2, 1],
    [4, 3, 4, 3],
    [2, 1, 2, 1],
  ]]]);
  assertEquals(await new nn.ReplicationPad2d([2, 0, 1, 0])(x).array(), [[[
    [1, 1, 1, 2],
    [1, 1, 1, 2],
    [3, 3, 3, 4],
  ]]]);
});

onBothDevices("padding by nothing keeps values and gradients", async () => {
  const x = tensor([[1, 2]], { requiresGrad: true });
  const y = pad(x, []);
  assertEquals(await y.array(), [[1, 2]]);
  y.sum().backward();
  assertEquals(await x.grad?.array(), [[1, 1]]);
});

onDevice(
  "cpu",
  "padding refuses amounts that don't fit, and says what would",
  () => {
    const x = zeros([2, 3]);
    assertFails(
      () => pad(x, [1]),
      ShapeError,
      "Cannot pad [2, 3] by 1 amounts: expected two for each axis to pad, the last axis first, at most 4",
    );
    assertFails(
      () => pad(x, [1, 1, 1, 1, 1, 1]),
      ShapeError,
      "Cannot pad [2, 3] by 6 amounts: expected two for each axis to pad, the last axis first, at most 4",
    );
    assertFails(
      () => pad(x, [-2, -2]),
      ShapeError,
      "Cannot cut 2 and 2 off axis 1 of [2, 3]: it has 3 elements",
    );
    assertFails(
      () => pad(x, [3, 0], { mode: "reflect" }),
      ShapeError,
      "Cannot pad [2, 3] by 3 before axis 1 in mode reflect: the amount must be below the axis's size 3",
    );
  },
);

onDevice("cpu", "padding layers print their borders", () => {
  assertEquals(String(new nn.ZeroPad2d(2)), "ZeroPad2d(padding=2)");
  assertEquals(
    String(new nn.ReflectionPad2d([1, 2, 3, 4])),
    "ReflectionPad2d(padding=[1,2,3,4])",
  );
});
