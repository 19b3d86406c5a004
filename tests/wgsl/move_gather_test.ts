import { assertEquals, assertThrows } from "@std/assert";
import { DTypeError, ShapeError } from "../../wgsl/errors.ts";
import {
  gather,
  indexSelect,
  oneHot,
  scatterAdd,
} from "../../wgsl/move/gather.ts";
import type { DType, HostArray, Shape } from "../../wgsl/op.ts";
import {
  checkOp,
  host,
  noise,
  offers,
  runReference,
  runVariant,
} from "../support/plan.ts";

const MIB = 1024 * 1024;

/** Pseudo-random indices below `size`. */
function indices(
  shape: Shape,
  size: number,
  dtype: "i32" | "u32" = "i32",
): HostArray {
  const { data } = noise(shape, 7, "f32");
  return host(
    data.map((v) => Math.floor(Math.abs(v) * 1e4) % size),
    shape,
    dtype,
  );
}

Deno.test("gather picks one element for each element of the index", async () => {
  const x = host([1, 2, 3, 4, 5, 6], [2, 3]);
  const index = host([2, 0, 1, 1], [2, 2], "i32");
  const given = { inputs: [x, index], attrs: { axis: 1 } };
  assertEquals([...runReference(gather, given)[0].data], [3, 1, 5, 5]);
  assertEquals(await checkOp(gather, given), ["naive"]);
});

Deno.test("gather follows PyTorch along every axis, whatever the other sizes", async () => {
  const shapes: [Shape, Shape, number][] = [
    [[5], [1], 0],
    [[1], [63], 0],
    [[64], [65], -1],
    [[4, 7], [2, 7], 0],
    [[4, 7], [3, 13], 1],
    [[3, 5, 7], [2, 11, 7], 1],
    [[3, 5, 7], [3, 5, 64], 2],
    [[3, 5, 7], [0, 5, 7], 2],
    [[2, 3, 4, 5, 6], [2, 2, 9, 4, 6], 2],
    // Sizes with common factors, and an index smaller than x along each axis.
    [[4, 6, 8], [2, 4, 6], 1],
  ];
  for (const [shape, indexShape, axis] of shapes) {
    const index = indices(indexShape, shape.at(axis)!, "u32");
    await checkOp(gather, { inputs: [noise(shape), index], attrs: { axis } });
  }
});

Deno.test("gather moves every dtype", async () => {
  for (const dtype of ["f32", "f16", "i32", "u32", "bool"] as DType[]) {
    const inputs = [noise([9, 17], 3, dtype), indices([9, 5], 17)];
    await checkOp(gather, { inputs, attrs: { axis: 1 } });
  }
});

Deno.test("gather reads views with any strides and offset", async () => {
  const x = noise([6, 40]);
  const index = indices([200], 5);
  await checkOp(gather, {
    inputs: [x, index],
    views: [
      { shape: [5, 6], dtype: "f32", strides: [7, 40], offset: 3 },
      { shape: [9, 6], dtype: "i32", strides: [3, 0], offset: 11 },
    ],
    attrs: { axis: 0 },
  });
});

Deno.test("gather gives NaN or 0 on the GPU for an index outside its axis", async () => {
  const index = host([0, 3, -1, 2], [4], "i32");
  for (
    const [dtype, outside] of [["f32", NaN], ["f16", NaN], ["i32", 0], [
      "bool",
      0,
    ]] as [DType, number][]
  ) {
    if (!await offers(dtype, "gather outside of an axis")) continue;
    const x = host([1, 0, 1], [3], dtype);
    const [y] = await runVariant(gather, "naive", {
      inputs: [x, index],
      attrs: { axis: 0 },
    });
    assertEquals([...y.data], [1, outside, outside, 1]);
  }
});

Deno.test("gather's reference throws for an index outside its axis", () => {
  assertThrows(
    () =>
      runReference(gather, {
        inputs: [noise([2, 5]), host([0, 1, 4, 5], [2, 2], "i32")],
        attrs: { axis: -1 },
      }),
    RangeError,
    "Cannot gather: index 5 at [1, 1] is outside axis 1 of size 5",
  );
});

Deno.test("gather searches an operand over the binding limit in parts", async () => {
  const x = noise([3, 200_000]);
  const inputs = [x, indices([3, 150_001], 200_000)];
  const limits = { maxStorageBufferBindingSize: MIB };
  await checkOp(gather, { inputs, attrs: { axis: 1 }, limits });
  const tall = [noise([300_000, 2]), indices([200_000, 2], 300_000)];
  await checkOp(gather, { inputs: tall, attrs: { axis: 0 }, limits });
});

Deno.test("gather and scatterAdd fold their workgroups into two dimensions", async () => {
  const limits = { maxComputeWorkgroupsPerDimension: 7 };
  const index = indices([50, 61], 61);
  const inputs = [noise([50, 61]), index];
  await checkOp(gather, { inputs, attrs: { axis: 1 }, limits });
  await checkOp(scatterAdd, {
    inputs,
    attrs: { axis: 1, size: 61 },
    limits,
    length: 61,
  });
});

