import { assertEquals, assertThrows } from "@std/assert";
import { DTypeError, ShapeError } from "../../wgsl/errors.ts";
import { arange, eye, full, linspace } from "../../wgsl/move/fill.ts";
import type { DType } from "../../wgsl/op.ts";
import { checkOp, runReference } from "../support/plan.ts";

const DTYPES: readonly DType[] = ["f32", "f16", "i32", "u32", "bool"];
const MIB = 1024 * 1024;

/** What assertThrows expects. */
type ErrorClass = Parameters<typeof assertThrows>[1];

/** An op's reference on no inputs, as a plain array. */
function made<Attrs>(
  op: Parameters<typeof runReference<Attrs>>[0],
  attrs: Attrs,
): number[] {
  return [...runReference(op, { inputs: [], attrs })[0].data];
}

Deno.test("full gives every element the value, in every dtype", async () => {
  for (const dtype of DTYPES) {
    for (const shape of [[], [1], [63], [64], [65], [3, 0, 2], [7, 11, 13]]) {
      await checkOp(full, { inputs: [], attrs: { shape, value: 3.75, dtype } });
    }
  }
  assertEquals(made(full, { shape: [2], value: 3.75, dtype: "i32" }), [3, 3]);
  assertEquals(made(full, { shape: [2], value: -0.5, dtype: "bool" }), [1, 1]);
  assertEquals(made(full, { shape: [1], value: 0.1, dtype: "f64" }), [0.1]);
});

Deno.test("full takes values that WGSL has no literals for", async () => {
  for (const value of [NaN, Infinity, -Infinity, -0, 1e-40]) {
    for (const dtype of ["f32", "f16"] as DType[]) {
      await checkOp(full, { inputs: [], attrs: { shape: [70], value, dtype } });
    }
  }
  for (const value of [-(2 ** 31), 2 ** 31 - 1]) {
    const attrs = { shape: [3], value, dtype: "i32" as DType };
    await checkOp(full, { inputs: [], attrs });
  }
  const attrs = { shape: [3], value: 2 ** 32 - 1, dtype: "u32" as DType };
  await checkOp(full, { inputs: [], attrs });
});

Deno.test("arange counts from its start in steps", async () => {
  const attrs = { start: 5, step: -2, length: 4, dtype: "i32" as DType };
  assertEquals(made(arange, attrs), [5, 3, 1, -1]);
  for (const dtype of ["f32", "f16", "i32"] as DType[]) {
    for (const length of [0, 1, 63, 64, 65, 1009]) {
      const attrs = { start: -3, step: 2, length, dtype };
      await checkOp(arange, { inputs: [], attrs });
    }
  }
  await checkOp(arange, {
    inputs: [],
    attrs: { start: 0.1, step: -0.3, length: 500, dtype: "f32" },
  });
  await checkOp(arange, {
    inputs: [],
    attrs: { start: 2 ** 32 - 1, step: -(2 ** 31), length: 2, dtype: "u32" },
  });
});

Deno.test("linspace has exact ends and is symmetric", async () => {
  const attrs = { start: -1, end: 1, length: 5 };
  assertEquals(made(linspace, attrs), [-1, -0.5, 0, 0.5, 1]);
  assertEquals(made(linspace, { start: 3, end: 10, length: 1 }), [3]);
  for (const length of [0, 1, 2, 3, 64, 65, 1009]) {
    for (const dtype of ["f32", "f16"] as DType[]) {
      const attrs = { start: 0.1, end: 7.3, length, dtype };
      await checkOp(linspace, { inputs: [], attrs });
    }
  }
});

Deno.test("eye has ones on its diagonal, in every dtype and form", async () => {
  const attrs = { rows: 2, columns: 3, dtype: "f32" as DType };
  assertEquals(made(eye, attrs), [1, 0, 0, 0, 1, 0]);
  for (const dtype of DTYPES) {
    for (const [rows, columns] of [[1, 1], [8, 8], [9, 4], [4, 67], [0, 3]]) {
      const attrs = { rows, columns, dtype };
      await checkOp(eye, { inputs: [], attrs });
    }
  }
});

Deno.test("tensors made from a rule keep to the limits on bindings and workgroups", async () => {
  const limits = { maxStorageBufferBindingSize: MIB };
  const long = 300_001;
  const attrs = { shape: [long], value: 2, dtype: "f32" as DType };
  await checkOp(full, { inputs: [], attrs, limits });
  await checkOp(full, {
    inputs: [],
    attrs: { shape: [2 * long], value: 2, dtype: "f16" },
    limits,
  });
  await checkOp(arange, {
    inputs: [],
    attrs: { start: -7, step: 3, length: long, dtype: "i32" },
    limits,
  });
  await checkOp(linspace, {
    inputs: [],
    attrs: { start: 0, end: 1, length: long },
    limits,
  });
  await checkOp(eye, {
    inputs: [],
    attrs: { rows: 601, columns: 500, dtype: "f32" },
    limits,
  });
  const few = { maxComputeWorkgroupsPerDimension: 7 };
  await checkOp(full, {
    inputs: [],
    attrs: { ...attrs, shape: [3000] },
    limits: few,
  });
  await checkOp(eye, {
    inputs: [],
    attrs: { rows: 50, columns: 60, dtype: "f32" },
    limits: few,
  });
});

Deno.test("full, arange, linspace and eye name what doesn't fit", () => {
  const cases: [() => unknown, ErrorClass, string][] = [
    [
      () => full.infer([], { shape: [2, -1], value: 0, dtype: "f32" }),
      ShapeError,
      "Cannot fill [2, -1]: sizes are whole numbers from 0",
    ],
    [
      () => full.infer([], { shape: [2], value: 3e9, dtype: "i32" }),
      RangeError,
      "Cannot fill i32[2] with 3000000000: expected a number from -2147483648 to 2147483647",
    ],
    [
      () => full.infer([], { shape: [2], value: NaN, dtype: "u32" }),
      RangeError,
      "Cannot fill u32[2] with NaN: expected a number from 0 to 4294967295",
    ],
    [
      () => arange.infer([], { start: 0.5, step: 1, length: 2, dtype: "i32" }),
      RangeError,
      "Cannot make a range of i32 from 0.5 by 1: both must be whole numbers",
    ],
    [
      () => arange.infer([], { start: 1, step: -1, length: 3, dtype: "u32" }),
      RangeError,
      "Cannot make a range of u32 from 1 to -1: expected numbers from 0 to 4294967295",
    ],
    [
      () => arange.infer([], { start: 0, step: 1, length: 2, dtype: "bool" }),
      DTypeError,
      "Cannot make a range of bool: expected a dtype of numbers",
    ],
    [
      () => arange.infer([], { start: 0, step: 1, length: 1.5, dtype: "f32" }),
      ShapeError,
      "Cannot make a range of length 1.5: sizes are whole numbers from 0",
    ],
    [
      () => linspace.infer([], { start: 0, end: 1, length: 2, dtype: "i32" }),
      DTypeError,
      "Cannot space numbers of i32 evenly: expected a float dtype",
    ],
    [
      () => linspace.infer([], { start: 0, end: 1, length: -2 }),
      ShapeError,
      "Cannot space numbers over length -2: sizes are whole numbers from 0",
    ],
    [
      () => eye.infer([], { rows: 2, columns: NaN, dtype: "f32" }),
      ShapeError,
      "Cannot fill [2, NaN]: sizes are whole numbers from 0",
    ],
  ];
  for (const [run, kind, message] of cases) {
    assertEquals(assertThrows(run, kind).message, message);
  }
});
