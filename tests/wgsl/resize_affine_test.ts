import { assertEquals } from "@std/assert";
import { DTypeError, ShapeError } from "../../wgsl/errors.ts";
import type { HostArray } from "../../wgsl/op.ts";
import {
  affineSample,
  type AffineSampleAttrs,
} from "../../wgsl/resize/affine.ts";
import { assertFails } from "../support/errors.ts";
import { checkOp, host, noise, runReference } from "../support/plan.ts";

/** Maps of random turns around the middle, with numbers that keep clear of ties. */
function maps(shape: readonly number[]): HostArray {
  const [n, c, h, w] = shape;
  const turns = noise([n * c]).data;
  const values = [...turns].flatMap((turn, i) => {
    const [cos, sin] = [Math.cos(turn), Math.sin(turn)];
    const [x, y] = [w / 2 + 0.13, h / 2 + 0.17 * (i + 1)];
    return [
      ...[cos, -sin, x - cos * x + sin * y, -2, w + 1],
      ...[sin, cos, y - sin * x - cos * y, -2, h + 1],
    ];
  });
  return host(values, [n, c, 2, 5]);
}

Deno.test("sampling through maps is its reference's for planes of one pixel, a workgroup's, one less, one more and a prime", async () => {
  const sizes = [
    [[1, 1], [1, 1]],
    [[7, 9], [7, 9]],
    [[8, 8], [3, 21]],
    [[5, 13], [64, 1]],
    [[13, 5], [1, 65]],
    [[31, 17], [11, 11]],
  ];
  for (const [[h, w], [height, width]] of sizes) {
    const shape = [2, 3, h, w];
    for (const dtype of ["f32", "f16"] as const) {
      const inputs = [noise(shape, 1, dtype), maps(shape)];
      const attrs = { height, width, mode: "bilinear", fill: 0.25 } as const;
      // Places are off by some 2⁻²² of the axis's length, and so are weights.
      assertEquals(
        await checkOp(affineSample, {
          inputs,
          attrs,
          length: (6 * (h + w)) ** 2,
        }),
        ["naive"],
      );
    }
    const attrs = { height, width, mode: "nearest", fill: -1 } as const;
    await checkOp(affineSample, { inputs: [noise(shape), maps(shape)], attrs });
  }
});

Deno.test("sampling through maps keeps to small bindings and grids, and takes batches of none", async () => {
  const shape = [3, 2, 256, 300];
  await checkOp(affineSample, {
    inputs: [noise(shape), maps(shape)],
    attrs: { height: 40, width: 500, mode: "nearest", fill: 0 },
    limits: {
      maxStorageBufferBindingSize: 2 ** 20,
      maxComputeWorkgroupsPerDimension: 100,
    },
  });
  const none = host([], [0, 3, 4, 4]);
  const attrs = { height: 2, width: 2, mode: "nearest", fill: 0 } as const;
  await checkOp(affineSample, {
    inputs: [none, host([], [0, 3, 2, 5])],
    attrs,
  });
});

/** A plane of [[1, 2], [3, 4]] through a map. */
async function seen(
  map: readonly number[],
  mode: AffineSampleAttrs["mode"],
): Promise<number[]> {
  const inputs = [host([1, 2, 3, 4], [1, 1, 2, 2]), host(map, [1, 1, 2, 5])];
  const attrs = { height: 2, width: 2, mode, fill: 9 };
  await checkOp(affineSample, { inputs, attrs });
  return [...runReference(affineSample, { inputs, attrs })[0].data];
}

Deno.test("sampling through maps, worked by hand", async () => {
  const [x, y] = [[1, 0, 0, -2, 3], [0, 1, 0, -2, 3]];
  assertEquals(await seen([...x, ...y], "bilinear"), [1, 2, 3, 4]);
  const mirrored = [-1, 0, 2, -2, 3];
  assertEquals(await seen([...mirrored, ...y], "nearest"), [2, 1, 4, 3]);
  // One to the right: what comes in is the fill.
  const moved = [1, 0, -1, -2, 3];
  assertEquals(await seen([...moved, ...y], "nearest"), [9, 1, 9, 3]);
  // Half a pixel to the right: the mean of what lies on both sides.
  const half = [1, 0, -0.5, -2, 3];
  assertEquals(await seen([...half, ...y], "bilinear"), [5, 1.5, 6, 3.5]);
  // The same, but held within the plane.
  const held = [1, 0, -0.5, 0, 1];
  assertEquals(await seen([...held, ...y], "bilinear"), [1, 1.5, 3, 3.5]);
  // Far away.
  assertEquals(await seen([...x, 0, 1, 1e9, -2, 3], "bilinear"), [9, 9, 9, 9]);
});

Deno.test("what can't be sampled is said", () => {
  const attrs = { height: 2, width: 2, mode: "nearest", fill: 0 } as const;
  const [x, map] = [noise([1, 3, 4, 4]), noise([1, 3, 2, 5])];
  assertFails(
    () => affineSample.infer([x, noise([1, 1, 2, 5])], attrs),
    ShapeError,
    "Cannot sample [1, 3, 4, 4] through maps [1, 1, 2, 5]: expected [N, C, H, W] and [N, C, 2, 5]",
  );
  assertFails(
    () => affineSample.infer([x, map], { ...attrs, height: 0 }),
    ShapeError,
    "Cannot sample [1, 3, 4, 4] to 0×2: expected planes of at least one pixel",
  );
  assertFails(
    () => affineSample.infer([noise([1, 3, 4, 4], 1, "i32"), map], attrs),
    DTypeError,
    "Cannot sample i32 through maps of f32: expected floats",
  );
});
