import { assertEquals } from "@std/assert";
import { conv2d, nn, randn, scope } from "../../mod.ts";
import type { Size2d } from "../../nn/functional.ts";
import {
  fold,
  unfold,
  type UnfoldOptions,
} from "../../nn/functional_unfold.ts";
import fixture from "../fixtures/unfold.json" with { type: "json" };
import { onBothDevices, onDevice } from "../support/devices.ts";
import { sample, testGradients } from "../support/gradcheck.ts";
import { assertLikeTorch, assertStored } from "../support/torch.ts";

function pairOf([h, w]: readonly number[]): Size2d {
  return [h, w];
}

onBothDevices(
  "unfold and fold and their gradients are PyTorch's",
  async (device) => {
    for (const { size, kernel, options, ...runs } of fixture.cases) {
      using _ = scope();
      const window = [pairOf(kernel), {
        stride: pairOf(options.stride),
        padding: pairOf(options.padding),
        dilation: pairOf(options.dilation),
      }] as const;
      const layers = {
        unfold: new nn.Unfold(...window),
        fold: new nn.Fold(pairOf(size), ...window),
      };
      await assertLikeTorch(layers.unfold, runs.unfold, device, "unfold");
      await assertLikeTorch(layers.fold, runs.fold, device, "fold");
    }
  },
);

const OPTIONS: readonly UnfoldOptions[] = [
  {},
  { stride: 2, padding: [1, 0] },
  { dilation: [1, 2], padding: 1 },
];

for (const options of OPTIONS) {
  const title = `with ${JSON.stringify(options)}`;
  testGradients(
    `unfold ${title} has its derivatives`,
    (x) => unfold(x, 2, options).square(),
    [sample([1, 2, 3, 4], 3)],
  );
  testGradients(
    `fold ${title} has its derivatives`,
    (x) => fold(unfold(x, 2, options).square(), [3, 4], 2, options).square(),
    [sample([1, 1, 3, 4], 4)],
  );
}

onBothDevices(
  "a convolution is the product of its kernels' matrix with the unfolded picture",
  async (device) => {
    const x = randn([2, 3, 7, 6]);
    const w = randn([4, 3, 3, 2]);
    const options = { stride: [2, 1], padding: 1 } as const;
    const y = w.reshape([4, 18]).matmul(unfold(x, [3, 2], options));
    const want = conv2d(x, w, options);
    const { shape } = want;
    const values = Array.from(await want.read());
    await assertStored(
      y.reshape(shape),
      { shape, values },
      `conv2d, ${device}`,
    );
  },
);

onDevice("cpu", "layers of unfold and fold print their windows", () => {
  assertEquals(
    String(new nn.Unfold([3, 2], { stride: 2 })),
    "Unfold(kernelSize=[3,2], stride=2)",
  );
  assertEquals(
    String(new nn.Fold(8, 2, { padding: [0, 1] })),
    "Fold(outputSize=8, kernelSize=2, padding=[0,1])",
  );
});
