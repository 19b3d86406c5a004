import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { full, ones, type Tensor, tensor, zeros } from "../../core/mod.ts";
import * as t from "../../nn/transforms/mod.ts";
import { onBothDevices, onDevice } from "../support/devices.ts";
import { scene } from "../support/pictures.ts";

/** Asserts that `count` of `n` trials is within five standard deviations of what probability `p` gives. */
function assertShare(count: number, n: number, p: number, what: string): void {
  const deviation = Math.sqrt(n * p * (1 - p));
  assert(
    Math.abs(count - n * p) <= 5 * deviation,
    `${what}: ${count} of ${n}, expected ${n * p} ± ${5 * deviation}`,
  );
}

/** Asserts that values lie in a range and have the mean of a uniform distribution over it, within five standard deviations. */
function assertUniform(
  values: readonly number[],
  [low, high]: readonly [number, number],
  what: string,
): void {
  assert(values.every((v) => v >= low && v <= high), `${what}: out of bounds`);
  const mean = values.reduce((sum, v) => sum + v, 0) / values.length;
  const error = (high - low) / Math.sqrt(12 * values.length);
  assertAlmostEquals(mean, (low + high) / 2, 5 * error, what);
}

/** How often each value stands in a list. */
function countsOf(values: Iterable<number>): Map<number, number> {
  const counts = new Map<number, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return counts;
}

/** A batch of one picture, `[N, 1, h, w]`, whose pixels are numbered from 1. */
function numbered(n: number, h: number, w: number): Tensor {
  const values = Float32Array.from({ length: h * w }, (_, i) => i + 1);
  return tensor(values, { shape: [1, 1, h, w] }).expand([n, 1, h, w]);
}

onBothDevices(
  "each of a random crop's places is as likely as the others",
  async () => {
    // A crop of one pixel is its place: 0 is the padding.
    const crop = t.RandomCrop(1, { padding: 1 });
    const counts = countsOf(await crop(numbered(3000, 2, 3)).read());
    for (let place = 1; place <= 6; place++) {
      assertShare(counts.get(place) ?? 0, 3000, 1 / 20, `pixel ${place}`);
    }
    assertShare(counts.get(0) ?? 0, 3000, 14 / 20, "padding");
  },
);

onDevice(
  "cpu",
  "random crops of pictures and of a batch with any padding are parts of the padded picture",
  async () => {
    const data = Uint8Array.from({ length: 12 }, (_, i) => i + 1);
    const image = { width: 4, height: 3, data };
    for (const paddingMode of ["constant", "edge", "reflect"] as const) {
      const padded = t.pad(image, [1, 2, 2, 1], { paddingMode });
      const parts = new Set<string>();
      for (let top = 0; top <= padded.height - 4; top++) {
        for (let left = 0; left <= padded.width - 3; left++) {
          parts.add(String(t.crop(padded, top, left, 4, 3).data));
        }
      }
      const crop = t.RandomCrop([4, 3], { padding: [1, 2, 2, 1], paddingMode });
      const found = new Set<string>();
      const values = await crop(numbered(300, 3, 4)).read();
      for (let i = 0; i < 300; i++) {
        found.add(String(values.slice(12 * i, 12 * i + 12)));
        found.add(String(crop(image).data));
      }
      assertEquals(found, parts, paddingMode);
    }
  },
);

onBothDevices(
  "pictures that are too small are padded for a crop where that is asked for",
  async () => {
    const crop = t.RandomCrop([5, 2], { padIfNeeded: true, fill: 7 });
    assertEquals(crop(scene(2, 3, 3)).height, 5);
    const y = crop(numbered(50, 3, 2));
    assertEquals(y.shape, [50, 1, 5, 2]);
    // All of the picture is there, wherever it is.
    const sums = await y.sum([1, 2, 3]).read();
    assert(sums.every((sum) => sum === 21 + 4 * 7), String(sums));
  },
);

