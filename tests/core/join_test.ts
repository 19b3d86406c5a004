import { assertEquals } from "@std/assert";
import {
  arange,
  concat,
  DTypeError,
  ShapeError,
  stack,
  type Tensor,
  tensor,
  where,
  zeros,
} from "../../core/mod.ts";
import { onBothDevices } from "../support/devices.ts";
import { assertFails } from "../support/errors.ts";

function counted(...shape: number[]): Tensor {
  return arange(shape.reduce((a, b) => a * b, 1)).reshape(shape);
}

onBothDevices(
  "concat puts tensors one after another along an axis",
  async () => {
    const x = counted(2, 2);
    const y = counted(1, 2).add(10);
    assertEquals(await concat([x, y]).array(), [[0, 1], [2, 3], [10, 11]]);
    assertEquals(await concat([x, y.transpose()], 1).array(), [
      [0, 1, 10],
      [2, 3, 11],
    ]);
    assertEquals(await concat([x, x.transpose(), x], -1).array(), [
      [0, 1, 0, 2, 0, 1],
      [2, 3, 1, 3, 2, 3],
    ]);
    assertEquals(await concat([x]).array(), await x.array());
    assertEquals(
      await concat([zeros([0, 2], { dtype: "i32" }), x]).array(),
      await x.array(),
    );
    assertEquals(
      await concat([tensor([true]), tensor([false])]).array(),
      [true, false],
    );
  },
);

onBothDevices(
  "concat takes more tensors than a kernel has bindings",
  async () => {
    const parts = Array.from({ length: 20 }, (_, i) => tensor([i, -i]));
    assertEquals(
      await concat(parts).array(),
      Array.from({ length: 20 }, (_, i) => [i, -i]).flat(),
    );
  },
);

onBothDevices("concat names what doesn't fit", () => {
  const x = counted(2, 3);
  const cases: readonly (readonly [Tensor[], number, string])[] = [
    [[], 0, "Cannot concatenate: no tensors were given"],
    [
      [x, counted(3, 2)],
      0,
      "Cannot concatenate [2, 3] and [3, 2] along axis 0: sizes 3 and 2 of axis 1 differ",
    ],
    [
      [x, counted(3)],
      0,
      "Cannot concatenate [2, 3] and [3] along axis 0: they have 2 and 1 axes",
    ],
    [
      [x],
      2,
      "Cannot concatenate along axis 2: expected an integer from -2 to 1 for a tensor of rank 2",
    ],
    [
      [tensor(1), tensor(2)],
      0,
      "Cannot concatenate scalars: they have no axes, stack them instead",
    ],
  ];
  for (const [tensors, axis, message] of cases) {
    assertFails(() => concat(tensors, axis), ShapeError, message);
  }
  assertFails(
    () => concat([x, x.to("f32")]),
    DTypeError,
    "Cannot concatenate i32 and f32: convert one to the other first",
  );
});

onBothDevices("stack puts tensors along a new axis", async () => {
  const [x, y] = [tensor([1, 2]), tensor([3, 4])];
  assertEquals(await stack([x, y]).array(), [[1, 2], [3, 4]]);
  assertEquals(await stack([x, y], 1).array(), [[1, 3], [2, 4]]);
  assertEquals(await stack([x, y], -1).array(), [[1, 3], [2, 4]]);
  assertEquals(await stack([tensor(1), tensor(2)]).array(), [1, 2]);
  assertFails(
    () => stack([x, counted(3)]),
    ShapeError,
    "Cannot stack [2] and [3]: expected the same shape",
  );
  assertFails(
    () => stack([]),
    ShapeError,
    "Cannot stack: no tensors were given",
  );
});

onBothDevices(
  "where chooses by a condition, and all three broadcast",
  async () => {
    const x = tensor([[1, -2], [-3, 4]]);
    const positive = x.gt(0);
    assertEquals(await where(positive, x, 0).array(), [[1, 0], [0, 4]]);
    assertEquals(await where(positive, 7, x).array(), [[7, -2], [-3, 7]]);
    assertEquals(await where(positive, 1, 0).array(), [[1, 0], [0, 1]]);
    assertEquals(
      await where(tensor([[true], [false]]), tensor([1, 2]), x).array(),
      [[1, 2], [-3, 4]],
    );
    assertEquals(await positive.where(x, x.neg()).array(), [[1, 2], [3, 4]]);
    assertFails(
      () => where(x, x, x),
      DTypeError,
      "Cannot choose by f32 values: expected bool, which comparisons give, for instance ne(0)",
    );
    assertFails(
      () => where(positive, zeros([3]), x),
      ShapeError,
      "Cannot choose between [2, 2] and [3]: sizes 2 and 3 of axis -1 differ and neither is 1",
    );
  },
);
