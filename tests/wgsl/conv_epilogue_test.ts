/** Whatever a convolution's epilogue holds, every variant that takes it gives what the reference does. */
import { assert, assertEquals, assertThrows } from "@std/assert";
import { conv2d } from "../../wgsl/conv/conv2d.ts";
import { conv2dInputGradient } from "../../wgsl/conv/conv2d_input_gradient.ts";
import type {
  FusedConv2dAttrs,
  Pair,
  Sides,
} from "../../wgsl/conv/geometry.ts";
import type { Epilogue } from "../../wgsl/epilogue.ts";
import { ShapeError } from "../../wgsl/errors.ts";
import type { DType, Limits, Op } from "../../wgsl/op.ts";
import { contiguousView } from "../../wgsl/shape.ts";
import {
  applicable,
  type Case,
  checkOp,
  noise,
  PORTABLE_LIMITS,
  runVariant,
} from "../support/plan.ts";
import { epilogueOperands } from "../support/convolution.ts";
import { WINOGRAD_FACTOR } from "../support/tolerance.ts";

const ALL: Epilogue = {
  bias: true,
  affine: true,
  residual: true,
  slope: true,
  activation: { name: "leakyRelu", attrs: { alpha: 0.1 } },
};

/** Each part alone, activations by a test of sign, with numbers and through other functions, and all parts together. */
const EPILOGUES: readonly Epilogue[] = [
  { bias: true },
  { affine: true },
  { residual: true },
  { slope: true },
  { activation: { name: "relu" } },
  { activation: { name: "leakyRelu", attrs: { alpha: 0.1 } } },
  { activation: { name: "gelu" } },
  ALL,
];

/** A convolution by its sizes, as in conv_test.ts. */
interface Sizes {
  readonly x: readonly [number, number, number, number];
  readonly k: readonly [number, number, number];
  readonly stride?: Pair;
  readonly padding?: Sides;
  readonly dilation?: Pair;
  readonly groups?: number;
}

/** Convolutions as products of matrices have tests of their own. */
const VARIANTS = ["depthwise", "winograd", "tiled", "naive"];

interface Options {
  readonly dtype?: DType;
  readonly limits?: Partial<Limits>;
}

/** The forward pass and the input gradient of a convolution with an epilogue, as cases. */
function casesOf(
  sizes: Sizes,
  epilogue: Epilogue,
  { dtype = "f32", limits = {} }: Options = {},
) {
  const {
    x: shape,
    k: [filters, rows, columns],
    stride = [1, 1],
    padding = [1, 1, 1, 1],
    dilation = [1, 1],
    groups = 1,
  } = sizes;
  const sliding = { stride, padding, dilation, groups };
  const x = noise(shape, 1, dtype);
  const w = noise([filters, shape[1] / groups, rows, columns], 2, dtype);
  const [y] = conv2d.infer([x, w], sliding);
  const factors = { winograd: WINOGRAD_FACTOR };
  const taps = rows * columns;
  const forward: Case<FusedConv2dAttrs> = {
    inputs: [x, w, ...epilogueOperands(epilogue, y.shape, dtype)],
    attrs: { ...sliding, epilogue },
    length: shape[1] / groups * taps,
    factors,
    limits,
    variants: VARIANTS,
  };
  const gradient = {
    inputs: [
      noise(y.shape, 7, dtype),
      w,
      ...epilogueOperands(epilogue, shape, dtype),
    ],
    attrs: { ...sliding, epilogue, inputSize: [shape[2], shape[3]] as Pair },
    length: filters / groups * taps,
    factors,
    limits,
    variants: VARIANTS,
  };
  return { forward, gradient };
}

/** Checks both passes in the variants that apply, of which `first` is the default, or the first of two for each pass. */
async function check(
  sizes: Sizes,
  epilogues: readonly Epilogue[],
  first: string | readonly [string, string],
  options: Options = {},
): Promise<void> {
  const [ahead, back] = typeof first === "string" ? [first, first] : first;
  for (const epilogue of epilogues) {
    const { forward, gradient } = casesOf(sizes, epilogue, options);
    assertEquals((await checkOp(conv2d, forward))[0], ahead);
    assertEquals((await checkOp(conv2dInputGradient, gradient))[0], back);
  }
}

Deno.test("direct convolutions with each epilogue agree with the reference", async () => {
  await check({ x: [2, 3, 4, 9], k: [5, 3, 3] }, EPILOGUES, "tiled");
});

Deno.test("epilogues of groups, strides and dilations agree with the reference", async () => {
  await check(
    { x: [2, 6, 5, 11], k: [34, 2, 3], groups: 2, stride: [2, 3] },
    [ALL],
    "tiled",
  );
  await check(
    { x: [1, 2, 9, 21], k: [3, 3, 3], dilation: [2, 2], padding: [0, 2, 3, 1] },
    [ALL],
    "tiled",
  );
});

Deno.test("depthwise convolutions with each epilogue agree with the reference", async () => {
  await check(
    { x: [2, 3, 5, 7], k: [3, 3, 3], groups: 3 },
    EPILOGUES,
    "depthwise",
  );
  await check(
    { x: [1, 3, 6, 9], k: [6, 3, 2], groups: 3, stride: [2, 2] },
    [ALL],
    ["depthwise", "tiled"],
  );
});

Deno.test("Winograd's convolutions with each epilogue agree with the reference", async () => {
  await check({ x: [4, 33, 7, 9], k: [34, 3, 3] }, EPILOGUES, "winograd");
});

Deno.test("epilogues of half-precision operands are computed in single precision", async () => {
  const options = { dtype: "f16" } as const;
  await check({ x: [1, 3, 4, 9], k: [5, 3, 3] }, [ALL], "tiled", options);
  await check(
    { x: [1, 3, 5, 7], k: [3, 3, 3], groups: 3 },
    [ALL],
    "depthwise",
    options,
  );
});

