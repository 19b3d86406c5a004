import { assertEquals } from "@std/assert";
import {
  arange,
  type DType,
  DTypeError,
  eye,
  full,
  linspace,
  ones,
  type Tensor,
  tensor,
  zeros,
} from "../../core/mod.ts";
import { onBothDevices, onDevice } from "../support/devices.ts";
import { assertFails } from "../support/errors.ts";

/** Shape, dtype and values. */
async function look(
  x: Tensor,
): Promise<[readonly number[], DType, unknown]> {
  return [x.shape, x.dtype, await x.array()];
}

onBothDevices(
  "tensor takes nested arrays, and their nesting is its shape",
  async () => {
    assertEquals(await look(tensor(3)), [[], "f32", 3]);
    assertEquals(await look(tensor([1, 2])), [[2], "f32", [1, 2]]);
    assertEquals(await look(tensor([[1, 2, 3], [4, 5, 6]])), [
      [2, 3],
      "f32",
      [[1, 2, 3], [4, 5, 6]],
    ]);
    assertEquals(await look(tensor([[[1], [2]]])), [
      [1, 2, 1],
      "f32",
      [[[1], [2]]],
    ]);
    assertEquals(await look(tensor([])), [[0], "f32", []]);
    assertEquals(await look(tensor([[], []])), [[2, 0], "f32", [[], []]]);
  },
);

onBothDevices(
  "tensor takes booleans, and mixed with numbers they count as 0 and 1",
  async () => {
    assertEquals(await look(tensor(true)), [[], "bool", true]);
    assertEquals(await look(tensor([[true], [false]])), [
      [2, 1],
      "bool",
      [[true], [false]],
    ]);
    assertEquals(await look(tensor([true, 2])), [[2], "f32", [1, 2]]);
  },
);

onBothDevices(
  "tensor takes typed arrays with their own dtype, flat or nested",
  async () => {
    const cases: readonly (readonly [
      Exclude<Parameters<typeof tensor>[0], number | boolean>,
      DType,
    ])[] = [
      [Float32Array.of(1, 2), "f32"],
      [Int32Array.of(1, 2), "i32"],
      [Uint32Array.of(1, 2), "u32"],
      [Int16Array.of(1, 2), "i32"],
      [Int8Array.of(1, 2), "i32"],
      [Uint16Array.of(1, 2), "u32"],
      [Uint8Array.of(1, 2), "u32"],
      [Uint8ClampedArray.of(1, 2), "u32"],
      [Float16Array.of(1, 2), "f16"],
    ];
    for (const [values, dtype] of cases) {
      assertEquals(await look(tensor(values)), [[2], dtype, [1, 2]]);
    }
    assertEquals(
      await look(tensor([Float32Array.of(1, 2), Float32Array.of(3, 4)])),
      [[2, 2], "f32", [[1, 2], [3, 4]]],
    );
  },
);

onBothDevices(
  "tensor copies: later changes of the array don't show",
  async () => {
    const values = Float32Array.of(1, 2);
    const x = tensor(values);
    values[0] = 9;
    assertEquals(await x.array(), [1, 2]);
  },
);

onBothDevices("tensor takes a part of a larger buffer", async () => {
  const part = new Float32Array(Float32Array.of(9, 1, 2, 9).buffer, 4, 2);
  assertEquals(await tensor(part).array(), [1, 2]);
});

onBothDevices(
  "shape and dtype can be given, and values are converted",
  async () => {
    assertEquals(
      await look(
        tensor(new Uint8Array(4).fill(7), { shape: [2, 2], dtype: "f32" }),
      ),
      [[2, 2], "f32", [[7, 7], [7, 7]]],
    );
    assertEquals(
      await look(tensor([[1, 2], [3, 4]], { shape: [4] })),
      [[4], "f32", [1, 2, 3, 4]],
    );
    assertEquals(
      await look(tensor([1.9, -1.9], { dtype: "i32" })),
      [[2], "i32", [1, -1]],
    );
    assertEquals(
      await look(tensor([0, -0, 0.5, NaN, -3], { dtype: "bool" })),
      [[5], "bool", [false, false, true, true, true]],
    );
    assertEquals(await look(tensor([7], { shape: [] })), [[], "f32", 7]);
  },
);

onDevice("webgpu", "Float64Array gives f32, and f64 is refused", async () => {
  assertEquals(await look(tensor(Float64Array.of(0.1))), [
    [1],
    "f32",
    [Math.fround(0.1)],
  ]);
  for (
    const make of [
      () => tensor([1], { dtype: "f64" }),
      () => zeros([2], { dtype: "f64" }),
      () => tensor([1]).to("f64"),
    ]
  ) {
    assertFails(
      make,
      DTypeError,
      'Cannot make an f64 tensor on the GPU: WGSL has no 64-bit floats, use f32 or init({ device: "cpu" })',
    );
  }
});

