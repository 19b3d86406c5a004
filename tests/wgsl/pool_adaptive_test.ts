import { assert, assertEquals } from "@std/assert";
import { LimitError, ShapeError } from "../../wgsl/errors.ts";
import type { DType, HostArray } from "../../wgsl/op.ts";
import {
  adaptiveAvgPool2d,
  adaptiveAvgPool2dBackward,
} from "../../wgsl/pool/adaptive_avg_pool2d.ts";
import {
  adaptiveMaxPool2d,
  adaptiveMaxPool2dBackward,
} from "../../wgsl/pool/adaptive_max_pool2d.ts";
import {
  adaptiveWindows,
  longestWindow,
} from "../../wgsl/pool/adaptive_window.ts";
import type { Pair } from "../../wgsl/pool/window.ts";
import { assertFails } from "../support/errors.ts";
import { checkOp, host, noise, runReference } from "../support/plan.ts";

/** Both poolings, forward and back. Returns the variants that ran, by op. */
async function checkAll(
  x: HostArray,
  size: Pair,
  limits = {},
  variants?: string[],
): Promise<string[][]> {
  const attrs = { size };
  const inputSize: Pair = [x.shape[2], x.shape[3]];
  const length = Math.ceil(inputSize[0] / size[0] + 1) *
    Math.ceil(inputSize[1] / size[1] + 1);
  const shared = { limits, variants, length };
  const [values, indices] = runReference(adaptiveMaxPool2d, {
    inputs: [x],
    attrs,
  });
  const dy = noise(values.shape, 2, x.dtype);
  return [
    await checkOp(adaptiveAvgPool2d, { ...shared, inputs: [x], attrs }),
    await checkOp(adaptiveAvgPool2dBackward, {
      ...shared,
      inputs: [dy],
      attrs: { inputSize },
    }),
    await checkOp(adaptiveMaxPool2d, { ...shared, inputs: [x], attrs }),
    await checkOp(adaptiveMaxPool2dBackward, {
      ...shared,
      inputs: [dy, indices],
      attrs: { inputSize },
    }),
  ];
}

const NAIVE = ["naive"];
const BOTH = ["even", "naive"];

Deno.test("adaptive pooling is its reference's for sizes that divide the input and others, forward and back", async () => {
  const sizes: [Pair, string[]][] = [
    [[1, 1], BOTH],
    [[3, 2], NAIVE],
    [[9, 13], BOTH],
    [[3, 13], BOTH],
    [[7, 5], NAIVE],
    [[1, 12], NAIVE],
    [[11, 1], NAIVE],
    [[18, 26], NAIVE],
    [[20, 17], NAIVE],
  ];
  for (const [size, variants] of sizes) {
    for (const dtype of ["f32", "f16"] as DType[]) {
      const ran = await checkAll(noise([2, 3, 9, 13], 1, dtype), size);
      assertEquals(ran, Array(4).fill(variants));
    }
  }
  await checkAll(noise([1, 1, 1, 1]), [1, 1]);
  await checkAll(noise([1, 1, 1, 1]), [2, 3]);
});

Deno.test("windows of adaptive pooling are PyTorch's, worked by hand", () => {
  const spans = (length: number, windows: number) =>
    adaptiveWindows(length, windows).map(({ start, end }) => [start, end]);
  assertEquals(spans(6, 3), [[0, 2], [2, 4], [4, 6]]);
  assertEquals(spans(5, 3), [[0, 2], [1, 4], [3, 5]]);
  assertEquals(spans(10, 7), [
    [0, 2],
    [1, 3],
    [2, 5],
    [4, 6],
    [5, 8],
    [7, 9],
    [8, 10],
  ]);
  assertEquals(spans(2, 5), [[0, 1], [0, 1], [0, 2], [1, 2], [1, 2]]);
});

Deno.test("no window of adaptive pooling is longer than the trips that are counted for it", () => {
  for (let length = 1; length < 40; length++) {
    for (let windows = 1; windows < 40; windows++) {
      const lengths = adaptiveWindows(length, windows)
        .map(({ start, end }) => end - start);
      const most = longestWindow(length, windows);
      assert(Math.max(...lengths) <= most, `${length} over ${windows}`);
      // Exact where all windows are alike.
      if (length % windows === 0) assertEquals(most, length / windows);
    }
  }
});

