/** `where` and `clamp`: values, dtypes, broadcasting, numbers as operands. */
import { assertEquals, assertThrows } from "@std/assert";
import { DTypeError, ShapeError } from "../../wgsl/errors.ts";
import type { DType, HostArray, Shape } from "../../wgsl/op.ts";
import {
  clamp,
  type ClampAttrs,
  where,
  type WhereAttrs,
  whereCall,
} from "../../wgsl/pointwise/mod.ts";
import { checkOp, host, noise, runVariant } from "../support/plan.ts";

const truth = host([1, 0, 1, 0], [4], "bool");

async function chosen(
  inputs: readonly HostArray[],
  attrs: WhereAttrs = {},
): Promise<number[]> {
  await checkOp(where, { inputs, attrs });
  return [...(await runVariant(where, "naive", { inputs, attrs }))[0].data];
}

Deno.test("where takes one value where the condition holds and the other elsewhere", async () => {
  const a = host([1, 2, 3, 4], [4]);
  const b = host([-1, NaN, -3, -0], [4]);
  assertEquals(await chosen([truth, a, b]), [1, NaN, 3, -0]);
  assertEquals(await chosen([truth, a], { no: 9 }), [1, 9, 3, 9]);
  assertEquals(await chosen([truth, a], { yes: 9 }), [9, 2, 9, 4]);
  assertEquals(await chosen([truth], { yes: 5, no: -5 }), [5, -5, 5, -5]);
  assertEquals(await chosen([truth, host([0.5], [])], { yes: 2 }), [
    2,
    0.5,
    2,
    0.5,
  ]);
});

Deno.test("where passes what it doesn't choose by, whatever that is", async () => {
  const a = host([NaN, 1, Infinity, 1], [4]);
  const b = host([1, -Infinity, 1, 1e-40], [4]);
  assertEquals(await chosen([truth, a, b]), [
    NaN,
    -Infinity,
    Infinity,
    Math.fround(1e-40),
  ]);
});

Deno.test("all operands of where broadcast, in every variant and dtype", async () => {
  const shapes: [Shape, Shape, Shape][] = [
    [[8, 12], [8, 12], [8, 12]],
    [[7, 1], [1, 9], [7, 9]],
    [[5, 1, 1], [33], [4, 1]],
    [[], [3, 5], [5]],
    [[0, 3], [3], []],
  ];
  for (const [condition, yes, no] of shapes) {
    const inputs = [noise(condition, 1, "bool"), noise(yes, 2), noise(no, 3)];
    await checkOp(where, { inputs, attrs: {} });
  }
  for (const dtype of ["f16", "i32", "u32", "bool"] as const) {
    const inputs = [
      noise([64], 1, "bool"),
      noise([64], 2, dtype),
      noise([64], 3, dtype),
    ];
    const ran = await checkOp(where, { inputs, attrs: {} });
    assertEquals(ran, ["vec4", "grid", "naive"]);
  }
});

Deno.test("the values of where promote, and numbers follow the tensors", () => {
  const condition = { shape: [2], dtype: "bool" as const };
  const dtypeOf = (dtypes: readonly DType[], attrs: WhereAttrs) =>
    where.infer(
      [condition, ...dtypes.map((dtype) => ({ shape: [2], dtype }))],
      attrs,
    )[0].dtype;
  assertEquals(dtypeOf(["f16", "i32"], {}), "f16");
  assertEquals(dtypeOf(["f16"], { no: 0.5 }), "f16");
  assertEquals(dtypeOf(["i32"], { yes: 0.5 }), "f32");
  assertEquals(dtypeOf(["bool", "bool"], {}), "bool");
  assertEquals(dtypeOf([], { yes: 1, no: 0 }), "i32");
  assertEquals(dtypeOf([], { yes: 1, no: 0.5 }), "f32");
  const call = whereCall({ name: "c" }, 0, { name: "x" });
  assertEquals(call, {
    inputs: [{ name: "c" }, { name: "x" }],
    attrs: { yes: 0 },
  });
});

Deno.test("where refuses a condition that isn't bool, and shapes that don't broadcast", () => {
  const meta = (dtype: DType, ...shape: number[]) => ({ shape, dtype });
  const wrongType = assertThrows(
    () => where.infer([meta("f32", 2), meta("f32", 2), meta("f32", 2)], {}),
    DTypeError,
  );
  assertEquals(
    wrongType.message,
    "Cannot choose by f32 values: expected bool, which comparisons give, for instance ne(0)",
  );
  const wrongShape = assertThrows(
    () => where.infer([meta("bool", 2), meta("f32", 3), meta("f32", 2)], {}),
    ShapeError,
  );
  assertEquals(
    wrongShape.message,
    "Cannot choose between [2] and [3]: sizes 2 and 3 of axis -1 differ and neither is 1",
  );
});

async function clamped(x: HostArray, attrs: ClampAttrs): Promise<number[]> {
  const given = { inputs: [x], attrs };
  await checkOp(clamp, given);
  return [...(await runVariant(clamp, "naive", given))[0].data];
}

Deno.test("clamp keeps values between its bounds, NaN stays", async () => {
  const x = host([-2, -0, 0.5, 3, NaN, Infinity, -Infinity, 1], [8]);
  assertEquals(await clamped(x, { min: -1, max: 2 }), [
    -1,
    -0,
    0.5,
    2,
    NaN,
    2,
    -1,
    1,
  ]);
  assertEquals(await clamped(x, { min: 0.75 }), [
    0.75,
    0.75,
    0.75,
    3,
    NaN,
    Infinity,
    0.75,
    1,
  ]);
  assertEquals(await clamped(x, { max: 0 }), [
    -2,
    -0,
    0,
    0,
    NaN,
    0,
    -Infinity,
    0,
  ]);
  // Bounds that cross: the upper wins, as in PyTorch.
  assertEquals(await clamped(host([1, 9], [2]), { min: 5, max: 2 }), [2, 2]);
  assertEquals(await clamped(host([1, 9], [2]), { min: NaN, max: 4 }), [1, 4]);
});

Deno.test("clamp keeps integers, unless a bound isn't one", async () => {
  const x = host([-5, 0, 7], [3], "i32");
  assertEquals(await clamped(x, { min: -1, max: 3 }), [-1, 0, 3]);
  assertEquals(await clamped(x, { min: 0.5 }), [0.5, 0.5, 7]);
  assertEquals(clamp.infer([x], { min: 0.5 })[0].dtype, "f32");
  const u = host([0, 5, 2 ** 32 - 1], [3], "u32");
  assertEquals(await clamped(u, { max: 4 }), [0, 4, 4]);
  const half = noise([64], 1, "f16");
  await checkOp(clamp, { inputs: [half], attrs: { min: -0.1, max: 0.7 } });
  await checkOp(clamp, {
    inputs: [noise([33, 65])],
    attrs: { min: 0 },
    views: [{ shape: [65, 33], strides: [1, 65], offset: 0, dtype: "f32" }],
  });
});

Deno.test("clamp refuses to do nothing, and bool", () => {
  const none = assertThrows(
    () => clamp.infer([{ shape: [2], dtype: "f32" }], {}),
    TypeError,
  );
  assertEquals(none.message, "Cannot clamp: give min, max or both");
  const bool = assertThrows(
    () => clamp.infer([{ shape: [2], dtype: "bool" }], { min: 0 }),
    DTypeError,
  );
  assertEquals(
    bool.message,
    'Cannot clamp bool values: convert them first, for instance with to("f32")',
  );
});
