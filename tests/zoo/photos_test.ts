/** Photographs from files to classes, against Pillow's pixels, torchvision's presets and PyTorch's probabilities. */
import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { init, memory, nn, zoo } from "../../mod.ts";
import { sha256 } from "../support/pictures.ts";

await init({ seed: 0 });

interface Prepared {
  readonly shape: readonly number[];
  readonly mean: number;
  /** Every 997th. */
  readonly values: readonly number[];
}

interface Photo {
  readonly file: string;
  readonly size: readonly [number, number];
  /** Of the pixels, as Pillow decodes them. */
  readonly sha256: string;
  /** Every 61st byte of them, in base64. */
  readonly sample: string;
  readonly prepared: Readonly<Record<string, Prepared>>;
  readonly probabilities: readonly number[];
}

const FIXTURES = new URL("../fixtures/", import.meta.url);
const PHOTOS: readonly Photo[] = JSON.parse(
  await Deno.readTextFile(new URL("photos.json", FIXTURES)),
);

/**
 * Bytes that Deno's JPEG decoder and Pillow's may differ by: each rounds the inverse cosine transform and the change of colours in its own way. Over all bytes of
 * these photographs the largest difference is 4; the mean is 0.5 where colours have half the resolution and 0.8 where they are whole, mostly less red
 * and blue and more green in Deno's.
 */
const JPEG = { largest: 4, mean: 0.8 };

function urlOf({ file }: Photo): URL {
  return new URL(`photos/${file}`, FIXTURES);
}

function isJpeg({ file }: Photo): boolean {
  return file.endsWith(".jpg");
}

/** How pictures are prepared for published weights, or for a small network. */
function preprocessingOf(name: string): zoo.Preprocessing {
  const [network, kind] = name.split(" ");
  if (network !== "small") {
    return zoo.describeWeights(network, kind).preprocessing;
  }
  const { preprocessing } = zoo.describeWeights("resnet18", "imagenet");
  const interpolation = kind === "bicubic" ? "bicubic" : "bilinear";
  return { ...preprocessing, resize: 96, crop: 88, interpolation };
}

for (const photo of PHOTOS) {
  const { file, size, sample, prepared } = photo;
  Deno.test(`${file} is decoded to Pillow's pixels${isJpeg(photo) ? ", but for a decoder's rounding" : ""}`, async () => {
    const { width, height, data } = await nn.decodeImage(urlOf(photo));
    assertEquals([width, height], size);
    if (!isJpeg(photo)) assertEquals(await sha256(data), photo.sha256);
    const want = Uint8Array.fromBase64(sample);
    const off = Array.from(want, (byte, i) => Math.abs(byte - data[61 * i]));
    const bounds = isJpeg(photo) ? JPEG : { largest: 0, mean: 0 };
    assert(Math.max(...off) <= bounds.largest);
    const mean = off.reduce((sum, value) => sum + value) / off.length;
    assert(mean <= 1.05 * bounds.mean, `${mean}`);
  });

  Deno.test(`${file} is prepared for each kind of weights as torchvision does it`, async () => {
    const image = await nn.decodeImage(urlOf(photo));
    for (const [name, want] of Object.entries(prepared)) {
      const how = preprocessingOf(name);
      const x = zoo.preprocess(image, how);
      assertEquals(x.shape, want.shape);
      const got = Array.from(await x.read(), Number);
      // A step of a byte; bicubic weights of both axes add up to (1 + 2/8)² at most, rounding on each adds a step.
      const step = 1 / 255 / Math.min(...how.std);
      const largest = isJpeg(photo) ? step * (JPEG.largest * 1.5625 + 1) : 1e-6;
      want.values.forEach((value, i) => {
        assertAlmostEquals(got[997 * i], value, largest, name);
      });
      const mean = got.reduce((a, b) => a + b) / got.length;
      const apart = isJpeg(photo) ? step * JPEG.mean : 1e-6;
      assertAlmostEquals(mean, want.mean, apart, name);
      x.dispose();
    }
  });
}

Deno.test("a network that PyTorch saved tells photographs' classes in PyTorch's order, with its probabilities", async () => {
  const sizes = { width: 4, classes: 10 };
  const net = new zoo.ResNet(zoo.BasicBlock, [1, 1, 1, 1], sizes);
  await nn.loadWeights(net, new URL("zoo/photos.pth", FIXTURES));
  const { preprocessing } = zoo.describeWeights("resnet18", "imagenet");
  const classes = Array.from({ length: 10 }, (_, i) => `class ${i}`);
  const before = memory().bytes;
  const orders = new Set<string>();
  for (const photo of PHOTOS) {
    const found = await zoo.classify(net, urlOf(photo), {
      preprocessing,
      classes,
    });
    const want = photo.probabilities
      .map((probability, index) => ({ index, probability }))
      .sort((a, b) => b.probability - a.probability).slice(0, 5);
    const order = want.map(({ index }) => index);
    assertEquals(found.map(({ index }) => index), order, photo.file);
    assertEquals(found.map(({ name }) => name), order.map((i) => classes[i]));
    // A bright picture's pixels are half a byte apart on average: 0.01 of a deviation.
    const largest = isJpeg(photo) ? 1e-2 : 2e-6;
    want.forEach(({ probability }, i) => {
      assertAlmostEquals(found[i].probability, probability, largest);
    });
    orders.add(order.join());
  }
  assertEquals(orders.size, PHOTOS.length);
  assertEquals(memory().bytes, before);
  net.dispose();
});
