/** Depthwise convolutions, where each channel has kernels of its own, agree with the reference. */
import { assertEquals } from "@std/assert";
import { conv2d } from "../../wgsl/conv/conv2d.ts";
import { conv2dInputGradient } from "../../wgsl/conv/conv2d_input_gradient.ts";
import { conv2dWeightGradient } from "../../wgsl/conv/conv2d_weight_gradient.ts";
import type { Conv2dAttrs, Pair, Sides } from "../../wgsl/conv/geometry.ts";
import type { DType, Limits, Op } from "../../wgsl/op.ts";
import { applicable, type Case, checkOp, noise } from "../support/plan.ts";

/** A depthwise convolution: `x` is [batch, channels, height, width]. */
interface Sizes {
  readonly x: readonly [number, number, number, number];
  readonly kernel?: Pair;
  readonly stride?: Pair;
  readonly padding?: Sides;
  readonly dilation?: Pair;
  readonly bias?: boolean;
  readonly dtype?: DType;
  readonly limits?: Partial<Limits>;
}

const DIRECT = ["tiled", "naive"];
const ALL = ["depthwise", ...DIRECT];

/** Checks the forward pass, the input gradient and the weight gradient, whose variants may be others. */
async function check(sizes: Sizes, gradient = ALL): Promise<void> {
  const { x: [batch, channels, height, width], dtype, limits = {} } = sizes;
  const { kernel = [3, 3], bias = false } = sizes;
  const attrs: Conv2dAttrs = {
    stride: sizes.stride ?? [1, 1],
    padding: sizes.padding ?? [1, 1, 1, 1],
    dilation: sizes.dilation ?? [1, 1],
    groups: channels,
  };
  const x = noise([batch, channels, height, width], 1, dtype);
  const w = noise([channels, 1, ...kernel], 2, dtype);
  const inputs = bias ? [x, w, noise([channels], 3, dtype)] : [x, w];
  const length = kernel[0] * kernel[1];
  await checkFirst(conv2d, { inputs, attrs, length, limits });
  const [{ shape }] = conv2d.infer(inputs, attrs);
  const dy = noise(shape, 4, dtype);
  await checkFirst(conv2dInputGradient, {
    inputs: [dy, w],
    attrs: { ...attrs, inputSize: [height, width] },
    length,
    limits,
  });
  await checkFirst(conv2dWeightGradient, {
    inputs: [x, dy],
    attrs: { ...attrs, kernelSize: kernel },
    length: batch * shape[2] * shape[3],
    limits,
  }, gradient);
}

/** Checks the preferred of the variants that should apply; the others have tests of their own. */
async function checkFirst<Attrs>(
  op: Op<Attrs>,
  given: Case<Attrs>,
  expected = ALL,
): Promise<void> {
  const names = applicable(op, given).filter((name) => ALL.includes(name));
  assertEquals(names, expected);
  await checkOp(op, { ...given, variants: [expected[0]] });
}

Deno.test("depthwise: planes around the tiles' 4 x 4 agree with the reference", async () => {
  const sizes = [[1, 1], [3, 4], [4, 5], [5, 3], [8, 7], [7, 9], [2, 13]];
  for (const [height, width] of sizes) {
    await check({ x: [2, 3, height, width], bias: true });
  }
});

Deno.test("depthwise: rows in whole fours around the tiles' 8 x 8 agree with the reference", async () => {
  for (const [height, width] of [[1, 4], [7, 8], [8, 12], [9, 16], [17, 20]]) {
    await check({ x: [2, 3, height, width], bias: true });
  }
  await check({ x: [1, 3, 9, 12], dtype: "f16" });
  // More rows of padding than the kernel has.
  await check({ x: [2, 2, 5, 8], padding: [4, 0, 1, 1] });
});

Deno.test("depthwise: rows in fours under other kernels, strides and padding agree with the reference", async () => {
  await check({ x: [1, 2, 6, 8], padding: [1, 1, 0, 2] });
  await check({ x: [1, 2, 6, 8], kernel: [2, 3] });
  await check({ x: [1, 2, 6, 8], stride: [2, 1] });
  await check({ x: [1, 2, 6, 8], padding: [1, 1, 2, 2] });
});

Deno.test("depthwise: every kernel up to 3 x 3 agrees with the reference", async () => {
  for (const rows of [1, 2, 3]) {
    for (const columns of [1, 2, 3]) {
      await check({ x: [1, 2, 6, 7], kernel: [rows, columns] });
    }
  }
});

Deno.test("depthwise: strides agree with the reference, also where no output saw an input", async () => {
  for (const stride of [[2, 2], [1, 2], [2, 1]] as const) {
    await check({ x: [2, 3, 9, 10], stride, bias: true });
    await check({ x: [1, 2, 8, 11], stride, padding: [0, 0, 0, 0] });
    await check({ x: [1, 2, 5, 6], stride, kernel: [1, 1] });
  }
});

