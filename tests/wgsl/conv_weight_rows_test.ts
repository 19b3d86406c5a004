/** Weight gradients whose tiles are all taps of an input channel, four outputs of a row at a time. */
import { assertEquals } from "@std/assert";
import {
  conv2dWeightGradient,
  type Conv2dWeightGradientAttrs,
} from "../../wgsl/conv/conv2d_weight_gradient.ts";
import type { DType, Limits, Shape } from "../../wgsl/op.ts";
import { applicable, checkOp, noise } from "../support/plan.ts";

const PLAIN: Conv2dWeightGradientAttrs = {
  stride: [1, 1],
  padding: [0, 0, 0, 0],
  dilation: [1, 1],
  groups: 1,
  kernelSize: [5, 5],
};

interface Given {
  readonly x: Shape;
  readonly dy: Shape;
  readonly attrs?: Partial<Conv2dWeightGradientAttrs>;
  readonly dtype?: DType;
  readonly limits?: Partial<Limits>;
}

async function check({ x, dy, attrs, dtype, limits }: Given): Promise<void> {
  assertEquals(
    await checkOp(conv2dWeightGradient, {
      inputs: [noise(x, 1, dtype), noise(dy, 2, dtype)],
      attrs: { ...PLAIN, ...attrs },
      length: dy[0] * dy[2] * dy[3],
      limits,
      variants: ["rows"],
    }),
    ["rows"],
  );
}

Deno.test("kernels of up to 5 x 5 taps agree with the reference", async () => {
  const sizes = [[2, 5], [3, 3], [3, 4], [5, 2], [5, 5]] as const;
  for (const [rows, columns] of sizes) {
    await check({
      x: [4, 2, 3 + rows, 16 + columns],
      dy: [4, 3, 4, 17],
      attrs: { kernelSize: [rows, columns] },
    });
  }
});

Deno.test("channels around a tile's 4 and 8 agree with the reference", async () => {
  for (const filters of [1, 4, 5, 8, 9, 17]) {
    await check({ x: [4, 3, 7, 10], dy: [4, filters, 3, 6] });
  }
});

Deno.test("rows of outputs that end within a vector agree with the reference", async () => {
  for (const width of [16, 17, 18, 19, 20]) {
    for (const padding of [[1, 1, 1, 1], [2, 1, 3, 2], [1, 2, 0, 4]] as const) {
      const [top, bottom, left, right] = padding;
      const size: Shape = [6 + top + bottom - 2, width + left + right - 2];
      await check({
        x: [4, 2, 6, width],
        dy: [4, 6, ...size],
        attrs: { padding, kernelSize: [3, 3] },
      });
    }
  }
});

Deno.test("strides and dilations down the plane, and groups, agree with the reference", async () => {
  await check({
    x: [4, 2, 15, 14],
    dy: [4, 5, 4, 10],
    attrs: { stride: [3, 1], dilation: [2, 1], kernelSize: [3, 5] },
  });
  await check({
    x: [4, 6, 7, 10],
    dy: [4, 9, 3, 6],
    attrs: { groups: 3, stride: [1, 1] },
  });
});

Deno.test("half precision agrees with the reference", async () => {
  await check({ x: [4, 3, 9, 11], dy: [4, 6, 5, 7], dtype: "f16" });
});

Deno.test("infinities reach the taps that see them, and no others", async () => {
  // The last input of a row is seen by the last column of taps alone.
  const x = new Float32Array(4 * 4 * 19).fill(1);
  x[18] = Infinity;
  x[3 * 19 + 18] = Infinity;
  const given = {
    inputs: [
      { shape: [4, 1, 4, 19], dtype: "f32", data: x },
      {
        shape: [4, 1, 2, 17],
        dtype: "f32",
        data: new Float32Array(136).fill(1),
      },
    ],
    attrs: { ...PLAIN, kernelSize: [3, 3] },
    variants: ["rows"],
  } as const;
  assertEquals(await checkOp(conv2dWeightGradient, given), ["rows"]);
});

Deno.test("operands are cut to the bindings, and parts to the loop trips, of a device", async () => {
  await check({
    x: [9, 5, 36, 37],
    dy: [9, 12, 32, 33],
    limits: { maxStorageBufferBindingSize: 64 * 1024 },
  });
  await check({
    x: [8, 1, 36, 37],
    dy: [8, 2, 32, 33],
    limits: { maxLoopTrips: 25 },
  });
});

Deno.test("it is for neighbouring taps and outputs, up to five of them, in whole vectors", () => {
  const applies = (
    x: Shape,
    dy: Shape,
    attrs: Partial<Conv2dWeightGradientAttrs> = {},
  ) =>
    applicable(conv2dWeightGradient, {
      inputs: [noise(x, 1), noise(dy, 2)],
      attrs: { ...PLAIN, ...attrs },
    }).includes("rows");
  assertEquals(applies([4, 2, 8, 10], [4, 3, 4, 6]), true);
  assertEquals(applies([4, 2, 8, 9], [4, 3, 4, 5]), false);
  assertEquals(
    applies([4, 2, 8, 17], [4, 3, 3, 12], { kernelSize: [6, 6] }),
    false,
  );
  assertEquals(
    applies([4, 2, 9, 41], [4, 3, 5, 19], { stride: [1, 2] }),
    false,
  );
  assertEquals(
    applies([4, 2, 9, 41], [4, 3, 5, 33], { dilation: [1, 2] }),
    false,
  );
  assertEquals(
    applies([4, 2, 9, 19], [4, 3, 9, 17], { kernelSize: [1, 3] }),
    false,
  );
  assertEquals(applies([1, 1, 9, 11], [1, 4, 5, 7]), false);
  assertEquals(applies([1, 4, 9, 11], [1, 1, 5, 7]), false);
});
