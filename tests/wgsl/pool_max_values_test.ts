import { assertEquals, assertThrows } from "@std/assert";
import { ShapeError } from "../../wgsl/errors.ts";
import type { DType, HostArray, Limits } from "../../wgsl/op.ts";
import { maxPool2d, type MaxPool2dAttrs } from "../../wgsl/pool/max_pool2d.ts";
import { maxPool2dValues } from "../../wgsl/pool/max_pool2d_values.ts";
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

/** Compares with the reference. Returns the variants that ran. */
function check(
  x: HostArray,
  attrs: MaxPool2dAttrs,
  limits: Partial<Limits> = {},
  variants?: string[],
): Promise<string[]> {
  return checkOp(maxPool2dValues, { inputs: [x], attrs, limits, variants });
}

for (const [name, attrs] of WINDOWS) {
  Deno.test(`max pooling ${name} without indices is its reference's`, async () => {
    for (const dtype of ["f32", "f16"] as DType[]) {
      await check(noise([2, 3, 9, 13], 1, dtype), attrs);
    }
  });
}

Deno.test("max pooling without indices is right for outputs a tile wide, one less, one more and a prime", async () => {
  for (const width of [1, 7, 8, 9, 17]) {
    const ran = await check(noise([1, 2, 2, 2 * width]), square(2));
    assertEquals(ran, ["tiled", "naive"]);
  }
});

Deno.test("max pooling without indices gives one output, the values of an example worked by hand", async () => {
  const x = host(
    [1, 2, 5, 3, 4, 0, 0, 6, 7, 7, 1, 1, 7, 7, 1, 2],
    [1, 1, 4, 4],
  );
  const given = { inputs: [x], attrs: square(2) };
  const results = [
    runReference(maxPool2dValues, given),
    await runVariant(maxPool2dValues, "tiled", given),
    await runVariant(maxPool2dValues, "naive", given),
  ];
  for (const outputs of results) {
    assertEquals(outputs.map(({ data }) => [...data]), [[4, 6, 7, 2]]);
  }
});

Deno.test("NaN wins in max pooling without indices, and minus infinity is a value like others", async () => {
  const inf = Infinity;
  const x = host(
    [1, NaN, 2, 3, NaN, 0, inf, -inf, -inf, -inf, 0, -0, -inf, -inf, -0, 0],
    [1, 1, 4, 4],
  );
  for (const attrs of [square(2), square(3, 1, 1), square(2, 2, 1)]) {
    await check(x, attrs);
  }
  for (const variant of ["tiled", "naive"]) {
    const [y] = await runVariant(maxPool2dValues, variant, {
      inputs: [x],
      attrs: square(2),
    });
    assertEquals([...y.data], [NaN, inf, -inf, 0]);
  }
});

Deno.test("a NaN anywhere in a window wins in max pooling without indices", async () => {
  for (let at = 0; at < 9; at++) {
    const x = noise([1, 1, 3, 3]);
    x.data[at] = NaN;
    for (const variant of ["tiled", "naive"]) {
      const given = { inputs: [x], attrs: square(3) };
      const [y] = await runVariant(maxPool2dValues, variant, given);
      assertEquals([...y.data], [NaN]);
    }
  }
});

Deno.test("tall tiles of max pooling hand each window's last row on, over bands of rows and with a NaN in any place", async () => {
  const windows = [
    square(3, 2),
    square(3, 2, 1),
    square(2, 1),
    square(2, 1, 1),
  ];
  const sizes = [[5, 1], [9, 7], [10, 18], [67, 11], [140, 5]] as const;
  for (const attrs of windows) {
    for (const [height, width] of sizes) {
      if (Math.min(height, width) < attrs.kernel[0]) continue;
      const ran = await check(noise([1, 2, height, width]), attrs);
      assertEquals(ran, ["tall", "tiled", "naive"]);
    }
    const ceiled = { ...attrs, ceilMode: true };
    await check(noise([1, 2, 8, 12]), ceiled, {}, ["tall"]);
    for (let at = 0; at < 25; at++) {
      const x = noise([1, 1, 5, 5], at);
      x.data[at] = NaN;
      await check(x, attrs, {}, ["tall"]);
    }
  }
  const given = { inputs: [noise([2, 3, 9, 13])], attrs: square(3, 2, 1) };
  const [want] = await runVariant(maxPool2dValues, "naive", given);
  assertEquals(await runVariant(maxPool2dValues, "tall", given), [want]);
});

Deno.test("max pooling gives the same bits with and without indices", async () => {
  const given = { inputs: [noise([2, 3, 9, 13])], attrs: square(3, 2, 1) };
  for (const variant of ["tiled", "naive"]) {
    const [want] = await runVariant(maxPool2d, variant, given);
    const [got] = await runVariant(maxPool2dValues, variant, given);
    assertEquals(got, want);
  }
});

Deno.test("a dilated window without any element gives minus infinity without indices too", async () => {
  const x = host([5], [1, 1, 1, 1]);
  const given = { inputs: [x], attrs: square(2, 1, 1, 2) };
  const [y] = runReference(maxPool2dValues, given);
  assertEquals([...y.data], [-Infinity]);
  assertEquals(await check(x, given.attrs), ["naive"]);
});

Deno.test("max pooling without indices cuts planes into launches where a binding is small", async () => {
  const x = noise([3, 5, 256, 256]);
  const limits = { maxStorageBufferBindingSize: 2 ** 20 };
  const attrs = square(2);
  const request = {
    inputs: [contiguousView(x)],
    outputs: maxPool2dValues.infer([x], attrs).map(contiguousView),
    attrs,
    limits: { ...PORTABLE_LIMITS, ...limits },
  };
  for (const { plan } of maxPool2dValues.variants) {
    assertEquals(plan(request).launches.length, 4);
  }
  await check(x, attrs, limits);
  await check(noise([7, 150, 31, 29], 1, "f16"), square(3, 2, 1), limits);
});

Deno.test("max pooling without indices takes passes over a window that has more elements than a loop has trips", async () => {
  const x = noise([1, 2, 7, 9]);
  await check(x, square(5, 1, 2), { maxLoopTrips: 13 }, ["naive"]);
  await check(x, square(3, 1, 1), { maxLoopTrips: 3 }, ["naive"]);
  // Rows of a window that are longer and shorter than its columns.
  for (const kernel of [[3, 7], [7, 3]] as const) {
    const attrs = { ...square(1), kernel };
    for (const maxLoopTrips of [9, 17]) {
      await check(x, attrs, { maxLoopTrips }, ["naive"]);
    }
  }
  const nan = host([1, NaN, 3, 4, 5, 6, 7, 8, 9], [1, 1, 3, 3]);
  await check(nan, square(3), { maxLoopTrips: 3 }, ["naive"]);
});

Deno.test("max pooling without indices folds more workgroups than a dimension holds into two", async () => {
  const limits = { maxComputeWorkgroupsPerDimension: 5 };
  await check(noise([4, 7, 7, 6]), square(2), limits);
});

Deno.test("max pooling an empty batch or no channels without indices launches nothing", async () => {
  for (const shape of [[0, 3, 8, 8], [2, 0, 8, 8]]) {
    await check(host([], shape), square(2));
  }
});

Deno.test("max pooling without indices refuses what max pooling refuses", () => {
  assertThrows(
    () =>
      maxPool2dValues.infer([{ shape: [3, 8, 8], dtype: "f32" }], square(2)),
    ShapeError,
    "Cannot pool [3, 8, 8]: expected 4 axes [batch, channels, height, width] but found 3; unsqueeze(0) makes one image a batch, [1, 3, 8, 8]",
  );
});
