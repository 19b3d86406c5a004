import { assertEquals, assertThrows } from "@std/assert";
import { DTypeError, LimitError, ShapeError } from "../../wgsl/errors.ts";
import { concat } from "../../wgsl/move/concat.ts";
import { copy } from "../../wgsl/move/copy.ts";
import type { DType, Shape, View } from "../../wgsl/op.ts";
import { contiguousView } from "../../wgsl/shape.ts";
import {
  checkOp,
  host,
  noise,
  PORTABLE_LIMITS,
  runReference,
  runVariant,
} from "../support/plan.ts";

const DTYPES: readonly DType[] = ["f32", "f16", "i32", "u32", "bool"];
const MIB = 1024 * 1024;

/** Awkward values: halves, both zeros, ends of integer ranges, what isn't a number. */
const AWKWARD = [
  ...[0, -0, 0.5, -0.5, 1.5, -1.5, 2.999, -2.999, 1e-40, 65504, 16777217],
  ...[2 ** 31 - 128, 2 ** 31, -(2 ** 31), -3e9, 2 ** 32 - 256, 2 ** 32, 1e20],
  ...[NaN, Infinity, -Infinity],
];

/** The view of a contiguous array whose axes stand in another order. */
function permuted(shape: Shape, axes: readonly number[], dtype: DType): View {
  const { strides, offset } = contiguousView({ shape, dtype });
  return {
    shape: axes.map((d) => shape[d]),
    strides: axes.map((d) => strides[d]),
    offset,
    dtype,
  };
}

Deno.test("copy converts floats to integers as documented", () => {
  const x = host(AWKWARD, [AWKWARD.length]);
  const to = (
    dtype: DType,
  ) => [...runReference(copy, { inputs: [x], attrs: { dtype } })[0].data];
  assertEquals(to("i32"), [
    ...[0, 0, 0, 0, 1, -1, 2, -2, 0, 65504, 16777216],
    ...[2 ** 31 - 128, 2 ** 31 - 1, -(2 ** 31), -(2 ** 31), 2 ** 31 - 1],
    ...[2 ** 31 - 1, 2 ** 31 - 1, 0, 2 ** 31 - 1, -(2 ** 31)],
  ]);
  assertEquals(to("u32"), [
    ...[0, 0, 0, 0, 1, 0, 2, 0, 0, 65504, 16777216],
    ...[2 ** 31 - 128, 2 ** 31, 0, 0, 2 ** 32 - 256, 2 ** 32 - 1, 2 ** 32 - 1],
    ...[0, 2 ** 32 - 1, 0],
  ]);
  assertEquals(
    to("bool"),
    AWKWARD.map((v) => Object.is(v, -0) || v === 0 ? 0 : 1),
  );
});

Deno.test("copy converts between all dtypes as the reference does", async () => {
  const values: Record<string, number[]> = {
    f32: AWKWARD,
    f16: [0, -0, 0.5, -1.5, 2 ** -24, 65504, -65504, NaN, Infinity, -Infinity],
    i32: [0, 1, -1, 65504, -65504, 2 ** 24 + 1, 2 ** 31 - 1, -(2 ** 31)],
    u32: [0, 1, 65504, 2 ** 24 + 1, 2 ** 31, 2 ** 32 - 1],
    bool: [0, 1, 1, 0],
  };
  for (const from of DTYPES) {
    for (const to of DTYPES) {
      // Floats too large for f16 become infinite in one way only; integers beyond it are left to the next test.
      const list = to === "f16" && from !== "f16"
        ? values[from].filter((v) => !(Math.abs(v) > 65504 && v !== Infinity))
        : values[from];
      const x = host(list, [list.length], from);
      await checkOp(copy, { inputs: [x], attrs: { dtype: to } });
    }
  }
});

