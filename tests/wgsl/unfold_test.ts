import { assertEquals } from "@std/assert";
import { DTypeError, ShapeError } from "../../wgsl/errors.ts";
import type { DType, HostArray } from "../../wgsl/op.ts";
import type { Pair } from "../../wgsl/pool/window.ts";
import { fold, unfold, type UnfoldAttrs } from "../../wgsl/unfold/unfold.ts";
import { assertFails } from "../support/errors.ts";
import { checkOp, host, noise, runReference } from "../support/plan.ts";

/** A window with the same numbers along both axes. */
function square(
  kernel: number,
  options: Partial<Record<"stride" | "padding" | "dilation", number>> = {},
): UnfoldAttrs {
  const { stride = 1, padding = 0, dilation = 1 } = options;
  return {
    kernel: [kernel, kernel],
    stride: [stride, stride],
    padding: [padding, padding],
    dilation: [dilation, dilation],
  };
}

/** Unfolds x by every variant, and folds other columns of that shape. */
async function checkBoth(
  x: HostArray,
  attrs: UnfoldAttrs,
  limits = {},
): Promise<void> {
  const size: Pair = [x.shape[2], x.shape[3]];
  assertEquals(await checkOp(unfold, { limits, inputs: [x], attrs }), [
    "tiled",
    "naive",
  ]);
  const [{ shape }] = unfold.infer([x], attrs);
  await checkOp(fold, {
    limits,
    inputs: [noise(shape, 2, x.dtype)],
    attrs: { ...attrs, size },
    length: attrs.kernel[0] * attrs.kernel[1],
  });
}

const WINDOWS: readonly [string, UnfoldAttrs][] = [
  ["of one cell", square(1)],
  ["3 x 3 with padding 1", square(3, { padding: 1 })],
  ["3 x 3 with stride 2", square(3, { stride: 2, padding: 1 })],
  ["2 x 2 that skips", square(2, { stride: 3 })],
  ["3 x 3 with dilation 2", square(3, { dilation: 2, padding: 2 })],
  ["with more padding than kernel", square(2, { padding: 4, stride: 3 })],
  ["with other numbers each way", {
    kernel: [3, 2],
    stride: [1, 2],
    padding: [2, 1],
    dilation: [2, 3],
  }],
];

for (const [title, attrs] of WINDOWS) {
  Deno.test(`unfolding and folding a window ${title} are their references'`, async () => {
    for (const dtype of ["f32", "f16"] as DType[]) {
      await checkBoth(noise([2, 3, 9, 13], 1, dtype), attrs);
    }
  });
}

Deno.test("unfolding is right for rows a tile wide, one less, one more and a prime", async () => {
  for (const width of [1, 7, 8, 9, 17]) {
    await checkBoth(noise([1, 2, 3, width]), square(3, { padding: 1 }));
  }
});

Deno.test("unfolding and folding keep to small bindings, grids and trips", async () => {
  const limits = {
    maxStorageBufferBindingSize: 2 ** 20,
    maxComputeWorkgroupsPerDimension: 100,
    maxLoopTrips: 8,
  };
  await checkBoth(noise([2, 5, 160, 150]), square(3, { padding: 1 }), limits);
  await checkOp(fold, {
    inputs: [noise([1, 12, 4])],
    attrs: { ...square(2), size: [3, 3] },
    // One element a pass.
    limits: { maxLoopTrips: 2 },
    length: 4,
  });
  const wide = { ...square(1), kernel: [1, 19] as const };
  await checkBoth(noise([1, 2, 3, 23]), wide, limits);
});

Deno.test("unfolding and folding an empty batch or no channels launches nothing", async () => {
  for (const shape of [[0, 3, 4, 4], [2, 0, 4, 4]]) {
    await checkBoth(host([], shape), square(2));
  }
});

Deno.test("a plane unfolds and folds as worked by hand", () => {
  const x = host([1, 2, 3, 4, 5, 6], [1, 1, 2, 3], "f64");
  const columns = (attrs: UnfoldAttrs) => {
    const [{ shape, data }] = runReference(unfold, { inputs: [x], attrs });
    return [shape, [...data]];
  };
  assertEquals(columns(square(2)), [[1, 4, 2], [1, 2, 2, 3, 4, 5, 5, 6]]);
  assertEquals(columns(square(2, { stride: 3, padding: 1 })), [
    [1, 4, 2],
    [0, 0, 0, 0, 0, 3, 1, 0],
  ]);
  const attrs = { ...square(2), size: [2, 3] as const };
  const [back] = runReference(fold, {
    inputs: [host([1, 2, 2, 3, 4, 5, 5, 6], [1, 4, 2], "f64")],
    attrs,
  });
  assertEquals(back.shape, [1, 1, 2, 3]);
  assertEquals([...back.data], [1, 4, 3, 4, 10, 6]);
});

Deno.test("unfolding copies NaN and infinity, and reads no others' for the padding", async () => {
  const x = host([NaN, 1, Infinity, NaN], [1, 1, 2, 2]);
  await checkOp(unfold, { inputs: [x], attrs: square(2, { padding: 1 }) });
});

Deno.test("unfolding and folding refuse what doesn't fit, and say what would", () => {
  const infer =
    (shape: number[], attrs: UnfoldAttrs, dtype: DType = "f32") => () =>
      unfold.infer([{ shape, dtype }], attrs);
  assertFails(
    infer([3, 8, 8], square(2)),
    ShapeError,
    "Cannot unfold [3, 8, 8]: expected 4 axes [batch, channels, height, width], the last two not empty",
  );
  assertFails(
    infer([1, 3, 8, 0], square(2)),
    ShapeError,
    "Cannot unfold [1, 3, 8, 0]: expected 4 axes [batch, channels, height, width], the last two not empty",
  );
  assertFails(
    infer([1, 3, 8, 3], square(4)),
    ShapeError,
    "Cannot unfold planes of 8 x 3 with a 4 x 4 kernel: floor((3 + 2*0 - 1*(4 - 1) - 1) / 1) + 1 = 0 places across",
  );
  assertFails(
    infer([1, 3, 8, 8], square(2, { stride: 0 })),
    ShapeError,
    "Cannot unfold with stride [0, 0]: expected two positive integers",
  );
  assertFails(
    infer([1, 3, 8, 8], square(2, { padding: -1 })),
    ShapeError,
    "Cannot unfold with padding [-1, -1]: expected two integers that are not negative",
  );
  assertFails(
    infer([1, 3, 8, 8], square(2), "i32"),
    DTypeError,
    "Cannot unfold i32: expected one of f32, f16, f64",
  );
  assertFails(
    () =>
      fold.infer([{ shape: [1, 8, 5], dtype: "f32" }], {
        ...square(2),
        size: [3, 3],
      }),
    ShapeError,
    "Cannot fold [1, 8, 5] into planes of 3 x 3: expected [batch, channels*4, 4] for a 2 x 2 kernel in 2 x 2 places",
  );
});
