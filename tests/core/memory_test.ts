import { assertEquals, assertStringIncludes } from "@std/assert";
import {
  DisposedError,
  grad,
  gradients,
  memory,
  ones,
  resetPeakMemory,
  stack,
  type Tensor,
  tensor,
  zeros,
} from "../../core/mod.ts";
import { outsideScopes } from "../../core/scope.ts";
import { linear } from "../../nn/functional.ts";
import { crossEntropy, mseLoss } from "../../nn/loss.ts";
import { liveMemory, onBothDevices } from "../support/devices.ts";
import { assertFails, assertFailsLater } from "../support/errors.ts";

/** How the live counts changed since `before`: tensors, buffers, bytes. */
function change(before: ReturnType<typeof liveMemory>): number[] {
  const now = liveMemory();
  return [
    now.tensors - before.tensors,
    now.buffers - before.buffers,
    now.bytes - before.bytes,
  ];
}

onBothDevices(
  "memory counts tensors, buffers and the bytes of their elements",
  () => {
    const before = liveMemory();
    const x = zeros([10, 10]);
    assertEquals(change(before), [1, 1, 400]);
    const y = x.transpose();
    assertEquals(change(before), [2, 1, 400]);
    const z = x.add(y);
    assertEquals(change(before), [3, 2, 800]);
    const half = z.to("f16");
    assertEquals(change(before), [4, 3, 1000]);
    for (const t of [x, y, z, half]) t.dispose();
    assertEquals(change(before), [0, 0, 0]);
  },
);

onBothDevices("a view keeps the memory that it shows alive", async () => {
  const before = liveMemory();
  const x = tensor([[1, 2], [3, 4]]);
  const view = x.select(0, 1);
  assertEquals(change(before), [2, 1, 16]);
  x.dispose();
  assertEquals(change(before), [1, 1, 16]);
  assertEquals(await view.array(), [3, 4]);
  view.dispose();
  assertEquals(change(before), [0, 0, 0]);
});

onBothDevices("a call that is made of several leaves only its result", () => {
  const x = tensor([[1, 2], [3, 4]]);
  const row = tensor([1, 2]);
  const labels = tensor([1, 0], { dtype: "i32" });
  const w = tensor([[1, 2], [3, 4]], { requiresGrad: true });
  const calls: Record<string, () => Tensor> = {
    mean: () => x.mean(),
    "mean of integers": () => labels.mean(0),
    variance: () => x.variance(1),
    argmax: () => x.argmax(undefined, { keepDims: true }),
    "matmul of a vector": () => row.matmul(x),
    "matmul of vectors": () => row.matmul(row),
    select: () => x.select(0, 1),
    sumTo: () => x.sumTo([2]),
    stack: () => stack([x, x]),
    grad: () => grad((y) => y.mul(y).sum())(x),
    linear: () => linear(row, x, row),
    crossEntropy: () => crossEntropy(x, labels),
    mseLoss: () => mseLoss(x, x),
    "a gradient": () => gradients(w.mul(w).sum(), [w])[0],
  };
  for (const [name, call] of Object.entries(calls)) {
    const before = liveMemory();
    const y = call();
    assertEquals(change(before)[0], name === "a gradient" ? 3 : 1, name);
    y.dispose();
  }
});

onBothDevices("peakBytes is the most that was live", () => {
  resetPeakMemory();
  const { bytes } = memory();
  assertEquals(memory().peakBytes, bytes);
  zeros([1000]).dispose();
  zeros([500]);
  assertEquals(memory().peakBytes, bytes + 4000);
  resetPeakMemory();
  assertEquals(memory().peakBytes, bytes + 2000);
});

onBothDevices("dispose may be called twice", () => {
  const before = liveMemory();
  const x = zeros([3]);
  x.dispose();
  x.dispose();
  x[Symbol.dispose]();
  assertEquals(x.disposed, true);
  assertEquals(change(before), [0, 0, 0]);
});

onBothDevices("using frees a tensor at the end of its block", () => {
  const before = liveMemory();
  {
    using _ = zeros([3]);
    assertEquals(change(before), [1, 1, 12]);
  }
  assertEquals(change(before), [0, 0, 0]);
});

onBothDevices(
  "a freed tensor names the call and the place that made it, and why it is gone",
  async () => {
    const x = ones([2, 3]).mul(2);
    const line = lineAbove(new Error());
    x.dispose();
    const message =
      `Cannot use the f32[2, 3] tensor made by mul at ${import.meta.url}:${line}:28: its scope has ended or dispose() was called, keep it with scope.keep(x)`;
    for (
      const call of [
        () => x.add(1),
        () => x.transpose(),
        () => x.reshape([6]),
        () => x.detach(),
        () => zeros([2, 3]).add(x),
        () => x.backward(),
      ]
    ) {
      const error = assertFails(call, DisposedError, message);
      assertStringIncludes(error.made, "memory_test.ts");
    }
    await assertFailsLater(x.read(), DisposedError, message);
    await assertFailsLater(x.array(), DisposedError, message);
    assertEquals([x.shape, x.dtype, x.size], [[2, 3], "f32", 6]);
  },
);

onBothDevices(
  "a freed tensor that belonged to no scope says that dispose was called",
  () => {
    const x = outsideScopes(() => zeros([1]));
    const line = lineAbove(new Error());
    x.dispose();
    assertFails(
      () => x.add(1),
      DisposedError,
      `Cannot use the f32[1] tensor made by full at ${import.meta.url}:${line}:35: dispose() was called`,
    );
  },
);

/** The line above that on which an error was made. */
function lineAbove({ stack = "" }: Error): number {
  return Number(stack.match(/memory_test\.ts:(\d+)/)?.[1]) - 1;
}
