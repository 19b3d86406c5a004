/** A convolution by one tap at stride 1 agrees with the reference as a product of matrices, and is one by default. */
import { assertEquals } from "@std/assert";
import { conv2d } from "../../wgsl/conv/conv2d.ts";
import { conv2dInputGradient } from "../../wgsl/conv/conv2d_input_gradient.ts";
import type { Conv2dAttrs } from "../../wgsl/conv/geometry.ts";
import type { DType, Limits } from "../../wgsl/op.ts";
import { contiguousView } from "../../wgsl/shape.ts";
import { PLAIN } from "../support/convolution.ts";
import {
  applicable,
  checkOp,
  noise,
  PORTABLE_LIMITS,
} from "../support/plan.ts";

const ALL = ["matmul", "tiled", "naive"];

interface Options {
  readonly groups?: number;
  readonly dtype?: DType;
  readonly limits?: Partial<Limits>;
}

/** Checks the product and the direct variants of the forward pass and of the input gradient; the others have tests of their own. */
async function check(
  x: readonly [number, number, number, number],
  filters: number,
  { groups = 1, dtype = "f32", limits = {} }: Options = {},
): Promise<void> {
  const attrs = { ...PLAIN, groups };
  const w = noise([filters, x[1] / groups, 1, 1], 2, dtype);
  const [batch, channels, height, width] = x;
  assertEquals(
    await checkOp(conv2d, {
      inputs: [noise(x, 1, dtype), w],
      attrs,
      length: channels / groups,
      limits,
      variants: ALL,
    }),
    ALL,
  );
  assertEquals(
    await checkOp(conv2dInputGradient, {
      inputs: [noise([batch, filters, height, width], 3, dtype), w],
      attrs: { ...attrs, inputSize: [height, width] },
      length: filters / groups,
      limits,
      variants: ALL,
    }),
    ALL,
  );
}

Deno.test("one tap as a product: channels and pixels around tiles agree with the reference", async () => {
  await check([1, 8, 1, 1], 9);
  await check([2, 9, 3, 5], 16);
  await check([3, 17, 4, 4], 8);
  await check([1, 31, 7, 1], 33);
});

Deno.test("one tap as a product: groups agree with the reference", async () => {
  await check([2, 24, 3, 5], 27, { groups: 3 });
});

Deno.test("one tap as a product: half precision agrees with the reference", async () => {
  await check([2, 20, 3, 4], 12, { dtype: "f16" });
});

Deno.test("one tap as a product: a bias, a batch norm, a shortcut and an activation are in the same launch", async () => {
  const epilogue = {
    bias: true,
    affine: true,
    residual: true,
    slope: true,
    activation: { name: "leakyRelu", attrs: { alpha: 0.1 } },
  } as const;
  for (
    const { x, filters, groups, limit } of [
      { x: [2, 24, 3, 5], filters: 27, groups: 3, limit: 2 ** 20 },
      { x: [2, 9, 4, 4], filters: 16, groups: 1, limit: 2 ** 20 },
      { x: [2, 24, 3, 6], filters: 48, groups: 2, limit: 2048 },
    ]
  ) {
    const attrs = { ...PLAIN, groups, epilogue };
    const [batch, channels, height, width] = x;
    const inputs = [
      noise(x, 1),
      noise([filters, channels / groups, 1, 1], 2),
      ...[3, 4, 5].map((seed) => noise([filters], seed)),
      noise([batch, filters, height, width], 6),
      noise([batch, filters, height, width], 7),
    ];
    const length = channels / groups;
    const limits = { maxStorageBufferBindingSize: limit };
    const variants = ["matmul"];
    const given = { inputs, attrs, length, limits, variants };
    assertEquals(await checkOp(conv2d, given), variants);
    const request = {
      inputs: inputs.map(contiguousView),
      outputs: conv2d.infer(inputs, attrs).map(contiguousView),
      attrs,
      limits: { ...PORTABLE_LIMITS, ...limits },
    };
    const product = conv2d.variants.find(({ name }) => name === "matmul");
    if (limit > 2048) {
      assertEquals(product?.plan(request).launches.length, 1);
    }
  }
});

Deno.test("one tap as a product: batches larger than a binding agree with the reference", async () => {
  const limits = { maxStorageBufferBindingSize: 1024 * 1024 };
  await check([3, 16, 122, 123], 8, { limits });
});

Deno.test("one tap as a product: an empty batch is no work", async () => {
  await check([0, 16, 3, 3], 8);
});

Deno.test("only one tap at stride 1 without padding, of 8 channels and more, is a product", () => {
  const isProduct = (
    x: readonly number[],
    w: readonly number[],
    change: Partial<Conv2dAttrs> = {},
    bias: readonly number[][] = [],
  ) => {
    const inputs = [x, w, ...bias].map((shape) => noise(shape));
    const attrs = { ...PLAIN, ...change };
    return applicable(conv2d, { inputs, attrs })[0] === "matmul";
  };
  const x = [1, 8, 5, 5];
  const w = [8, 8, 1, 1];
  assertEquals(isProduct(x, w), true);
  assertEquals(isProduct(x, w, { dilation: [2, 3] }), true);
  assertEquals(isProduct(x, w, {}, [[8]]), true);
  assertEquals(isProduct(x, w, { stride: [1, 2] }), false);
  assertEquals(isProduct(x, w, { padding: [0, 1, 0, 0] }), false);
  assertEquals(isProduct(x, w, { padding: [1, 0, 0, 0] }), false);
  assertEquals(isProduct(x, [8, 8, 1, 2]), false);
  assertEquals(isProduct(x, [7, 8, 1, 1]), false);
  assertEquals(isProduct([1, 7, 5, 5], [8, 7, 1, 1]), false);
  assertEquals(isProduct(x, [8, 4, 1, 1], { groups: 2 }), false);
});

Deno.test("one tap as a product: large groups, which are packed, are finished channel by channel", async () => {
  const given = {
    inputs: [
      noise([2, 128, 16, 16]),
      noise([256, 64, 1, 1], 2),
      noise([256], 3),
      noise([2, 256, 16, 16], 4),
    ],
    attrs: {
      ...PLAIN,
      groups: 2,
      epilogue: { bias: true, residual: true, activation: { name: "relu" } },
    } as const,
    length: 64,
  };
  await checkOp(conv2d, { ...given, variants: ["matmul"] });
});
