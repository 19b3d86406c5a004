import { assertEquals, assertThrows } from "@std/assert";
import { DTypeError, ShapeError } from "../../wgsl/errors.ts";
import { matmul } from "../../wgsl/matmul/matmul.ts";
import type { DType, Shape } from "../../wgsl/op.ts";
import { contiguousView } from "../../wgsl/shape.ts";
import {
  checkOp,
  host,
  noise,
  PORTABLE_LIMITS,
  runReference,
  runVariant,
} from "../support/plan.ts";

/** Every variant except split_k, which takes long sums of few outputs only, and packed, which takes large products only. */
const ALWAYS = [
  "tile",
  "tile_16x8",
  "tile_8x8",
  "tile_4x8",
  "workgroup",
  "naive",
];

/** One variant of each kernel. */
const KERNELS = ["tile", "workgroup", "naive"];

function product(a: Shape, b: Shape, bias?: Shape, dtype: DType = "f32") {
  const shapes = bias ? [a, b, bias] : [a, b];
  return {
    inputs: shapes.map((shape, i) => noise(shape, i + 1, dtype)),
    attrs: {},
    length: a[a.length - 1],
  };
}

function infer(shapes: readonly Shape[], dtypes: readonly DType[] = []) {
  return matmul.infer(
    shapes.map((shape, i) => ({ shape, dtype: dtypes[i] ?? "f32" })),
    {},
  );
}

Deno.test("matmul of two small matrices gives the product worked out by hand, in every variant", async () => {
  const inputs = [
    host([1, 2, 3, 4, 5, 6], [2, 3]),
    host([7, 8, 9, 10, 11, 12], [3, 2]),
  ];
  const want = host([58, 64, 139, 154], [2, 2]);
  assertEquals(runReference(matmul, { inputs, attrs: {} }), [want]);
  for (const name of ALWAYS) {
    const got = await runVariant(matmul, name, { inputs, attrs: {} });
    assertEquals(got, [want], name);
  }
});

Deno.test("matmul adds the bias to each row", async () => {
  const inputs = [
    host([1, 2, 3, 4], [2, 2]),
    host([1, 0, 0, 1], [2, 2]),
    host([10, 20], [2]),
  ];
  const want = host([11, 22, 13, 24], [2, 2]);
  assertEquals(runReference(matmul, { inputs, attrs: {} }), [want]);
  for (const name of ALWAYS) {
    const got = await runVariant(matmul, name, { inputs, attrs: {} });
    assertEquals(got, [want], name);
  }
});

for (
  const [m, n, k] of [
    [1, 1, 1],
    [4, 8, 4],
    [3, 7, 5],
    [8, 8, 8],
    [9, 12, 15],
    [16, 10, 17],
    [15, 84, 16],
    [17, 65, 23],
    [65, 63, 33],
  ]
) {
  Deno.test(`matmul of [${m}, ${k}] by [${k}, ${n}] equals the reference in every variant, and with a bias in every kernel`, async () => {
    const ran = await checkOp(matmul, product([m, k], [k, n]));
    assertEquals(ran, ALWAYS);
    const given = product([m, k], [k, n], [n]);
    await checkOp(matmul, { ...given, variants: KERNELS });
  });
}

Deno.test("matmul sums a long k over few outputs in pieces", async () => {
  for (const [m, n, k] of [[10, 3, 2000], [1, 33, 1029]]) {
    const given = product([m, k], [k, n], [n]);
    const ran = await checkOp(matmul, { ...given, variants: ["split_k"] });
    assertEquals(ran, ["split_k"]);
  }
});

Deno.test("matmul broadcasts batch axes on either side", async () => {
  for (
    const [a, b, c] of [
      [[3, 5, 6], [3, 6, 9], [3, 5, 9]],
      [[2, 3, 5, 6], [6, 9], [2, 3, 5, 9]],
      [[5, 6], [4, 6, 9], [4, 5, 9]],
      [[2, 1, 5, 4], [1, 3, 4, 8], [2, 3, 5, 8]],
      [[1, 1, 5, 4], [2, 3, 4, 8], [2, 3, 5, 8]],
      [[7, 1, 6], [6, 9], [7, 1, 9]],
      [[2, 1, 3, 1, 4, 4], [1, 2, 1, 3, 4, 4], [2, 2, 3, 3, 4, 4]],
    ]
  ) {
    assertEquals(infer([a, b])[0].shape, c);
    const given = product(a, b, c.slice(-1));
    await checkOp(matmul, { ...given, variants: KERNELS });
  }
});

Deno.test("matmul over an empty k gives zeros, or the bias", async () => {
  for (const name of ALWAYS) {
    const given = product([3, 0], [0, 2]);
    assertEquals(await runVariant(matmul, name, given), [
      host([0, 0, 0, 0, 0, 0], [3, 2]),
    ]);
    const inputs = [...given.inputs, host([1, 2], [2])];
    assertEquals(await runVariant(matmul, name, { inputs, attrs: {} }), [
      host([1, 2, 1, 2, 1, 2], [3, 2]),
    ]);
  }
});

