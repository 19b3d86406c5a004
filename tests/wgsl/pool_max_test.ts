import { assertEquals, assertThrows } from "@std/assert";
import { DTypeError, ShapeError } from "../../wgsl/errors.ts";
import type { DType, HostArray } from "../../wgsl/op.ts";
import {
  maxPool2d,
  type MaxPool2dAttrs,
  maxPool2dBackward,
  maxPool2dGather,
} from "../../wgsl/pool/max_pool2d.ts";
import type { Pair } from "../../wgsl/pool/window.ts";
import { contiguousView } from "../../wgsl/shape.ts";
import {
  checkOp,
  host,
  noise,
  PORTABLE_LIMITS,
  runReference,
  runVariant,
} from "../support/plan.ts";
import { square, WINDOWS } from "../support/pool_windows.ts";

/** Forward, backward and gather on one input. Returns the variants that ran, by op. */
async function checkAll(
  x: HostArray,
  attrs: MaxPool2dAttrs,
  limits = {},
  variants?: string[],
): Promise<string[][]> {
  const forward = await checkOp(maxPool2d, {
    inputs: [x],
    attrs,
    limits,
    variants,
  });
  const [y, indices] = runReference(maxPool2d, { inputs: [x], attrs });
  const inputSize: Pair = [x.shape[2], x.shape[3]];
  const back = { attrs: { ...attrs, inputSize }, limits, variants };
  const dy = noise(y.shape, 2, x.dtype);
  const length = attrs.kernel[0] * attrs.kernel[1];
  return [
    forward,
    await checkOp(maxPool2dBackward, {
      ...back,
      inputs: [dy, indices],
      length,
    }),
    await checkOp(maxPool2dGather, {
      ...back,
      inputs: [x, indices],
      variants: undefined,
    }),
  ];
}

for (const [name, attrs] of WINDOWS) {
  Deno.test(`max pooling ${name} is its reference's, forward and back`, async () => {
    for (const dtype of ["f32", "f16"] as DType[]) {
      await checkAll(noise([2, 3, 9, 13], 1, dtype), attrs);
    }
  });
}

Deno.test("max pooling is right for outputs a tile wide, one less, one more and a prime", async () => {
  for (const width of [1, 7, 8, 9, 17]) {
    const ran = await checkAll(noise([1, 2, 2, 2 * width]), square(2));
    const variants = width % 2 === 0
      ? ["pairs", "tiled", "naive"]
      : ["tiled", "naive"];
    assertEquals(ran, [variants, variants, ["naive"]]);
  }
});

Deno.test("max pooling by pairs of windows is its reference's for 1 to 9 vectors, in halves and with ties", async () => {
  for (const width of [4, 8, 12, 36]) {
    for (const dtype of ["f32", "f16"] as DType[]) {
      const x = noise([2, 3, 6, width], 1, dtype);
      x.data.forEach((v, i) => x.data[i] = i % 3 === 0 ? 0 : Math.round(v * 2));
      await checkAll(x, square(2), {}, ["pairs"]);
    }
  }
  await checkAll(noise([3, 5, 4, 8]), square(2), {
    maxComputeWorkgroupsPerDimension: 2,
  }, ["pairs"]);
});

Deno.test("max pooling gives PyTorch's values and flat indices for an example worked by hand", () => {
  const x = host(
    [1, 2, 5, 3, 4, 0, 0, 6, 7, 7, 1, 1, 7, 7, 1, 2],
    [1, 1, 4, 4],
  );
  const attrs = square(2);
  const [y, indices] = runReference(maxPool2d, { inputs: [x], attrs });
  assertEquals([...y.data], [4, 6, 7, 2]);
  assertEquals([...indices.data], [4, 7, 8, 15]);
  const dy = host([10, 20, 30, 40], [1, 1, 2, 2]);
  const [dx] = runReference(maxPool2dBackward, {
    inputs: [dy, indices],
    attrs: { ...attrs, inputSize: [4, 4] },
  });
  assertEquals(
    [...dx.data],
    [0, 0, 0, 0, 10, 0, 0, 20, 30, 0, 0, 0, 0, 0, 0, 40],
  );
});

