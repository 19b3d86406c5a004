import {
  assert,
  assertEquals,
  assertGreater,
  assertLess,
  assertRejects,
} from "@std/assert";
import { AnomalyError, init, memory, nn, scope, zoo } from "../../mod.ts";

/** Two classes that a line parts: bright left halves and bright right halves. */
function halves(count: number): nn.ImageArrays {
  const images = new Uint8Array(count * 28 * 28);
  const labels = new Uint8Array(count);
  for (let i = 0; i < count; i++) {
    labels[i] = i % 2;
    for (let y = 0; y < 28; y++) {
      const start = (i * 28 + y) * 28 + 14 * labels[i];
      images.fill(100 + 13 * (i * 7 % 11), start, start + 14);
    }
  }
  return {
    images,
    labels,
    count,
    shape: [1, 28, 28],
    classes: ["left", "right"],
  };
}

Deno.test("fit learns what a line can part, reports its progress and leaves no memory behind", async () => {
  await init({ seed: 3 });
  const data = halves(80);
  const net = new nn.Sequential(new nn.Flatten(), new nn.Linear(784, 2));
  const optimizer = new nn.SGD(net.parameters(), { lr: 0.01, momentum: 0.9 });
  const seen: nn.Progress[] = [];
  const options = {
    optimizer,
    epochs: 1,
    batchSize: 16,
    onProgress: (p: nn.Progress) => seen.push(p),
  };
  await nn.fit(net, data, options);
  const { bytes, tensors } = memory();
  const history = await nn.fit(net, data, {
    ...options,
    epochs: 3,
    validation: data,
  });
  assertEquals(memory().bytes, bytes);
  assertEquals(memory().tensors, tensors);
  assertEquals(history.losses.length, 15);
  assertEquals(history.epochs.length, 3);
  assertEquals(history.epochs[2].validation?.accuracy, 1);
  assertLess(history.epochs[2].loss, history.epochs[0].loss);
  const last = seen.at(-1)!;
  assertEquals([last.epoch, last.step, last.steps], [3, 5, 5]);
  assertGreater(last.imagesPerSecond, 0);
  assertEquals(last.secondsLeft, 0);
});

Deno.test("fit stops at a loss that is NaN and names the step", async () => {
  await init({ seed: 3 });
  const net = new nn.Sequential(new nn.Flatten(), new nn.Linear(784, 2));
  const optimizer = new nn.SGD(net.parameters(), { lr: 1e38 });
  const error = await assertRejects(
    () =>
      nn.fit(net, halves(64), {
        optimizer,
        epochs: 4,
        batchSize: 16,
        onProgress: false,
      }),
    Error,
  );
  assert(
    /^Cannot go on training: the loss of step \d+ is NaN, try a smaller lr, or \{ detectAnomaly: true \} to see where it comes from$/
      .test(error.message),
    error.message,
  );
  assert(error instanceof AnomalyError && error.step! > 1);
  net.dispose();
  optimizer.dispose();
});

Deno.test("evaluate puts the mode back and counts every example once", async () => {
  await init({ seed: 3 });
  const net = zoo.lenet({ variant: "small", classes: 2 });
  const { accuracy, loss } = await nn.evaluate(net, halves(70), {
    batchSize: 32,
  });
  assert(net.training);
  assert(accuracy * 70 === Math.round(accuracy * 70), `${accuracy}`);
  assertGreater(loss, 0);
});

Deno.test("a loader gives every example once a pass, in an order of the seed's", async () => {
  await init({ seed: 5 });
  using _ = scope();
  const data = halves(10);
  const indexed = {
    ...data,
    labels: Uint8Array.from({ length: 10 }, (_, i) => i),
  };
  const loader = new nn.DataLoader(indexed, { batchSize: 4, shuffle: true });
  assertEquals(loader.length, 3);
  const passes: number[][] = [];
  for (let pass = 0; pass < 2; pass++) {
    const order: number[] = [];
    for (const { inputs, targets } of loader) {
      assertEquals(inputs.shape.slice(1), [1, 28, 28]);
      order.push(...await targets.read());
    }
    passes.push(order);
    assertEquals([...order].sort(), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  }
  assert(passes[0].join() !== passes[1].join());
  assertEquals(
    new nn.DataLoader(indexed, { batchSize: 4, dropLast: true }).length,
    2,
  );
});