Deno.test("matmul with an empty output launches nothing", () => {
  for (
    const [a, b] of [[[0, 4], [4, 3]], [[4, 2], [2, 0]], [[0, 2, 3], [3, 5]]]
  ) {
    const inputs = [a, b].map((shape) =>
      contiguousView({ shape, dtype: "f32" })
    );
    const outputs = infer([a, b]).map(contiguousView);
    for (const { plan } of matmul.variants) {
      const request = { inputs, outputs, attrs: {}, limits: PORTABLE_LIMITS };
      assertEquals(plan(request), { launches: [] });
    }
  }
});

Deno.test("matmul keeps NaN and infinity to the rows and columns that hold them", async () => {
  const a = noise([6, 5], 1);
  const b = noise([5, 7], 2);
  a.data[1 * 5 + 4] = Infinity;
  a.data[3 * 5 + 2] = NaN;
  b.data[4 * 7 + 6] = -Infinity;
  b.data[0 * 7 + 2] = NaN;
  const given = { inputs: [a, b], attrs: {}, length: 5 };
  const [{ data }] = runReference(matmul, given);
  assertEquals(
    Array.from(data.slice(0, 7), Number.isFinite),
    [true, true, false, true, true, true, false],
  );
  assertEquals(
    Array.from(data.slice(21, 28), Number.isNaN),
    Array(7).fill(true),
  );
  await checkOp(matmul, given);
});

Deno.test("matmul gives the same bits each time", async () => {
  const given = product([7, 3000], [3000, 9], [9]);
  for (const name of ["split_k", ...KERNELS]) {
    const first = await runVariant(matmul, name, given);
    assertEquals(await runVariant(matmul, name, given), first);
  }
});

Deno.test("matmul takes f16 and sums it in f32", async () => {
  // 2,048 + 1 is 2,048 in f16: a sum kept in f16 would stand still there.
  const k = 4096;
  const ones = [
    host(Array(k).fill(1), [1, k], "f16"),
    host(Array(k).fill(1), [k, 1], "f16"),
  ];
  for (const name of ["split_k", ...KERNELS]) {
    const got = await runVariant(matmul, name, { inputs: ones, attrs: {} });
    assertEquals(got, [host([k], [1, 1], "f16")], name);
  }
  for (const [m, n, k] of [[17, 20, 12], [5, 3, 7]]) {
    const given = product([m, k], [k, n], [n], "f16");
    await checkOp(matmul, { ...given, variants: KERNELS });
  }
});

Deno.test("matmul refuses inner sizes that differ", () => {
  const error = assertThrows(() => infer([[32, 784], [512, 10]]), ShapeError);
  assertEquals(
    error.message,
    "Cannot multiply [32, 784] by [512, 10]: inner sizes 784 and 512 differ, expected [..., m, k] by [..., k, n]",
  );
  assertEquals(error.shapes, [[32, 784], [512, 10]]);
});

Deno.test("matmul refuses operands of fewer than two axes", () => {
  const error = assertThrows(() => infer([[3], [3, 4]]), ShapeError);
  assertEquals(
    error.message,
    "Cannot multiply [3] by [3, 4]: expected at least 2 axes in each, [..., m, k] by [..., k, n]",
  );
  assertEquals(error.shapes, [[3], [3, 4]]);
});

Deno.test("matmul refuses batch sizes that don't broadcast", () => {
  const error = assertThrows(
    () => infer([[2, 1, 3, 4], [5, 1, 4, 6]]),
    ShapeError,
  );
  assertEquals(
    error.message,
    "Cannot multiply [2, 1, 3, 4] by [5, 1, 4, 6]: batch sizes 2 and 5 of axis -4 differ and neither is 1",
  );
});

Deno.test("matmul refuses a bias of another shape than the product's last axis", () => {
  const error = assertThrows(() => infer([[2, 3], [3, 4], [3]]), ShapeError);
  assertEquals(
    error.message,
    "Cannot multiply [2, 3] by [3, 4]: the bias is [3], expected [4]",
  );
  assertEquals(error.shapes, [[2, 3], [3, 4], [3]]);
});

Deno.test("matmul refuses integers and mixed dtypes", () => {
  const shapes = [[2, 3], [3, 4]];
  assertEquals(
    assertThrows(() => infer(shapes, ["i32", "i32"]), DTypeError).message,
    "Cannot multiply i32 by i32: expected one floating-point dtype for both",
  );
  const error = assertThrows(
    () => infer([...shapes, [4]], ["f32", "f32", "f16"]),
    DTypeError,
  );
  assertEquals(
    error.message,
    "Cannot multiply [2, 3] by [3, 4]: the bias is f16, expected f32",
  );
  assertEquals(error.dtypes, ["f32", "f32", "f16"]);
});
