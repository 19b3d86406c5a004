/** Ops of two operands: values worked by hand, broadcasting, numbers as operands, promotion, and every variant against the reference. */
import { assertEquals, assertThrows } from "@std/assert";
import { DTypeError, ShapeError } from "../../wgsl/errors.ts";
import type { DType, HostArray, Shape, View } from "../../wgsl/op.ts";
import {
  add,
  atan2,
  BINARY_OPS,
  type BinaryAttrs,
  type BinaryOp,
  div,
  eq,
  floorDivide,
  ge,
  logicalXor,
  lt,
  maximum,
  mul,
  ne,
  pow,
  remainder,
  sub,
} from "../../wgsl/pointwise/mod.ts";
import { checkOp, host, noise, runVariant } from "../support/plan.ts";
import { keepsSubnormals } from "../support/subnormals.ts";

/** Both the result on the GPU and the reference. */
async function values(
  op: BinaryOp,
  inputs: readonly HostArray[],
  attrs: BinaryAttrs = {},
): Promise<number[]> {
  await checkOp(op, { inputs, attrs });
  return [...(await runVariant(op, "naive", { inputs, attrs }))[0].data];
}

Deno.test("binary ops give values worked out by hand", async () => {
  const a = host([7, -7, 7, -7], [4]);
  const b = host([2, 2, -2, -2], [4]);
  assertEquals(await values(add, [a, b]), [9, -5, 5, -9]);
  assertEquals(await values(sub, [a, b]), [5, -9, 9, -5]);
  assertEquals(await values(mul, [a, b]), [14, -14, -14, 14]);
  assertEquals(await values(div, [a, b]), [3.5, -3.5, -3.5, 3.5]);
  assertEquals(await values(remainder, [a, b]), [1, 1, -1, -1]);
  assertEquals(await values(floorDivide, [a, b]), [3, -4, -4, 3]);
  assertEquals(await values(maximum, [a, b]), [7, 2, 7, -2]);
  assertEquals(await values(lt, [a, b]), [0, 1, 0, 1]);
  const c = host([2, -2, 9, 0], [4]);
  const d = host([10, 3, 0.5, 0], [4]);
  assertEquals(await values(pow, [c, d]), [1024, -8, 3, 1]);
  const e = host([0, 1, 0, -1], [4]);
  const f = host([1, 0, -1, 0], [4]);
  const right = Math.fround(Math.PI / 2);
  assertEquals(await values(atan2, [e, f]), [
    0,
    right,
    Math.fround(Math.PI),
    -right,
  ]);
});

Deno.test("a remainder is exact however large the quotient is", async () => {
  const whole = await keepsSubnormals("remainders");
  const a = host([1e10, 3e38, -3e38, 1e-30, 12345.678], [5]);
  const b = host([3, 7, 7, whole ? 1e-40 : 1e-35, 0.1], [5]);
  const fround = (xs: HostArray) => [...xs.data];
  const want = fround(a).map((x, i) => {
    const y = fround(b)[i];
    const rest = x % y;
    return Math.fround(rest < 0 ? rest + y : rest);
  });
  assertEquals(await values(remainder, [a, b]), want);
});

Deno.test("every binary op equals its reference in every variant and dtype", async () => {
  for (const [name, op] of Object.entries(BINARY_OPS)) {
    const attrs = {};
    const shape = [8, 12];
    const inputs = [noise(shape, 3), noise(shape, 4)];
    const ran = await checkOp(op, { inputs, attrs });
    assertEquals(ran, ["vec4", "grid", "naive"], name);
    const variants = ["naive"];
    for (const dtype of ["f16", "i32", "u32"] as const) {
      const pair = [noise([65], 5, dtype), noise([65], 6, dtype)];
      await checkOp(op, { inputs: pair, attrs, variants });
    }
  }
});

Deno.test("operands broadcast on either side", async () => {
  const pairs: [Shape, Shape][] = [
    [[], []],
    [[5], []],
    [[], [5]],
    [[64, 10], [10]],
    [[10], [64, 10]],
    [[64, 1], [64, 10]],
    [[4, 6, 7, 7], [6, 1, 1]],
    [[6, 1, 1], [4, 6, 7, 7]],
    [[4, 6, 33, 31], [6, 1, 1]],
    [[3, 1, 5], [1, 4, 1]],
    [[1, 257], [255, 1]],
    [[2, 1, 3, 1, 2, 1], [1, 2, 1, 3, 1, 2]],
    [[0, 3], [3]],
    [[1, 3], [0, 1]],
  ];
  for (const [left, right] of pairs) {
    const inputs = [noise(left, 1), noise(right, 2)];
    await checkOp(sub, { inputs, attrs: {} });
  }
});