onDevice("cpu", "Float64Array gives f64", async () => {
  assertEquals(await look(tensor(Float64Array.of(0.1))), [[1], "f64", [0.1]]);
  assertEquals(await look(tensor([0.1], { dtype: "f64" })), [
    [1],
    "f64",
    [0.1],
  ]);
});

onBothDevices(
  "f16 rounds to halves and keeps an odd number of elements",
  async () => {
    const x = tensor([1, 2.0009765625, 65504, 1e6, -0.1], { dtype: "f16" });
    const want = [1, 2, 65504, Infinity, Math.f16round(-0.1)];
    assertEquals(await look(x), [[5], "f16", want]);
    assertEquals(await look(full([3], 0.1, { dtype: "f16" })), [
      [3],
      "f16",
      Array(3).fill(Math.f16round(0.1)),
    ]);
    assertEquals(await x.slice(0, 1, 4).array(), want.slice(1, 4));
  },
);

onBothDevices(
  "special values survive the way to the device and back",
  async () => {
    const values = [NaN, Infinity, -Infinity, -0, 1e-40, 3.4028234663852886e38];
    assertEquals(
      await tensor(values).array(),
      values.map(Math.fround),
    );
  },
);

onBothDevices("zeros, ones and full fill every dtype", async () => {
  assertEquals(await look(zeros([2, 2])), [[2, 2], "f32", [[0, 0], [0, 0]]]);
  assertEquals(await look(ones([], { dtype: "i32" })), [[], "i32", 1]);
  assertEquals(await look(full([2], -1.5)), [[2], "f32", [-1.5, -1.5]]);
  assertEquals(await look(full([2], 4294967295, { dtype: "u32" })), [
    [2],
    "u32",
    [4294967295, 4294967295],
  ]);
  assertEquals(await look(ones([1], { dtype: "bool" })), [[1], "bool", [true]]);
  assertEquals(await look(zeros([3, 0])), [[3, 0], "f32", [[], [], []]]);
});

onBothDevices(
  "full tells NaN, the infinities and both zeros apart",
  async () => {
    for (const value of [NaN, Infinity, -Infinity, 0, -0]) {
      assertEquals(await full([2], value).array(), [value, value]);
    }
  },
);

onBothDevices("eye has ones on its diagonal", async () => {
  assertEquals(await eye(2).array(), [[1, 0], [0, 1]]);
  assertEquals(await eye(2, 3).array(), [[1, 0, 0], [0, 1, 0]]);
  assertEquals(await look(eye(2, 1, { dtype: "i32" })), [
    [2, 1],
    "i32",
    [[1], [0]],
  ]);
  assertEquals(await look(eye(0)), [[0, 0], "f32", []]);
});

onBothDevices(
  "arange counts as PyTorch does: integers give i32, fractions f32",
  async () => {
    assertEquals(await look(arange(4)), [[4], "i32", [0, 1, 2, 3]]);
    assertEquals(await look(arange(2, 5)), [[3], "i32", [2, 3, 4]]);
    assertEquals(await look(arange(5, 0, -2)), [[3], "i32", [5, 3, 1]]);
    assertEquals(await look(arange(0, 1, 0.25)), [
      [4],
      "f32",
      [0, 0.25, 0.5, 0.75],
    ]);
    assertEquals(await look(arange(3, 3)), [[0], "i32", []]);
    assertEquals(await look(arange(0, 2, 1, { dtype: "f32" })), [
      [2],
      "f32",
      [0, 1],
    ]);
    assertFails(
      () => arange(0, 1, 0),
      RangeError,
      "Cannot count from 0 to 1 in steps of 0: expected finite numbers and a step other than 0",
    );
    assertFails(
      () => arange(Infinity),
      RangeError,
      "Cannot count from 0 to Infinity in steps of 1: expected finite numbers and a step other than 0",
    );
  },
);

onBothDevices("linspace holds both ends", async () => {
  assertEquals(await look(linspace(0, 1, 5)), [
    [5],
    "f32",
    [0, 0.25, 0.5, 0.75, 1],
  ]);
  assertEquals(await linspace(3, -3, 2).array(), [3, -3]);
  assertEquals(await linspace(2, 9, 1).array(), [2]);
  assertEquals(await linspace(2, 9, 0).array(), []);
});

onBothDevices("requiresGrad is an option of creation", () => {
  assertEquals(tensor([1], { requiresGrad: true }).requiresGrad, true);
  assertEquals(zeros([1], { requiresGrad: true }).requiresGrad, true);
  assertEquals(ones([1]).requiresGrad, false);
});
