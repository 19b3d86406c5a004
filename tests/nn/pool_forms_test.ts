import { assertEquals } from "@std/assert";
import { maxPool2dWithIndices, nn, randn, scope } from "../../mod.ts";
import type { Size2d } from "../../nn/functional.ts";
import { lpPool2d, maxUnpool2d } from "../../nn/functional_pool.ts";
import { ShapeError } from "../../wgsl/errors.ts";
import fixture from "../fixtures/pool_forms.json" with { type: "json" };
import { onBothDevices, onDevice } from "../support/devices.ts";
import { assertFails } from "../support/errors.ts";
import { sample, testGradients } from "../support/gradcheck.ts";
import { assertLikeTorch, load } from "../support/torch.ts";

function pairOf([h, w]: readonly number[]): Size2d {
  return [h, w];
}

onBothDevices("LP pooling and its gradient are PyTorch's", async (device) => {
  for (const { p, kernel, options, ...tensors } of fixture.norms) {
    using _ = scope();
    const layer = new nn.LPPool2d(p, pairOf(kernel), {
      ...options,
      stride: pairOf(options.stride),
    });
    await assertLikeTorch(layer, tensors, device, String(layer));
  }
});

onBothDevices(
  "max unpooling and its gradient are PyTorch's",
  async (device) => {
    for (const { kernel, options, indices, ...tensors } of fixture.unpools) {
      using _ = scope();
      const { stride, padding, outputSize } = options;
      const layer = new nn.MaxUnpool2d(pairOf(kernel), {
        stride: pairOf(stride),
        padding: pairOf(padding),
        ...(outputSize ? { outputSize: pairOf(outputSize) } : {}),
      });
      const at = load(indices, device, { dtype: "i32" });
      await assertLikeTorch(
        (x) => layer(x, at),
        tensors,
        device,
        String(layer),
      );
    }
  },
);

for (const p of [1, 2, 3, 1.5]) {
  testGradients(
    `lpPool2d with norm ${p} has its derivatives`,
    (x) => lpPool2d(x, p, 2, { stride: 1 }),
    [sample([1, 2, 3, 3], 3, (v) => Math.abs(v) + 0.5)],
  );
}

testGradients(
  "maxUnpool2d has its derivatives",
  (x) => {
    const [, indices] = maxPool2dWithIndices(x, 2);
    return maxUnpool2d(x.slice(2, 0, 2).slice(3, 0, 2), indices, 2).square();
  },
  [sample([1, 2, 4, 4], 3)],
);

onBothDevices(
  "a max pooling layer gives the indices that unpooling takes",
  async () => {
    const x = randn([1, 2, 4, 6]);
    const [values, indices] = new nn.MaxPool2d(2).withIndices(x);
    const y = new nn.MaxUnpool2d(2)(values, indices);
    assertEquals(y.shape, x.shape);
    assertEquals(
      await new nn.MaxPool2d(2)(y.relu()).array(),
      await values.relu().array(),
    );
  },
);

onDevice(
  "cpu",
  "LP pooling and unpooling refuse what doesn't fit, and say what would",
  () => {
    const x = randn([1, 1, 4, 4]);
    assertFails(
      () => lpPool2d(x, 0, 2),
      RangeError,
      "Cannot pool by the norm of order 0: expected a positive number",
    );
    const [values, indices] = maxPool2dWithIndices(x, 2);
    assertFails(
      () => maxUnpool2d(values, indices, 2, { outputSize: [4, 6] }),
      ShapeError,
      "Cannot unpool to 4 x 6: expected less than the stride [2, 2] from 4 x 4",
    );
  },
);

onDevice(
  "cpu",
  "layers of LP pooling and unpooling print their windows",
  () => {
    assertEquals(
      String(new nn.LPPool2d(2, 3, { stride: 2 })),
      "LPPool2d(normType=2, kernelSize=3, stride=2)",
    );
    assertEquals(
      String(new nn.MaxUnpool2d([2, 3], { outputSize: [5, 7] })),
      "MaxUnpool2d(kernelSize=[2,3], outputSize=[5,7])",
    );
  },
);
