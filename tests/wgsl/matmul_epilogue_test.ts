/** Products that end in an epilogue: every variant, every part, both axes that can count channels. */
import { assertEquals, assertThrows } from "@std/assert";
import { ShapeError } from "../../wgsl/errors.ts";
import { type Epilogue, epilogueInputs, isWhole } from "../../wgsl/epilogue.ts";
import { matmul, type MatmulAttrs } from "../../wgsl/matmul/matmul.ts";
import type { DType, Limits, Shape } from "../../wgsl/op.ts";
import { contiguousView } from "../../wgsl/shape.ts";
import {
  checkOp,
  host,
  noise,
  PORTABLE_LIMITS,
  runReference,
  runVariant,
} from "../support/plan.ts";

/** Every variant except those that take long sums of few outputs only, or large products only. */
const ALWAYS = matmul.variants.map(({ name }) => name)
  .filter((name) => name !== "split_k" && name !== "packed");

/** One variant of each kernel. */
const KERNELS = ["tile", "workgroup", "naive"];

const ALL: Epilogue = {
  bias: true,
  affine: true,
  residual: true,
  activation: { name: "relu" },
};

const EPILOGUES: readonly Epilogue[] = [
  { bias: true },
  { affine: true },
  { residual: true },
  { slope: true },
  { residual: true, slope: true, activation: { name: "tanh" } },
  { activation: { name: "relu" } },
  { bias: true, activation: { name: "leakyRelu", attrs: { alpha: 0.1 } } },
  { affine: true, residual: true, activation: { name: "gelu" } },
  ALL,
];

interface Options {
  readonly dtype?: DType;
  readonly limits?: Partial<Limits>;
  readonly variants?: readonly string[];
}

/** A product with the operands that its epilogue takes. */
function product(
  a: Shape,
  b: Shape,
  { epilogue = {}, channels = "columns" }: MatmulAttrs,
  { dtype = "f32", ...options }: Options = {},
) {
  const [{ shape }] = matmul.infer([a, b].map((shape) => ({ shape, dtype })), {
    epilogue: {},
  });
  const size = shape.at(channels === "rows" ? -2 : -1)!;
  const places = epilogueInputs(epilogue, 2);
  const operands = Array.from(
    { length: places.count - 2 },
    (_, i) => noise(isWhole(places, i + 2) ? shape : [size], i + 3, dtype),
  );
  return {
    inputs: [noise(a, 1, dtype), noise(b, 2, dtype), ...operands],
    attrs: { epilogue, channels },
    length: a[a.length - 1],
    ...options,
  };
}

function describe(
  { bias, affine, residual, slope, activation }: Epilogue,
): string {
  return [
    bias && "a bias",
    affine && "a scale and shift",
    residual && "a residual",
    slope && "a slope",
    activation?.name,
  ].filter((part) => part).join(", ");
}

for (const epilogue of EPILOGUES) {
  for (const channels of ["columns", "rows"] as const) {
    Deno.test(`matmul ends in ${describe(epilogue)} for ${channels}, in every kernel`, async () => {
      const attrs = { epilogue, channels };
      for (const [m, n, k] of [[1, 1, 1], [9, 12, 8], [18, 17, 5]]) {
        await checkOp(
          matmul,
          product([m, k], [k, n], attrs, { variants: KERNELS }),
        );
      }
      const batched = product([2, 3, 5, 4], [3, 4, 7], attrs);
      await checkOp(matmul, { ...batched, variants: KERNELS });
    });
  }
}

Deno.test("matmul ends in all parts of an epilogue, around the edges of every tile", async () => {
  for (const channels of ["columns", "rows"] as const) {
    const attrs = { epilogue: ALL, channels };
    for (const [m, n, k] of [[15, 16, 4], [17, 20, 8], [33, 12, 12]]) {
      const ran = await checkOp(matmul, product([m, k], [k, n], attrs));
      assertEquals(ran, ALWAYS);
    }
  }
});

Deno.test("matmul applies an epilogue to halves, which it computes in f32", async () => {
  for (const channels of ["columns", "rows"] as const) {
    const attrs = { epilogue: ALL, channels };
    for (const [m, n, k] of [[17, 20, 12], [5, 3, 7]]) {
      const options = { dtype: "f16", variants: KERNELS } as const;
      await checkOp(matmul, product([m, k], [k, n], attrs, options));
    }
  }
});

Deno.test("matmul applies an epilogue once, after the last of the pieces of k", async () => {
  for (const channels of ["columns", "rows"] as const) {
    const attrs = { epilogue: ALL, channels };
    const pieces = product([10, 2000], [2000, 3], attrs);
    const split = await checkOp(matmul, { ...pieces, variants: ["split_k"] });
    assertEquals(split, ["split_k"]);
    const cut = product([9, 143], [143, 10], attrs);
    const limits = { maxLoopTrips: 34 };
    await checkOp(matmul, { ...cut, limits, variants: KERNELS });
  }
});