Deno.test("depthwise: padding of each side by its own and beyond the kernel agree with the reference", async () => {
  await check({ x: [1, 3, 4, 6], padding: [0, 2, 1, 0] });
  await check({ x: [1, 2, 3, 4], padding: [5, 1, 3, 7], bias: true });
});

Deno.test("depthwise: dilation along an axis with one tap changes nothing", async () => {
  await check({ x: [1, 2, 6, 7], kernel: [1, 3], dilation: [3, 1] });
});

Deno.test("depthwise: half precision is summed in single precision", async () => {
  await check({ x: [1, 3, 6, 7], bias: true, dtype: "f16" });
});

Deno.test("depthwise: channels and batches larger than a binding agree with the reference", async () => {
  const limits = { maxStorageBufferBindingSize: 1024 * 1024 };
  await check({ x: [1, 50, 90, 91], bias: true, limits }, DIRECT);
  await check({ x: [30, 2, 90, 91], bias: true, limits }, DIRECT);
  await check({ x: [1, 50, 90, 92], bias: true, limits }, DIRECT);
});

Deno.test("depthwise: two kernels a channel agree with the reference", async () => {
  const inputs = [noise([2, 5, 6, 7]), noise([10, 1, 3, 3], 2), noise([10], 3)];
  const attrs: Conv2dAttrs = {
    stride: [1, 1],
    padding: [1, 1, 1, 1],
    dilation: [1, 1],
    groups: 5,
  };
  await checkFirst(conv2d, { inputs, attrs, length: 9 });
  const fours = [noise([2, 5, 9, 12]), ...inputs.slice(1)];
  fours.push(noise([10], 4), noise([10], 5), noise([2, 10, 9, 12], 6));
  const epilogue = { bias: true, affine: true, residual: true };
  const finished = { ...attrs, epilogue };
  await checkFirst(conv2d, { inputs: fours, attrs: finished, length: 9 });
});

Deno.test("depthwise: a weight gradient over runs of several images agrees with the reference", async () => {
  // 2,048 invocations and more are busy: 300 channels of 4 columns make 1,200, so that each takes several images.
  await check({ x: [5, 300, 3, 14] });
  await check({ x: [7, 300, 2, 13], stride: [2, 1] });
});

Deno.test("depthwise: an infinity reaches the taps that see it, and no others", async () => {
  const x = noise([1, 1, 3, 7]);
  x.data[6] = Infinity;
  const attrs: Conv2dAttrs = {
    stride: [1, 1],
    padding: [0, 0, 0, 0],
    dilation: [1, 1],
    groups: 1,
  };
  for (const columns of [1, 2, 3]) {
    const dy = noise([1, 1, 2, 8 - columns], 2);
    const kernelSize = [2, columns] as const;
    await checkOp(conv2dWeightGradient, {
      inputs: [x, dy],
      attrs: { ...attrs, kernelSize },
      length: 20,
    });
    // The first of the next row stands where a row's missing outputs would.
    const infinite = noise(dy.shape, 4);
    infinite.data[8 - columns] = Infinity;
    await checkOp(conv2dWeightGradient, {
      inputs: [noise(x.shape, 5), infinite],
      attrs: { ...attrs, kernelSize },
      length: 20,
    });
    const w = noise([1, 1, ...kernelSize], 3);
    await checkOp(conv2d, { inputs: [x, w], attrs, length: 9 });
  }
});

Deno.test("depthwise is the default for one channel a group, two kernels of 3 x 3 and stride 2 at most, and no other geometry's", () => {
  const first = (
    w: readonly number[],
    change: Partial<Conv2dAttrs> = {},
    channels = 12,
  ) => {
    const attrs: Conv2dAttrs = {
      stride: [1, 1],
      padding: [1, 1, 1, 1],
      dilation: [1, 1],
      groups: 12,
      ...change,
    };
    const inputs = [noise([1, channels, 9, 9]), noise(w)];
    return applicable(conv2d, { inputs, attrs })[0];
  };
  assertEquals(first([12, 1, 3, 3]), "depthwise");
  assertEquals(first([24, 1, 3, 3], { stride: [2, 2] }), "depthwise");
  assertEquals(first([36, 1, 3, 3]), "rows");
  assertEquals(first([12, 1, 4, 3]), "rows");
  assertEquals(first([12, 1, 3, 5]), "rows");
  assertEquals(first([12, 1, 3, 3], { stride: [3, 1] }), "rows");
  assertEquals(first([12, 1, 3, 3], { stride: [1, 3] }), "tiled");
  assertEquals(first([12, 1, 3, 3], { dilation: [2, 1] }), "rows");
  assertEquals(first([12, 1, 3, 3], { dilation: [1, 2] }), "tiled");
  assertEquals(first([12, 2, 3, 3], {}, 24), "rows");
});

Deno.test("depthwise: an empty batch is no work", async () => {
  await check({ x: [0, 3, 5, 5] }, DIRECT);
});
