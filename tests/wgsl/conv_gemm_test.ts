/** Convolutions as products of matrices, whose columns are never stored or stored in rounds, agree with the reference. */
import { assertEquals } from "@std/assert";
import { conv2d } from "../../wgsl/conv/conv2d.ts";
import { conv2dWeightGradient } from "../../wgsl/conv/conv2d_weight_gradient.ts";
import type { Epilogue } from "../../wgsl/epilogue.ts";
import {
  checkConvolution,
  type ConvSizes,
  type ConvVariants,
} from "../support/convolution.ts";
import { host, noise, runVariant } from "../support/plan.ts";

const IMPLICIT = ["implicit_gemm", "implicit_gemm_workgroup"];

/** All variants of this kind. */
const ALL: ConvVariants = {
  forward: [...IMPLICIT, "im2col_matmul"],
  input: IMPLICIT,
  weight: ["implicit_gemm_workgroup"],
};

const FUSED: ConvVariants = { forward: ALL.forward, input: IMPLICIT };

const EPILOGUES: readonly Epilogue[] = [
  { bias: true },
  { affine: true },
  { residual: true },
  { activation: { name: "relu" } },
  {
    bias: true,
    affine: true,
    residual: true,
    slope: true,
    activation: { name: "leakyRelu", attrs: { alpha: 0.1 } },
  },
];

async function checkAll(
  list: readonly ConvSizes[],
  variants: ConvVariants = ALL,
): Promise<void> {
  for (const sizes of list) await checkConvolution(sizes, variants);
}

Deno.test("products: kernels of any size agree with the reference", async () => {
  await checkAll([
    { x: [1, 1, 1, 1], k: [1, 1, 1] },
    { x: [2, 3, 4, 9], k: [5, 1, 1] },
    { x: [1, 2, 5, 8], k: [3, 2, 2] },
    { x: [2, 2, 7, 11], k: [4, 3, 3], padding: [1, 1, 1, 1] },
    { x: [1, 2, 13, 3], k: [3, 7, 1], padding: [3, 3, 0, 0] },
    { x: [1, 2, 2, 41], k: [3, 1, 17], stride: [1, 2] },
    { x: [3, 4, 5, 6], k: [7, 5, 6] },
  ]);
});

Deno.test("products: channels around the tiles' 4, 16 and 64 agree with the reference", async () => {
  for (const channels of [3, 4, 5, 15, 17]) {
    await checkAll([{ x: [1, channels, 3, 5], k: [20 - channels, 2, 3] }]);
  }
  for (const channels of [63, 64, 65]) {
    await checkAll([{ x: [1, channels, 2, 3], k: [128 - channels, 1, 2] }]);
  }
});

Deno.test("products: outputs around the tiles' 8 and 64, over several images, agree with the reference", async () => {
  for (const [batch, width] of [[1, 7], [1, 8], [3, 3], [1, 63], [2, 32]]) {
    await checkAll([{
      x: [batch, 2, 1, width],
      k: [3, 1, 3],
      padding: [0, 0, 1, 1],
    }]);
  }
  await checkAll([{ x: [5, 2, 3, 13], k: [3, 1, 1] }]);
});

Deno.test("products: taps around the 16 that are staged and the 64 of a block agree with the reference", async () => {
  for (const taps of [15, 16, 17, 63, 64, 65]) {
    await checkAll([{ x: [2, 1, 1, taps + 4], k: [2, 1, taps] }]);
  }
});

Deno.test("products: strides, also larger than the kernel, and dilations agree with the reference", async () => {
  await checkAll([
    { x: [2, 2, 8, 10], k: [3, 3, 3], stride: [2, 2] },
    {
      x: [1, 2, 11, 23],
      k: [3, 3, 5],
      stride: [3, 2],
      padding: [1, 1, 2, 2],
    },
    { x: [1, 3, 6, 8], k: [4, 1, 2], stride: [2, 3] },
    { x: [1, 2, 9, 21], k: [3, 3, 3], dilation: [2, 3] },
    {
      x: [2, 1, 12, 31],
      k: [2, 3, 4],
      dilation: [2, 4],
      stride: [4, 6],
      padding: [3, 2, 1, 5],
    },
  ]);
});

