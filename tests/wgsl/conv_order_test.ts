/** Convolutions of planes that follow each other channel by channel, of x, of y or of both. */
import { assert, assertEquals, assertThrows } from "@std/assert";
import { conv2d } from "../../wgsl/conv/conv2d.ts";
import { conv2dInputGradient } from "../../wgsl/conv/conv2d_input_gradient.ts";
import { conv2dWeightGradient } from "../../wgsl/conv/conv2d_weight_gradient.ts";
import type {
  FusedConv2dAttrs,
  Pair,
  PlaneOrder,
} from "../../wgsl/conv/geometry.ts";
import { ShapeError } from "../../wgsl/errors.ts";
import type { HostArray, Limits, Shape } from "../../wgsl/op.ts";
import { contiguousView } from "../../wgsl/shape.ts";
import { PLAIN } from "../support/convolution.ts";
import {
  applicable,
  checkOp,
  noise,
  PORTABLE_LIMITS,
  runReference,
} from "../support/plan.ts";

const ORDERS: readonly (readonly [PlaneOrder, PlaneOrder])[] = [
  ["CNHW", "CNHW"],
  ["NCHW", "CNHW"],
  ["CNHW", "NCHW"],
];

interface Given {
  readonly x: Shape;
  readonly w: Shape;
  readonly attrs?: Partial<FusedConv2dAttrs>;
  readonly limits?: Partial<Limits>;
}

/** The same planes, images and channels exchanged. */
function exchanged({ shape, dtype, data }: HostArray): HostArray {
  const [first, second, height, width] = shape;
  const size = height * width;
  const moved = data.slice();
  for (let i = 0; i < first; i++) {
    for (let k = 0; k < second; k++) {
      const plane = data.subarray((i * second + k) * size).subarray(0, size);
      moved.set(plane as never, (k * first + i) * size);
    }
  }
  return { shape: [second, first, height, width], dtype, data: moved };
}

function inOrder(x: HostArray, order: PlaneOrder): HostArray {
  return order === "NCHW" ? x : exchanged(x);
}

/** What all calls of a case share: planes and weights image by image, the shape of the outputs, attributes. */
function operandsOf({ x, w, attrs }: Given) {
  const all = { ...PLAIN, ...attrs };
  const planes = noise(x, 1);
  const weights = noise(w, 2);
  const [{ shape }] = conv2d.infer([planes, weights], all);
  return { all, planes, weights, shape };
}

/** A convolution with an epilogue, in some orders. */
function givenIn(
  given: Given,
  [inputOrder, outputOrder]: readonly [PlaneOrder, PlaneOrder],
) {
  const { w, limits } = given;
  const { all, planes, weights, shape } = operandsOf(given);
  const epilogue = {
    bias: true,
    residual: true,
    activation: { name: "relu" },
  } as const;
  return {
    inputs: [
      inOrder(planes, inputOrder),
      weights,
      noise([w[0]], 3),
      inOrder(noise(shape, 4), outputOrder),
    ],
    attrs: { ...all, epilogue, inputOrder, outputOrder },
    length: w[1] * w[2] * w[3],
    limits,
  };
}

/** The gradients of a convolution in its input, with what finishes it, and in its weights. */
function gradientsIn(
  given: Given,
  [inputOrder, outputOrder]: readonly [PlaneOrder, PlaneOrder],
) {
  const { x, w, limits } = given;
  const { all, planes, weights, shape } = operandsOf(given);
  const dy = inOrder(noise(shape, 5), outputOrder);
  const epilogue = { residual: true, slope: true } as const;
  const inputSize: Pair = [x[2], x[3]];
  const kernelSize: Pair = [w[2], w[3]];
  const orders = { inputOrder, outputOrder };
  return {
    input: {
      inputs: [
        dy,
        weights,
        inOrder(noise(x, 6), inputOrder),
        inOrder(noise(x, 7), inputOrder),
      ],
      attrs: { ...all, ...orders, epilogue, inputSize },
      length: w[0] / all.groups * w[2] * w[3],
      limits,
    },
    weight: {
      inputs: [inOrder(planes, inputOrder), dy],
      attrs: { ...all, ...orders, kernelSize },
      length: x[0] * shape[2] * shape[3],
      limits,
    },
  };
}

