import { assertEquals, assertThrows } from "@std/assert";
import { ShapeError } from "../../wgsl/errors.ts";
import { pad, type PadAttrs } from "../../wgsl/move/pad.ts";
import type { DType, Shape } from "../../wgsl/op.ts";
import { checkOp, host, noise, runReference } from "../support/plan.ts";

const MIB = 1024 * 1024;

function padded(values: number[], shape: Shape, attrs: PadAttrs): number[] {
  const inputs = [host(values, shape)];
  return [...runReference(pad, { inputs, attrs })[0].data];
}

Deno.test("pad puts its value around x and between its elements", () => {
  const around = { before: [1, 0], after: [0, 2], value: 9 };
  assertEquals(
    padded([1, 2, 3, 4], [2, 2], around),
    [9, 9, 9, 9, 1, 2, 9, 9, 3, 4, 9, 9],
  );
  const between = { before: [1], after: [2], steps: [3] };
  assertEquals(
    padded([1, 2, 3], [3], between),
    [0, 1, 0, 0, 2, 0, 0, 3, 0, 0],
  );
});

Deno.test("pad mirrors and repeats the edges as PyTorch does", () => {
  const x = [1, 2, 3, 4];
  assertEquals(
    padded(x, [4], { before: [3], after: [2], mode: "reflect" }),
    [4, 3, 2, 1, 2, 3, 4, 3, 2],
  );
  assertEquals(
    padded(x, [4], { before: [2], after: [3], mode: "replicate" }),
    [1, 1, 1, 2, 3, 4, 4, 4, 4],
  );
  assertEquals(
    padded(x, [2, 2], { before: [0, 1], after: [1, 0], mode: "reflect" }),
    [2, 1, 2, 4, 3, 4, 2, 1, 2],
  );
});

Deno.test("pad works on every axis, mode, dtype and variant", async () => {
  const amounts: [Shape, Shape, Shape][] = [
    [[], [], []],
    [[1], [0], [0]],
    [[63], [1], [0]],
    [[64], [0], [1]],
    [[3, 1, 7], [0, 0, 0], [0, 0, 0]],
    [[3, 4, 5, 7], [0, 0, 1, 2], [0, 0, 2, 1]],
    [[3, 4, 5, 7], [1, 0, 0, 0], [0, 2, 0, 0]],
    [[3, 4, 5, 7], [2, 3, 4, 6], [2, 3, 4, 6]],
    [[5, 67], [4, 0], [4, 0]],
  ];
  for (const [shape, before, after] of amounts) {
    const inputs = [noise(shape)];
    for (const mode of ["constant", "reflect", "replicate"] as const) {
      const attrs = { before, after, mode, value: 0.5 };
      assertEquals(
        await checkOp(pad, { inputs, attrs }),
        mode === "constant" ? ["tiled", "naive"] : ["naive"],
      );
    }
  }
  for (const dtype of ["f32", "f16", "i32", "u32", "bool"] as DType[]) {
    const inputs = [noise([9, 17], 3, dtype)];
    const attrs = { before: [1, 2], after: [3, 0], value: 2.5 };
    await checkOp(pad, { inputs, attrs });
    const mirrored = { ...attrs, mode: "reflect" } as const;
    await checkOp(pad, { inputs, attrs: mirrored });
  }
});

Deno.test("pad keeps elements apart by its steps", async () => {
  for (const steps of [[1, 2], [3, 1], [2, 5], [7, 7]]) {
    const attrs = { before: [1, 0], after: [0, 4], steps, value: NaN };
    await checkOp(pad, { inputs: [noise([6, 31])], attrs });
    await checkOp(pad, { inputs: [noise([1, 1])], attrs });
  }
});

Deno.test("pad fills where there is nothing to pad, and reads any view", async () => {
  const nothing = { before: [1, 2], after: [0, 1], value: -1 };
  await checkOp(pad, { inputs: [host([], [2, 0])], attrs: nothing });
  await checkOp(pad, {
    inputs: [host([], [2, 0])],
    attrs: { before: [1, 0], after: [0, 0] },
  });
  for (const mode of ["constant", "replicate"] as const) {
    await checkOp(pad, {
      inputs: [noise([200])],
      views: [{
        shape: [7, 3, 5],
        strides: [2, 0, 20],
        offset: 9,
        dtype: "f32",
      }],
      attrs: { before: [1, 0, 1], after: [2, 0, 0], mode },
    });
  }
});

Deno.test("pad keeps to the limits on bindings and workgroups", async () => {
  const limits = { maxStorageBufferBindingSize: MIB };
  for (const mode of ["constant", "reflect", "replicate"] as const) {
    const attrs = { before: [30, 3], after: [3, 260], mode };
    await checkOp(pad, { inputs: [noise([701, 503])], attrs, limits });
  }
  const apart = { before: [5], after: [300_000], steps: [7] };
  await checkOp(pad, { inputs: [noise([60_001])], attrs: apart, limits });
  await checkOp(pad, {
    inputs: [noise([49, 50])],
    attrs: { before: [1, 2], after: [3, 4] },
    limits: { maxComputeWorkgroupsPerDimension: 7 },
  });
});

Deno.test("pad names what doesn't fit", () => {
  const cases: [Shape, PadAttrs, string][] = [
    [
      [2, 3],
      { before: [1, 1, 1], after: [0, 0] },
      "Cannot pad [2, 3] by 3 amounts: expected one for each of its 2 axes",
    ],
    [
      [2, 3],
      { before: [0, -1], after: [0, 0] },
      "Cannot pad [2, 3] by -1 before axis 1: amounts are whole numbers from 0 (slice to make a tensor smaller)",
    ],
    [
      [2, 3],
      { before: [0, 0], after: [2, 0], mode: "reflect" },
      "Cannot pad [2, 3] by 2 after axis 0 in mode reflect: the amount must be below the axis's size 2",
    ],
    [
      [0, 3],
      { before: [1, 0], after: [0, 0], mode: "replicate" },
      "Cannot pad [0, 3] by 1 before axis 0 in mode replicate: the axis is empty",
    ],
    [
      [2],
      { before: [0], after: [0], steps: [0] },
      "Cannot pad [2] with step 0 on axis 0: steps are whole numbers from 1",
    ],
    [
      [2],
      { before: [0], after: [0], steps: [2], mode: "reflect" },
      "Cannot pad [2] with step 2 in mode reflect: only mode constant takes steps",
    ],
  ];
  for (const [shape, attrs, message] of cases) {
    const error = assertThrows(
      () => pad.infer([{ shape, dtype: "f32" }], attrs),
      ShapeError,
    );
    assertEquals(error.message, message);
  }
});
