import { assertEquals } from "@std/assert";
import {
  arange,
  memory,
  ones,
  ShapeError,
  synchronize,
  type Tensor,
  tensor,
  zeros,
} from "../../core/mod.ts";
import { apply } from "../../core/tensor.ts";
import { sgdStep } from "../../wgsl/optim/sgd.ts";
import { onBothDevices, onDevice } from "../support/devices.ts";
import { assertFailsLater } from "../support/errors.ts";

/** Runs a body and counts how often it submits commands to the GPU. */
async function submissions(body: () => Promise<unknown>): Promise<number> {
  const { prototype } = GPUQueue;
  const { submit } = prototype;
  let count = 0;
  prototype.submit = function (buffers) {
    count++;
    return submit.call(this, buffers);
  };
  try {
    await body();
  } finally {
    prototype.submit = submit;
  }
  return count;
}

onBothDevices(
  "read gives the values in row-major order, as the dtype's typed array",
  async () => {
    const x = tensor([[1, 2, 3], [4, 5, 6]]);
    assertEquals(await x.read(), Float32Array.of(1, 2, 3, 4, 5, 6));
    assertEquals(await x.transpose().read(), Float32Array.of(1, 4, 2, 5, 3, 6));
    assertEquals(
      await x.to("i32").slice(1, 1).read(),
      Int32Array.of(2, 3, 5, 6),
    );
    assertEquals(await x.to("u32").read(), Uint32Array.of(1, 2, 3, 4, 5, 6));
    assertEquals(await x.to("f16").read(), Float16Array.of(1, 2, 3, 4, 5, 6));
    assertEquals(await x.gt(2).read(), Uint8Array.of(0, 0, 1, 1, 1, 1));
    assertEquals(await x.gt(2).slice(1, 1).read(), Uint8Array.of(0, 1, 1, 1));
    assertEquals(await zeros([0, 3]).read(), new Float32Array(0));
    assertEquals(await tensor(7).read(), Float32Array.of(7));
  },
);

onBothDevices(
  "array nests as the shape says, item takes the one element",
  async () => {
    assertEquals(await zeros([2, 1, 2]).array(), [[[0, 0]], [[0, 0]]]);
    assertEquals(await zeros([2, 0]).array(), [[], []]);
    assertEquals(await tensor(7).array(), 7);
    assertEquals(await tensor([[true]]).array(), [[true]]);
    assertEquals(await tensor([[3]]).item(), 3);
    await assertFailsLater(
      tensor([1, 2]).item(),
      ShapeError,
      "Cannot take the item of a tensor of shape [2]: expected one element but found 2",
    );
    await assertFailsLater(
      zeros([0]).item(),
      ShapeError,
      "Cannot take the item of a tensor of shape [0]: expected one element but found 0",
    );
  },
);

onBothDevices("what read gives is the caller's to change", async () => {
  const x = tensor([1, 2]);
  const values = await x.read();
  values[0] = 9;
  assertEquals(await x.read(), Float32Array.of(1, 2));
});

onBothDevices(
  "a read gives the values as they were when it was asked for",
  async () => {
    const x = tensor([1, 2]);
    const y = tensor([1, 2]);
    const z = tensor([[1, 2], [3, 4]]);
    const reads = [x.read(), y.read(), z.transpose().read()];
    x.dispose();
    y.assign(tensor([3, 4]));
    z.assign(zeros([2, 2]));
    const w = ones([2]);
    const before = w.read();
    apply(sgdStep(1), [w, ones([2])], { lr: 0.5, weightDecay: 0 });
    // Memory that was let go is taken again before the reads are through.
    for (let i = 0; i < 10; i++) ones([2]).mul(i);
    assertEquals(await Promise.all(reads), [
      Float32Array.of(1, 2),
      Float32Array.of(1, 2),
      Float32Array.of(1, 3, 2, 4),
    ]);
    assertEquals(await before, Float32Array.of(1, 1));
    assertEquals(await y.read(), Float32Array.of(3, 4));
    assertEquals(await w.read(), Float32Array.of(0.5, 0.5));
  },
);

onBothDevices("reading a view takes no more memory afterwards", async () => {
  const x = tensor([[1, 2], [3, 4]]);
  const y = x.transpose();
  const { tensors, bytes } = memory();
  await y.read();
  assertEquals([memory().tensors, memory().bytes], [tensors, bytes]);
});

onBothDevices("many reads of many sizes at once come back whole", async () => {
  const all = Array.from(
    { length: 40 },
    (_, i) => arange(1 + i * i * 7, undefined, 1, { dtype: "f32" }).mul(i),
  );
  const values = await Promise.all(all.map((x) => x.read()));
  values.forEach((data, i) => {
    const want = Float32Array.from({ length: 1 + i * i * 7 }, (_, j) => i * j);
    assertEquals(data, want);
  });
});

onDevice("webgpu", "reads of one turn share a submission", async () => {
  const xs = Array.from({ length: 10 }, (_, i) => tensor([i]));
  const ys = xs.map((x) => x.mul(2));
  await synchronize();
  assertEquals(
    await submissions(() => Promise.all([...xs, ...ys].map((x) => x.read()))),
    1,
  );
});

onDevice(
  "webgpu",
  "launches are submitted together, apart from the reads",
  async () => {
    const x = tensor([1]);
    // The first launch of a kernel is on its own.
    await x.mul(2).add(1).read();
    const y = await submissions(() => x.mul(2).add(1).mul(2).add(1).read());
    assertEquals(y, 2);
    const many = await submissions(() => {
      let y: Tensor = x;
      for (let i = 0; i < 480; i++) y = y.add(1);
      return y.read();
    });
    assertEquals(many, 480 / 48 + 1);
  },
);

onBothDevices(
  "more than 4,096 sets of parameters in a row compute right",
  async () => {
    const x = tensor([0, 0.5]);
    const count = 9001;
    let sum = x;
    for (let i = 1; i <= count; i++) {
      const next = sum.add(i % 2 === 0 ? -i : i);
      if (sum !== x) sum.dispose();
      sum = next;
    }
    assertEquals(await sum.array(), [4501, 4501.5]);
    // And all at once, so that none has been overwritten when its batch runs.
    const parts = Array.from({ length: 5000 }, (_, i) => x.add(i));
    const values = await Promise.all(parts.map((part) => part.read()));
    assertEquals(
      values.every(([a, b], i) => a === i && b === i + 0.5),
      true,
    );
  },
);

onBothDevices("synchronize waits for what was asked for", async () => {
  ones([64, 64]).matmul(ones([64, 64]));
  await synchronize();
  await synchronize();
});
