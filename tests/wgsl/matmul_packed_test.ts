/** Products whose operands are packed into panels of 32 rows and 16 columns first. */
import { assertEquals } from "@std/assert";
import { type Epilogue, epilogueInputs, isWhole } from "../../wgsl/epilogue.ts";
import { matmul, type MatmulAttrs } from "../../wgsl/matmul/matmul.ts";
import type { Shape, View } from "../../wgsl/op.ts";
import { contiguousView, formatShape, stridesOf } from "../../wgsl/shape.ts";
import {
  applicable,
  type Case,
  noise,
  PORTABLE_LIMITS,
  runReference,
  runVariant,
} from "../support/plan.ts";
import { assertClose } from "../support/tolerance.ts";

/** Compares with the reference, sizes that don't pay for packing too. */
async function check(given: Case<MatmulAttrs>): Promise<void> {
  const [want] = runReference(matmul, given);
  const [got] = await runVariant(matmul, "packed", given);
  assertClose(got, want, given.length, formatShape(want.shape));
}

function product(a: Shape, b: Shape, attrs: MatmulAttrs = {}) {
  const inputs = [noise(a, 1), noise(b, 2)];
  return { inputs, attrs, length: a[a.length - 1] };
}

function transposed([rows, columns]: Shape): View {
  return {
    shape: [rows, columns],
    dtype: "f32",
    strides: stridesOf([columns, rows]).reverse(),
    offset: 0,
  };
}

Deno.test("matmul of packed operands equals the reference around the edges of panels", async () => {
  for (
    const [m, n, k] of [
      [97, 68, 16],
      [64, 128, 33],
      [127, 80, 17],
      [128, 76, 31],
      [31, 256, 1],
      [1, 4, 47],
      [129, 36, 5],
    ]
  ) {
    await check(product([m, k], [k, n]));
  }
});

Deno.test("matmul packs operands of any strides", async () => {
  for (const [m, n, k] of [[96, 84, 20], [65, 100, 19]]) {
    const given = product([m, k], [k, n]);
    for (
      const views of [
        [transposed([m, k]), contiguousView(given.inputs[1])],
        [contiguousView(given.inputs[0]), transposed([k, n])],
        [transposed([m, k]), transposed([k, n])],
      ]
    ) {
      await check({ ...given, views });
    }
    const [a] = given.inputs;
    const late = noise([m * k + 3], 1);
    const moved = { ...contiguousView(a), offset: 3 };
    await check({
      ...given,
      inputs: [late, given.inputs[1]],
      views: [moved, contiguousView(given.inputs[1])],
    });
  }
});

Deno.test("matmul packs a matrix that batches share once", async () => {
  for (
    const [a, b] of [
      [[3, 33, 16], [3, 16, 52]],
      [[33, 16], [4, 16, 52]],
      [[2, 1, 33, 16], [1, 3, 16, 40]],
      [[2, 3, 33, 16], [3, 16, 40]],
      [[4, 33, 16], [16, 40]],
      [[2, 1, 131, 3], [1, 3, 3, 20]],
    ]
  ) {
    await check(product(a, b));
  }
  const scratch = (a: Shape, b: Shape) => planOf(a, b).scratch;
  assertEquals(scratch([129, 16], [4, 16, 52]), [
    160 * 16 * 4,
    4 * 64 * 16 * 4,
  ]);
  // Up to 128 rows, b is read where it lies.
  assertEquals(scratch([128, 16], [4, 16, 52]), [128 * 16 * 4]);
});

function planOf(a: Shape, b: Shape) {
  const { inputs, attrs } = product(a, b);
  return matmul.variants.find(({ name }) => name === "packed")!.plan({
    inputs: inputs.map(contiguousView),
    outputs: matmul.infer(inputs, attrs).map(contiguousView),
    attrs,
    limits: PORTABLE_LIMITS,
  });
}

Deno.test("matmul of packed halves sums in f32", async () => {
  const dtype = "f16";
  const inputs = [noise([65, 36], 1, dtype), noise([36, 100], 2, dtype)];
  await check({ inputs, attrs: {}, length: 36 });
});

Deno.test("matmul of packed operands finishes its sums, around the edges of panels", async () => {
  const epilogues: Epilogue[] = [
    { bias: true },
    {
      bias: true,
      affine: true,
      residual: true,
      slope: true,
      activation: { name: "leakyRelu", attrs: { alpha: 0.1 } },
    },
  ];
  for (const channels of ["rows", "columns"] as const) {
    for (const epilogue of epilogues) {
      for (const [a, b] of [[[33, 9], [9, 20]], [[2, 65, 8], [2, 8, 36]]]) {
        const { inputs } = product(a, b);
        const [{ shape }] = matmul.infer(inputs, {});
        const places = epilogueInputs(epilogue, 2);
        const size = shape[shape.length - (channels === "rows" ? 2 : 1)];
        for (let i = 2; i < places.count; i++) {
          inputs.push(noise(isWhole(places, i) ? shape : [size], i + 1));
        }
        const attrs = { epilogue, channels };
        await check({ inputs, attrs, length: a[a.length - 1] });
      }
    }
  }
});

Deno.test("matmul packs large products in whole fours that fit bindings, and no others", () => {
  const packs = (a: Shape, b: Shape, limits = {}) =>
    applicable(matmul, { ...product(a, b), limits }).includes("packed");
  assertEquals(packs([512, 512], [512, 512]), true);
  assertEquals(packs([64, 64], [64, 3136]), true);
  assertEquals(packs([2, 256, 128], [2, 128, 128]), true);
  assertEquals(packs([512, 512], [512, 510]), false);
  const activated: MatmulAttrs = { epilogue: { activation: { name: "relu" } } };
  const finished = product([512, 512], [512, 512], activated);
  assertEquals(applicable(matmul, finished).includes("packed"), true);
  const halves = finished.inputs.map((x) => ({ ...x, dtype: "f16" as const }));
  const rounded = { ...finished, inputs: halves };
  assertEquals(applicable(matmul, rounded).includes("packed"), false);
  assertEquals(packs([64, 400], [400, 120]), false);
  assertEquals(packs([512, 128], [128, 127]), false);
  assertEquals(packs([23, 1024], [1024, 1024]), false);
  assertEquals(packs([1024, 1024], [1024, 23]), false);
  assertEquals(packs([128, 2048], [2048, 128]), false);
  const limits = { maxStorageBufferBindingSize: 2 ** 18 };
  assertEquals(packs([256, 256], [256, 256], limits), true);
  assertEquals(packs([257, 256], [256, 256], limits), false);
  assertEquals(packs([256, 256], [256, 256], { maxLoopTrips: 388 }), true);
  assertEquals(packs([256, 256], [256, 256], { maxLoopTrips: 387 }), false);
});

Deno.test("matmul of packed operands keeps NaN and infinity to their rows and columns", async () => {
  const given = product([65, 17], [17, 84]);
  given.inputs[0].data[64 * 17 + 16] = NaN;
  given.inputs[0].data[3] = Infinity;
  given.inputs[1].data[83] = NaN;
  await check(given);
});

Deno.test("matmul of packed operands gives the same bits each time", async () => {
  const given = product([65, 33], [33, 92]);
  const first = await runVariant(matmul, "packed", given);
  assertEquals(await runVariant(matmul, "packed", given), first);
});
