import { assertEquals } from "@std/assert";
import { nn, randn, scope } from "../../mod.ts";
import {
  interpolate,
  type InterpolateMode,
  type InterpolateOptions,
} from "../../nn/functional_resize.ts";
import { ShapeError } from "../../wgsl/errors.ts";
import fixture from "../fixtures/interpolate.json" with { type: "json" };
import { onBothDevices, onDevice } from "../support/devices.ts";
import { assertFails } from "../support/errors.ts";
import { sample, testGradients } from "../support/gradcheck.ts";
import { assertLikeTorch, type Stored } from "../support/torch.ts";

interface FixtureCase extends Record<"x" | "y" | "dy" | "dx", Stored> {
  readonly options: Omit<InterpolateOptions, "mode"> & {
    readonly mode: string;
  };
}

onBothDevices("interpolate and its gradients are PyTorch's", async (device) => {
  const cases: readonly FixtureCase[] = fixture.cases;
  for (const { options, ...tensors } of cases) {
    using _ = scope();
    const mode = options.mode as InterpolateMode;
    const layer = new nn.Upsample({ ...options, mode });
    const what = `${layer} of [${tensors.x.shape}]`;
    await assertLikeTorch(layer, tensors, device, what);
  }
});

const OPTIONS: readonly InterpolateOptions[] = [
  { size: [4, 2] },
  { scaleFactor: [0.5, 1.7] },
  { size: [4, 2], mode: "bilinear" },
  { scaleFactor: 1.7, mode: "bilinear" },
  { size: [4, 2], mode: "bilinear", alignCorners: true },
  { size: [1, 3], mode: "bilinear", alignCorners: true },
];

for (const options of OPTIONS) {
  testGradients(
    `interpolate with ${JSON.stringify(options)} has its derivatives`,
    (x) => interpolate(x, options).square(),
    [sample([1, 2, 2, 3], 3)],
  );
}

onBothDevices("an axis that keeps its size is left alone", async () => {
  const x = randn([1, 1, 3, 4]);
  const y = interpolate(x, { size: [3, 4], mode: "bilinear" });
  assertEquals(await y.array(), await x.array());
});

onDevice(
  "cpu",
  "interpolate refuses options that don't fit, and says what would",
  () => {
    const x = randn([1, 2, 3, 4]);
    const fails = (
      options: InterpolateOptions,
      type: typeof ShapeError | typeof TypeError,
      message: string,
    ) => assertFails(() => interpolate(x, options), type, message);
    fails(
      {},
      TypeError,
      "Cannot interpolate with neither size nor scaleFactor: expected one of them",
    );
    fails(
      { size: 3, scaleFactor: 2 },
      TypeError,
      "Cannot interpolate with both size and scaleFactor: expected one of them",
    );
    fails(
      { size: 3, alignCorners: true },
      TypeError,
      'Cannot interpolate with mode "nearest" and alignCorners: only linear modes align corners',
    );
    fails(
      { size: 3, mode: "linear" },
      ShapeError,
      'Cannot interpolate [1, 2, 3, 4] with mode "linear": expected 3 axes, [batch, channels, ..]',
    );
    fails(
      { size: [1, 2, 3] },
      ShapeError,
      "Cannot interpolate [1, 2, 3, 4] with 3 sizes: expected 2, one for each axis after the channels",
    );
    fails(
      { scaleFactor: 0 },
      ShapeError,
      "Cannot interpolate by a factor of 0: expected a positive number",
    );
    fails(
      { scaleFactor: 0.1 },
      ShapeError,
      "Cannot resize axis 2 of [1, 2, 3, 4] to 0: expected a positive integer",
    );
    assertFails(
      () => interpolate(randn([3, 4]), { size: 2 }),
      ShapeError,
      'Cannot interpolate [3, 4] with mode "nearest": expected 3, 4 or 5 axes, [batch, channels, ..]',
    );
  },
);

onDevice("cpu", "an upsampling layer prints its options", () => {
  const layer = new nn.Upsample({ scaleFactor: [2, 3], mode: "bilinear" });
  assertEquals(String(layer), "Upsample(scaleFactor=[2,3], mode=bilinear)");
});
