import { assertEquals, assertThrows } from "@std/assert";
import { DTypeError, ShapeError } from "../../wgsl/errors.ts";
import type { DType, HostArray } from "../../wgsl/op.ts";
import { maxPool2d } from "../../wgsl/pool/max_pool2d.ts";
import { maxUnpool2d } from "../../wgsl/pool/max_unpool2d.ts";
import type { Pair } from "../../wgsl/pool/window.ts";
import { assertFails } from "../support/errors.ts";
import {
  checkOp,
  host,
  noise,
  runReference,
  runVariant,
} from "../support/plan.ts";

/** Max pooling's values and indices. */
function pool(x: HostArray, kernel: number, stride = kernel): HostArray[] {
  return runReference(maxPool2d, {
    inputs: [x],
    attrs: {
      kernel: [kernel, kernel],
      stride: [stride, stride],
      padding: [0, 0],
      dilation: [1, 1],
      ceilMode: false,
    },
  });
}

function sizeOf(x: HostArray): Pair {
  return [x.shape[2], x.shape[3]];
}

Deno.test("max unpooling is its reference's, for windows apart and overlapping", async () => {
  for (const [kernel, stride] of [[2, 2], [3, 2], [3, 1], [2, 3]]) {
    for (const dtype of ["f32", "f16"] as DType[]) {
      const x = noise([2, 3, 9, 13], 1, dtype);
      const attrs = { size: sizeOf(x) };
      const ran = await checkOp(maxUnpool2d, {
        inputs: pool(x, kernel, stride),
        attrs,
      });
      assertEquals(ran, dtype === "f32" ? ["claim", "naive"] : ["naive"]);
    }
  }
});

Deno.test("max unpooling puts values where indices say, and the last of those that repeat", async () => {
  const inputs = [
    host([5, 6, 7, 8], [1, 2, 1, 2]),
    host([4, 0, 2, 2], [1, 2, 1, 2], "i32"),
  ];
  const attrs = { size: [2, 3] as const };
  const want = [6, 0, 0, 0, 5, 0, 0, 0, 8, 0, 0, 0];
  const [y] = runReference(maxUnpool2d, { inputs, attrs });
  assertEquals([y.shape, [...y.data]], [[1, 2, 2, 3], want]);
  await checkOp(maxUnpool2d, { inputs, attrs });
});

Deno.test("max unpooling leaves out an index beyond its plane, and its reference throws for it", async () => {
  const inputs = [
    host([5, 6, 7, 8, 8, 8], [1, 2, 1, 3]),
    host([-1, 2, 4, 3, 3, 3], [1, 2, 1, 3], "i32"),
  ];
  const attrs = { size: [2, 2] as const };
  for (const { name } of maxUnpool2d.variants) {
    const [y] = await runVariant(maxUnpool2d, name, { inputs, attrs });
    assertEquals([...y.data], [0, 0, 6, 0, 0, 0, 0, 8]);
  }
  const error = assertThrows(
    () => runReference(maxUnpool2d, { inputs, attrs }),
    RangeError,
  );
  assertEquals(
    error.message,
    "Cannot unpool to index -1: expected a number from 0 to 3 in planes of 2 x 2",
  );
});

Deno.test("max unpooling copies NaN and infinity", async () => {
  const x = noise([1, 2, 6, 6]);
  x.data[3] = NaN;
  x.data[20] = Infinity;
  await checkOp(maxUnpool2d, { inputs: pool(x, 2), attrs: { size: [6, 6] } });
});

Deno.test("max unpooling keeps to small bindings, grids and trips", async () => {
  const x = noise([2, 3, 256, 250]);
  const limits = {
    maxStorageBufferBindingSize: 2 ** 20,
    maxComputeWorkgroupsPerDimension: 100,
  };
  await checkOp(maxUnpool2d, {
    inputs: pool(x, 8),
    attrs: { size: sizeOf(x) },
    limits,
  });
  for (const maxLoopTrips of [10, 2]) {
    await checkOp(maxUnpool2d, {
      inputs: pool(noise([1, 2, 5, 5]), 3, 1),
      attrs: { size: [5, 5] },
      limits: { maxLoopTrips },
      variants: ["naive"],
    });
  }
});

Deno.test("max unpooling an empty batch launches nothing", async () => {
  const inputs = [host([], [0, 3, 2, 2]), host([], [0, 3, 2, 2], "i32")];
  await checkOp(maxUnpool2d, { inputs, attrs: { size: [4, 4] } });
});

Deno.test("max unpooling refuses shapes, sizes and types that don't fit, and says what would", () => {
  const infer =
    (x: number[], indices: number[], size: Pair, dtype: DType = "i32") => () =>
      maxUnpool2d.infer([{ shape: x, dtype: "f32" }, {
        shape: indices,
        dtype,
      }], { size });
  assertFails(
    infer([1, 2, 3, 4], [1, 2, 3, 5], [6, 8]),
    ShapeError,
    "Cannot unpool: expected indices [1, 2, 3, 4] but found [1, 2, 3, 5]",
  );
  assertFails(
    infer([1, 2, 3, 4], [1, 2, 3, 4], [6, 0]),
    ShapeError,
    "Cannot unpool to [6, 0]: expected two positive integers",
  );
  assertFails(
    infer([1, 2, 0, 4], [1, 2, 0, 4], [6, 8]),
    ShapeError,
    "Cannot pool [1, 2, 0, 4]: its height is 0",
  );
  assertFails(
    infer([1, 2, 3, 4], [1, 2, 3, 4], [6, 8], "f32"),
    DTypeError,
    "Cannot pool by f32 indices: expected i32",
  );
});
