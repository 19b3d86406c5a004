import { assert, assertEquals, assertThrows } from "@std/assert";
import { LimitError } from "../../wgsl/errors.ts";
import { matmul } from "../../wgsl/matmul/matmul.ts";
import type { DType, Limits, Shape, View } from "../../wgsl/op.ts";
import { contiguousView, stridesOf } from "../../wgsl/shape.ts";
import { checkOp, noise, PORTABLE_LIMITS } from "../support/plan.ts";

const MIB = 2 ** 20;

/** A product of contiguous operands, or of transposed ones where `order` says so. */
function product(
  [m, n, k]: Shape,
  { dtype = "f32", order = "NN" }: { dtype?: DType; order?: string } = {},
) {
  const views = [[m, k], [k, n]].map((shape, i) =>
    order[i] === "T"
      ? transposed(shape, dtype)
      : contiguousView({ shape, dtype })
  );
  return {
    inputs: [
      noise([m, k], 1, dtype),
      noise([k, n], 2, dtype),
      noise([n], 3, dtype),
    ],
    views,
    attrs: {},
    length: k,
  };
}

function transposed([rows, cols]: Shape, dtype: DType): View {
  return {
    shape: [rows, cols],
    dtype,
    strides: stridesOf([cols, rows]).reverse(),
    offset: 0,
  };
}

function planOf(
  variant: string,
  shapes: readonly Shape[],
  limits: Partial<Limits> = {},
) {
  const metas = shapes.map((shape) => ({ shape, dtype: "f32" as const }));
  return matmul.variants.find(({ name }) => name === variant)!.plan({
    inputs: metas.map(contiguousView),
    outputs: matmul.infer(metas, {}).map(contiguousView),
    attrs: {},
    limits: { ...PORTABLE_LIMITS, ...limits },
  });
}

/** The variant that is taken without a tuner. */
function defaultFor(...shapes: Shape[]): string | undefined {
  const metas = shapes.map((shape) => ({ shape, dtype: "f32" as const }));
  const request = {
    inputs: metas.map(contiguousView),
    outputs: matmul.infer(metas, {}).map(contiguousView),
    attrs: {},
    limits: PORTABLE_LIMITS,
  };
  return matmul.variants.find(({ applies }) => !applies || applies(request))
    ?.name;
}

Deno.test("matmul multiplies operands and results larger than a binding of 1 MiB", async () => {
  const limits = { maxStorageBufferBindingSize: MIB };
  const variants = ["split_k", "tile"];
  for (
    const [sizes, order] of [
      [[3, 1100, 300], "NT"],
      [[3, 300, 1100], "NN"],
      [[600, 3, 500], "NN"],
      [[500, 3, 600], "TN"],
      [[530, 540, 3], "NN"],
    ] as const
  ) {
    await checkOp(matmul, { ...product(sizes, { order }), limits, variants });
  }
});

Deno.test("matmul cuts every axis where bindings are very small, in every kernel", async () => {
  const limits = { maxStorageBufferBindingSize: 8192 };
  const variants = ["tile", "workgroup", "naive"];
  for (const order of ["NT", "TN"]) {
    const given = product([36, 44, 67], { order });
    await checkOp(matmul, { ...given, limits, variants });
  }
  const halves = product([66, 36, 64], { dtype: "f16" });
  await checkOp(matmul, { ...halves, limits, variants });
  const a = noise([2, 2, 20, 33], 1);
  const b = noise([2, 33, 30], 2);
  const batched = { inputs: [a, b], attrs: {}, length: 33 };
  await checkOp(matmul, { ...batched, limits, variants });
});

Deno.test("matmul launches one window of a weight of 392 MiB at a time", () => {
  const { launches, scratch } = planOf("tile", [[1, 25088], [25088, 4096]]);
  const products = launches.slice(0, -1);
  assertEquals(products.map(({ bindings }) => bindings[1].offset / MIB), [
    0,
    98,
    196,
    294,
  ]);
  assertEquals(scratch, [4 * 4096 * 4]);
  assertEquals(launches.at(-1)?.kernel.label, "wgsl/matmul/sum_pieces.wgsl");
  assertEquals(launches.at(-1)?.trips, 4);
});

Deno.test("matmul refuses bindings that hold no output at all", () => {
  const error = assertThrows(
    () => planOf("naive", [[1, 2], [2, 1]], { maxStorageBufferBindingSize: 2 }),
    LimitError,
  );
  assertEquals(
    error.message,
    "Cannot multiply within bindings of 2 bytes: one output needs 264",
  );
});

Deno.test("matmul cuts a k of more steps than a loop may take", async () => {
  for (const { name } of matmul.variants) {
    if (name === "packed") continue; // never takes such a k
    const { launches } = planOf(name, [[2, 300_000], [300_000, 3]]);
    assert(launches.every(({ trips }) => trips <= 60_000), name);
  }
  const variants = ["split_k", "tile", "workgroup", "naive"];
  await checkOp(matmul, { ...product([2, 3, 300_000]), variants });
  const limits = { maxLoopTrips: 34 };
  await checkOp(matmul, { ...product([9, 10, 143]), limits, variants });
});

Deno.test("matmul folds its workgroups into two dimensions where one doesn't hold them", async () => {
  const limits = { maxComputeWorkgroupsPerDimension: 7 };
  const variants = ["tile", "tile_4x8", "naive"];
  await checkOp(matmul, { ...product([30, 41, 5]), limits, variants });
  const a = noise([11, 65, 3], 1);
  const b = noise([11, 3, 2], 2);
  const staged = ["workgroup"];
  await checkOp(matmul, {
    inputs: [a, b],
    attrs: {},
    limits,
    variants: staged,
  });
});

Deno.test("matmul takes tiles by default, packs large operands, and cuts k where there are few outputs", () => {
  assertEquals(defaultFor([512, 512], [512, 512]), "packed");
  assertEquals(defaultFor([128, 128], [128, 128]), "tile");
  assertEquals(defaultFor([64, 400], [400, 120]), "tile");
  assertEquals(defaultFor([120, 64], [64, 400]), "tile");
  assertEquals(defaultFor([10, 100_000], [100_000, 10]), "split_k");
  assertEquals(defaultFor([1, 4096], [4096, 1000]), "split_k");
});

Deno.test("matmul states the work of a launch", () => {
  const [{ flops, bytes, trips }] =
    planOf("tile", [[64, 400], [400, 120], [120]]).launches;
  assertEquals(flops, 2 * 64 * 400 * 120 + 64 * 120);
  assertEquals(bytes, 4 * (64 * 400 + 400 * 120 + 120 + 64 * 120));
  assertEquals(trips, 400 / 4 + 4);
});
