import { assertEquals, assertThrows } from "@std/assert";
import { DTypeError, ShapeError } from "../../wgsl/errors.ts";
import { scatterAdd } from "../../wgsl/move/gather.ts";
import type { DType, HostArray, Shape } from "../../wgsl/op.ts";
import {
  checkOp,
  host,
  noise,
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

Deno.test("scatterAdd sums the entries that name an element", async () => {
  const source = host([1, 2, 3, 10, 20, 30], [2, 3]);
  const index = host([0, 3, 0, 1, 1, 1], [2, 3], "i32");
  const given = { inputs: [source, index], attrs: { axis: 1, size: 4 } };
  assertEquals(
    [...runReference(scatterAdd, given)[0].data],
    [4, 0, 0, 2, 0, 60, 0, 0],
  );
  await checkOp(scatterAdd, given);
});

Deno.test("scatterAdd works along every axis, for every dtype that adds, and on views", async () => {
  for (const dtype of ["f32", "f16", "i32", "u32"] as DType[]) {
    for (const [axis, size] of [[0, 1], [1, 63], [2, 65]]) {
      const inputs = [noise([4, 3, 17], 5, dtype), indices([4, 3, 17], size)];
      await checkOp(scatterAdd, { inputs, attrs: { axis, size }, length: 17 });
    }
  }
  await checkOp(scatterAdd, {
    inputs: [noise([200]), indices([30], 6, "u32")],
    views: [
      { shape: [13, 9], dtype: "f32", strides: [2, 19], offset: 5 },
      { shape: [13, 9], dtype: "u32", strides: [2, 0], offset: 4 },
    ],
    attrs: { axis: 0, size: 6 },
    length: 13,
  });
});

Deno.test("scatterAdd gives zeros for no entries and nothing for no elements", async () => {
  const none = host([], [3, 0], "i32");
  await checkOp(scatterAdd, {
    inputs: [host([], [3, 0]), none],
    attrs: { axis: 1, size: 5 },
  });
  await checkOp(scatterAdd, {
    inputs: [noise([3, 2]), indices([3, 2], 1)].map((a) => ({
      ...a,
      shape: [0, 2],
      data: a.data.slice(0, 0),
    })),
    attrs: { axis: 1, size: 5 },
  });
});

Deno.test("scatterAdd leaves out entries outside the axis on the GPU and throws in the reference", async () => {
  const inputs = [
    host([1, 2, 4, 8], [4]),
    host([1, 9, -1, 1], [4], "i32"),
  ];
  const given = { inputs, attrs: { axis: 0, size: 5 } };
  for (const { name } of scatterAdd.variants) {
    const [y] = await runVariant(scatterAdd, name, given);
    assertEquals([...y.data], [0, 9, 0, 0, 0]);
  }
  assertThrows(
    () => runReference(scatterAdd, given),
    RangeError,
    "Cannot scatter: index 9 at [1] is outside axis 0 of size 5",
  );
});

Deno.test("scatterAdd goes by entries where they are fewer than elements, and gives the same bits", async () => {
  const inputs = [noise([3, 40, 5]), indices([3, 40, 5], 7)];
  const given = { inputs, attrs: { axis: 1, size: 41 }, length: 40 };
  assertEquals(await checkOp(scatterAdd, given), ["entries", "naive"]);
  assertEquals(
    await runVariant(scatterAdd, "entries", given),
    await runVariant(scatterAdd, "naive", given),
  );
  const limits = { maxLoopTrips: 42 };
  assertEquals(await checkOp(scatterAdd, { ...given, limits }), ["naive"]);
  const attrs = { axis: 1, size: 40 };
  assertEquals(await checkOp(scatterAdd, { ...given, attrs }), ["naive"]);
});

Deno.test("scatterAdd keeps to the limits on loop trips and bindings", async () => {
  const source = noise([1000, 3]);
  await checkOp(scatterAdd, {
    inputs: [source, indices([1000, 3], 5)],
    attrs: { axis: 0, size: 5 },
    limits: { maxLoopTrips: 99 },
    length: 1000,
  });
  const many = 600_000;
  await checkOp(scatterAdd, {
    inputs: [noise([many], 4, "i32"), indices([many], 3)],
    attrs: { axis: 0, size: 3 },
    limits: { maxStorageBufferBindingSize: MIB },
  });
  await checkOp(scatterAdd, {
    inputs: [noise([2, 2]), indices([2, 2], 300_000)],
    attrs: { axis: 1, size: 300_000 },
    limits: { maxStorageBufferBindingSize: MIB },
  });
});

Deno.test("scatterAdd names what doesn't fit", () => {
  const meta = (shape: Shape, dtype: DType) => ({ shape, dtype });
  assertThrows(
    () =>
      scatterAdd.infer([meta([2, 3], "f32"), meta([2, 2], "i32")], {
        axis: 1,
        size: 4,
      }),
    ShapeError,
    "Cannot scatter [2, 3] with an index of shape [2, 2]: both must have the same shape",
  );
  assertThrows(
    () =>
      scatterAdd.infer([meta([2, 3], "f32"), meta([2, 3], "i32")], {
        axis: 1,
        size: -4,
      }),
    ShapeError,
    "Cannot scatter [2, 3] along axis 1: size -4 is not a whole number from 0",
  );
  assertThrows(
    () =>
      scatterAdd.infer([meta([2], "bool"), meta([2], "i32")], {
        axis: 0,
        size: 4,
      }),
    DTypeError,
    "Cannot scatter bool: sums are of numbers, so convert the source first",
  );
});
