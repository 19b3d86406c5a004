import { assert, assertEquals, assertThrows } from "@std/assert";
import { init } from "../../core/runtime.ts";
import {
  ArrayDataset,
  type Example,
  type Examples,
} from "../../nn/data/dataset.ts";
import { ConcatDataset, randomSplit, Subset } from "../../nn/data/subset.ts";

/** Examples of one byte, labelled from `first` on. */
function numbers(count: number, first = 0): ArrayDataset {
  const labels = Uint8Array.from({ length: count }, (_, i) => first + i);
  return new ArrayDataset({
    images: labels,
    labels,
    count,
    shape: [1, 1, 1],
    classes: ["a", "b"],
  });
}

function labels(data: Examples): number[] {
  return Array.from(
    { length: data.length },
    (_, i) => (data.get(i) as Example).label,
  );
}

Deno.test("arrays make a data set whose examples share their memory", () => {
  const images = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8, 9);
  const data = new ArrayDataset({
    images,
    labels: Uint8Array.of(0, 1),
    count: 2,
    shape: [1, 2, 2],
    classes: ["a", "b"],
  });
  const { image, shape, label } = data.get(1);
  assertEquals([[...image], shape, label], [[5, 6, 7, 8], [1, 2, 2], 1]);
  assertEquals(image.buffer, images.buffer);
  for (const index of [2, -1, 0.5, NaN]) {
    assertThrows(
      () => data.get(index),
      RangeError,
      `Cannot get example ${index}: expected an integer from 0 to 1`,
    );
  }
  assertThrows(
    () => new ArrayDataset({ ...data, count: 3 }),
    RangeError,
    "Cannot make a data set of 3 examples of [1, 2, 2]: 12 bytes and 3 labels are needed, 9 and 2 are there",
  );
  const none = new ArrayDataset({ ...data, count: 0 });
  assertThrows(
    () => none.get(0),
    RangeError,
    "Cannot get example 0: the data set is empty",
  );
});

Deno.test("a subset has the examples of its numbers, in their order", () => {
  const data = new Subset(numbers(5), [4, 0, 0]);
  assertEquals(labels(data), [4, 0, 0]);
  assertEquals([data.length, data.classes], [3, ["a", "b"]]);
  assertEquals(labels(new Subset(data, [2, 0])), [0, 4]);
  assertThrows(
    () => data.get(3),
    RangeError,
    "Cannot get example 3: expected an integer from 0 to 2",
  );
  assertThrows(
    () => new Subset(numbers(5), [1, 5]),
    RangeError,
    "Cannot get example 5: expected an integer from 0 to 4",
  );
});

Deno.test("data sets in a row are numbered through, empty ones too", () => {
  const data = new ConcatDataset([
    numbers(0),
    numbers(2),
    numbers(0),
    new Subset(numbers(3, 10), [1]),
  ]);
  assertEquals([data.length, labels(data)], [3, [0, 1, 11]]);
  assertThrows(
    () => data.get(3),
    RangeError,
    "Cannot get example 3: expected an integer from 0 to 2",
  );
  assertThrows(
    () => new ConcatDataset([]),
    RangeError,
    "Cannot join data sets: none is given",
  );
  assertThrows(
    () =>
      new ConcatDataset([numbers(1), { ...numbers(1), classes: ["a", "c"] }]),
    RangeError,
    "Cannot join data sets: number 0 has the classes a, b and number 1 has a, c",
  );
});

Deno.test("a random split deals each example to one part", async () => {
  await init({ seed: 1 });
  const parts = randomSplit(numbers(10), [7, 0, 3]);
  assertEquals(parts.map(({ length }) => length), [7, 0, 3]);
  const all = parts.flatMap(labels);
  assertEquals(all.toSorted((a, b) => a - b), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  assert(all.join() !== all.toSorted((a, b) => a - b).join());
});

Deno.test("a seed gives the same parts whatever was drawn before", async () => {
  await init({ seed: 1 });
  const split = () => randomSplit(numbers(50), [0.5, 0.5], { seed: 3 });
  const first = split().map(labels);
  await init({ seed: 2 });
  assertEquals(split().map(labels), first);
});

Deno.test("fractions are rounded down and what is left dealt from the first part on, as in PyTorch", () => {
  // The lengths are those of torch.utils.data.random_split, PyTorch 1.13.
  const cases: [number, number[], number[]][] = [
    [10, [0.7, 0.3], [7, 3]],
    [10, [1 / 3, 1 / 3, 1 / 3], [4, 3, 3]],
    [100, [0.29, 0.71], [29, 71]],
    [5, [0.5, 0.25, 0.25], [3, 1, 1]],
    [0, [0.5, 0.5], [0, 0]],
  ];
  for (const [count, fractions, expected] of cases) {
    const parts = randomSplit(numbers(count), fractions, { seed: 0 });
    assertEquals(parts.map(({ length }) => length), expected);
  }
});

Deno.test("lengths that don't add up are refused", () => {
  for (const lengths of [[7, 2], [0.7, 0.2], [-1, 11], [1.5, 8.5], []]) {
    assertThrows(
      () => randomSplit(numbers(10), lengths),
      RangeError,
      `Cannot split 10 examples into [${
        lengths.join(", ")
      }]: expected whole numbers that add up to 10 or fractions that add up to 1`,
    );
  }
});