Deno.test("matmul applies an epilogue in windows of operands larger than a binding", async () => {
  for (const channels of ["columns", "rows"] as const) {
    const attrs = { epilogue: ALL, channels };
    const mebibyte = { maxStorageBufferBindingSize: 2 ** 20 };
    const large = product([530, 3], [3, 540], attrs, { limits: mebibyte });
    await checkOp(matmul, { ...large, variants: ["tile"] });
    const limits = { maxStorageBufferBindingSize: 8192 };
    const small = product([2, 36, 67], [2, 67, 44], attrs, { limits });
    await checkOp(matmul, { ...small, variants: KERNELS });
  }
});

Deno.test("matmul finishes the zeros of an empty k", async () => {
  const inputs = [
    host([], [2, 0]),
    host([], [0, 2]),
    host([1, -2], [2]),
  ];
  const attrs: MatmulAttrs = {
    epilogue: { bias: true, activation: { name: "relu" } },
    channels: "rows",
  };
  const want = [host([1, 1, 0, 0], [2, 2])];
  assertEquals(runReference(matmul, { inputs, attrs }), want);
  for (const name of KERNELS) {
    const got = await runVariant(matmul, name, { inputs, attrs });
    assertEquals(got, want, name);
  }
});

Deno.test("matmul with every part of an epilogue gives the numbers worked out by hand", async () => {
  // The product is [[1, 2], [3, 4]].
  const inputs = [
    host([1, 2, 3, 4], [2, 2]),
    host([1, 0, 0, 1], [2, 2]),
    host([1, -1], [2]), // bias
    host([2, 10], [2]), // scale
    host([0.5, 0], [2]), // shift
    host([-5, 100, 0, -1000], [2, 2]), // residual
  ];
  const wants = {
    columns: host([0, 110, 8.5, 0], [2, 2]),
    rows: host([0, 106.5, 20, 0], [2, 2]),
  };
  for (const channels of ["columns", "rows"] as const) {
    const given = { inputs, attrs: { epilogue: ALL, channels } };
    assertEquals(runReference(matmul, given), [wants[channels]]);
    for (const name of ALWAYS) {
      assertEquals(await runVariant(matmul, name, given), [wants[channels]]);
    }
  }
});

Deno.test("NaN passes through the relu of an epilogue", async () => {
  const inputs = [
    host([NaN, 1], [2, 1]),
    host([1, -1], [1, 2]),
  ];
  const attrs: MatmulAttrs = { epilogue: { activation: { name: "relu" } } };
  const want = [host([NaN, NaN, 1, 0], [2, 2])];
  for (const name of KERNELS) {
    const got = await runVariant(matmul, name, { inputs, attrs });
    assertEquals(got, want, name);
  }
});

Deno.test("a product and its epilogue are one launch of at most eight bindings", () => {
  const given = product([64, 400], [400, 120], { epilogue: ALL });
  for (const { plan, applies } of matmul.variants) {
    const request = {
      inputs: given.inputs.map(contiguousView),
      outputs: matmul.infer(given.inputs, given.attrs).map(contiguousView),
      attrs: given.attrs,
      limits: PORTABLE_LIMITS,
    };
    if (applies && !applies(request)) continue;
    const { launches } = plan(request);
    assertEquals(launches.length, 1);
    const [{ bindings, appended = [], flops }] = launches;
    assertEquals(bindings.length + appended.length, 7);
    assertEquals(flops > 2 * 64 * 400 * 120 + 4 * 64 * 120, true);
  }
});

Deno.test("matmul refuses operands of an epilogue that don't fit", () => {
  const metas = (...shapes: Shape[]) =>
    shapes.map((shape) => ({ shape, dtype: "f32" as const }));
  const bias: MatmulAttrs = { epilogue: { bias: true }, channels: "rows" };
  const inputs = metas([2, 3], [3, 4], [4]);
  const error = assertThrows(() => matmul.infer(inputs, bias), ShapeError);
  assertEquals(
    error.message,
    "Cannot multiply [2, 3] by [3, 4]: the bias is [4], expected [2]",
  );
  const residual: MatmulAttrs = { epilogue: { residual: true } };
  assertEquals(
    assertThrows(() => matmul.infer(inputs, residual), ShapeError).message,
    "Cannot multiply [2, 3] by [3, 4]: the residual is [4], expected [2, 4]",
  );
  assertEquals(
    assertThrows(() => matmul.infer(inputs.slice(0, 2), bias), TypeError)
      .message,
    "Cannot multiply [2, 3] by [3, 4]: got 2 inputs, its epilogue needs 3",
  );
});
