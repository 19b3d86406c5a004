import { assertEquals } from "@std/assert";
import { DTypeError, ShapeError, tensor, zeros } from "../../core/mod.ts";
import { onBothDevices } from "../support/devices.ts";
import { assertFails } from "../support/errors.ts";

onBothDevices(
  "reductions fold one axis, several or all, kept or not",
  async () => {
    const x = tensor([[1, 2, 3], [4, 5, 6]]);
    assertEquals(await x.sum().array(), 21);
    assertEquals(await x.sum(0).array(), [5, 7, 9]);
    assertEquals(await x.sum(-1, { keepDims: true }).array(), [[6], [15]]);
    assertEquals(await x.sum([0, 1], { keepDims: true }).array(), [[21]]);
    assertEquals(await x.sum([]).array(), await x.array());
    assertEquals(await x.mean(1).array(), [2, 5]);
    assertEquals(await x.prod(1).array(), [6, 120]);
    assertEquals(await x.max(0).array(), [4, 5, 6]);
    assertEquals(await x.min().array(), 1);
    assertEquals(await x.gt(3).any(1).array(), [false, true]);
    assertEquals(await x.gt(0).all().array(), true);
    assertEquals(await x.transpose().sum(0).array(), [6, 15]);
    assertEquals(await tensor(5).sum().array(), 5);
  },
);

onBothDevices(
  "integers and booleans sum to integers, and average to f32",
  async () => {
    const x = tensor([1, 2, 4], { dtype: "i32" });
    assertEquals([x.sum().dtype, await x.sum().array()], ["i32", 7]);
    assertEquals([x.to("u32").sum().dtype, x.gt(1).sum().dtype], [
      "u32",
      "i32",
    ]);
    assertEquals(await x.gt(1).sum().array(), 2);
    assertEquals([
      x.mean().dtype,
      await tensor([1, 2], { dtype: "i32" }).mean().array(),
    ], ["f32", 1.5]);
  },
);

onBothDevices("reductions of nothing give what PyTorch does", async () => {
  const empty = zeros([0, 2]);
  assertEquals(await empty.sum(0).array(), [0, 0]);
  assertEquals(await empty.prod().array(), 1);
  assertEquals(await empty.mean(0).array(), [NaN, NaN]);
  assertEquals(await empty.sum(1).array(), []);
  assertFails(
    () => empty.max(0),
    ShapeError,
    "Cannot take the max of [0, 2] along axis 0: it has no elements to choose from, name other axes",
  );
});

onBothDevices(
  "variance divides by one less than the count unless told otherwise",
  async () => {
    const x = tensor([[1, 2, 3, 4], [2, 2, 2, 2]]);
    assertEquals(await x.variance(1, { correction: 0 }).array(), [1.25, 0]);
    assertEquals(await x.variance(1).mul(3).array(), [5, 0]);
    assertEquals(await tensor([1]).variance().array(), NaN);
  },
);

onBothDevices(
  "argmax and argmin give the first of equal values, and NaN wins",
  async () => {
    const x = tensor([[1, 5, 5], [7, -1, 7]]);
    assertEquals(x.argmax(1).dtype, "i32");
    assertEquals(await x.argmax(1).array(), [1, 0]);
    assertEquals(await x.argmin(1, { keepDims: true }).array(), [[0], [1]]);
    assertEquals(await x.argmax(0).array(), [1, 0, 1]);
    assertEquals(await x.argmax().array(), 3);
    assertEquals(await x.argmin(undefined, { keepDims: true }).array(), [[4]]);
    assertEquals(await tensor([1, NaN, 3]).argmax().array(), 1);
  },
);

onBothDevices("cumsum adds up along an axis", async () => {
  const x = tensor([[1, 2, 3], [4, 5, 6]]);
  assertEquals(await x.cumsum(1).array(), [[1, 3, 6], [4, 9, 15]]);
  assertEquals(await x.cumsum(0).array(), [[1, 2, 3], [5, 7, 9]]);
  assertEquals(await x.transpose().cumsum(-1).array(), [[1, 5], [2, 7], [
    3,
    9,
  ]]);
});

