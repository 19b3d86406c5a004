import { assertEquals } from "@std/assert";
import { nn, randn, scope } from "../../mod.ts";
import {
  adaptiveAvgPool2d,
  adaptiveMaxPool2d,
  adaptiveMaxPool2dWithIndices,
} from "../../nn/functional_pool.ts";
import { ShapeError } from "../../wgsl/errors.ts";
import fixture from "../fixtures/adaptive_pool.json" with { type: "json" };
import { onBothDevices } from "../support/devices.ts";
import { assertFails } from "../support/errors.ts";
import { sample, testGradients } from "../support/gradcheck.ts";
import { assertLikeTorch, assertStored, load } from "../support/torch.ts";

onBothDevices(
  "adaptive pooling and its gradients are PyTorch's",
  async (device) => {
    for (const { size, x, dy, average, max } of fixture.cases) {
      using _ = scope();
      const pair = [size[0], size[1]] as const;
      const what = `[${x.shape}] to [${size}]`;
      const pools = [
        [new nn.AdaptiveAvgPool2d(pair), average],
        [new nn.AdaptiveMaxPool2d(pair), max],
      ] as const;
      for (const [pool, { y, dx }] of pools) {
        const given = { x, y, dy, dx };
        await assertLikeTorch(pool, given, device, `${pool} of ${what}`);
      }
      const [, indices] = new nn.AdaptiveMaxPool2d(pair)
        .withIndices(load(x, device));
      await assertStored(indices, max.indices, `indices of ${what}`, 0);
    }
  },
);

for (const size of [1, 2, 5, [3, 1], [null, 2]] as const) {
  testGradients(
    `adaptive pooling to ${JSON.stringify(size)} has its derivatives`,
    (x) => [
      adaptiveAvgPool2d(x, size).square(),
      adaptiveMaxPool2d(x, size).square(),
    ],
    [sample([1, 2, 3, 4], 3)],
  );
}

onBothDevices("null keeps the input's size along an axis", () => {
  const x = randn([2, 3, 5, 7]);
  assertEquals(adaptiveAvgPool2d(x, [null, 2]).shape, [2, 3, 5, 2]);
  const pooled = adaptiveMaxPool2dWithIndices(x, [4, null]);
  assertEquals(pooled.map(({ shape }) => shape), [[2, 3, 4, 7], [2, 3, 4, 7]]);
});

onBothDevices(
  "adaptive pooling layers print their sizes and name themselves in errors",
  () => {
    const net = new nn.Sequential(
      new nn.AdaptiveMaxPool2d([6, null]),
      new nn.AdaptiveAvgPool2d(1),
    );
    assertEquals(
      String(net),
      `Sequential(
  (0): AdaptiveMaxPool2d(outputSize=[6,null])
  (1): AdaptiveAvgPool2d(outputSize=1)
)`,
    );
    assertFails(
      () => net(randn([3, 5])),
      ShapeError,
      "Cannot pool [3, 5]: expected 4 axes [batch, channels, height, width] but found 2, in 0: AdaptiveMaxPool2d(outputSize=[6,null])",
    );
  },
);
