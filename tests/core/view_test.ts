import { assertEquals } from "@std/assert";
import {
  arange,
  memory,
  ShapeError,
  type Tensor,
  tensor,
  zeros,
} from "../../core/mod.ts";
import { onBothDevices } from "../support/devices.ts";
import { assertFails } from "../support/errors.ts";

/** 0, 1, … in a shape. */
function counted(...shape: number[]): Tensor {
  return arange(shape.reduce((a, b) => a * b, 1)).reshape(shape);
}

onBothDevices("views share memory: none is copied", () => {
  const x = counted(2, 3, 4);
  const { buffers } = memory();
  for (
    const view of [
      x.permute([2, 0, 1]),
      x.transpose(),
      x.slice(2, 1, 4, 2),
      x.select(1, -1),
      x.unsqueeze(0).expand([5, 2, 3, 4]),
      x.reshape([6, 4]),
      x.flatten(1),
      ...x.split(1),
      x.detach(),
      x.alias(),
      x.contiguous(),
      x.to("i32"),
    ]
  ) {
    assertEquals(view.storage, x.storage);
  }
  assertEquals(memory().buffers, buffers);
});

onBothDevices("permute puts the axes in another order", async () => {
  const x = counted(2, 3, 2);
  const y = x.permute([2, 0, 1]);
  assertEquals(y.shape, [2, 2, 3]);
  assertEquals(await y.array(), [
    [[0, 2, 4], [6, 8, 10]],
    [[1, 3, 5], [7, 9, 11]],
  ]);
  assertEquals(await x.permute([-1, 0, 1]).array(), await y.array());
  assertEquals(await tensor(5).permute([]).array(), 5);
  assertFails(
    () => x.permute([0, 1]),
    ShapeError,
    "Cannot permute [2, 3, 2] to axes [0, 1]: expected each of its 3 axes once",
  );
  assertFails(
    () => x.permute([0, 1, 1]),
    ShapeError,
    "Cannot permute [2, 3, 2] to axes [0, 1, 1]: expected each of its 3 axes once",
  );
  assertFails(
    () => x.permute([0, 1, 3]),
    ShapeError,
    "Cannot permute along axis 3: expected an integer from -3 to 2 for a tensor of rank 3",
  );
});

onBothDevices(
  "transpose swaps two axes, the last two unless named",
  async () => {
    assertEquals(await counted(2, 3).transpose().array(), [
      [0, 3],
      [1, 4],
      [2, 5],
    ]);
    assertEquals(counted(2, 3, 4).transpose(0, 2).shape, [4, 3, 2]);
    assertEquals(counted(2, 3, 4).transpose(0, -2).shape, [3, 2, 4]);
    assertFails(
      () => tensor([1]).transpose(),
      ShapeError,
      "Cannot transpose along axis -2: expected an integer from -1 to 0 for a tensor of rank 1",
    );
  },
);

onBothDevices(
  "expand repeats axes of size 1 and puts new ones in front",
  async () => {
    const x = tensor([[1], [2]]);
    assertEquals(await x.expand([2, 3]).array(), [[1, 1, 1], [2, 2, 2]]);
    assertEquals(await x.expand([2, -1, 2]).array(), [
      [[1, 1], [2, 2]],
      [[1, 1], [2, 2]],
    ]);
    assertEquals(x.expand([2, 0]).shape, [2, 0]);
    assertEquals(await tensor(7).expand([2]).array(), [7, 7]);
    assertFails(
      () => x.expand([3, 3]),
      ShapeError,
      "Cannot expand [2, 1] to [3, 3]: only axes of size 1 and new ones in front can grow",
    );
    assertFails(
      () => x.expand([2]),
      ShapeError,
      "Cannot expand [2, 1] to [2]: only axes of size 1 and new ones in front can grow",
    );
    assertFails(
      () => x.expand([-1, 2, 1]),
      ShapeError,
      "Cannot expand [2, 1] to [-1, 2, 1]: only axes of size 1 and new ones in front can grow",
    );
  },
);

onBothDevices("slice takes bounds from either end, and steps", async () => {
  const x = arange(10);
  const cases: readonly (readonly [Parameters<Tensor["slice"]>, number[]])[] = [
    [[0, 2, 5], [2, 3, 4]],
    [[0, -3], [7, 8, 9]],
    [[0, 0, -7], [0, 1, 2]],
    [[0, 1, 9, 3], [1, 4, 7]],
    [[-1, 0, 10, 9], [0, 9]],
    [[0, 8, 99], [8, 9]],
    [[0, -99, 1], [0]],
    [[0, 5, 5], []],
    [[0, 7, 3], []],
    [[0, 99], []],
  ];
  for (const [bounds, want] of cases) {
    assertEquals(await x.slice(...bounds).array(), want, `${bounds}`);
  }
  assertEquals(
    await counted(3, 4).slice(0, 1).slice(1, 1, 4, 2).array(),
    [[5, 7], [9, 11]],
  );
  assertFails(
    () => x.slice(0, 0, 5, 0),
    RangeError,
    "Cannot slice in steps of 0: expected an integer of 1 or more",
  );
  assertFails(
    () => x.slice(0, 0.5),
    ShapeError,
    "Cannot slice axis 0 of [10] from 0.5 to 10 in steps of 1: expected 0 ≤ start ≤ end ≤ 10 and a step from 1",
  );
  assertFails(
    () => x.slice(1),
    ShapeError,
    "Cannot slice along axis 1: expected an integer from -1 to 0 for a tensor of rank 1",
  );
  assertFails(
    () => tensor(1).slice(0),
    ShapeError,
    "Cannot slice along axis 0: a scalar has no axes",
  );
});

