/** Indices of extremes: ties, NaN, strides, long rows. */
import { assertEquals, assertThrows } from "@std/assert";
import { ShapeError } from "../../wgsl/errors.ts";
import { type ArgAttrs, argMax, argMin } from "../../wgsl/reduce/arg.ts";
import {
  checkOp,
  host,
  noise,
  runReference,
  runVariant,
} from "../support/plan.ts";

const along = (axis: number, keepDims = false): ArgAttrs => ({
  axis,
  keepDims,
});

Deno.test("the first of equal extremes counts, in the reference and in every variant", async () => {
  const x = host([3, 1, 3, 1, -0, 0, 0, -0, 5, 5, 5, 5], [3, 4]);
  const cases = [
    [argMax, along(1), [0, 0, 0]],
    [argMin, along(1), [1, 0, 0]],
    [argMax, along(0), [2, 2, 2, 2]],
    [argMin, along(0), [1, 1, 1, 1]],
  ] as const;
  for (const [op, attrs, want] of cases) {
    const given = { inputs: [x], attrs };
    assertEquals([...runReference(op, given)[0].data], [...want]);
    for (const { name } of op.variants) {
      if (name === "rows") continue; // It takes 256 rows and more.
      const [{ data }] = await runVariant(op, name, given);
      assertEquals([...data], [...want], `${op.name} (${name}) ${attrs.axis}`);
    }
  }
});

Deno.test("ties far apart in long rows give the first index in every variant", async () => {
  const values = new Float32Array(5000);
  for (const at of [4999, 2500, 1234, 77]) values[at] = 1;
  const x = host(values, [1, 5000]);
  assertEquals(await checkOp(argMax, { inputs: [x], attrs: along(1) }), [
    "vectors",
    "chunk",
    "tree",
    "naive",
  ]);
  for (const name of ["vectors", "chunk"]) {
    const [{ data }] = await runVariant(argMax, name, {
      inputs: [x],
      attrs: along(1),
    });
    assertEquals([...data], [77], name);
  }
});

Deno.test("variants agree with the reference along every axis and for every element type", async () => {
  for (const dtype of ["f32", "f16", "i32", "u32", "bool"] as const) {
    const x = noise([5, 66, 3], 4, dtype);
    for (const op of [argMax, argMin]) {
      for (const axis of [0, 1, 2]) {
        await checkOp(op, { inputs: [x], attrs: along(axis, axis === 1) });
      }
    }
  }
});

Deno.test("strided views are searched in their own order", async () => {
  const x = noise([6, 70], 8);
  const transposed = {
    shape: [70, 6],
    dtype: "f32" as const,
    strides: [1, 70],
    offset: 0,
  };
  const sliced = {
    shape: [3, 23],
    dtype: "f32" as const,
    strides: [140, 3],
    offset: 71,
  };
  for (const view of [transposed, sliced]) {
    for (const axis of [0, 1]) {
      await checkOp(argMax, { inputs: [x], views: [view], attrs: along(axis) });
    }
  }
});

Deno.test("a scalar's extreme is its only element, and a row of none is an error", async () => {
  await checkOp(argMax, { inputs: [host([7], [])], attrs: along(0) });
  const x = { shape: [2, 0], dtype: "f32" } as const;
  const error = assertThrows(() => argMax.infer([x], along(1)), ShapeError);
  assertEquals(
    error.message,
    "Cannot take the argMax of [2, 0] along axis 1: it has no elements to choose from, name other axes",
  );
  assertEquals(argMin.infer([x], along(0)), [{ shape: [0], dtype: "i32" }]);
});