const CASES: Readonly<Record<string, Given>> = {
  "1 x 1": { x: [3, 16, 7, 7], w: [24, 16, 1, 1] },
  "1 x 1 in groups": {
    x: [2, 16, 5, 8],
    w: [24, 8, 1, 1],
    attrs: { groups: 2 },
  },
  "3 x 3": {
    x: [4, 34, 12, 11],
    w: [64, 34, 3, 3],
    attrs: { padding: [1, 1, 1, 1] },
  },
  "3 x 3 in groups": {
    x: [3, 6, 9, 8],
    w: [8, 3, 3, 3],
    attrs: { padding: [1, 1, 1, 1], groups: 2 },
  },
  "7 x 7 at stride 2": {
    x: [2, 3, 20, 20],
    w: [16, 3, 7, 7],
    attrs: { padding: [3, 3, 3, 3], stride: [2, 2] },
  },
  "3 x 3 of deep layers": {
    x: [2, 128, 2, 4],
    w: [128, 128, 3, 3],
    attrs: { padding: [1, 1, 1, 1] },
  },
  "3 x 3 on long rows": {
    x: [2, 4, 5, 20],
    w: [9, 4, 3, 3],
    attrs: { padding: [1, 1, 1, 1] },
  },
  "3 x 3 dilated": {
    x: [2, 5, 9, 12],
    w: [7, 5, 3, 3],
    attrs: { dilation: [2, 2], padding: [2, 2, 2, 2] },
  },
};

for (const [name, given] of Object.entries(CASES)) {
  Deno.test(`${name}: every kernel takes planes channel by channel`, async () => {
    for (const orders of ORDERS) {
      const call = givenIn(given, orders);
      const ran = await checkOp(conv2d, call);
      assertEquals(ran, applicable(conv2d, call));
      assert(ran.length > 4, `${ran}`);
    }
  });
}

for (const [name, given] of Object.entries(CASES)) {
  Deno.test(`${name}: so do those of gradients`, async () => {
    for (const orders of ORDERS) {
      const { input, weight } = gradientsIn(given, orders);
      const back = await checkOp(conv2dInputGradient, input);
      assertEquals(back, applicable(conv2dInputGradient, input));
      const ran = await checkOp(conv2dWeightGradient, weight);
      assertEquals(ran, applicable(conv2dWeightGradient, weight));
      assert(ran.length > 2, `${ran}`);
    }
  });
}

Deno.test("references of gradients give the same numbers whatever the order", () => {
  for (const given of Object.values(CASES)) {
    const plain = gradientsIn(given, ["NCHW", "NCHW"]);
    const [dx] = runReference(conv2dInputGradient, plain.input);
    const [dw] = runReference(conv2dWeightGradient, plain.weight);
    for (const orders of ORDERS) {
      const { input, weight } = gradientsIn(given, orders);
      const [x] = runReference(conv2dInputGradient, input);
      assertEquals(inOrder(x, orders[0]).data, dx.data);
      assertEquals(runReference(conv2dWeightGradient, weight)[0].data, dw.data);
    }
  }
});

Deno.test("the reference gives the same numbers whatever the order", () => {
  for (const given of Object.values(CASES)) {
    const plain = givenIn(given, ["NCHW", "NCHW"]);
    const [expected] = runReference(conv2d, plain);
    for (const orders of ORDERS) {
      const [y] = runReference(conv2d, givenIn(given, orders));
      const back = inOrder(y, orders[1]);
      assertEquals(back.shape, expected.shape);
      assertEquals(back.data, expected.data);
    }
  }
});

Deno.test("images of which a binding holds a few only are cut by channels", async () => {
  const limits = { maxStorageBufferBindingSize: 8 * 1024 };
  const given = { x: [4, 16, 12, 12], w: [8, 16, 3, 3], limits };
  for (const orders of ORDERS) {
    const ran = await checkOp(conv2d, givenIn(given, orders));
    assert(!ran.some((name) => name.startsWith("winograd")), `${ran}`);
  }
});

Deno.test("products of all images at once are one product where both are channel by channel", () => {
  const planOf = (orders: readonly [PlaneOrder, PlaneOrder]) => {
    const { inputs, attrs } = givenIn(CASES["1 x 1"], orders);
    const views = inputs.map(contiguousView);
    const request = {
      inputs: views,
      outputs: conv2d.infer(views, attrs).map(contiguousView),
      attrs,
      limits: PORTABLE_LIMITS,
    };
    const variant = conv2d.variants.find(({ name }) => name === "matmul")!;
    return variant.plan(request).launches.reduce(
      (sum, { workgroups: [x, y, z] }) => sum + x * y * z,
      0,
    );
  };
  assert(planOf(["CNHW", "CNHW"]) < planOf(["NCHW", "NCHW"]));
});

Deno.test("no gradient flows through such a convolution", () => {
  const inputMetas = [noise([2, 1, 3, 3]), noise([1, 2, 1, 1])];
  for (const op of [conv2d, conv2dInputGradient, conv2dWeightGradient]) {
    for (const order of ["inputOrder", "outputOrder"]) {
      const attrs = { ...PLAIN, [order]: "CNHW" };
      const context = { attrs, grads: [null], inputs: [], inputMetas };
      assertThrows(
        () => op.gradient!.rule(context as never),
        ShapeError,
        "Cannot differentiate a convolution of planes in another order than NCHW: passes over traced graphs make it, after backward",
      );
    }
  }
});