onBothDevices(
  "flips are as frequent as they should be, and each image's own",
  async () => {
    for (const p of [0, 0.2, 0.5, 1]) {
      const x = numbered(2000, 1, 2);
      const across = await t.RandomHorizontalFlip(p)(x).read();
      const flipped = countsOf(across.filter((_, i) => i % 2 === 0)).get(2) ??
        0;
      assertShare(flipped, 2000, p, "horizontal");
      const y = x.reshape([2000, 1, 2, 1]);
      const down = await t.RandomVerticalFlip(p)(y).read();
      const turned = countsOf(down.filter((_, i) => i % 2 === 0)).get(2) ?? 0;
      assertShare(turned, 2000, p, "vertical");
    }
  },
);

Deno.test("pictures are flipped as often", () => {
  const image = { width: 2, height: 1, data: Uint8Array.of(1, 2) };
  const flip = t.RandomHorizontalFlip(0.3);
  const flipped = Array.from({ length: 1000 }, () => flip(image).data[0]);
  assertShare(countsOf(flipped).get(2) ?? 0, 1000, 0.3, "flips");
});

/** Slopes in x and y of 1 a pixel, from 0.5 at the first: channels that hold their own places. */
function slopes(n: number, size: number): Tensor {
  const values = Array.from({ length: 2 * size * size }, (_, i) => {
    const at = i % (size * size);
    return 0.5 + (i < size * size ? at % size : Math.floor(at / size));
  });
  return tensor(values, { shape: [1, 2, size, size] })
    .expand([n, 2, size, size]);
}

onBothDevices(
  "resized crops have areas and shapes of their ranges",
  async () => {
    const [n, size, out] = [400, 64, 16];
    const scale = [0.2, 0.5] as const;
    const crop = t.RandomResizedCrop(out, { scale, ratio: [0.5, 2] });
    const y = crop(slopes(n, size));
    assertEquals(y.shape, [n, 2, out, out]);
    const values = await y.read();
    const areas: number[] = [];
    const shapes: number[] = [];
    const plane = out * out;
    for (let i = 0; i < n; i++) {
      // Places around the middle aren't held within the box.
      const at = (c: number, row: number, column: number) =>
        values[(2 * i + c) * plane + row * out + column];
      const width = at(0, 8, 8) - at(0, 8, 7);
      const height = at(1, 8, 8) - at(1, 7, 8);
      areas.push(width * height * plane / size ** 2);
      shapes.push(Math.log(width / height));
    }
    // Sizes are whole pixels: 2 % of an area more or less, and of a shape.
    assertUniform(areas, [scale[0] * 0.96, scale[1] * 1.04], "areas");
    assertUniform(shapes, [-Math.LN2 - 0.05, Math.LN2 + 0.05], "shapes");
  },
);

Deno.test("a resized crop that finds no box takes the middle, cut to a shape in range", () => {
  const image = scene(60, 10, 3);
  const crop = t.RandomResizedCrop([6, 8], { scale: [1, 1] });
  const middle = t.resizedCrop(image, [0, 23, 10, 13], [6, 8]);
  assertEquals(crop(image), middle);
});

onBothDevices(
  "translations are whole pixels up to their share, and rotations angles of their range",
  async () => {
    const moved = t.RandomAffine(0, { translate: [0.25, 0] })(
      slopes(500, 8).add(100),
    );
    // At the middle there is always a pixel, and what it says is where from.
    const column = await moved.slice(1, 0, 1).slice(2, 4, 5).slice(3, 4, 5)
      .contiguous().read();
    const shifts = [...column].map((value) => 104.5 - value);
    assertUniform(shifts, [-2, 2], "translations");
    const counts = countsOf(shifts);
    assertEquals([...counts.keys()].sort((a, b) => a - b), [-2, -1, 0, 1, 2]);
    // Roundings to ±2 have half the range of the others.
    for (const [shift, count] of counts) {
      assertShare(
        count,
        500,
        Math.abs(shift) === 2 ? 1 / 8 : 1 / 4,
        `${shift}`,
      );
    }

    const turned = t.RandomRotation([-20, 40], { interpolation: "bilinear" })(
      slopes(500, 9),
    );
    const across = turned.slice(1, 0, 1).slice(2, 4, 5);
    const step = across.slice(3, 5, 6).sub(across.slice(3, 4, 5));
    const down = turned.slice(1, 1, 2).slice(2, 4, 5);
    const fall = down.slice(3, 5, 6).sub(down.slice(3, 4, 5));
    const angles = await fall.atan2(step).mul(180 / Math.PI).read();
    assertUniform([...angles], [-20.01, 40.01], "angles");
  },
);

