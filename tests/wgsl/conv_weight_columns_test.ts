/** A weight gradient of few outputs agrees with the reference as a product with what each output saw, and is one by default. */
import { assertEquals } from "@std/assert";
import {
  conv2dWeightGradient,
  type Conv2dWeightGradientAttrs,
} from "../../wgsl/conv/conv2d_weight_gradient.ts";
import type { DType, HostArray, Limits } from "../../wgsl/op.ts";
import {
  applicable,
  checkOp,
  noise,
  PORTABLE_LIMITS,
} from "../support/plan.ts";

const PLAIN: Conv2dWeightGradientAttrs = {
  stride: [1, 1],
  padding: [1, 1, 1, 1],
  dilation: [1, 1],
  groups: 1,
  kernelSize: [3, 3],
};

interface Options {
  readonly attrs?: Partial<Conv2dWeightGradientAttrs>;
  readonly dtype?: DType;
  readonly limits?: Partial<Limits>;
}

/** Runs the variant; `output` is the height and width of dy. */
async function check(
  x: readonly [number, number, number, number],
  filters: number,
  output: readonly [number, number],
  { attrs = {}, dtype = "f32", limits = {} }: Options = {},
): Promise<void> {
  assertEquals(
    await checkOp(conv2dWeightGradient, {
      inputs: [noise(x, 1, dtype), noise([x[0], filters, ...output], 2, dtype)],
      attrs: { ...PLAIN, ...attrs },
      length: x[0] * output[0] * output[1],
      limits,
      variants: ["columns"],
    }),
    ["columns"],
  );
}

Deno.test("weight gradients by columns agree for 1 image and 3, planes of 1 to 5, and channels about a tile", async () => {
  await check([1, 8, 1, 1], 64, [1, 1]);
  await check([3, 8, 4, 4], 64, [4, 4]);
  await check([3, 9, 4, 5], 65, [4, 5]);
  await check([2, 16, 3, 3], 71, [3, 3]);
});

Deno.test("they agree with strides, dilation, uneven padding and other kernels", async () => {
  await check([2, 8, 7, 7], 64, [4, 4], { attrs: { stride: [2, 2] } });
  await check([2, 9, 6, 5], 64, [3, 2], {
    attrs: { stride: [2, 3], padding: [0, 1, 1, 2] },
  });
  await check([1, 8, 6, 6], 64, [4, 4], {
    attrs: { dilation: [2, 2] },
  });
  await check([2, 16, 4, 3], 64, [2, 3], {
    attrs: { kernelSize: [3, 2], padding: [0, 0, 1, 0] },
  });
});

Deno.test("they agree in groups and in half precision", async () => {
  await check([2, 16, 3, 3], 128, [3, 3], { attrs: { groups: 2 } });
  await check([2, 8, 3, 3], 64, [3, 3], { dtype: "f16" });
});

Deno.test("they agree with few workgroups a dimension and few trips", async () => {
  await check([3, 9, 4, 5], 65, [4, 5], {
    limits: { maxComputeWorkgroupsPerDimension: 8, maxLoopTrips: 32 },
  });
});

Deno.test("deep layers of few outputs take columns, wide ones and what doesn't fit a binding don't", () => {
  const chosen = (
    x: readonly [number, number, number, number],
    filters: number,
    limits: Limits = PORTABLE_LIMITS,
  ) => {
    const [n, , h, w] = x;
    const inputs = [x, [n, filters, h, w]].map((shape): HostArray => ({
      shape,
      dtype: "f32",
      data: new Float32Array(),
    }));
    return applicable(conv2dWeightGradient, {
      inputs,
      attrs: PLAIN,
      limits,
    })[0];
  };
  assertEquals(chosen([4, 512, 7, 7], 512), "columns");
  assertEquals(chosen([4, 64, 56, 56], 64), "rows");
  assertEquals(chosen([4, 6, 7, 7], 16), "tiled");
  const small = { ...PORTABLE_LIMITS, maxStorageBufferBindingSize: 2 ** 20 };
  assertEquals(chosen([4, 512, 7, 7], 512, small), "tiled");
});
