import { assert, assertEquals } from "@std/assert";
import { init, rand, seed, type Tensor, zeros } from "../../core/mod.ts";
import * as t from "../../nn/transforms/mod.ts";
import { ShapeError } from "../../wgsl/errors.ts";
import fixture from "../fixtures/transforms.json" with { type: "json" };
import { onBothDevices } from "../support/devices.ts";
import { assertFails } from "../support/errors.ts";
import { scene } from "../support/pictures.ts";
import { assertStored } from "../support/torch.ts";

type Call = (x: Tensor, ...args: unknown[]) => Tensor;

const names = new Set(fixture.tensors.map(({ name }) => name));
for (const name of names) {
  onBothDevices(`${name} of tensors gives torchvision's values`, async () => {
    const call = t[name as "hflip"] as Call;
    for (const { args, source, result, ...c } of fixture.tensors) {
      if (c.name !== name) continue;
      const [width, height, channels] = source;
      const x = t.toTensor(scene(width, height, channels));
      const what = `${name}(${JSON.stringify(args)})`;
      await assertStored(call(x, ...args), result, what);
    }
  });
}

onBothDevices(
  "a picture and its tensor are cropped, padded and mirrored alike",
  async () => {
    const image = scene(9, 7, 3);
    const transforms: readonly t.Transform[] = [
      t.CenterCrop([5, 12]),
      t.Pad([1, 2, 3, 4], { fill: 0 }),
      t.Pad([1, 2, 3, 4], { paddingMode: "reflect" }),
      (x) => t.crop(x, -1, 2, 9, 9),
      t.hflip,
      t.vflip,
      (x) => t.rotate(x, 90),
      (x) => t.rotate(x, 180, { expand: true }),
      (x) => t.affine(x, { translate: [2, -3] }),
    ];
    for (const transform of transforms) {
      const expected = t.toTensor(transform(image));
      const found = transform(t.toTensor(image));
      assertEquals(found.shape, expected.shape);
      assertEquals(await found.read(), await expected.read());
    }
  },
);

/** Every random transform, for pictures of 8×8. */
const RANDOM: Readonly<Record<string, t.TensorTransform>> = {
  RandomCrop: t.RandomCrop(6, { padding: 2 }),
  RandomCropReflected: t.RandomCrop(8, { padding: 2, paddingMode: "reflect" }),
  RandomResizedCrop: t.RandomResizedCrop(8),
  RandomHorizontalFlip: t.RandomHorizontalFlip(),
  RandomVerticalFlip: t.RandomVerticalFlip(),
  RandomRotation: t.RandomRotation(30, { interpolation: "bilinear" }),
  RandomAffine: t.RandomAffine(10, {
    translate: [0.2, 0.2],
    scale: [0.8, 1.2],
    shear: 5,
    fill: [0.1, 0.2, 0.3],
  }),
  ColorJitter: t.ColorJitter({
    brightness: 0.4,
    contrast: 0.4,
    saturation: 0.4,
    hue: 0.1,
  }),
  PCANoise: t.PCANoise(),
  RandomErasing: t.RandomErasing({ value: "random" }),
};

for (const [name, transform] of Object.entries(RANDOM)) {
  onBothDevices(
    `${name} gives a seed's pictures again, others for each image and call, and takes one picture as well`,
    async () => {
      const x = rand([1, 3, 8, 8]).expand([16, 3, 8, 8]);
      seed(5);
      const first = await transform(x).read();
      const second = await transform(x).read();
      seed(5);
      assertEquals(await transform(x).read(), first);
      assert(first.some((value, i) => value !== second[i]), "same again");
      const each = first.length / 16;
      const images = new Set(
        Array.from(
          { length: 16 },
          (_, i) => String(first.slice(i * each, (i + 1) * each)),
        ),
      );
      assert(images.size > 1, "all images are the same");
      assert(first.every(Number.isFinite));
      seed(5);
      const single = transform(x.select(0, 0));
      assertEquals(single.shape.length, 3);
      assertEquals(transform(zeros([0, 3, 8, 8])).shape[0], 0);
    },
  );
}