Deno.test("an epilogue is cut with its convolution into windows that fit a binding", async () => {
  const limits = { maxStorageBufferBindingSize: 1024 * 1024 };
  const options = { limits };
  await check({ x: [1, 3, 80, 81], k: [50, 3, 3] }, [ALL], "tiled", options);
  await check(
    { x: [1, 50, 90, 91], k: [50, 3, 3], groups: 50 },
    [ALL],
    "depthwise",
    options,
  );
  await check(
    { x: [3, 33, 54, 55], k: [32, 3, 3] },
    [ALL],
    "winograd",
    options,
  );
});

Deno.test("a sum that is cut into several launches is finished once, by the last", async () => {
  for (const maxLoopTrips of [23, 40]) {
    for (const epilogue of [ALL, EPILOGUES[3]]) {
      await check(
        { x: [2, 5, 6, 9], k: [6, 3, 3] },
        [epilogue],
        "tiled",
        { limits: { maxLoopTrips } },
      );
    }
  }
});

/** How many launches each variant that applies takes. */
function launchesOf<Attrs>(
  op: Op<Attrs>,
  { inputs, attrs }: Case<Attrs>,
): Record<string, number> {
  const request = {
    inputs: inputs.map(contiguousView),
    outputs: op.infer(inputs, attrs).map(contiguousView),
    attrs,
    limits: PORTABLE_LIMITS,
  };
  return Object.fromEntries(
    op.variants.filter((v) => v.applies?.(request) ?? true)
      .map(({ name, plan }) => [name, plan(request).launches.length]),
  );
}

Deno.test("an epilogue of all parts adds no launch", () => {
  const sizes: readonly Sizes[] = [
    { x: [4, 32, 8, 9], k: [33, 3, 3] },
    { x: [2, 9, 5, 6], k: [9, 3, 3], groups: 9 },
    { x: [1, 3, 9, 9], k: [4, 7, 7], stride: [2, 2] },
  ];
  const names = new Set<string>();
  for (const size of sizes) {
    const plain = casesOf(size, {});
    const fused = casesOf(size, ALL);
    const launches = launchesOf(conv2d, fused.forward);
    assertEquals(launches, launchesOf(conv2d, plain.forward));
    assertEquals(
      launchesOf(conv2dInputGradient, fused.gradient),
      launchesOf(conv2dInputGradient, plain.gradient),
    );
    Object.keys(launches).forEach((name) => names.add(name));
  }
  for (
    const name of ["winograd", "winograd_2x2", "depthwise", "tiled", "naive"]
  ) {
    assert(names.has(name), name);
  }
  // Of the tiled launches, one packs the weights; of Winograd's, one transforms them.
  const { forward } = casesOf(sizes[0], ALL);
  const { winograd, tiled, naive } = launchesOf(conv2d, forward);
  assertEquals([winograd, tiled, naive], [4, 2, 1]);
  const depthwise = casesOf(sizes[1], ALL).forward;
  assertEquals(launchesOf(conv2d, depthwise).depthwise, 1);
});

Deno.test("NaN passes an epilogue's relu, and infinity its sign", async () => {
  const relu: Epilogue = { activation: { name: "relu" } };
  const sizes: readonly Sizes[] = [
    { x: [3, 32, 16, 8], k: [32, 3, 3] },
    { x: [1, 2, 16, 8], k: [2, 3, 3], groups: 2 },
  ];
  for (const size of sizes) {
    const { forward } = casesOf(size, relu);
    forward.inputs[0].data.fill(1);
    forward.inputs[0].data[0] = NaN;
    for (const name of applicable(conv2d, forward)) {
      const [y] = await runVariant(conv2d, name, forward);
      assert(Number.isNaN(y.data[0]), name);
      // Winograd spreads it over its tile, the first 4 rows and columns.
      const far = y.data.subarray(4 * 8, 16 * 8);
      assert(far.every((value) => value >= 0), name);
    }
  }
});

Deno.test("operands that don't fit the output are refused", () => {
  const { forward: { inputs, attrs } } = casesOf(
    { x: [1, 2, 4, 5], k: [3, 3, 3] },
    ALL,
  );
  const [x, w, bias, scale, shift, residual, slope] = inputs;
  const start = "Cannot convolve [1, 2, 4, 5] with [3, 2, 3, 3]";
  assertThrows(
    () => conv2d.infer([x, w, bias, scale, shift, x, slope], attrs),
    ShapeError,
    `${start}: the residual is [1, 2, 4, 5], expected [1, 3, 4, 5]`,
  );
  assertThrows(
    () => conv2d.infer([x, w, bias, scale, shift, residual, x], attrs),
    ShapeError,
    `${start}: the slope is [1, 2, 4, 5], expected [1, 3, 4, 5]`,
  );
  assertThrows(
    () => {
      const given = [x, w, bias, noise([1, 3]), shift, residual, slope];
      return conv2d.infer(given, attrs);
    },
    ShapeError,
    `${start}: the scale is [1, 3], expected [3]`,
  );
  assertThrows(
    () => conv2d.infer([x, w, bias], attrs),
    TypeError,
    `${start}: got 3 inputs, its epilogue needs 7`,
  );
  const { forward: plain } = casesOf({ x: [1, 2, 4, 5], k: [3, 3, 3] }, {});
  const { epilogue: _, ...sliding } = plain.attrs;
  assertThrows(
    () => conv2d.infer([x, w, bias, scale], sliding),
    TypeError,
    `${start}: got 4 inputs, its epilogue needs 3`,
  );
});
