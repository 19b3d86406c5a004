import { assertEquals } from "@std/assert";
import {
  device,
  DTypeError,
  full,
  memory,
  OutOfMemoryError,
  rand,
  ShapeError,
  tensor,
  type TensorLike,
  zeros,
} from "../../core/mod.ts";
import { onBothDevices, onDevice } from "../support/devices.ts";
import { assertFails } from "../support/errors.ts";

/** Values that the types forbid but a script without types can pass. */
function untyped(value: unknown): TensorLike {
  return value as TensorLike;
}

onBothDevices("ragged nesting is named where it differs from the start", () => {
  const cases: readonly (readonly [TensorLike, string])[] = [
    [[[1, 2], [3]], "values[1] has 1 item, expected 2 items as at the start"],
    [[[1, 2], 3], "values[1] is a number, expected 2 items as at the start"],
    [[1, [2]], "values[1] has 1 item, expected a number as at the start"],
    [
      [[[1], [2]], [[3], [4, 5]]],
      "values[1][1] has 2 items, expected 1 item as at the start",
    ],
    [
      [Float32Array.of(1, 2), Float32Array.of(3)],
      "values[1] has 1 item, expected 2 items as at the start",
    ],
  ];
  for (const [values, message] of cases) {
    assertFails(
      () => tensor(values),
      ShapeError,
      `Cannot make a tensor of ragged nesting: ${message}`,
    );
  }
});

onBothDevices("what isn't a number is named with its place", () => {
  const cases: readonly (readonly [unknown, string])[] = [
    [[1, "a"], 'values[1] is the string "a"'],
    [[[1], [null]], "values[1][0] is null"],
    [[undefined], "values[0] is undefined"],
    [[1n], "values[0] is a bigint"],
    ["abc", 'values is the string "abc"'],
    [[{ x: 1 }], "values[0] is an Object"],
    [[new Date(0)], "values[0] is a Date"],
  ];
  for (const [values, message] of cases) {
    assertFails(
      () => tensor(untyped(values)),
      DTypeError,
      `Cannot make a tensor: ${message}, expected a number`,
    );
  }
});

onBothDevices("64-bit integers are refused", () => {
  assertFails(
    () => tensor(untyped(BigInt64Array.of(1n))),
    DTypeError,
    "Cannot make a tensor from a BigInt64Array: expected an array of floats, or of integers of 32 bits or fewer",
  );
});

onBothDevices("numbers that an integer dtype can't hold are refused", () => {
  assertFails(
    () => tensor([1, 3e9], { dtype: "i32" }),
    RangeError,
    "Cannot make a tensor of i32: element 1 is 3000000000, expected numbers from -2147483648 to 2147483647",
  );
  assertFails(
    () => tensor(Int32Array.of(-1), { dtype: "u32" }),
    RangeError,
    "Cannot make a tensor of u32: element 0 is -1, expected numbers from 0 to 4294967295",
  );
  assertFails(
    () => tensor([NaN], { dtype: "i32" }),
    RangeError,
    "Cannot make a tensor of i32: element 0 is NaN, expected numbers from -2147483648 to 2147483647",
  );
});

onBothDevices("values must fill the shape", () => {
  const error = assertFails(
    () => tensor([1, 2, 3], { shape: [2, 2] }),
    ShapeError,
    "Cannot make a tensor of shape [2, 2] from 3 values: it has 4 elements",
  );
  assertEquals(error.shapes, [[2, 2], [3]]);
});

onBothDevices("sizes are whole numbers in an array", () => {
  for (const make of [zeros, rand]) {
    for (const size of [-1, 1.5, NaN, Infinity]) {
      assertFails(
        () => make([2, size]),
        ShapeError,
        `Cannot make a tensor of shape [2, ${size}]: ${size} is not a size, expected integers of 0 or more`,
      );
    }
    assertFails(
      () => make(untyped(2) as unknown as number[]),
      ShapeError,
      "Cannot make a tensor of these sizes: expected an array, such as [2, 3], but found 2",
    );
  }
});

onBothDevices("full refuses numbers that an integer dtype can't hold", () => {
  assertFails(
    () => full([2], -1, { dtype: "u32" }),
    RangeError,
    "Cannot fill u32[2] with -1: expected a number from 0 to 4294967295",
  );
});

onBothDevices(
  "an allocation over the limit tells both in bytes and leaves nothing behind",
  () => {
    const before = memory();
    const { maxBufferSize } = device().limits;
    const error = assertFails(
      () => zeros([2 ** 20, 2 ** 12]),
      OutOfMemoryError,
      device().backend === "webgpu"
        ? `Cannot allocate 17179869184 bytes: the device's maxBufferSize is ${maxBufferSize}`
        : "Cannot allocate 17179869184 bytes: the CPU device allows 4294967296 a tensor",
    );
    assertEquals([error.bytes, error.limit], [2 ** 34, maxBufferSize]);
    assertEquals(memory(), before);
  },
);

onDevice(
  "cpu",
  "sizes beyond what integers can count are an allocation over the limit too",
  () => {
    assertFails(
      () => zeros([2 ** 40, 2 ** 40]),
      OutOfMemoryError,
      "Cannot allocate 4.835703278458517e+24 bytes: the CPU device allows 4294967296 a tensor",
    );
  },
);
