/** The variants that take any convolution and its gradients agree with the reference, whatever the geometry; the others have tests of their own. */
import { assertEquals } from "@std/assert";
import { conv2d } from "../../wgsl/conv/conv2d.ts";
import { conv2dInputGradient } from "../../wgsl/conv/conv2d_input_gradient.ts";
import { conv2dWeightGradient } from "../../wgsl/conv/conv2d_weight_gradient.ts";
import type { Conv2dAttrs, Pair, Sides } from "../../wgsl/conv/geometry.ts";
import type { DType } from "../../wgsl/op.ts";
import { PLAIN } from "../support/convolution.ts";
import { applicable, checkOp, noise, runVariant } from "../support/plan.ts";

/** A convolution by its sizes. `x` is [batch, channels, height, width], `k` the kernel's count, height and width. */
interface Sizes {
  readonly x: readonly [number, number, number, number];
  readonly k: readonly [number, number, number];
  readonly stride?: Pair;
  readonly padding?: Sides;
  readonly dilation?: Pair;
  readonly groups?: number;
  readonly bias?: boolean;
}

/** The variants for every geometry. */
const BOTH = ["tiled", "naive"];

/** Checks the three forms of a convolution. */
async function checkForms(sizes: Sizes, dtype: DType = "f32"): Promise<void> {
  const {
    x: [batch, channels, height, width],
    k: [filters, rows, columns],
    stride = [1, 1],
    padding = [0, 0, 0, 0],
    dilation = [1, 1],
    groups = 1,
    bias = false,
  } = sizes;
  const attrs: Conv2dAttrs = { stride, padding, dilation, groups };
  const x = noise([batch, channels, height, width], 1, dtype);
  const w = noise([filters, channels / groups, rows, columns], 2, dtype);
  const inputs = bias ? [x, w, noise([filters], 3, dtype)] : [x, w];
  const [{ shape }] = conv2d.infer(inputs, attrs);
  const dy = noise(shape, 4, dtype);
  const taps = rows * columns;
  assertEquals(
    await checkOp(conv2d, {
      inputs,
      attrs,
      length: channels / groups * taps,
      variants: BOTH,
    }),
    BOTH,
  );
  assertEquals(
    await checkOp(conv2dInputGradient, {
      inputs: [dy, w],
      attrs: { ...attrs, inputSize: [height, width] },
      length: filters / groups * taps,
      variants: BOTH,
    }),
    BOTH,
  );
  assertEquals(
    await checkOp(conv2dWeightGradient, {
      inputs: [x, dy],
      attrs: { ...attrs, kernelSize: [rows, columns] },
      length: batch * shape[2] * shape[3],
      variants: BOTH,
    }),
    BOTH,
  );
}

Deno.test("kernels of any size, square or not, agree with the reference", async () => {
  await checkForms({ x: [2, 3, 4, 9], k: [5, 1, 1], bias: true });
  await checkForms({ x: [1, 2, 5, 8], k: [3, 2, 2] });
  await checkForms({ x: [2, 2, 7, 11], k: [4, 3, 3], padding: [1, 1, 1, 1] });
  await checkForms({ x: [1, 3, 9, 9], k: [2, 5, 5], padding: [2, 2, 2, 2] });
  await checkForms({ x: [1, 2, 3, 13], k: [3, 1, 7], padding: [0, 0, 3, 3] });
  await checkForms({ x: [1, 2, 13, 3], k: [3, 7, 1], padding: [3, 3, 0, 0] });
  await checkForms({ x: [1, 2, 2, 41], k: [3, 1, 17] });
  await checkForms({ x: [1, 2, 2, 41], k: [3, 1, 17], stride: [1, 2] });
});

Deno.test("a kernel that covers the whole plane agrees with the reference", async () => {
  await checkForms({ x: [3, 4, 5, 6], k: [7, 5, 6], bias: true });
});

Deno.test("rows of outputs around the tile's 8 agree with the reference", async () => {
  for (const width of [1, 7, 8, 9, 16, 17]) {
    await checkForms({
      x: [1, 2, 2, width],
      k: [2, 1, 3],
      padding: [0, 0, 1, 1],
    });
  }
});

