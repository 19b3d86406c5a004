import { assertEquals, assertThrows } from "@std/assert";
import type { DType, HostArray } from "../../wgsl/op.ts";
import {
  avgPool2d,
  type AvgPool2dAttrs,
  avgPool2dBackward,
} from "../../wgsl/pool/avg_pool2d.ts";
import type { Pair } from "../../wgsl/pool/window.ts";
import {
  checkOp,
  host,
  noise,
  PORTABLE_LIMITS,
  runReference,
} from "../support/plan.ts";
import { contiguousView } from "../../wgsl/shape.ts";

/** Attributes with the same number along both axes. */
function square(
  kernel: number,
  stride = kernel,
  padding = 0,
  options: Partial<AvgPool2dAttrs> = {},
): AvgPool2dAttrs {
  const pair = (n: number): Pair => [n, n];
  return {
    kernel: pair(kernel),
    stride: pair(stride),
    padding: pair(padding),
    ceilMode: false,
    countIncludePad: true,
    ...options,
  };
}

const WINDOWS: readonly [string, AvgPool2dAttrs][] = [
  ["2 x 2, stride 2", square(2)],
  ["3 x 3, stride 2, padding 1 that counts", square(3, 2, 1)],
  [
    "3 x 3, stride 2, padding 1 that doesn't count, ceil mode",
    square(3, 2, 1, { countIncludePad: false, ceilMode: true }),
  ],
  [
    "4 x 4, stride 3, padding 2 that counts, ceil mode",
    square(4, 3, 2, { ceilMode: true }),
  ],
  ["3 x 3, stride 1, divisor -2.5", square(3, 1, 1, { divisor: -2.5 })],
  ["2 x 2, stride 3, which skips", square(2, 3)],
  [
    "8 x 8, too large for registers",
    square(8, 3, 4, { countIncludePad: false }),
  ],
  ["3 x 5, stride 1 x 2, padding 1 x 2", {
    kernel: [3, 5],
    stride: [1, 2],
    padding: [1, 2],
    ceilMode: true,
    countIncludePad: false,
  }],
];

/** Forward and backward on one input. Returns the variants that ran, by op. */
async function checkBoth(
  x: HostArray,
  attrs: AvgPool2dAttrs,
  limits = {},
  variants?: string[],
): Promise<string[][]> {
  const length = attrs.kernel[0] * attrs.kernel[1];
  const [y] = runReference(avgPool2d, { inputs: [x], attrs });
  const inputSize: Pair = [x.shape[2], x.shape[3]];
  const shared = { limits, variants, length };
  return [
    await checkOp(avgPool2d, { ...shared, inputs: [x], attrs }),
    await checkOp(avgPool2dBackward, {
      ...shared,
      inputs: [noise(y.shape, 2, x.dtype)],
      attrs: { ...attrs, inputSize },
    }),
  ];
}

for (const [name, attrs] of WINDOWS) {
  Deno.test(`average pooling ${name} is its reference's, forward and back`, async () => {
    for (const dtype of ["f32", "f16"] as DType[]) {
      await checkBoth(noise([2, 3, 9, 13], 1, dtype), attrs);
    }
  });
}

Deno.test("average pooling is right for outputs a tile wide, one less, one more and a prime", async () => {
  for (const width of [1, 7, 8, 9, 17]) {
    const ran = await checkBoth(noise([1, 2, 2, 2 * width]), square(2));
    assertEquals(ran, [["tiled", "naive"], ["tiled", "naive"]]);
  }
});

function average(values: number[], attrs: AvgPool2dAttrs): number[] {
  const n = Math.sqrt(values.length);
  const x = host(values, [1, 1, n, n], "f64");
  return [...runReference(avgPool2d, { inputs: [x], attrs })[0].data];
}

Deno.test("average pooling divides as PyTorch does, worked by hand", () => {
  const values = [1, 2, 3, 4, 5, 6, 7, 8, 9];
  assertEquals(average(values, square(2, 1)), [3, 4, 6, 7]);
  assertEquals(average(values, square(2, 2, 1)), [0.25, 1.25, 2.75, 7]);
  assertEquals(
    average(values, square(2, 2, 1, { countIncludePad: false })),
    [1, 2.5, 5.5, 7],
  );
  assertEquals(
    average(values, square(2, 2, 1, { divisor: 2 })),
    [0.5, 2.5, 5.5, 14],
  );
  // A last window that ceil mode adds counts the padding, not what lies beyond.
  const ceil = { ceilMode: true };
  assertEquals(average(values, square(2, 2, 0, ceil)), [3, 4.5, 7.5, 9]);
  assertEquals(average([6], square(3, 2, 1, ceil)), [6 / 9]);
  assertEquals(average([6, 6, 6, 6], square(3, 2, 1, ceil)), [
    24 / 9,
    12 / 6,
    12 / 6,
    6 / 4,
  ]);
});

