import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { init } from "../../core/runtime.ts";
import { memory, scope } from "../../core/mod.ts";
import {
  ArrayDataset,
  type Example,
  type Examples,
} from "../../nn/data/dataset.ts";
import { DataLoader, type LoaderOptions } from "../../nn/data/loader.ts";

/** Examples of two bytes, i and 255 − i, labelled i. */
function numbers(count: number): ArrayDataset {
  const images = new Uint8Array(2 * count);
  for (let i = 0; i < count; i++) images.set([i, 255 - i], 2 * i);
  return new ArrayDataset({
    images,
    labels: Uint8Array.from({ length: count }, (_, i) => i),
    count,
    shape: [1, 1, 2],
    classes: Array.from({ length: count }, (_, i) => `${i}`),
  });
}

/** The same, each after a wait; notes which have been asked for. */
function slow(count: number, asked: number[] = []): Examples {
  const source = numbers(count);
  return {
    length: count,
    classes: source.classes,
    async get(index): Promise<Example> {
      asked.push(index);
      // Later examples are ready sooner.
      await new Promise((done) => setTimeout(done, (count - index) % 4));
      if (index === 13) throw new Error("Cannot read number 13");
      return source.get(index);
    },
  };
}

/** The labels of each batch of a pass. */
async function pass(loader: DataLoader): Promise<number[][]> {
  const batches: number[][] = [];
  for await (const { targets } of loader) {
    batches.push([...await targets.read()]);
  }
  return batches;
}

Deno.test("a batch has bytes as 0 to 1 in float32 and floats as they are", async () => {
  await init({ seed: 0 });
  using _ = scope();
  const [batch] = new DataLoader(numbers(256), { batchSize: 256 });
  assertEquals(batch.inputs.shape, [256, 1, 1, 2]);
  const expected = new Float32Array(512);
  for (let i = 0; i < 256; i++) {
    expected.set([i / 255, (255 - i) / 255], 2 * i);
  }
  assertEquals(await batch.inputs.read(), expected);
  assertEquals(batch.targets.dtype, "i32");
  const floats: Examples = {
    length: 2,
    classes: ["a"],
    get: (i) => ({ image: Float32Array.of(i, -3.5), shape: [2], label: 0 }),
  };
  const [plain] = new DataLoader(floats);
  assertEquals(plain.inputs.shape, [2, 2]);
  assertEquals([...await plain.inputs.read()], [0, -3.5, 1, -3.5]);
});

Deno.test("batches cover a pass in order, with or without the last", async () => {
  await init({ seed: 0 });
  for (const data of [numbers(10), slow(10)]) {
    const all = new DataLoader(data, { batchSize: 4 });
    assertEquals(all.length, 3);
    assertEquals(await pass(all), [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]);
    const whole = new DataLoader(data, { batchSize: 4, dropLast: true });
    assertEquals(whole.length, 2);
    assertEquals(await pass(whole), [[0, 1, 2, 3], [4, 5, 6, 7]]);
  }
  assertEquals(await pass(new DataLoader(numbers(0))), []);
});

Deno.test("for and for await give the same batches of data in memory", async () => {
  for (const shuffle of [false, true]) {
    const both: number[][][] = [];
    for (const awaited of [false, true]) {
      await init({ seed: 4 });
      const loader = new DataLoader(numbers(9), { batchSize: 2, shuffle });
      if (awaited) {
        both.push(await pass(loader));
        continue;
      }
      const batches: number[][] = [];
      for (const { targets } of loader) {
        batches.push([...await targets.read()]);
      }
      both.push(batches);
    }
    assertEquals(both[0], both[1]);
  }
});

Deno.test("a seed of the loader's own gives each pass an order that no other draw changes", async () => {
  await init({ seed: 0 });
  const options = { shuffle: true, seed: 7 };
  const first = new DataLoader(numbers(20), options);
  const orders = [first.order(), first.order()];
  assert(orders[0].join() !== orders[1].join());
  for (const order of orders) {
    assertEquals(order.toSorted(), Uint32Array.from(numbers(20).labels));
  }
  await init({ seed: 99 });
  const second = new DataLoader(numbers(20), options);
  assertEquals([second.order(), second.order()], orders);
  const other = new DataLoader(numbers(20), { shuffle: true, seed: 8 });
  assert(other.order().join() !== orders[0].join());
});