Deno.test("rows around a wide tile's 16, of channels around its 4 and 8, agree with the reference", async () => {
  for (const width of [9, 15, 16, 17, 25, 33]) {
    await checkForms({ x: [1, 6, 3, width + 4], k: [9, 3, 5], bias: true });
  }
  for (const filters of [1, 4, 5, 8, 16, 17]) {
    await checkForms({
      x: [1, 17 - filters || 1, 2, 15],
      k: [filters, 1, 7],
      padding: [0, 0, 3, 3],
    });
  }
  await checkForms({
    x: [1, 2, 3, 40],
    k: [3, 2, 4],
    padding: [0, 0, 2, 3],
    dilation: [1, 2],
  });
});

Deno.test("numbers of channels around the tiles' 4, 8 and 16 agree with the reference", async () => {
  for (const channels of [1, 4, 5, 8, 9, 16, 17]) {
    await checkForms({ x: [1, channels, 3, 5], k: [18 - channels, 2, 3] });
  }
});

Deno.test("strides, with inputs that no output sees, agree with the reference", async () => {
  await checkForms({ x: [2, 2, 8, 10], k: [3, 3, 3], stride: [2, 2] });
  await checkForms({
    x: [1, 2, 11, 23],
    k: [3, 3, 5],
    stride: [3, 2],
    padding: [1, 1, 2, 2],
  });
  await checkForms({ x: [1, 2, 6, 29], k: [3, 2, 2], stride: [2, 3] });
  await checkForms({ x: [1, 3, 5, 7], k: [4, 1, 1], stride: [2, 2] });
});

Deno.test("dilations, alone and with strides that share a factor with them or don't, agree with the reference", async () => {
  await checkForms({ x: [1, 2, 9, 21], k: [3, 3, 3], dilation: [2, 2] });
  await checkForms({
    x: [1, 2, 9, 40],
    k: [3, 2, 3],
    dilation: [2, 3],
    stride: [2, 2],
  });
  await checkForms({
    x: [2, 1, 12, 31],
    k: [2, 3, 4],
    dilation: [2, 4],
    stride: [4, 6],
    padding: [3, 2, 1, 5],
  });
});

Deno.test("padding of each side by its own, also beyond the kernel, agrees with the reference", async () => {
  await checkForms({ x: [1, 2, 4, 5], k: [3, 3, 3], padding: [0, 2, 1, 0] });
  await checkForms({
    x: [1, 1, 2, 3],
    k: [2, 2, 2],
    padding: [4, 3, 5, 9],
    stride: [1, 2],
    bias: true,
  });
});

Deno.test("groups, depthwise and with a channel multiplier, agree with the reference", async () => {
  await checkForms({ x: [2, 6, 5, 6], k: [4, 3, 3], groups: 2, bias: true });
  await checkForms({ x: [1, 9, 5, 9], k: [9, 3, 3], groups: 9 });
  await checkForms({
    x: [1, 3, 6, 9],
    k: [18, 3, 3],
    groups: 3,
    stride: [2, 2],
    padding: [1, 1, 1, 1],
    bias: true,
  });
});

Deno.test("half-precision operands are summed in single precision", async () => {
  await checkForms({ x: [1, 40, 5, 6], k: [9, 3, 3], bias: true }, "f16");
  const ones = { ...noise([1, 3000, 1, 1], 1, "f16") };
  ones.data.fill(1);
  // Beyond 2048, adding 1 to a half-precision number leaves it as it is.
  const given = { inputs: [ones, ones], attrs: PLAIN };
  for (const name of applicable(conv2d, given)) {
    const [y] = await runVariant(conv2d, name, given);
    assertEquals(y.data[0], 3000, name);
  }
});

Deno.test("an empty batch gives empty planes, and a weight gradient of zeros", async () => {
  const attrs = PLAIN;
  const x = noise([0, 2, 5, 5]);
  const w = noise([3, 2, 3, 3]);
  const dy = noise([0, 3, 3, 3]);
  await checkOp(conv2d, { inputs: [x, w], attrs });
  await checkOp(conv2dInputGradient, {
    inputs: [dy, w],
    attrs: { ...attrs, inputSize: [5, 5] },
  });
  await checkOp(conv2dWeightGradient, {
    inputs: [x, dy],
    attrs: { ...attrs, kernelSize: [3, 3] },
  });
});