Deno.test("copy makes what is too large for f16 infinite", async () => {
  const x = host([65536, -1e9, 2e9], [3]);
  for (const dtype of ["f32", "i32"] as DType[]) {
    const inputs = [host(x.data, [3], dtype)];
    for (const { name } of copy.variants) {
      const given = { inputs, attrs: { dtype: "f16" as DType } };
      const [y] = await runVariant(copy, name, given);
      assertEquals([...y.data], [Infinity, -Infinity, Infinity]);
    }
  }
});

Deno.test("copy moves elements of an unchanged dtype as their bits", async () => {
  const bits = [0x7fc12345, 0xffc00001, 0x00000001, 0x80000000, 0x7f800000];
  const data = new Float32Array(Uint32Array.from(bits).buffer);
  const x = { shape: [5], dtype: "f32" as DType, data };
  for (const { name } of copy.variants) {
    const given = { inputs: [x], attrs: { dtype: "f32" as DType } };
    const [y] = await runVariant(copy, name, given);
    assertEquals([...new Uint32Array(y.data.buffer)], bits);
  }
});

Deno.test("copy makes any view contiguous", async () => {
  const views: [Shape, readonly number[]][] = [
    [[1, 1], [1, 0]],
    [[3, 4], [1, 0]],
    [[4, 3], [1, 0]],
    [[5, 63], [1, 0]],
    [[65, 67], [1, 0]],
    [[2, 3, 5, 7], [0, 2, 3, 1]],
    [[2, 5, 7, 3], [0, 3, 1, 2]],
    [[2, 3, 5, 7], [3, 2, 1, 0]],
    [[2, 3, 4, 2, 3, 2], [5, 3, 1, 0, 2, 4]],
    [[2, 2, 2, 2, 2, 2, 2, 2], [7, 6, 5, 4, 3, 2, 1, 0]],
    [[4, 0, 3], [2, 1, 0]],
  ];
  for (const [shape, axes] of views) {
    for (const dtype of ["f32", "f16"] as DType[]) {
      await checkOp(copy, {
        inputs: [noise(shape, 3, dtype)],
        views: [permuted(shape, axes, dtype)],
        attrs: { dtype: "f32" },
      });
    }
  }
});

Deno.test("copy follows offsets, steps and repeated elements", async () => {
  const x = noise([1000]);
  const views: [Shape, readonly number[], number][] = [
    [[], [], 7],
    [[9], [0], 3],
    [[50, 9], [0, 1], 3],
    [[9, 50], [1, 0], 5],
    [[61], [3], 1],
    [[7, 8], [100, 9], 13],
    [[3, 1, 7], [200, 999, 2], 1],
    [[300], [1], 501],
  ];
  for (const [shape, strides, offset] of views) {
    const view = { shape, strides, offset, dtype: "f32" as DType };
    const given = {
      inputs: [x],
      views: [view],
      attrs: { dtype: "i32" as DType },
    };
    assertEquals(await checkOp(copy, given), ["tiled", "naive"]);
  }
});

Deno.test("copy keeps to the limits on bindings and workgroups", async () => {
  const limits = { maxStorageBufferBindingSize: MIB };
  for (const shape of [[601, 500], [3, 200, 701], [300_001]]) {
    const axes = shape.map((_, d) => shape.length - 1 - d);
    await checkOp(copy, {
      inputs: [noise(shape)],
      views: [permuted(shape, axes, "f32")],
      attrs: { dtype: "f16" },
      limits,
    });
  }
  await checkOp(copy, {
    inputs: [noise([49, 64])],
    views: [permuted([49, 64], [1, 0], "f32")],
    attrs: { dtype: "f32" },
    limits: { maxComputeWorkgroupsPerDimension: 7 },
  });
});

Deno.test("copy refuses more axes than a kernel walks", () => {
  const shape = new Array<number>(9).fill(2);
  const axes = shape.map((_, d) => 8 - d);
  const [naive] = copy.variants.filter(({ name }) => name === "naive");
  assertThrows(
    () =>
      naive.plan({
        inputs: [permuted(shape, axes, "f32")],
        outputs: [contiguousView({ shape, dtype: "f32" })],
        attrs: { dtype: "f32" },
        limits: PORTABLE_LIMITS,
      }),
    LimitError,
    "Cannot walk 9 axes that don't merge: strided kernels walk at most 8",
  );
});