Deno.test("strided operands are read where they lie, in any combination", async () => {
  const x = noise([33, 65], 1);
  const z = noise([65, 33], 2);
  const turned: View = {
    shape: [33, 65],
    strides: [1, 33],
    offset: 0,
    dtype: "f32",
  };
  const attrs = {};
  await checkOp(sub, { inputs: [x, z], attrs, views: [undefined, turned] });
  await checkOp(sub, { inputs: [z, x], attrs, views: [turned, undefined] });
  const steps: View = {
    shape: [8, 16],
    strides: [66, 2],
    offset: 7,
    dtype: "f32",
  };
  await checkOp(lt, { inputs: [x, z], attrs, views: [steps, steps] });
});

Deno.test("a number is an operand without a buffer, on either side", async () => {
  const x = host([1, 2, 4, 8], [4]);
  assertEquals(await values(sub, [x], { scalar: 3 }), [-2, -1, 1, 5]);
  const left = { scalar: 8, side: "left" as const };
  assertEquals(await values(div, [x], left), [8, 4, 2, 1]);
  assertEquals(await values(sub, [x], left), [7, 6, 4, 0]);
  assertEquals(await values(pow, [x], { scalar: 2 }), [1, 4, 16, 64]);
  assertEquals(await values(eq, [x], { scalar: 4 }), [0, 0, 1, 0]);
  // Compared as f32: 0.1 is what the tensor stores for it.
  assertEquals(await values(eq, [host([0.1], [1])], { scalar: 0.1 }), [1]);
  assertEquals(await values(mul, [noise([0])], { scalar: 2 }), []);
  const i = host([-7, 7, 2 ** 31 - 1], [3], "i32");
  assertEquals(await values(add, [i], { scalar: 1 }), [-6, 8, -(2 ** 31)]);
  assertEquals(await values(floorDivide, [i], { scalar: 2 }), [
    -4,
    3,
    2 ** 30 - 1,
  ]);
  assertEquals(await values(mul, [i], { scalar: 0.5 }), [-3.5, 3.5, 2 ** 30]);
  const half = host([1, 2], [2], "f16");
  assertEquals(await values(mul, [half], { scalar: 0.5 }), [0.5, 1]);
});

/** The dtype that operands of these dtypes give. */
function meet(
  op: BinaryOp,
  a: DType,
  b: DType | number,
  shapes: readonly Shape[] = [[2], [2]],
): DType {
  const left = { shape: shapes[0], dtype: a };
  return typeof b === "number"
    ? op.infer([left], { scalar: b })[0].dtype
    : op.infer([left, { shape: shapes[1], dtype: b }], {})[0].dtype;
}

Deno.test("dtypes promote as in PyTorch", () => {
  const order = ["bool", "u32", "i32", "f16", "f32", "f64"] as const;
  order.forEach((a, i) =>
    order.forEach((b, j) =>
      assertEquals(meet(add, a, b), order[Math.max(i, j)], `${a} and ${b}`)
    )
  );
  assertEquals(meet(div, "i32", "i32"), "f32");
  assertEquals(meet(div, "f16", "i32"), "f16");
  assertEquals(meet(eq, "f32", "i32"), "bool");
  // Numbers: the tensor's dtype, unless the number is of a higher kind.
  assertEquals(meet(add, "f16", 0.5), "f16");
  assertEquals(meet(add, "i32", 2), "i32");
  assertEquals(meet(add, "u32", 2), "u32");
  assertEquals(meet(add, "u32", -2), "i32");
  assertEquals(meet(add, "i32", 0.5), "f32");
  assertEquals(meet(add, "i32", Infinity), "f32");
  assertEquals(meet(add, "bool", 1), "i32");
  // Tensors of rank 0 count like numbers against those with axes.
  assertEquals(meet(mul, "f16", "f32", [[2], []]), "f16");
  assertEquals(meet(mul, "i32", "f16", [[2], []]), "f16");
  assertEquals(meet(mul, "f16", "f32", [[], []]), "f32");
  assertEquals(meet(mul, "f32", "f16", [[], [2]]), "f16");
});

