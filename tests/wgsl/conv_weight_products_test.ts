/** The weight gradient of a convolution by one tap agrees with the reference as a sum of products of matrices, and is one by default. */
import { assertEquals } from "@std/assert";
import { conv2dWeightGradient } from "../../wgsl/conv/conv2d_weight_gradient.ts";
import type { Conv2dAttrs, Pair } from "../../wgsl/conv/geometry.ts";
import type { DType, Limits } from "../../wgsl/op.ts";
import { applicable, type Case, checkOp, noise } from "../support/plan.ts";

interface Options extends Partial<Conv2dAttrs> {
  readonly kernelSize?: Pair;
  readonly dtype?: DType;
  readonly limits?: Partial<Limits>;
}

type Attrs = Conv2dAttrs & { readonly kernelSize: Pair };

/** A gradient between planes of `channels` and `filters` channels. */
function caseOf(
  [batch, channels, height, width]: readonly [number, number, number, number],
  filters: number,
  { dtype = "f32", limits = {}, ...change }: Options = {},
): Case<Attrs> {
  const attrs: Attrs = {
    stride: [1, 1],
    padding: [0, 0, 0, 0],
    dilation: [1, 1],
    groups: 1,
    kernelSize: [1, 1],
    ...change,
  };
  const outputs = [height, width].map((size, axis) =>
    Math.floor(
      (size + attrs.padding[2 * axis] + attrs.padding[2 * axis + 1] -
        attrs.kernelSize[axis]) / attrs.stride[axis],
    ) + 1
  );
  return {
    inputs: [
      noise([batch, channels, height, width], 1, dtype),
      noise([batch, filters, ...outputs], 2, dtype),
    ],
    attrs,
    length: batch * height * width,
    limits,
    variants: ["matmul"],
  };
}

async function check(...given: Parameters<typeof caseOf>): Promise<void> {
  const made = caseOf(...given);
  assertEquals(await checkOp(conv2dWeightGradient, made), ["matmul"]);
}

Deno.test("the product of one image, with channels and pixels around tiles, agrees with the reference", async () => {
  await check([1, 8, 1, 1], 9);
  await check([1, 17, 4, 4], 8);
  await check([1, 31, 7, 1], 33);
  await check([1, 9, 50, 41], 16);
});

Deno.test("the products of a batch are added up to what the reference gives", async () => {
  await check([2, 9, 3, 5], 16);
  await check([5, 17, 4, 4], 33);
  await check([3, 9, 50, 41], 8);
});

Deno.test("weight gradients of groups agree with the reference as products", async () => {
  await check([1, 24, 3, 5], 27, { groups: 3 });
  await check([4, 24, 3, 5], 27, { groups: 3 });
});

Deno.test("a weight gradient of one image in half precision agrees with the reference as a product", async () => {
  await check([1, 20, 3, 4], 12, { dtype: "f16" });
});

Deno.test("a weight gradient over images larger than a binding agrees with the reference as products", async () => {
  const limits = { maxStorageBufferBindingSize: 1024 * 1024 };
  await check([3, 16, 122, 123], 8, { limits });
  await check([1, 33, 122, 123], 8, { limits });
});

Deno.test("only one tap at stride 1 without padding, of 8 channels and more, has products for a weight gradient", () => {
  const isProduct = (...given: Parameters<typeof caseOf>) =>
    applicable(conv2dWeightGradient, caseOf(...given))[0] === "matmul";
  assertEquals(isProduct([2, 8, 5, 5], 8), true);
  assertEquals(isProduct([2, 8, 5, 5], 8, { stride: [1, 2] }), false);
  assertEquals(isProduct([2, 8, 5, 5], 8, { padding: [0, 1, 0, 0] }), false);
  assertEquals(isProduct([2, 8, 5, 5], 8, { kernelSize: [1, 2] }), false);
  assertEquals(isProduct([2, 7, 5, 5], 8), false);
  assertEquals(isProduct([2, 8, 5, 5], 7), false);
  assertEquals(isProduct([0, 8, 5, 5], 8), false);
  // Parts of several images would be rounded, or don't fit a binding.
  assertEquals(isProduct([1, 8, 5, 5], 8, { dtype: "f16" }), true);
  assertEquals(isProduct([2, 8, 5, 5], 8, { dtype: "f16" }), false);
  const limits = { maxStorageBufferBindingSize: 8 * 8 * 4 * 3 };
  assertEquals(isProduct([3, 8, 2, 2], 8, { limits }), true);
  assertEquals(isProduct([4, 8, 2, 2], 8, { limits }), false);
});