Deno.test("concat puts tensors one after the other", async () => {
  const a = host([1, 2, 3, 4], [2, 2]);
  const b = host([5, 6], [2, 1]);
  const given = { inputs: [a, b, a], attrs: { axis: 1 } };
  assertEquals(
    [...runReference(concat, given)[0].data],
    [1, 2, 5, 1, 2, 3, 4, 6, 3, 4],
  );
  assertEquals(await checkOp(concat, given), ["tiled", "naive"]);
});

Deno.test("concat joins any number of tensors along any axis, in any dtype", async () => {
  for (const dtype of DTYPES) {
    for (
      const [axis, sizes] of [[0, [1, 3, 1]], [1, [5, 0, 2, 64]], [-1, [
        7,
      ]]] as const
    ) {
      const inputs = sizes.map((n, i) => {
        const shape = [3, 4, 5];
        shape[axis < 0 ? axis + 3 : axis] = n;
        return noise(shape, i + 1, dtype);
      });
      await checkOp(concat, { inputs, attrs: { axis } });
    }
  }
  const many = Array.from({ length: 12 }, (_, i) => noise([i, 3], i + 1));
  await checkOp(concat, { inputs: many, attrs: { axis: 0 } });
});

Deno.test("concat reads views, and keeps to the limits on bindings and workgroups", async () => {
  const shape = [40, 50];
  const given = {
    inputs: [noise(shape), noise(shape, 2), noise([60])],
    views: [
      permuted(shape, [1, 0], "f32"),
      undefined,
      { shape: [50, 3], strides: [1, 0], offset: 10, dtype: "f32" as DType },
    ],
    attrs: { axis: 1 },
  };
  const inputs = [...given.inputs];
  inputs[1] = noise([50, 8], 2);
  await checkOp(concat, { ...given, inputs });
  await checkOp(concat, {
    inputs: [noise([300, 700]), noise([300, 501], 2)],
    attrs: { axis: 1 },
    limits: { maxStorageBufferBindingSize: MIB },
  });
  await checkOp(concat, {
    inputs: [noise([40, 30]), noise([40, 40], 2)],
    attrs: { axis: 1 },
    limits: { maxComputeWorkgroupsPerDimension: 7 },
  });
});

Deno.test("concat names what doesn't fit", () => {
  const meta = (shape: Shape, dtype: DType = "f32") => ({ shape, dtype });
  const cases: [Shape[], number, string][] = [
    [[], 0, "Cannot concatenate no tensors: give at least one"],
    [
      [[8, 3, 32, 32], [8, 3, 30, 30]],
      1,
      "Cannot concatenate [8, 3, 32, 32] and [8, 3, 30, 30] along axis 1: sizes 32 and 30 of axis 2 differ",
    ],
    [
      [[2, 3], [2, 3, 1]],
      -1,
      "Cannot concatenate [2, 3] and [2, 3, 1] along axis 1: they have 2 and 3 axes",
    ],
    [
      [[], []],
      0,
      "Cannot concatenate scalars: they have no axes, stack them instead",
    ],
    [
      [[2], [2]],
      1,
      "Cannot concatenate along axis 1: expected an integer from -1 to 0 for a tensor of rank 1",
    ],
  ];
  for (const [shapes, axis, message] of cases) {
    const error = assertThrows(
      () => concat.infer(shapes.map((shape) => meta(shape)), { axis }),
      ShapeError,
    );
    assertEquals(error.message, message);
  }
  assertThrows(
    () => concat.infer([meta([2]), meta([2], "i32")], { axis: 0 }),
    DTypeError,
    "Cannot concatenate f32 and i32: convert one to the other first",
  );
});
