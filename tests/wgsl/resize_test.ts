import { assertEquals } from "@std/assert";
import { DTypeError, ShapeError } from "../../wgsl/errors.ts";
import type { DType, HostArray } from "../../wgsl/op.ts";
import {
  resize,
  type ResizeAttrs,
  resizeBackward,
  type ResizeMode,
} from "../../wgsl/resize/resize.ts";
import { assertFails } from "../support/errors.ts";
import { checkOp, host, noise, runReference } from "../support/plan.ts";

const MODES: readonly ResizeMode[] = ["nearest", "linear", "corners"];

/** Forward and backward. */
async function checkBoth(
  x: HostArray,
  attrs: ResizeAttrs,
  limits = {},
): Promise<void> {
  const length = x.shape.at(attrs.axis) ?? 1;
  // Places are off by some 2⁻²³ of the axis's length, and so are weights.
  const shared = { limits, length: (3 * Math.max(length, attrs.size)) ** 2 };
  assertEquals(await checkOp(resize, { ...shared, inputs: [x], attrs }), [
    "tiled",
    "naive",
  ]);
  const [dy] = resize.infer([x], attrs);
  await checkOp(resizeBackward, {
    ...shared,
    inputs: [noise(dy.shape, 2, x.dtype)],
    attrs: { ...attrs, length },
  });
}

for (const mode of MODES) {
  Deno.test(`resizing by mode "${mode}" is its reference's along each axis, forward and back`, async () => {
    for (const [from, to] of [[1, 1], [1, 5], [5, 1], [7, 7], [5, 13]]) {
      for (const axis of [0, 1, -1]) {
        const x = noise([3, 2, 4].with(axis, from));
        await checkBoth(x, { axis, size: to, mode });
      }
    }
    for (const [from, to] of [[13, 5], [64, 65], [20, 61], [61, 20]]) {
      const attrs: ResizeAttrs = { axis: 1, size: to, mode };
      await checkBoth(noise([2, from, 3]), attrs);
      await checkBoth(noise([2, from, 3], 1, "f16"), attrs);
    }
  });

  Deno.test(`resizing by mode "${mode}" with a factor is its reference's, forward and back`, async () => {
    for (const [from, factor] of [[7, 1.9], [7, 2.05], [13, 0.35], [5, 1.1]]) {
      const size = Math.floor(from * factor);
      await checkBoth(noise([2, from, 3]), { axis: 1, size, mode, factor });
    }
  });

  Deno.test(`resizing by mode "${mode}" keeps to small bindings, grids and trips`, async () => {
    const limits = {
      maxStorageBufferBindingSize: 2 ** 20,
      maxComputeWorkgroupsPerDimension: 100,
      maxLoopTrips: 9,
    };
    await checkBoth(noise([5, 64, 61]), { axis: 1, size: 400, mode }, limits);
    await checkBoth(
      noise([2, 300, 1000]),
      { axis: -1, size: 60, mode },
      limits,
    );
    await checkBoth(noise([3, 1]), { axis: 1, size: 50, mode }, limits);
    const [dy] = resize.infer([noise([3, 4])], { axis: 1, size: 9, mode });
    await checkOp(resizeBackward, {
      inputs: [noise(dy.shape)],
      attrs: { axis: 1, size: 9, mode, length: 4 },
      // One output a pass.
      limits: { maxLoopTrips: 2 },
      length: 100,
    });
  });
}

Deno.test("resizing a long axis to the nearest misses no element on the way back", async () => {
  const inputs = [noise([1, 50021])];
  for (const size of [30011, 70001, 100042]) {
    const attrs = { axis: 1, size, mode: "nearest" } as const;
    await checkOp(resize, { inputs, attrs });
    await checkOp(resizeBackward, {
      inputs: [noise([1, size])],
      attrs: { ...attrs, length: 50021 },
      length: 4,
    });
  }
});

Deno.test("resizing is right for rows a tile long, one less, one more and a prime", async () => {
  for (const size of [1, 7, 8, 9, 17]) {
    for (const mode of MODES) {
      await checkBoth(noise([3, 5]), { axis: 1, size, mode });
    }
  }
});

function row(values: number[], attrs: Omit<ResizeAttrs, "axis">): number[] {
  const x = host(values, [values.length], "f64");
  return [
    ...runReference(resize, { inputs: [x], attrs: { axis: 0, ...attrs } })[0]
      .data,
  ];
}

Deno.test("resizing a row, worked by hand", () => {
  assertEquals(row([1, 2, 3], { size: 6, mode: "nearest" }), [
    1,
    1,
    2,
    2,
    3,
    3,
  ]);
  assertEquals(row([1, 2, 3, 4, 5], { size: 3, mode: "nearest" }), [1, 2, 4]);
  assertEquals(row([0, 4], { size: 4, mode: "linear" }), [0, 1, 3, 4]);
  assertEquals(row([0, 4], { size: 5, mode: "corners" }), [0, 1, 2, 3, 4]);
  assertEquals(row([0, 4], { size: 1, mode: "linear" }), [2]);
  assertEquals(row([0, 4], { size: 1, mode: "corners" }), [0]);
  assertEquals(row([0, 8, 4], { size: 2, mode: "linear" }), [2, 5]);
  const factor = 1.6;
  assertEquals(row([0, 8], { size: 3, mode: "linear", factor }), [0, 3.5, 8]);
});

Deno.test("resizing to the nearest copies NaN and infinity, and spreads them no further", async () => {
  const x = host([NaN, 1, Infinity, 2, -Infinity, 3], [6]);
  for (const size of [2, 6, 9, 13]) {
    await checkOp(resize, {
      inputs: [x],
      attrs: { axis: 0, size, mode: "nearest" },
    });
  }
});

Deno.test("resizing an empty batch launches nothing", async () => {
  for (const mode of MODES) {
    await checkBoth(host([], [0, 4, 3]), { axis: 1, size: 5, mode });
    await checkBoth(host([], [2, 4, 0]), { axis: 1, size: 5, mode });
  }
});

Deno.test("resizing refuses axes, sizes, factors and types that don't fit, and says what would", () => {
  const infer =
    (attrs: Partial<ResizeAttrs>, shape = [2, 3], dtype: DType = "f32") => () =>
      resize.infer([{ shape, dtype }], {
        axis: 1,
        size: 4,
        mode: "nearest",
        ...attrs,
      });
  assertFails(
    infer({ size: 0 }),
    ShapeError,
    "Cannot resize axis 1 of [2, 3] to 0: expected a positive integer",
  );
  assertFails(
    infer({ axis: 2 }),
    ShapeError,
    "Cannot resize along axis 2: expected an integer from -2 to 1 for a tensor of rank 2",
  );
  assertFails(
    infer({ factor: -1 }),
    ShapeError,
    "Cannot resize by a factor of -1: expected a positive number",
  );
  assertFails(
    infer({}, [2, 0]),
    ShapeError,
    "Cannot resize axis 1 of [2, 0]: it is empty",
  );
  assertFails(
    infer({}, [2, 3], "i32"),
    DTypeError,
    "Cannot resize i32: expected one of f32, f16, f64",
  );
  assertFails(
    () =>
      resizeBackward.infer([{ shape: [2, 5], dtype: "f32" }], {
        axis: 1,
        size: 4,
        mode: "linear",
        length: 3,
      }),
    ShapeError,
    "Cannot go back through resizing: expected a gradient [2, 4] but found [2, 5]",
  );
});