onBothDevices(
  "augmentation leaves its batch and gradients alone, and frees what it made",
  async () => {
    const x = rand([4, 3, 8, 8], { requiresGrad: true });
    const before = await x.read();
    const y = t.Compose(Object.values(RANDOM).slice(1))(x);
    assertEquals(y.requiresGrad, false);
    assertEquals(await x.read(), before);
  },
);

Deno.test("both devices draw the same numbers", async () => {
  const results = [];
  for (const device of ["webgpu", "cpu"] as const) {
    await init({ device, seed: 3 });
    const x = rand([8, 3, 8, 8]);
    const y = t.Compose([
      t.RandomCrop(8, { padding: 2 }),
      t.RandomHorizontalFlip(),
      t.RandomVerticalFlip(0.3),
      t.RandomAffine(0, { translate: [0.3, 0.3] }),
    ])(x);
    results.push([...await y.read()]);
    x.dispose();
    y.dispose();
  }
  assertEquals(results[0], results[1]);
});

onBothDevices("what can't be done to a batch is said", () => {
  const x = zeros([2, 3, 8, 6]);
  assertFails(
    () => t.hflip(zeros([8, 6])),
    ShapeError,
    "Cannot transform [8, 6]: expected pictures of [N, C, H, W] or [C, H, W]",
  );
  assertFails(
    () => t.RandomCrop(7)(x),
    RangeError,
    "Cannot crop 8×6 pixels to 7×7: expected pictures as large, a `padding`, or `padIfNeeded: true`",
  );
  assertFails(
    () => t.pad(x, 1, { paddingMode: "symmetric" }),
    RangeError,
    'Cannot pad a batch in mode "symmetric": expected "constant", "edge" or "reflect"',
  );
  assertFails(
    () => t.RandomResizedCrop(4, { interpolation: "bicubic" })(x),
    RangeError,
    'Cannot crop and resize a batch by "bicubic": expected "nearest" or "bilinear"',
  );
  assertFails(
    () => t.normalize(x, [0, 0], [1, 1]),
    ShapeError,
    "Cannot normalize [2, 3, 8, 6] by 2 numbers: expected one, or one for each of 3 channels",
  );
  assertFails(
    () => t.normalize(x, [0], [0]),
    RangeError,
    "Cannot normalize by deviations of [0]: expected positive numbers",
  );
  assertFails(
    () => t.adjustHue(zeros([1, 2, 4, 4]), 0.1),
    ShapeError,
    "Cannot change the hue of [1, 2, 4, 4]: expected red, green and blue, [N, 3, H, W]",
  );
  assertFails(
    () => t.PCANoise()(zeros([1, 2, 4, 4])),
    ShapeError,
    "Cannot add colour noise to [1, 2, 4, 4]: expected 3 channels, one for each row of the eigenvectors",
  );
  assertFails(
    () => t.PCANoise({ eigenvalues: [1] }),
    RangeError,
    "Cannot make noise of 1 components: expected as many numbers in each row of the eigenvectors",
  );
  assertFails(
    () => t.RandomErasing({ p: 2 }),
    RangeError,
    "Cannot erase with probability 2: expected a number from 0 to 1",
  );
  assertFails(
    () => t.RandomRotation([5, -5]),
    RangeError,
    "Cannot rotate between 5 and -5: expected bounds in order",
  );
  assertFails(
    () => t.ColorJitter({ brightness: -1 }),
    RangeError,
    "Cannot change the brightness between 2 and 0: expected bounds of 0 or more, in order",
  );
  assertFails(
    () => t.ColorJitter({ hue: 0.6 }),
    RangeError,
    "Cannot change the hue between -0.6 and 0.6: expected bounds within -0.5 and 0.5, in order",
  );
});