Deno.test("a pass goes on from any batch of an order that was kept", async () => {
  await init({ seed: 0 });
  const loader = new DataLoader(numbers(11), { batchSize: 3, shuffle: true });
  const order = loader.order();
  const whole: number[][] = [];
  for (const { targets } of loader.batches(order)) {
    whole.push([...await targets.read()]);
  }
  assertEquals(whole.flat(), [...order]);
  const rest: number[][] = [];
  for await (const { targets } of loader.load(order, 2)) {
    rest.push([...await targets.read()]);
  }
  assertEquals(rest, whole.slice(2));
});

Deno.test("a sampler says which examples come, anew each pass", async () => {
  await init({ seed: 0 });
  let passes = 0;
  const sampler = {
    length: 3,
    *[Symbol.iterator]() {
      yield* [5, 5, passes++];
    },
  };
  const loader = new DataLoader(numbers(6), { batchSize: 2, sampler });
  assertEquals(loader.length, 2);
  assertEquals(await pass(loader), [[5, 5], [0]]);
  assertEquals(await pass(loader), [[5, 5], [1]]);
});

Deno.test("a transform changes the inputs and leaves nothing else behind", async () => {
  await init({ seed: 0 });
  const loader = new DataLoader(numbers(4), {
    batchSize: 2,
    transform: (x) => x.mul(255).add(1).mul(2),
  });
  const { bytes, tensors } = memory();
  const values: number[] = [];
  for (const { inputs } of loader) {
    assertEquals(memory().tensors, tensors + 2);
    values.push(...await inputs.read());
  }
  for await (const { inputs } of loader) values.push(...await inputs.read());
  const once = [2, 512, 4, 510, 6, 508, 8, 506];
  assertEquals(values, [...once, ...once]);
  assertEquals([memory().bytes, memory().tensors], [bytes, tensors]);
  const same = new DataLoader(numbers(2), { transform: (x) => x });
  for (const { inputs } of same) {
    assertEquals((await inputs.read()).length, 4);
  }
  assertEquals(memory().tensors, tensors);
});

Deno.test("a batch's tensors are freed when the next is asked for, and kept when the loop is left", async () => {
  await init({ seed: 0 });
  using _ = scope();
  const loader = new DataLoader(numbers(6), { batchSize: 2 });
  const { tensors } = memory();
  for await (const _ of loader) assertEquals(memory().tensors, tensors + 2);
  assertEquals(memory().tensors, tensors);
  const [{ targets }] = loader;
  assertEquals([...await targets.read()], [0, 1]);
});

Deno.test("batches are got ready ahead while one is worked on", async () => {
  await init({ seed: 0 });
  const cases: [number | undefined, number][] = [
    [0, 2],
    [1, 4],
    [undefined, 6],
  ];
  for (const [prefetch, ahead] of cases) {
    const asked: number[] = [];
    const loader = new DataLoader(slow(12, asked), { batchSize: 2, prefetch });
    for await (const { targets } of loader) {
      // This batch's, and those ahead of it.
      assertEquals(asked.length, 2 + ahead);
      assertEquals([...await targets.read()], [0, 1]);
      break;
    }
    await new Promise((done) => setTimeout(done, 10));
    assertEquals(asked.length, 2 + ahead);
  }
});

Deno.test("an example that can't be read ends the pass at its batch", async () => {
  await init({ seed: 0 });
  const loader = new DataLoader(slow(16), { batchSize: 4 });
  const seen: number[] = [];
  const error = await assertRejects(async () => {
    for await (const { targets } of loader) seen.push(targets.size);
  }, Error);
  assertEquals([error.message, seen], ["Cannot read number 13", [4, 4, 4]]);
});

Deno.test("examples that must be waited for are refused by for", async () => {
  await init({ seed: 0 });
  const error = assertThrows(() => [...new DataLoader(slow(3))], TypeError);
  assertEquals(
    error.message,
    "Cannot load batches with `for`: the examples are read as they are needed, loop with `for await`",
  );
});

Deno.test("options that make no sense are refused", () => {
  const refused = (options: LoaderOptions) =>
    assertThrows(() => new DataLoader(numbers(3), options)).message;
  assertEquals(
    refused({ batchSize: 0 }),
    "Cannot load batches of 0: expected an integer of 1 or more",
  );
  assertEquals(
    refused({ prefetch: 0.5 }),
    "Cannot load 0.5 batches ahead: expected an integer of 0 or more",
  );
  assertEquals(
    refused({ shuffle: true, sampler: [0] }),
    "Cannot shuffle what a sampler puts in order: give one of the two",
  );
  assertThrows(
    () => new DataLoader(numbers(3), { shuffle: true, seed: -1 }).order(),
    RangeError,
    "Cannot shuffle with seed -1: expected an integer from 0 to 2^53 - 1",
  );
});