onBothDevices("select takes one position, and its axis goes away", async () => {
  const x = counted(2, 3);
  assertEquals(await x.select(0, 1).array(), [3, 4, 5]);
  assertEquals(await x.select(1, -1).array(), [2, 5]);
  assertEquals(await x.transpose().select(0, 1).array(), [1, 4]);
  assertEquals(await x.select(0, 0).select(0, 2).array(), 2);
  assertFails(
    () => x.select(1, 3),
    RangeError,
    "Cannot select 3 of axis 1: it has 3 positions",
  );
  assertFails(
    () => x.select(1, -4),
    RangeError,
    "Cannot select -4 of axis 1: it has 3 positions",
  );
});

onBothDevices(
  "squeeze drops axes of size 1, unsqueeze puts them in",
  async () => {
    const x = counted(1, 2, 1, 3);
    assertEquals(x.squeeze().shape, [2, 3]);
    assertEquals(x.squeeze(0).shape, [2, 1, 3]);
    assertEquals(x.squeeze(-2).shape, [1, 2, 3]);
    assertEquals(x.unsqueeze(0).shape, [1, 1, 2, 1, 3]);
    assertEquals(x.unsqueeze(-1).shape, [1, 2, 1, 3, 1]);
    assertEquals(tensor(2).unsqueeze(0).shape, [1]);
    assertEquals(await tensor([[2]]).squeeze().array(), 2);
    assertEquals(await counted(2, 3).transpose().unsqueeze(1).array(), [
      [[0, 3]],
      [[1, 4]],
      [[2, 5]],
    ]);
    assertFails(
      () => x.squeeze(1),
      ShapeError,
      "Cannot squeeze axis 1 of [1, 2, 1, 3]: its size is 2, not 1",
    );
    assertFails(
      () => x.unsqueeze(5),
      ShapeError,
      "Cannot unsqueeze along axis 5: expected an integer from -5 to 4 for a tensor of rank 5",
    );
  },
);

onBothDevices("flatten joins the axes from one on", async () => {
  const x = counted(2, 3, 2);
  assertEquals(x.flatten().shape, [12]);
  assertEquals(x.flatten(1).shape, [2, 6]);
  assertEquals(x.flatten(-2).shape, [2, 6]);
  assertEquals(x.flatten(2).shape, [2, 3, 2]);
  assertEquals(tensor(1).flatten().shape, [1]);
  assertEquals(zeros([2, 0, 3]).flatten(1).shape, [2, 0]);
  assertEquals(await x.permute([2, 1, 0]).flatten().array(), [
    ...[0, 6, 2, 8, 4, 10],
    ...[1, 7, 3, 9, 5, 11],
  ]);
});

onBothDevices(
  "reshape keeps the order of elements, and works one size out",
  async () => {
    const x = counted(2, 6);
    assertEquals(await x.reshape([3, 4]).select(0, 1).array(), [4, 5, 6, 7]);
    assertEquals(x.reshape([-1]).shape, [12]);
    assertEquals(x.reshape([3, -1, 2]).shape, [3, 2, 2]);
    assertEquals(await x.transpose().reshape([2, 6]).array(), [
      [0, 6, 1, 7, 2, 8],
      [3, 9, 4, 10, 5, 11],
    ]);
    assertEquals(zeros([0, 4]).reshape([2, 0]).shape, [2, 0]);
    assertEquals(await tensor([3]).reshape([]).array(), 3);
    const cases: readonly (readonly [number[], string])[] = [
      [[5], "Cannot reshape [2, 6] to [5]: 12 elements do not fill 5"],
      [
        [5, -1],
        "Cannot reshape [2, 6] to [5, -1]: 12 elements do not divide by 5",
      ],
      [
        [-1, -1],
        "Cannot reshape [2, 6] to [-1, -1]: sizes are whole numbers from 0, and one of them may be -1",
      ],
      [
        [1.5, 8],
        "Cannot reshape [2, 6] to [1.5, 8]: sizes are whole numbers from 0, and one of them may be -1",
      ],
      [
        [0, -1],
        "Cannot reshape [2, 6] to [0, -1]: -1 could be any size beside an empty axis, name it",
      ],
    ];
    for (const [shape, message] of cases) {
      assertFails(() => x.reshape(shape), ShapeError, message);
    }
  },
);

onBothDevices(
  "split cuts an axis into parts of one size or of sizes that are given",
  async () => {
    const x = counted(5, 2);
    const parts = x.split(2);
    assertEquals(parts.map(({ shape }) => shape), [[2, 2], [2, 2], [1, 2]]);
    assertEquals(await parts[2].array(), [[8, 9]]);
    const columns = x.split([1, 1], 1);
    assertEquals(await columns[1].array(), [[1], [3], [5], [7], [9]]);
    assertEquals(x.split([0, 5])[0].shape, [0, 2]);
    assertFails(
      () => x.split([2, 2]),
      ShapeError,
      "Cannot split axis 0 of [5, 2] into parts of 2,2: expected whole numbers that add up to 5",
    );
    assertFails(
      () => x.split([6, -1]),
      ShapeError,
      "Cannot split axis 0 of [5, 2] into parts of 6,-1: expected whole numbers that add up to 5",
    );
    assertFails(
      () => x.split(0),
      ShapeError,
      "Cannot split axis 0 of [5, 2] into parts of 0: expected a whole number from 1",
    );
  },
);

onBothDevices("views of views reach the same elements", async () => {
  const x = counted(4, 4);
  const y = x.slice(0, 1, 4, 2).transpose().slice(0, 1, 3);
  assertEquals(await y.array(), [[5, 13], [6, 14]]);
  assertEquals(await y.add(0).array(), [[5, 13], [6, 14]]);
  assertEquals(await y.contiguous().array(), [[5, 13], [6, 14]]);
  assertEquals(await y.clone().array(), [[5, 13], [6, 14]]);
});