Deno.test("products: padding of each side by its own, also beyond the kernel, agrees with the reference", async () => {
  await checkAll([
    { x: [1, 2, 4, 5], k: [3, 3, 3], padding: [0, 2, 1, 0] },
    { x: [1, 1, 2, 3], k: [2, 2, 2], padding: [4, 3, 5, 9], stride: [1, 2] },
  ]);
});

Deno.test("products: groups, depthwise and with a channel multiplier, agree with the reference", async () => {
  await checkAll([
    { x: [2, 6, 5, 6], k: [4, 3, 3], groups: 2 },
    { x: [1, 9, 5, 9], k: [9, 3, 3], groups: 9 },
    { x: [1, 3, 6, 9], k: [18, 3, 3], groups: 3, stride: [2, 2] },
  ]);
});

Deno.test("products: half precision is summed in single precision", async () => {
  await checkAll([
    { x: [1, 40, 5, 6], k: [9, 3, 3], dtype: "f16" },
    { x: [1, 40, 5, 6], k: [9, 3, 3], dtype: "f16", groups: 1 },
  ]);
  const ones = noise([1, 3000, 1, 1], 1, "f16");
  ones.data.fill(1);
  const attrs = {
    stride: [1, 1],
    padding: [0, 0, 0, 0],
    dilation: [1, 1],
    groups: 1,
  } as const;
  // Beyond 2048, adding 1 to a half-precision number leaves it as it is.
  for (const name of ALL.forward ?? []) {
    const [y] = await runVariant(conv2d, name, { inputs: [ones, ones], attrs });
    assertEquals(y.data[0], 3000, name);
  }
});

Deno.test("products: an empty batch gives empty planes, and a weight gradient of zeros", async () => {
  await checkAll([{ x: [0, 2, 5, 5], k: [3, 3, 3] }]);
});

Deno.test("products: each epilogue agrees with the reference", async () => {
  for (const epilogue of EPILOGUES) {
    await checkAll([{ x: [2, 3, 4, 9], k: [5, 3, 3], epilogue }], FUSED);
  }
});

Deno.test("products: epilogues of groups, strides, several blocks and half precision agree with the reference", async () => {
  const epilogue = EPILOGUES[4];
  await checkAll([
    { x: [2, 6, 5, 11], k: [34, 2, 3], groups: 2, stride: [2, 3], epilogue },
    { x: [1, 70, 3, 23], k: [66, 1, 1], epilogue },
    { x: [1, 5, 6, 7], k: [6, 3, 3], epilogue, dtype: "f16" },
  ], FUSED);
});

Deno.test("products: values worked by hand", async () => {
  const attrs = {
    stride: [2, 1],
    padding: [1, 0, 0, 0],
    dilation: [1, 2],
    groups: 1,
  } as const;
  const x = host([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12], [1, 1, 3, 4]);
  const w = host([1, 10, 100, 1000], [1, 1, 2, 2]);
  // Row -1 is zeros: 100·1 + 1000·3; then 1·5 + 10·7 + 100·9 + 1000·11.
  const want = [3100, 4200, 11975, 13086];
  for (const name of ALL.forward ?? []) {
    const [y] = await runVariant(conv2d, name, { inputs: [x, w], attrs });
    assertEquals([...y.data], want, name);
  }
  const dy = host([1, 10, 100, 1000], [1, 1, 2, 2]);
  const [dw] = await runVariant(
    conv2dWeightGradient,
    "implicit_gemm_workgroup",
    { inputs: [x, dy], attrs: { ...attrs, kernelSize: [2, 2] } },
  );
  // The first row sees zeros and rows of 5, 6, 7, 8; the second 1 to 4 and 9 to 12.
  assertEquals([...dw.data], [6500, 8700, 10921, 13143]);
});

Deno.test("products: an infinity reaches the outputs that see it, and no others", async () => {
  const x = noise([1, 1, 3, 70]);
  x.data[69] = Infinity;
  const w = noise([1, 1, 1, 3], 2);
  const attrs = {
    stride: [1, 1],
    padding: [0, 0, 0, 0],
    dilation: [1, 1],
    groups: 1,
  } as const;
  for (const name of ALL.forward ?? []) {
    const [y] = await runVariant(conv2d, name, { inputs: [x, w], attrs });
    const touched = [...y.data].flatMap((v, i) => Number.isFinite(v) ? [] : i);
    assertEquals(touched, [67], name);
  }
});