Deno.test("windows that overlap add up in max pooling's gradient", async () => {
  const x = host([0, 9, 0, 0, 0, 0, 0, 8, 0], [1, 1, 3, 3]);
  const attrs = square(2, 1);
  const [, indices] = runReference(maxPool2d, { inputs: [x], attrs });
  assertEquals([...indices.data], [1, 1, 7, 7]);
  const back = {
    inputs: [host([1, 2, 4, 8], [1, 1, 2, 2]), indices],
    attrs: { ...attrs, inputSize: [3, 3] as const },
  };
  for (const variant of ["tiled", "naive"]) {
    const [dx] = await runVariant(maxPool2dBackward, variant, back);
    assertEquals([...dx.data], [0, 3, 0, 0, 0, 0, 0, 12, 0]);
  }
});

Deno.test("elements beside the last window take nothing from the windows of the next row or plane", async () => {
  // Each plane has one window; its largest element would be in a second one below and beside it.
  const x = noise([2, 3, 9, 13]);
  for (let plane = 0; plane < 6; plane++) x.data[(plane * 9 + 6) * 13 + 7] = 9;
  await checkAll(x, { ...square(7, 6), kernel: [7, 8] });
});

Deno.test("max pooling drops a last window that would start in the padding in ceil mode", () => {
  const shapes = [[5, 2, 3, 0], [4, 2, 2, 1], [6, 3, 2, 1], [1, 2, 2, 1]];
  const lengths = shapes.map(([n, kernel, stride, padding]) => {
    const attrs = square(kernel, stride, padding, 1, true);
    const meta = { shape: [1, 1, n, n], dtype: "f32" as const };
    return maxPool2d.infer([meta], attrs)[0].shape[2];
  });
  assertEquals(lengths, [2, 3, 4, 1]);
});

Deno.test("NaN wins in max pooling, the last of several, and minus infinity is a value like others", async () => {
  const inf = Infinity;
  const x = host(
    [1, NaN, 2, 3, NaN, 0, inf, -inf, -inf, -inf, 0, -0, -inf, -inf, -0, 0],
    [1, 1, 4, 4],
  );
  for (const attrs of [square(2), square(3, 1, 1), square(2, 2, 1)]) {
    await checkAll(x, attrs);
  }
  for (const variant of ["pairs", "tiled", "naive"]) {
    const [y, indices] = await runVariant(maxPool2d, variant, {
      inputs: [x],
      attrs: square(2),
    });
    assertEquals([...y.data], [NaN, inf, -inf, 0]);
    assertEquals([...indices.data], [4, 6, 8, 10]);
  }
});

Deno.test("a dilated window without any element gives minus infinity, index -1 and no gradient", async () => {
  const x = host([5], [1, 1, 1, 1]);
  const attrs = square(2, 1, 1, 2);
  const [y, indices] = runReference(maxPool2d, { inputs: [x], attrs });
  assertEquals([y.data[0], indices.data[0]], [-Infinity, -1]);
  assertEquals(await checkAll(x, attrs), [["naive"], ["naive"], ["naive"]]);
});

Deno.test("max pooling cuts planes into launches where a binding is small", async () => {
  const x = noise([3, 5, 256, 256]);
  const limits = { maxStorageBufferBindingSize: 2 ** 20 };
  const attrs = square(2);
  const request = {
    inputs: [contiguousView(x)],
    outputs: maxPool2d.infer([x], attrs).map(contiguousView),
    attrs,
    limits: { ...PORTABLE_LIMITS, ...limits },
  };
  for (const { plan } of maxPool2d.variants) {
    assertEquals(plan(request).launches.length, 4);
  }
  await checkAll(x, attrs, limits);
  await checkAll(noise([7, 150, 31, 29], 1, "f16"), square(3, 2, 1), limits);
});

Deno.test("max pooling takes passes over a window that has more elements than a loop has trips", async () => {
  const x = noise([1, 2, 7, 9]);
  await checkAll(x, square(5, 1, 2), { maxLoopTrips: 13 }, ["naive"]);
  await checkAll(x, square(3, 1, 1), { maxLoopTrips: 3 }, ["naive"]);
  // Rows of a window that are longer and shorter than its columns.
  for (const kernel of [[3, 7], [7, 3]] as const) {
    const attrs = { ...square(1), kernel };
    for (const maxLoopTrips of [9, 17]) {
      await checkAll(x, attrs, { maxLoopTrips }, ["naive"]);
    }
  }
});

