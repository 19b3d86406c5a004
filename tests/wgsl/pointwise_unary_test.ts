/** Ops of one operand: values worked by hand, dtypes, and every variant against the reference over shapes and strides. */
import { assertEquals, assertThrows } from "@std/assert";
import { DTypeError } from "../../wgsl/errors.ts";
import type { DType, HostArray, View } from "../../wgsl/op.ts";
import {
  abs,
  type AnyUnaryOp,
  elu,
  erf,
  exp,
  floor,
  gelu,
  isNan,
  leakyRelu,
  log,
  logicalNot,
  neg,
  relu,
  round,
  sigmoid,
  sign,
  square,
  tanh,
  UNARY_OPS,
} from "../../wgsl/pointwise/mod.ts";
import {
  checkOp,
  host,
  noise,
  runReference,
  runVariant,
} from "../support/plan.ts";

/** A view of a buffer: the axes of `shape` in another order. */
function permuted(
  shape: readonly number[],
  order: readonly number[],
  dtype: DType = "f32",
): View {
  let step = 1;
  const strides = shape.toReversed().map((n) => {
    const stride = step;
    step *= n;
    return stride;
  }).reverse();
  return {
    shape: order.map((d) => shape[d]),
    strides: order.map((d) => strides[d]),
    offset: 0,
    dtype,
  };
}

async function gpu(op: AnyUnaryOp, x: HostArray): Promise<number[]> {
  const given = { inputs: [x], attrs: op.defaults };
  return [...(await runVariant(op, "naive", given))[0].data];
}

Deno.test("unary ops give values worked out by hand", async () => {
  const x = host([-2, -0.5, 0, 0.5, 1.5, 2.5], [6]);
  assertEquals(await gpu(neg, x), [2, 0.5, -0, -0.5, -1.5, -2.5]);
  assertEquals(await gpu(abs, x), [2, 0.5, 0, 0.5, 1.5, 2.5]);
  assertEquals(await gpu(sign, x), [-1, -1, 0, 1, 1, 1]);
  assertEquals(await gpu(square, x), [4, 0.25, 0, 0.25, 2.25, 6.25]);
  assertEquals(await gpu(floor, x), [-2, -1, 0, 0, 1, 2]);
  assertEquals(await gpu(round, x), [-2, -0, 0, 0, 2, 2]);
  assertEquals(await gpu(relu, x), [0, 0, 0, 0.5, 1.5, 2.5]);
  assertEquals(await gpu(logicalNot, x), [0, 0, 1, 0, 0, 0]);
  assertEquals(await gpu(exp, host([0, 1], [2])), [1, Math.fround(Math.E)]);
  assertEquals(await gpu(log, host([1, 0], [2])), [0, -Infinity]);
  assertEquals(await gpu(sigmoid, host([0, 100], [2])), [0.5, 1]);
  assertEquals(await gpu(tanh, host([0, 20, -20], [3])), [0, 1, -1]);
  assertEquals(await gpu(erf, host([0, 5, -5], [3])), [0, 1, -1]);
});

Deno.test("alpha is a parameter of leakyRelu and elu, and gelu has two forms", async () => {
  const inputs = [host([-4, 4], [2])];
  const [leaky] = await runVariant(leakyRelu, "grid", {
    inputs,
    attrs: { alpha: 0.25 },
  });
  assertEquals([...leaky.data], [-1, 4]);
  const deep = { inputs: [host([-200, 1], [2])], attrs: { alpha: 3 } };
  assertEquals([...(await runVariant(elu, "grid", deep))[0].data], [-3, 1]);
  const one = [host([1], [])];
  const exact = runReference(gelu, {
    inputs: one,
    attrs: { approximate: "none" as const },
  });
  const rough = runReference(gelu, {
    inputs: one,
    attrs: { approximate: "tanh" as const },
  });
  // Φ(1), and what its approximation gives.
  assertEquals(exact[0].data[0], Math.fround(0.8413447460685429));
  assertEquals(rough[0].data[0], Math.fround(0.8411919906082768));
});

// The sweep of the accuracy test runs all ops by fours, that of special values
// runs them one by one; compiling every op for every dtype takes long.
Deno.test("every unary op equals its reference, for floats and integers", async () => {
  for (const op of Object.values(UNARY_OPS)) {
    const attrs = op.defaults;
    const variants = ["grid"];
    const given = { inputs: [noise([8, 12], 3)], attrs, variants };
    assertEquals(await checkOp(op, given), variants);
    if (op.infer([{ shape: [], dtype: "i32" }], attrs)[0].dtype === "f32") {
      continue;
    }
    for (const dtype of ["i32", "u32"] as const) {
      const inputs = [noise([33], 5, dtype)];
      await checkOp(op, { inputs, attrs, variants: ["naive"] });
    }
  }
});