onBothDevices("softmax and logSoftmax don't overflow", async () => {
  assertEquals(await tensor([1000, 1000]).softmax(0).array(), [0.5, 0.5]);
  assertEquals(await tensor([[0, -2000]]).logSoftmax(1).array(), [[0, -2000]]);
});

onBothDevices(
  "sort orders the last axis and says where each value stood",
  async () => {
    const x = tensor([[3, 1, 2], [5, 5, 4]]);
    const up = x.sort();
    assertEquals(await up.values.array(), [[1, 2, 3], [4, 5, 5]]);
    assertEquals(await up.indices.array(), [[1, 2, 0], [2, 0, 1]]);
    const down = x.sort({ descending: true });
    assertEquals(await down.values.array(), [[3, 2, 1], [5, 5, 4]]);
    assertEquals(await down.indices.array(), [[0, 2, 1], [0, 1, 2]]);
    assertEquals(await tensor([NaN, -Infinity, 2]).sort().values.array(), [
      -Infinity,
      2,
      NaN,
    ]);
  },
);

onBothDevices("topk takes the largest or the smallest", async () => {
  const x = tensor([[3, 1, 2], [5, 6, 4]]);
  const { values, indices } = x.topk(2);
  assertEquals(await values.array(), [[3, 2], [6, 5]]);
  assertEquals(await indices.array(), [[0, 2], [1, 0]]);
  assertEquals(await x.topk(1, { largest: false }).values.array(), [[1], [4]]);
  assertEquals(x.topk(0).values.shape, [2, 0]);
  assertFails(
    () => x.topk(4),
    RangeError,
    "Cannot take the top 4 of 3 values: expected an integer from 0 to 3",
  );
});

onBothDevices(
  "gather and oneHot go by indices, which are checked where they are known",
  async () => {
    const x = tensor([[1, 2, 3], [4, 5, 6]]);
    const index = tensor([[2], [0]], { dtype: "i32" });
    assertEquals(await x.gather(1, index).array(), [[3], [4]]);
    assertEquals(
      await x.gather(-2, tensor([[1, 0, 1]], { dtype: "u32" })).array(),
      [[4, 2, 6]],
    );
    assertEquals(await tensor([2, 0], { dtype: "i32" }).oneHot(3).array(), [
      [0, 0, 1],
      [1, 0, 0],
    ]);
    assertEquals(tensor([0], { dtype: "i32" }).oneHot(2, "i32").dtype, "i32");
    assertFails(
      () => x.gather(1, tensor([[0], [3]], { dtype: "i32" })),
      RangeError,
      "Cannot gather: index 3 at position 1 is out of range, expected 0 to 2",
    );
    assertFails(
      () => x.gather(1, tensor([[0, -1]], { dtype: "i32" })),
      RangeError,
      "Cannot gather: index -1 at position 1 is out of range, expected 0 to 2",
    );
    assertFails(
      () => x.gather(1, tensor([[0]])),
      DTypeError,
      "Cannot gather: expected indices of i32 or u32 but found f32",
    );
    assertFails(
      () => tensor([5], { dtype: "i32" }).oneHot(3),
      RangeError,
      "Cannot make one-hot vectors: index 5 at position 0 is out of range, expected 0 to 2",
    );
  },
);

onBothDevices("axes are checked at the call", () => {
  const x = zeros([2, 3]);
  assertFails(
    () => x.sum(2),
    ShapeError,
    "Cannot sum along axis 2: expected an integer from -2 to 1 for a tensor of rank 2",
  );
  assertFails(
    () => x.mean([0, -2]),
    ShapeError,
    "Cannot average along axes [0, -2]: an axis is named twice",
  );
  assertFails(
    () => x.softmax(0.5),
    ShapeError,
    "Cannot take the softmax along axis 0.5: expected an integer from -2 to 1 for a tensor of rank 2",
  );
});