Deno.test("max pooling folds more workgroups than a dimension holds into two", async () => {
  const limits = { maxComputeWorkgroupsPerDimension: 5 };
  await checkAll(noise([4, 7, 7, 6]), square(2), limits);
});

Deno.test("max pooling an empty batch or no channels launches nothing", async () => {
  for (const shape of [[0, 3, 8, 8], [2, 0, 8, 8]]) {
    await checkAll(host([], shape), square(2));
  }
});

function inferError(
  shape: number[],
  attrs: MaxPool2dAttrs,
  dtype: DType = "f32",
): string {
  return assertThrows(() => maxPool2d.infer([{ shape, dtype }], attrs)).message;
}

Deno.test("max pooling refuses shapes and windows that don't fit, and says what would", () => {
  assertThrows(
    () => maxPool2d.infer([{ shape: [2], dtype: "f32" }], square(2)),
    ShapeError,
    "Cannot pool [2]: expected 4 axes [batch, channels, height, width] but found 1",
  );
  assertEquals(
    inferError([3, 8, 8], square(2)),
    "Cannot pool [3, 8, 8]: expected 4 axes [batch, channels, height, width] but found 3; unsqueeze(0) makes one image a batch, [1, 3, 8, 8]",
  );
  assertEquals(
    inferError([1, 6, 2, 2], square(3)),
    "Cannot pool [1, 6, 2, 2] with a 3 x 3 kernel: output height floor((2 + 2*0 - 1*(3 - 1) - 1) / 3) + 1 = 0 is not positive",
  );
  assertEquals(
    inferError([1, 6, 9, 1], square(3, 2, 0, 2, true)),
    "Cannot pool [1, 6, 9, 1] with a 3 x 3 kernel: output width ceil((1 + 2*0 - 2*(3 - 1) - 1) / 2) + 1 = -1 is not positive",
  );
  assertEquals(
    inferError([1, 6, 0, 2], square(2, 2, 1)),
    "Cannot pool [1, 6, 0, 2]: its height is 0",
  );
  assertEquals(
    inferError([1, 6, 9, 9], square(3, 2, 2)),
    "Cannot pool with a 3 x 3 kernel and padding [2, 2]: padding can be at most half the kernel, [1, 1]",
  );
  assertEquals(
    inferError([1, 6, 9, 9], square(3, 0)),
    "Cannot pool with stride [0, 0]: expected two positive integers",
  );
  assertEquals(
    inferError([1, 6, 9, 9], square(3, 1, -1)),
    "Cannot pool with padding [-1, -1]: expected two integers that are not negative",
  );
  assertThrows(
    () => maxPool2d.infer([{ shape: [1, 1, 4, 4], dtype: "i32" }], square(2)),
    DTypeError,
    "Cannot pool i32: expected one of f32, f16, f64",
  );
});

Deno.test("going back through max pooling refuses operands that are not the forward pass's", () => {
  const attrs = { ...square(2), inputSize: [8, 8] as const };
  const dy = { shape: [1, 2, 4, 4], dtype: "f32" as const };
  const indices = { shape: [1, 2, 4, 4], dtype: "i32" as const };
  const message = (run: () => unknown) => assertThrows(run).message;
  assertEquals(
    message(() =>
      maxPool2dBackward.infer([{ ...dy, shape: [1, 2, 3, 4] }, indices], attrs)
    ),
    "Cannot go back through max pooling: expected a gradient [1, 2, 4, 4] but found [1, 2, 3, 4]",
  );
  assertEquals(
    message(() =>
      maxPool2dBackward.infer([dy, { ...indices, shape: [1, 2, 4] }], attrs)
    ),
    "Cannot go back through max pooling: expected indices [1, 2, 4, 4] but found [1, 2, 4]",
  );
  assertEquals(
    message(() => maxPool2dBackward.infer([dy, dy], attrs)),
    "Cannot pool by f32 indices: expected i32",
  );
  assertEquals(
    message(() =>
      maxPool2dGather.infer([{ ...dy, shape: [1, 2, 7, 8] }, indices], attrs)
    ),
    "Cannot gather by max pooling's indices: expected values [1, 2, 8, 8] but found [1, 2, 7, 8]",
  );
});