onBothDevices(
  "jittered brightness has factors of its range, and jitter's order varies",
  async () => {
    const factors = await t.ColorJitter({ brightness: [0.5, 1.5] })(
      full([1000, 1, 1, 1], 0.5),
    ).read();
    assertUniform([...factors].map((v) => 2 * v), [0.5, 1.5], "factors");
    // Twice as bright, clamped, and then half the contrast; or the other way round.
    const jitter = t.ColorJitter({ brightness: [2, 2], contrast: [0.5, 0.5] });
    const x = tensor([0.2, 0.6], { shape: [1, 1, 1, 2] });
    const results = new Set<string>();
    for (let i = 0; i < 20; i++) {
      results.add(
        [...await jitter(x).read()].map((v) => v.toFixed(3)).join(" "),
      );
    }
    assertEquals(results, new Set(["0.550 0.850", "0.600 1.000"]));
  },
);

onBothDevices(
  "colour noise has the deviations of the paper's components, one number a channel and image",
  async () => {
    const n = 4000;
    const y = t.PCANoise({ std: 0.1 })(zeros([n, 3, 1, 2]));
    const values = await y.read();
    const vectors = [
      [-0.5675, 0.7192, 0.4009],
      [-0.5808, -0.0045, -0.8140],
      [-0.5836, -0.6948, 0.4203],
    ];
    [0.2175, 0.0188, 0.0045].forEach((eigenvalue, k) => {
      let squares = 0;
      for (let i = 0; i < n; i++) {
        let along = 0;
        for (let c = 0; c < 3; c++) {
          assertEquals(values[6 * i + 2 * c], values[6 * i + 2 * c + 1]);
          along += values[6 * i + 2 * c] * vectors[c][k];
        }
        squares += along * along;
      }
      // A variance of n normal numbers has a relative deviation of √(2 / n).
      const expected = (0.1 * eigenvalue) ** 2;
      const ratio = squares / n / expected;
      assertAlmostEquals(ratio, 1, 5 * Math.sqrt(2 / n) + 0.005);
    });
    const shifted = t.PCANoise({
      std: 0,
      eigenvalues: [1],
      eigenvectors: [[1], [1]],
    })(ones([1, 2, 2, 2]));
    assertEquals(new Set(await shifted.read()), new Set([1]));
  },
);

onBothDevices(
  "erased boxes are as frequent, large and shaped as they should be",
  async () => {
    const [n, size] = [600, 40];
    const erase = t.RandomErasing({
      p: 0.7,
      scale: [0.1, 0.3],
      ratio: [0.5, 2],
    });
    const values = await erase(ones([n, 1, size, size])).read();
    const areas: number[] = [];
    const shapes: number[] = [];
    for (let i = 0; i < n; i++) {
      const plane = values.subarray(i * size ** 2, (i + 1) * size ** 2);
      const holes = [...plane.keys()].filter((at) => plane[at] === 0);
      if (holes.length === 0) continue;
      const rows = new Set(holes.map((at) => Math.floor(at / size)));
      const columns = new Set(holes.map((at) => at % size));
      assertEquals(holes.length, rows.size * columns.size, "not a box");
      areas.push(holes.length / size ** 2);
      shapes.push(Math.log(rows.size / columns.size));
    }
    assertShare(areas.length, n, 0.7, "erased");
    assertUniform(areas, [0.095, 0.305], "areas");
    assertUniform(shapes, [-Math.LN2 - 0.08, Math.LN2 + 0.08], "shapes");
    const coloured = t.RandomErasing({ p: 1, value: [0.25, 0.5] })(
      ones([4, 2, 10, 10]),
    );
    const [first, second] = [0, 1].map((c) => coloured.slice(1, c, c + 1));
    assertEquals(countsOf(await first.read()).has(0.25), true);
    assertEquals(
      new Set(await second.contiguous().read()),
      new Set([0.5, 1]),
    );
  },
);