Deno.test("average pooling's gradient shares each window among its elements", () => {
  const dy = host([4, 8, 12, 16], [1, 1, 2, 2]);
  const back = (attrs: AvgPool2dAttrs) => {
    const given = { ...attrs, inputSize: [3, 3] as const };
    const [dx] = runReference(avgPool2dBackward, {
      inputs: [dy],
      attrs: given,
    });
    return [...dx.data];
  };
  assertEquals(back(square(2, 1)), [1, 3, 2, 4, 10, 6, 3, 7, 4]);
  assertEquals(
    back(square(2, 2, 1, { countIncludePad: false })),
    [4, 4, 4, 6, 4, 4, 6, 4, 4],
  );
});

Deno.test("average pooling keeps NaN and infinity to the windows that hold them", async () => {
  const x = noise([1, 1, 6, 6]);
  x.data[0] = NaN;
  x.data[21] = Infinity;
  await checkBoth(x, square(2));
  await checkBoth(x, square(3, 1, 1));
});

Deno.test("average pooling cuts planes into launches where a binding is small", async () => {
  const x = noise([3, 5, 256, 256]);
  const limits = { maxStorageBufferBindingSize: 2 ** 20 };
  const attrs = square(2);
  const request = {
    inputs: [contiguousView(x)],
    outputs: avgPool2d.infer([x], attrs).map(contiguousView),
    attrs,
    limits: { ...PORTABLE_LIMITS, ...limits },
  };
  for (const { plan } of avgPool2d.variants) {
    assertEquals(plan(request).launches.length, 4);
  }
  await checkBoth(x, attrs, limits);
  await checkBoth(noise([7, 150, 31, 29], 1, "f16"), square(3, 2, 1), limits);
});

Deno.test("average pooling takes passes over a window that has more elements than a loop has trips", async () => {
  const x = noise([1, 2, 7, 9]);
  await checkBoth(x, square(5, 1, 2), { maxLoopTrips: 13 }, ["naive"]);
  await checkBoth(x, square(3, 1, 1), { maxLoopTrips: 3 }, ["naive"]);
  // Rows of a window that are longer and shorter than its columns.
  for (const kernel of [[3, 7], [7, 3]] as const) {
    const attrs = { ...square(1), kernel };
    for (const maxLoopTrips of [9, 17]) {
      await checkBoth(x, attrs, { maxLoopTrips }, ["naive"]);
    }
  }
});

Deno.test("average pooling of a whole large plane keeps to the trip limit", async () => {
  const x = noise([1, 1, 300, 250]);
  const attrs = { ...square(1), kernel: [300, 250] as const };
  assertEquals(await checkBoth(x, attrs), [["naive"], ["naive"]]);
});

Deno.test("average pooling folds more workgroups than a dimension holds into two", async () => {
  const limits = { maxComputeWorkgroupsPerDimension: 5 };
  await checkBoth(noise([4, 7, 7, 6]), square(2), limits);
});

Deno.test("average pooling an empty batch or no channels launches nothing", async () => {
  for (const shape of [[0, 3, 8, 8], [2, 0, 8, 8]]) {
    await checkBoth(host([], shape), square(2));
  }
});

Deno.test("average pooling refuses shapes, windows and divisors that don't fit, and says what would", () => {
  const message = (
    shape: number[],
    attrs: AvgPool2dAttrs,
    dtype: DType = "f32",
  ) => assertThrows(() => avgPool2d.infer([{ shape, dtype }], attrs)).message;
  assertEquals(
    message([1, 16, 2, 4], square(3, 2)),
    "Cannot pool [1, 16, 2, 4] with a 3 x 3 kernel: output height floor((2 + 2*0 - 1*(3 - 1) - 1) / 2) + 1 = 0 is not positive",
  );
  assertEquals(
    message([1, 16, 4, 4], square(2, 2, 0, { divisor: 0 })),
    "Cannot pool with divisor 0: expected a finite number other than 0",
  );
  assertEquals(
    message([1, 16, 4, 4], square(2), "bool"),
    "Cannot pool bool: expected one of f32, f16, f64",
  );
  assertEquals(
    assertThrows(() =>
      avgPool2dBackward.infer([{ shape: [1, 2, 4, 4], dtype: "f32" }], {
        ...square(2),
        inputSize: [10, 8],
      })
    ).message,
    "Cannot go back through average pooling: expected a gradient [1, 2, 5, 4] but found [1, 2, 4, 4]",
  );
});

Deno.test("the gradient of large windows that don't overlap goes back by whole blocks, over what they skip too", async () => {
  const windows = [
    [square(7), 7],
    [square(7), 15],
    [square(5, 6), 13],
    [square(5, 7, 2), 19],
  ] as const;
  for (const [attrs, size] of windows) {
    const inputSize: Pair = [size, size];
    const [{ shape }] = avgPool2d.infer(
      [{ shape: [2, 3, size, size], dtype: "f32" }],
      attrs,
    );
    const ran = await checkOp(avgPool2dBackward, {
      inputs: [noise(shape)],
      attrs: { ...attrs, inputSize },
    });
    assertEquals(ran, ["tiled", "naive"]);
  }
});