Deno.test("gather names what doesn't fit", () => {
  const f32 = (shape: Shape) => ({ shape, dtype: "f32" as const });
  const i32 = (shape: Shape) => ({ shape, dtype: "i32" as const });
  const cases: [Shape, Shape, number, string][] = [
    [
      [2, 3],
      [2],
      0,
      "Cannot gather from [2, 3] with an index of shape [2]: both must have 2 axes",
    ],
    [
      [2, 3],
      [4, 3],
      1,
      "Cannot gather from [2, 3] with an index of shape [4, 3]: size 4 of axis 0 is over 2",
    ],
    [
      [2, 3],
      [2, 3],
      2,
      "Cannot gather along axis 2: expected an integer from -2 to 1 for a tensor of rank 2",
    ],
    [[], [], 0, "Cannot gather along axis 0: a scalar has no axes"],
    [[2, 0], [2, 1], 1, "Cannot pick from [2, 0]: axis 1 is empty"],
  ];
  for (const [x, index, axis, message] of cases) {
    const error = assertThrows(
      () => gather.infer([f32(x), i32(index)], { axis }),
      ShapeError,
    );
    assertEquals(error.message, message);
  }
  assertThrows(
    () => gather.infer([f32([2]), f32([2])], { axis: 0 }),
    DTypeError,
    "Cannot gather with an index of f32: expected i32 or u32",
  );
});

Deno.test("indexSelect picks rows of a table", async () => {
  const x = host([1, 2, 3, 4, 5, 6], [3, 2]);
  const given = {
    inputs: [x, host([2, 0, 2], [3], "u32")],
    attrs: { axis: 0 },
  };
  assertEquals([...runReference(indexSelect, given)[0].data], [
    5,
    6,
    1,
    2,
    5,
    6,
  ]);
  await checkOp(indexSelect, given);
});

Deno.test("indexSelect works along every axis, for every dtype, on views and in windows", async () => {
  const index = indices([65], 5);
  for (const axis of [0, 1, 2]) {
    for (const dtype of ["f32", "f16", "i32", "u32", "bool"] as DType[]) {
      const x = noise([5, 7, 6], 2, dtype);
      await checkOp(indexSelect, { inputs: [x, index], attrs: { axis } });
    }
  }
  await checkOp(indexSelect, {
    inputs: [noise([8, 64]), index],
    views: [
      { shape: [33, 8], dtype: "f32", strides: [1, 64], offset: 30 },
      undefined,
    ],
    attrs: { axis: 0 },
  });
  await checkOp(indexSelect, {
    inputs: [noise([1000, 401]), indices([700], 1000)],
    attrs: { axis: 0 },
    limits: { maxStorageBufferBindingSize: MIB },
  });
  await checkOp(indexSelect, {
    inputs: [noise([3, 2]), host([], [0], "i32")],
    attrs: { axis: 0 },
  });
});

Deno.test("indexSelect names what doesn't fit", () => {
  assertThrows(
    () =>
      indexSelect.infer([{ shape: [4, 2], dtype: "f32" }, {
        shape: [2, 2],
        dtype: "i32",
      }], { axis: 0 }),
    ShapeError,
    "Cannot select from [4, 2] with an index of shape [2, 2]: the index must have one axis",
  );
  assertThrows(
    () =>
      runReference(indexSelect, {
        inputs: [noise([4, 2]), host([-1], [1], "i32")],
        attrs: { axis: 0 },
      }),
    RangeError,
    "Cannot select: index -1 at [0] is outside axis 0 of size 4",
  );
});

Deno.test("oneHot puts a one where the index says", async () => {
  const index = host([2, 0, 1], [3], "i32");
  const given = {
    inputs: [index],
    attrs: { classes: 3, dtype: "f32" as DType },
  };
  assertEquals(
    [...runReference(oneHot, given)[0].data],
    [0, 0, 1, 1, 0, 0, 0, 1, 0],
  );
  for (const dtype of ["f32", "f16", "i32", "u32", "bool"] as DType[]) {
    for (const classes of [1, 10, 63, 65]) {
      const inputs = [indices([5, 13], classes, "u32")];
      await checkOp(oneHot, { inputs, attrs: { classes, dtype } });
    }
  }
});

Deno.test("oneHot works on a scalar, on nothing, in windows and in a folded grid", async () => {
  const attrs = { classes: 1009, dtype: "f32" as DType };
  await checkOp(oneHot, { inputs: [host([700], [], "i32")], attrs });
  await checkOp(oneHot, { inputs: [host([], [0], "i32")], attrs });
  await checkOp(oneHot, {
    inputs: [indices([700], 1009)],
    attrs,
    limits: { maxStorageBufferBindingSize: MIB },
  });
  await checkOp(oneHot, {
    inputs: [indices([2], 300_000)],
    attrs: { ...attrs, classes: 300_000 },
    limits: { maxStorageBufferBindingSize: MIB },
  });
  await checkOp(oneHot, {
    inputs: [indices([3], 1009)],
    attrs,
    limits: { maxComputeWorkgroupsPerDimension: 7 },
  });
});

Deno.test("oneHot gives zeros on the GPU for an index outside the classes and names what doesn't fit", async () => {
  const index = host([3, -1, 2], [3], "i32");
  const attrs = { classes: 3, dtype: "i32" as DType };
  const given = { inputs: [index], attrs };
  const [y] = await runVariant(oneHot, "naive", given);
  assertEquals([...y.data], [0, 0, 0, 0, 0, 0, 0, 0, 1]);
  assertThrows(
    () => runReference(oneHot, given),
    RangeError,
    "Cannot make one-hot vectors: index 3 is outside 3 classes",
  );
  assertThrows(
    () => oneHot.infer([index], { ...attrs, classes: -1 }),
    ShapeError,
    "Cannot make one-hot vectors of [3] with -1 classes: expected a whole number from 0",
  );
  assertThrows(
    () => oneHot.infer([noise([3])], attrs),
    DTypeError,
    "Cannot make one-hot vectors with an index of f32: expected i32 or u32",
  );
});