Deno.test("adaptive pooling of a row, worked by hand", () => {
  const x = host([1, 5, 3, 2, 4], [1, 1, 1, 5], "f64");
  const attrs = { size: [1, 3] as const };
  const [mean] = runReference(adaptiveAvgPool2d, { inputs: [x], attrs });
  assertEquals([...mean.data], [3, 10 / 3, 3]);
  const [most, at] = runReference(adaptiveMaxPool2d, { inputs: [x], attrs });
  assertEquals([...most.data], [5, 5, 4]);
  assertEquals([...at.data], [1, 1, 4]);
  const dy = host([6, 12, 18], [1, 1, 1, 3], "f64");
  const back = { inputSize: [1, 5] as const };
  const [meanDx] = runReference(adaptiveAvgPool2dBackward, {
    inputs: [dy],
    attrs: back,
  });
  assertEquals([...meanDx.data], [3, 7, 4, 13, 9]);
  const [mostDx] = runReference(adaptiveMaxPool2dBackward, {
    inputs: [dy, at],
    attrs: back,
  });
  assertEquals([...mostDx.data], [0, 18, 0, 0, 18]);
});

Deno.test("adaptive pooling lets NaN and infinity through to the windows that hold them, and takes the first of equals", async () => {
  const x = noise([1, 2, 6, 7]);
  x.data[0] = NaN;
  x.data[9] = NaN;
  x.data[21] = Infinity;
  x.data[40] = -Infinity;
  await checkAll(x, [4, 3]);
  await checkAll(x, [3, 7]);
  await checkAll(host(Array(42).fill(-Infinity), [1, 1, 6, 7]), [4, 3]);
  await checkAll(host(Array(42).fill(2), [1, 1, 6, 7]), [4, 3]);
});

Deno.test("adaptive pooling takes passes over windows that have more elements than a loop has trips", async () => {
  const x = noise([1, 2, 17, 13]);
  x.data[100] = NaN;
  await checkAll(x, [2, 3], { maxLoopTrips: 14 }, NAIVE);
  await checkAll(x, [2, 3], { maxLoopTrips: 4 }, NAIVE);
  await checkAll(noise([1, 2, 2, 3]), [17, 13], { maxLoopTrips: 5 }, NAIVE);
  // Passes of whole rows, which are not as long as columns.
  await checkAll(noise([1, 2, 3, 40]), [2, 2], { maxLoopTrips: 25 }, NAIVE);
  await checkAll(noise([1, 2, 40, 3]), [2, 2], { maxLoopTrips: 25 }, NAIVE);
  // One element a pass.
  await checkAll(noise([1, 2, 5, 3]), [2, 2], { maxLoopTrips: 2 }, NAIVE);
  await checkAll(noise([1, 2, 2, 2]), [5, 3], { maxLoopTrips: 2 }, NAIVE);
  await checkAll(noise([1, 1, 300, 250]), [1, 1]);
});

Deno.test("adaptive pooling cuts planes into launches where a binding or a grid is small", async () => {
  const limits = {
    maxStorageBufferBindingSize: 2 ** 20,
    maxComputeWorkgroupsPerDimension: 100,
  };
  await checkAll(noise([2, 3, 256, 256]), [51, 50], limits);
  await checkAll(noise([7, 150, 31, 29], 1, "f16"), [7, 4], limits);
});

Deno.test("adaptive pooling an empty batch or no channels launches nothing", async () => {
  for (const shape of [[0, 3, 8, 8], [2, 0, 8, 8]]) {
    await checkAll(host([], shape), [3, 2]);
  }
});

Deno.test("adaptive pooling refuses shapes, sizes and types that don't fit, and says what would", () => {
  const infer = (shape: number[], size: Pair, dtype: DType = "f32") => () =>
    adaptiveAvgPool2d.infer([{ shape, dtype }], { size });
  assertFails(
    infer([3, 8, 8], [2, 2]),
    ShapeError,
    "Cannot pool [3, 8, 8]: expected 4 axes [batch, channels, height, width] but found 3; unsqueeze(0) makes one image a batch, [1, 3, 8, 8]",
  );
  assertFails(
    infer([1, 3, 0, 8], [2, 2]),
    ShapeError,
    "Cannot pool [1, 3, 0, 8]: its height is 0",
  );
  assertFails(
    infer([1, 3, 8, 8], [0, 2.5]),
    ShapeError,
    "Cannot pool to [0, 2.5]: expected two positive integers",
  );
  assertFails(
    infer([1, 1, 100000, 1], [65536, 1]),
    LimitError,
    "Cannot pool 100000 positions to 65536: their product must stay below 4294967295",
  );
  assertEquals(
    assertFails(
      () =>
        adaptiveMaxPool2dBackward.infer([
          { shape: [1, 2, 4, 4], dtype: "f32" },
          { shape: [1, 2, 4, 5], dtype: "i32" },
        ], { inputSize: [8, 8] }),
      ShapeError,
      "Cannot go back through adaptive max pooling: expected indices [1, 2, 4, 4] but found [1, 2, 4, 5]",
    ).shapes,
    [[1, 2, 4, 5], [1, 2, 4, 4]],
  );
});
