/** An input gradient of few outputs agrees with the reference as a product whose columns are added up again, and is one by default. */
import { assertEquals } from "@std/assert";
import {
  conv2dInputGradient,
  type Conv2dInputGradientAttrs,
} from "../../wgsl/conv/conv2d_input_gradient.ts";
import type { HostArray, Limits } from "../../wgsl/op.ts";
import { epilogueOperands } from "../support/convolution.ts";
import { applicable, checkOp, noise } from "../support/plan.ts";

type Sizes = readonly [number, number, number, number];

const PLAIN: Conv2dInputGradientAttrs = {
  stride: [1, 1],
  padding: [1, 1, 1, 1],
  dilation: [1, 1],
  groups: 1,
  inputSize: [2, 2],
};

/** Runs the variant on weights of these sizes. */
async function check(
  dy: Sizes,
  w: Sizes,
  attrs: Partial<Conv2dInputGradientAttrs>,
  limits: Partial<Limits> = {},
): Promise<void> {
  const [height, width] = attrs.inputSize ?? PLAIN.inputSize;
  const channels = w[1] * (attrs.groups ?? 1);
  const dx = [dy[0], channels, height, width];
  const operands = epilogueOperands(attrs.epilogue ?? {}, dx);
  assertEquals(
    await checkOp(conv2dInputGradient, {
      inputs: [noise(dy, 1), noise(w, 2), ...operands],
      attrs: { ...PLAIN, ...attrs },
      length: w[0] * w[2] * w[3],
      limits,
      variants: ["columns"],
    }),
    ["columns"],
  );
}

Deno.test("input gradients by columns agree for 1 image and 4, planes of 1 to 4, and channels about a tile", async () => {
  await check([1, 128, 1, 1], [128, 128, 3, 3], { inputSize: [1, 1] });
  await check([4, 128, 2, 2], [128, 129, 3, 3], { inputSize: [2, 2] });
  await check([2, 131, 3, 4], [131, 128, 3, 3], { inputSize: [3, 4] });
});

Deno.test("they agree with strides, dilation, uneven padding, other kernels and inputs that the outputs don't reach", async () => {
  await check([4, 128, 2, 2], [128, 128, 3, 3], {
    stride: [2, 2],
    inputSize: [4, 4],
  });
  await check([2, 128, 3, 2], [128, 128, 3, 2], {
    stride: [2, 3],
    padding: [0, 1, 1, 0],
    inputSize: [7, 5],
  });
  await check([1, 128, 2, 2], [128, 128, 2, 2], {
    dilation: [2, 2],
    padding: [0, 0, 0, 0],
    inputSize: [4, 4],
  });
});

Deno.test("they agree in groups, and with few workgroups a dimension and few trips", async () => {
  await check([2, 256, 2, 2], [256, 128, 3, 3], { groups: 2 });
  await check([4, 128, 2, 2], [128, 128, 3, 3], {}, {
    maxComputeWorkgroupsPerDimension: 16,
    maxLoopTrips: 36,
  });
});

Deno.test("they finish their sums, channel by channel of all groups", async () => {
  const activation = { name: "tanh" } as const;
  for (
    const epilogue of [
      { bias: true, affine: true, residual: true, slope: true, activation },
      { residual: true, slope: true },
      { slope: true },
    ]
  ) {
    await check([2, 256, 2, 2], [256, 128, 3, 3], { groups: 2, epilogue });
  }
});

Deno.test("deep layers of few outputs take columns; more outputs, few channels and halves don't", () => {
  const first = (
    dy: Sizes,
    w: Sizes,
    attrs: Partial<Conv2dInputGradientAttrs> = {},
    dtype: "f32" | "f16" = "f32",
  ) => {
    const inputs = [dy, w].map((shape): HostArray => ({
      shape,
      dtype,
      data: new Float32Array(),
    }));
    const inputSize = [dy[2], dy[3]] as const;
    return applicable(conv2dInputGradient, {
      inputs,
      attrs: { ...PLAIN, inputSize, ...attrs },
    })[0];
  };
  const w = [512, 512, 3, 3] as const;
  assertEquals(first([4, 512, 2, 2], w), "columns");
  assertEquals(first([4, 512, 4, 4], w), "winograd_2x2_wide");
  assertEquals(
    first([4, 512, 4, 4], w, { stride: [2, 2], inputSize: [8, 8] }),
    "columns",
  );
  assertEquals(first([4, 64, 2, 2], [64, 64, 3, 3]), "winograd_2x2_wide");
  assertEquals(first([4, 512, 2, 2], w, {}, "f16"), "winograd_2x2_wide");
});
