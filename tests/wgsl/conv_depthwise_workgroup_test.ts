/** Depthwise convolutions with inputs staged in workgroup memory agree with the reference, whatever the kernel. */
import { assertEquals } from "@std/assert";
import { conv2d } from "../../wgsl/conv/conv2d.ts";
import {
  checkConvolution,
  type ConvSizes,
  type ConvVariants,
} from "../support/convolution.ts";
import { applicable, noise } from "../support/plan.ts";

const NAME = "depthwise_workgroup";
const BOTH: ConvVariants = { forward: [NAME], input: [NAME] };

/** Checks depthwise convolutions of `channels`, with one kernel each unless `multiplier` says more. */
async function check(
  list: readonly (Omit<ConvSizes, "k" | "groups"> & {
    kernel?: readonly [number, number];
    multiplier?: number;
  })[],
  variants = BOTH,
): Promise<void> {
  for (const { kernel = [3, 3], multiplier = 1, ...sizes } of list) {
    const groups = sizes.x[1];
    const [rows, columns] = kernel;
    const k = [multiplier * groups, rows, columns] as const;
    await checkConvolution({ ...sizes, k, groups }, variants);
  }
}

Deno.test("staged depthwise: planes around the tiles' 8 x 8 agree with the reference", async () => {
  const sizes = [[1, 1], [7, 8], [8, 9], [9, 7], [16, 17], [2, 13]];
  for (const [height, width] of sizes) {
    await check([{ x: [2, 3, height, width], padding: [1, 1, 1, 1] }]);
  }
});

Deno.test("staged depthwise: kernels of any size agree with the reference", async () => {
  await check([
    { x: [1, 2, 6, 7], kernel: [1, 1] },
    { x: [1, 2, 9, 12], kernel: [2, 5], padding: [0, 1, 2, 3] },
    { x: [1, 2, 13, 11], kernel: [7, 7], padding: [3, 3, 3, 3] },
    { x: [1, 1, 30, 3], kernel: [21, 1] },
  ]);
});

Deno.test("staged depthwise: strides, also larger than the kernel, and dilations agree with the reference", async () => {
  await check([
    { x: [2, 3, 19, 20], stride: [2, 2], padding: [1, 1, 1, 1] },
    { x: [1, 2, 9, 23], stride: [1, 3], kernel: [2, 2] },
    { x: [1, 2, 15, 16], dilation: [2, 3], padding: [0, 4, 2, 3] },
    { x: [1, 2, 17, 19], dilation: [2, 2], stride: [2, 4] },
  ]);
});

Deno.test("staged depthwise: several kernels a channel, half precision and an epilogue agree with the reference", async () => {
  await check(
    [{ x: [2, 3, 6, 11], multiplier: 3, padding: [1, 1, 1, 1] }],
    { forward: [NAME] },
  );
  await check([{ x: [1, 3, 6, 7], dtype: "f16" }]);
  const epilogue = {
    bias: true,
    affine: true,
    residual: true,
    activation: { name: "leakyRelu", attrs: { alpha: 0.1 } },
  } as const;
  await check([
    { x: [2, 3, 9, 5], stride: [2, 1], epilogue },
    { x: [2, 3, 9, 5], epilogue, dtype: "f16" },
  ]);
});

Deno.test("staged depthwise: limits of bindings and workgroups are kept", async () => {
  const maxStorageBufferBindingSize = 1024 * 1024;
  await check([
    { x: [1, 50, 90, 91], limits: { maxStorageBufferBindingSize } },
    { x: [3, 2, 17, 20], limits: { maxComputeWorkgroupsPerDimension: 11 } },
    { x: [0, 3, 5, 5] },
  ]);
});

Deno.test("staged depthwise: kernels whose inputs don't fit workgroup memory, or the loop limit, are left to others", () => {
  const names = (
    kernel: readonly [number, number],
    stride: number,
    maxLoopTrips = 60000,
  ) => {
    const inputs = [noise([1, 2, 150, 150]), noise([2, 1, ...kernel], 2)];
    const attrs = {
      stride: [stride, stride],
      padding: [0, 0, 0, 0],
      dilation: [1, 1],
      groups: 2,
    } as const;
    return applicable(conv2d, { inputs, attrs, limits: { maxLoopTrips } });
  };
  // 7 strides of 8 and 3 taps are 59 inputs, in rows of 72 words: 16,992 bytes; of 7, 52 in rows of 56.
  assertEquals(names([3, 3], 8).includes(NAME), false);
  assertEquals(names([3, 3], 7).includes(NAME), true);
  // 100 inputs in 2 turns, 3 rows of 1 + 3 taps: 14 trips.
  assertEquals(names([3, 3], 1, 14).includes(NAME), true);
  assertEquals(names([3, 3], 1, 13).includes(NAME), false);
});