Deno.test("mixed dtypes are converted as they are read", async () => {
  const ints = host([1, 2, 3, 4], [4], "i32");
  const floats = host([0.5, 0.5, 2, 2], [4]);
  const truth = host([1, 0, 1, 0], [4], "bool");
  assertEquals(await values(mul, [ints, floats]), [0.5, 1, 6, 8]);
  assertEquals(await values(mul, [floats, truth]), [0.5, 0, 2, 0]);
  assertEquals(await values(sub, [ints, truth]), [0, 2, 2, 4]);
  assertEquals(await values(div, [ints, truth]), [1, Infinity, 3, Infinity]);
  assertEquals(await values(eq, [ints, truth]), [1, 0, 0, 0]);
  const unsigned = host([2 ** 32 - 1, 5, 6, 7], [4], "u32");
  assertEquals(await values(add, [unsigned, ints]), [0, 7, 9, 11]);
  const half = host([0.5, 1, 2, 65504], [4], "f16");
  assertEquals(await values(add, [half, half]), [1, 2, 4, Infinity]);
});

Deno.test("bools add as or, multiply as and, and compare", async () => {
  const a = host([0, 0, 1, 1], [4], "bool");
  const b = host([0, 1, 0, 1], [4], "bool");
  assertEquals(await values(add, [a, b]), [0, 1, 1, 1]);
  assertEquals(await values(mul, [a, b]), [0, 0, 0, 1]);
  assertEquals(await values(maximum, [a, b]), [0, 1, 1, 1]);
  assertEquals(await values(logicalXor, [a, b]), [0, 1, 1, 0]);
  assertEquals(await values(ge, [a, b]), [1, 0, 1, 1]);
});

Deno.test("integers wrap around, and division by zero gives 0", async () => {
  const most = 2 ** 31 - 1;
  const a = host([most, -(2 ** 31), 65537, -7, 7, 5], [6], "i32");
  const b = host([1, -1, 65537, 2, -2, 0], [6], "i32");
  assertEquals(await values(add, [a, b]), [-(2 ** 31), most, 131074, -5, 5, 5]);
  assertEquals(await values(mul, [a, b]), [
    most,
    -(2 ** 31),
    131073,
    -14,
    -14,
    0,
  ]);
  assertEquals(await values(floorDivide, [a, b]), [
    most,
    -(2 ** 31),
    1,
    -4,
    -4,
    0,
  ]);
  assertEquals(await values(remainder, [a, b]), [0, 0, 0, 1, -1, 0]);
  const c = host([3, -2, 2, -1, 5, 0], [6], "i32");
  const d = host([20, 31, 32, -3, -1, 0], [6], "i32");
  assertEquals(await values(pow, [c, d]), [
    3486784401 - 2 ** 32,
    -(2 ** 31),
    0,
    -1,
    0,
    1,
  ]);
});

Deno.test("NaN is unequal to itself, and comparisons with it fail", async () => {
  const a = host([NaN, NaN, 1], [3]);
  const b = host([NaN, 1, NaN], [3]);
  assertEquals(await values(eq, [a, b]), [0, 0, 0]);
  assertEquals(await values(ne, [a, b]), [1, 1, 1]);
  assertEquals(await values(ge, [a, b]), [0, 0, 0]);
  assertEquals(await values(maximum, [a, b]), [NaN, NaN, NaN]);
});

Deno.test("what doesn't fit is refused, with what would", () => {
  const meta = (dtype: DType, ...shape: number[]) => ({ shape, dtype });
  const refuse = (
    op: BinaryOp,
    inputs: readonly { shape: Shape; dtype: DType }[],
    attrs: BinaryAttrs,
    message: string,
    // deno-lint-ignore no-explicit-any -- error classes take any arguments
    kind: new (...args: any[]) => Error = DTypeError,
  ) => {
    const error = assertThrows(() => op.infer(inputs, attrs), kind);
    assertEquals((error as Error).message, message);
  };
  refuse(
    add,
    [meta("f32", 2, 3), meta("f32", 4)],
    {},
    "Cannot add [2, 3] and [4]: sizes 3 and 4 of axis -1 differ and neither is 1",
    ShapeError,
  );
  refuse(
    sub,
    [meta("bool", 2), meta("bool", 2)],
    {},
    'Cannot sub bool values: convert them first, for instance with to("i32")',
  );
  refuse(
    add,
    [meta("i32", 2)],
    { scalar: 2 ** 40 },
    'Cannot add 1099511627776 and i32 values: i32 holds -2147483648 to 2147483647, convert the tensor with to("f32") first',
  );
  refuse(
    pow,
    [meta("i32", 2)],
    { scalar: -1 },
    'Cannot pow i32 values and -1: integers have no negative powers, convert the tensor with to("f32") first',
  );
  refuse(
    remainder,
    [meta("i32", 2)],
    { scalar: 0 },
    'Cannot remainder i32 values and 0: integers can\'t be divided by it, convert the tensor with to("f32") first',
  );
});
