import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import type { Image } from "../../nn/data/image.ts";
import * as t from "../../nn/transforms/mod.ts";
import { ShapeError } from "../../wgsl/errors.ts";
import fixture from "../fixtures/transforms.json" with { type: "json" };
import { onBothDevices } from "../support/devices.ts";
import { assertFails } from "../support/errors.ts";
import { scene, sha256 } from "../support/pictures.ts";

interface Stored {
  readonly width: number;
  readonly height: number;
  readonly data?: string;
  readonly sha256?: string;
}

/** Asserts that a picture has the stored bytes. */
async function assertBytes(
  { width, height, data }: Image,
  want: Stored,
  what: string,
): Promise<void> {
  assertEquals([width, height], [want.width, want.height], what);
  if (want.data !== undefined) {
    const bytes = Uint8Array.fromBase64(want.data);
    const wrong = data.findIndex((byte, i) => byte !== bytes[i]);
    assert(
      wrong < 0,
      `${what}: byte ${wrong} is ${data[wrong]}, Pillow's is ${bytes[wrong]}`,
    );
    assertEquals(data.length, bytes.length, what);
  } else {
    assertEquals(await sha256(data), want.sha256, what);
  }
}

type Call = (image: Image, ...args: unknown[]) => Image;

const names = new Set(fixture.images.map(({ name }) => name));
for (const name of names) {
  Deno.test(`${name} of pictures gives the bytes of Pillow and torchvision`, async () => {
    const call = t[name as "hflip"] as Call;
    for (const { args, source, result, ...c } of fixture.images) {
      if (c.name !== name) continue;
      const [width, height, channels] = source;
      const image = scene(width, height, channels);
      const before = image.data.slice();
      const what = `${name}(${width}×${height}×${channels}, ${
        JSON.stringify(args)
      })`;
      await assertBytes(call(image, ...args), result, what);
      assertEquals(image.data, before, `${what} changed its argument`);
    }
  });
}

onBothDevices(
  "ImageNet's preprocessing gives torchvision's bits before the normalisation, and its values after it",
  async () => {
    const { source: [width, height, channels], ...want } = fixture.imagenet;
    const cut = t.Compose([t.Resize(256), t.CenterCrop(224)]);
    const image = cut(scene(width, height, channels));
    await assertBytes(image, want.bytes, "Resized and cropped");
    const x = t.ToTensor()(image);
    const values = await x.read();
    const bytes = new Uint8Array(Float32Array.from(values).buffer);
    assertEquals(await sha256(bytes), want.tensor);
    const mean = [0.485, 0.456, 0.406];
    const std = [0.229, 0.224, 0.225];
    const y = t.Compose([cut, t.ToTensor(), t.Normalize(mean, std)])(
      scene(width, height, channels),
    );
    const row = y.slice(1, 100, 101).slice(2, 50, 60);
    (await row.contiguous().read()).forEach((value, i) =>
      assertAlmostEquals(value, want.row[i], 1e-6)
    );
    assertAlmostEquals(await y.sum().item(), want.sum, 0.5);
  },
);

Deno.test("turned by a third, red is green and green is blue; grey has no hue", () => {
  const picture = {
    width: 3,
    height: 1,
    data: Uint8Array.of(255, 0, 0, 0, 255, 0, 9, 9, 9),
  };
  assertEquals(
    [...t.adjustHue(picture, 1 / 3).data],
    [0, 255, 0, 0, 0, 255, 9, 9, 9],
  );
});

Deno.test("what can't be done to a picture is said", () => {
  const image = scene(8, 6, 3);
  assertFails(
    () => t.hflip({ ...image, data: new Uint8Array(100) }),
    ShapeError,
    "Cannot transform a picture of 8×6 pixels with 100 bytes: expected one or three bytes a pixel",
  );
  assertFails(
    () => t.resize(image, 0),
    RangeError,
    "Cannot resize to a size of 0: expected positive integers",
  );
  assertFails(
    () => t.resize(image, [4, 1.5]),
    RangeError,
    "Cannot resize to a size of [4, 1.5]: expected positive integers",
  );
  assertFails(
    () => t.resize(image, 8, { maxSize: 8 }),
    RangeError,
    "Cannot resize to a shorter edge of 8 and a longer of at most 8: expected the longer to be larger",
  );
  assertFails(
    () => t.pad(image, 1, { fill: [1, 2] }),
    RangeError,
    "Cannot fill 3 channels with [1, 2]: expected a number, or one a channel",
  );
  assertFails(
    () => t.pad(image, -4),
    RangeError,
    "Cannot pad to a size of [-2, 0]: expected positive integers",
  );
  assertFails(
    () => t.adjustContrast(image, -1),
    RangeError,
    "Cannot change the contrast by -1: expected a number of 0 or more",
  );
  assertFails(
    () => t.adjustHue(image, 0.6),
    RangeError,
    "Cannot change the hue by 0.6: expected a number from -0.5 to 0.5",
  );
});