Deno.test("every variant takes every dtype", async () => {
  for (const op of [exp, relu, isNan]) {
    for (const dtype of ["f32", "f16", "i32", "u32"] as const) {
      const inputs = [noise([8, 12], 3, dtype)];
      const ran = await checkOp(op, { inputs, attrs: {} });
      assertEquals(ran, ["vec4", "grid", "naive"]);
    }
  }
});

Deno.test("shapes on either side of a tile, scalars and empty tensors", async () => {
  const shapes = [
    [],
    [1],
    [4],
    [255],
    [257],
    [1023],
    [1024],
    [1025],
    [4099],
    [3, 1, 5],
    [2, 3, 4, 5, 6, 7],
    [0],
    [3, 0, 2],
  ];
  for (const shape of shapes) {
    await checkOp(exp, { inputs: [noise(shape)], attrs: {} });
  }
});

Deno.test("permuted, sliced, expanded and offset views are read where they lie", async () => {
  const attrs = {};
  const check = (x: HostArray, view: View) =>
    checkOp(neg, { inputs: [x], attrs, views: [view] });
  const x = noise([7, 33, 65]);
  for (const order of [[0, 2, 1], [2, 0, 1], [2, 1, 0], [1, 0, 2]]) {
    await check(x, permuted(x.shape, order));
  }
  const six = noise([2, 3, 4, 3, 2, 5]);
  await check(six, permuted(six.shape, [5, 3, 1, 4, 2, 0]));
  const line = noise([1000]);
  const dtype = "f32" as const;
  await check(line, { shape: [100, 3], strides: [7, 2], offset: 13, dtype });
  await check(line, { shape: [128], strides: [1], offset: 3, dtype });
  await check(line, { shape: [128], strides: [1], offset: 128, dtype });
  await check(line, { shape: [300, 70], strides: [1, 0], offset: 5, dtype });
  await check(line, { shape: [9, 70], strides: [0, 1], offset: 70, dtype });
  await check(line, { shape: [50], strides: [0], offset: 999, dtype });
  const halves = noise([500], 2, "f16");
  await check(halves, {
    shape: [20, 9],
    strides: [1, 21],
    offset: 131,
    dtype: "f16",
  });
});

Deno.test("more axes than the kernels walk are taken one slice after the other", async () => {
  const shape = [2, 3, 2, 3, 2, 3, 2, 3, 2, 3];
  const order = [0, 2, 4, 6, 8, 1, 3, 5, 7, 9];
  const x = noise(shape);
  await checkOp(neg, {
    inputs: [x],
    attrs: {},
    views: [permuted(shape, order)],
  });
});

Deno.test("dtypes follow PyTorch: float functions make f32 of integers, questions give bool", () => {
  const dtypeOf = (op: AnyUnaryOp, dtype: DType) =>
    op.infer([{ shape: [2], dtype }], op.defaults)[0].dtype;
  for (const dtype of ["i32", "u32", "bool"] as const) {
    assertEquals(dtypeOf(exp, dtype), "f32");
    assertEquals(dtypeOf(sigmoid, dtype), "f32");
    assertEquals(dtypeOf(isNan, dtype), "bool");
  }
  for (const dtype of ["f32", "f16", "f64", "i32", "u32"] as const) {
    assertEquals(dtypeOf(neg, dtype), dtype);
    assertEquals(dtypeOf(floor, dtype), dtype);
    assertEquals(dtypeOf(relu, dtype), dtype);
  }
  for (const dtype of ["f16", "f64"] as const) {
    assertEquals(dtypeOf(exp, dtype), dtype);
  }
  assertThrows(
    () => neg.infer([{ shape: [2], dtype: "bool" }], {}),
    DTypeError,
    'Cannot neg bool values: convert them first, for instance with to("f32")',
  );
});

Deno.test("integers wrap around, pass through rounding and are never NaN", async () => {
  const least = -(2 ** 31);
  const i32 = host([least, -3, 0, 70000], [4], "i32");
  assertEquals(await gpu(neg, i32), [least, 3, 0, -70000]);
  assertEquals(await gpu(abs, i32), [least, 3, 0, 70000]);
  assertEquals(await gpu(square, i32), [0, 9, 0, 70000 * 70000 - 2 ** 32]);
  assertEquals(await gpu(floor, i32), [least, -3, 0, 70000]);
  assertEquals(await gpu(relu, i32), [0, 0, 0, 70000]);
  assertEquals(await gpu(isNan, i32), [0, 0, 0, 0]);
  const u32 = host([0, 1, 2 ** 32 - 1], [3], "u32");
  assertEquals(await gpu(neg, u32), [0, 2 ** 32 - 1, 1]);
  assertEquals(await gpu(sign, u32), [0, 1, 1]);
  const bool = host([1, 0], [2], "bool");
  assertEquals(await gpu(logicalNot, bool), [0, 1]);
  assertEquals(await gpu(exp, bool), [Math.fround(Math.E), 1]);
});
