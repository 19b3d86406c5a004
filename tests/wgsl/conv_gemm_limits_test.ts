/** Convolutions as products of matrices keep to a device's limits: bindings, loop trips, workgroups and scratch memory. */
import { assert, assertEquals } from "@std/assert";
import { conv2d } from "../../wgsl/conv/conv2d.ts";
import { contiguousView } from "../../wgsl/shape.ts";
import {
  checkConvolution,
  type ConvVariants,
  PLAIN,
} from "../support/convolution.ts";
import { PORTABLE_LIMITS } from "../support/plan.ts";

const MIB = 1024 * 1024;
const SMALL = { maxStorageBufferBindingSize: MIB };
const IMPLICIT = ["implicit_gemm", "implicit_gemm_workgroup"];

const ALL: ConvVariants = {
  forward: [...IMPLICIT, "im2col_matmul"],
  input: IMPLICIT,
  weight: ["implicit_gemm_workgroup"],
};

/** The plan of a forward pass by a variant. */
function planOf(
  name: string,
  x: readonly number[],
  w: readonly number[],
  limits = PORTABLE_LIMITS,
) {
  const inputs = [x, w].map((shape) => contiguousView({ shape, dtype: "f32" }));
  const outputs = conv2d.infer(inputs, PLAIN).map(contiguousView);
  const variant = conv2d.variants.find((v) => v.name === name);
  assert(variant);
  return variant.plan({ inputs, outputs, attrs: PLAIN, limits });
}

Deno.test("products: batches, images and weights larger than a binding agree with the reference", async () => {
  await checkConvolution(
    { x: [15, 3, 96, 96], k: [3, 3, 3], limits: SMALL },
    ALL,
  );
  await checkConvolution(
    { x: [1, 48, 96, 96], k: [2, 3, 3], limits: SMALL },
    ALL,
  );
  await checkConvolution(
    { x: [1, 2, 96, 96], k: [48, 3, 3], limits: SMALL },
    ALL,
  );
  await checkConvolution(
    { x: [2, 160, 3, 4], k: [320, 3, 3], limits: SMALL },
    ALL,
  );
  await checkConvolution(
    { x: [1, 42, 96, 96], k: [42, 1, 2], groups: 6, limits: SMALL },
    ALL,
  );
});

Deno.test("products: an epilogue is cut with its convolution, and finishes a sum once, by the last launch", async () => {
  const epilogue = {
    bias: true,
    affine: true,
    residual: true,
    activation: { name: "relu" },
  } as const;
  const variants = { forward: ALL.forward, input: IMPLICIT };
  await checkConvolution(
    {
      x: [2, 40, 16, 24],
      k: [4, 1, 2],
      epilogue,
      limits: { maxStorageBufferBindingSize: 32768 },
    },
    variants,
  );
  await checkConvolution({
    x: [2, 13, 3, 5],
    k: [14, 3, 3],
    padding: [1, 1, 1, 1],
    epilogue,
    limits: { maxLoopTrips: 40 },
  }, variants);
});

Deno.test("products: sums longer than the loop limit go on from launch to launch", async () => {
  for (const maxLoopTrips of [17, 40, 1000]) {
    await checkConvolution({
      x: [2, 13, 3, 5],
      k: [14, 3, 3],
      padding: [1, 1, 1, 1],
      limits: { maxLoopTrips },
    }, ALL);
  }
  // One loop of taps a launch, and one row of them is longer than the limit: no whole channel fits.
  const limits = { maxLoopTrips: 1000 };
  await checkConvolution(
    { x: [1, 2, 1, 1300], k: [2, 1, 1201], limits },
    { forward: IMPLICIT, input: IMPLICIT },
  );
});

Deno.test("products: a limit below one turn of a loop leaves them to others", async () => {
  await checkConvolution(
    { x: [1, 2, 5, 5], k: [2, 3, 3], limits: { maxLoopTrips: 16 } },
    { forward: ["implicit_gemm"], input: ["implicit_gemm"] },
  );
});

Deno.test("products: launches fold into two dimensions where one allows too few workgroups", async () => {
  await checkConvolution({
    x: [2, 9, 19, 21],
    k: [5, 3, 3],
    limits: { maxComputeWorkgroupsPerDimension: 11 },
  }, ALL);
});

Deno.test("im2col: columns are written in rounds of images, or of rows of one image, that fit a binding", async () => {
  const rounds = (x: readonly number[], w: readonly number[]) => {
    const limits = { ...PORTABLE_LIMITS, ...SMALL };
    const { launches, scratch = [] } = planOf("im2col_matmul", x, w, limits);
    for (const bytes of scratch) assert(bytes <= MIB);
    const labels = launches.map(({ kernel }) => kernel.label);
    return labels.filter((label) => label === "wgsl/conv/im2col.wgsl").length;
  };
  // 9·16·100 columns of 4 bytes are 57,600 bytes: 18 images a round.
  assertEquals(rounds([40, 16, 12, 12], [3, 16, 3, 3]), 3);
  // 9·16·40·40 columns are 921,600 bytes; of 54 columns, 31,104 bytes a row: 33 of 54 rows.
  assertEquals(rounds([2, 16, 42, 42], [3, 16, 3, 3]), 2);
  assertEquals(rounds([2, 16, 56, 56], [3, 16, 3, 3]), 4);
  const variants = { forward: ["im2col_matmul"] };
  await checkConvolution(
    { x: [40, 16, 12, 12], k: [3, 3, 3], limits: SMALL },
    variants,
  );
  await checkConvolution(
    { x: [2, 16, 56, 56], k: [3, 3, 3], limits: SMALL },
    variants,
  );
});

Deno.test("im2col: columns of large layers stay below 64 MiB", () => {
  const { scratch = [] } = planOf(
    "im2col_matmul",
    [8, 64, 224, 224],
    [64, 64, 3, 3],
  );
  assert(scratch.length > 0);
  for (const bytes of scratch) assert(bytes <= 64 * MIB, `${bytes} bytes`);
});
