/** Running sums: values worked by hand, every variant, axis, direction, stride and limit. */
import { assertEquals, assertLess, assertThrows } from "@std/assert";
import { ShapeError } from "../../wgsl/errors.ts";
import { cumsum, type CumsumAttrs } from "../../wgsl/reduce/cumsum.ts";
import {
  checkOp,
  host,
  noise,
  runReference,
  runVariant,
} from "../support/plan.ts";

const along = (axis: number, reverse = false): CumsumAttrs => ({
  axis,
  reverse,
});

Deno.test("running sums of [[1, 2, 3], [4, 5, 6]] are those worked by hand", async () => {
  const cases: [CumsumAttrs, number[]][] = [
    [along(1), [1, 3, 6, 4, 9, 15]],
    [along(0), [1, 2, 3, 5, 7, 9]],
    [along(1, true), [6, 5, 3, 15, 11, 6]],
    [along(0, true), [5, 7, 9, 4, 5, 6]],
  ];
  const inputs = [host([1, 2, 3, 4, 5, 6], [2, 3])];
  for (const [attrs, want] of cases) {
    const given = { inputs, attrs };
    assertEquals([...runReference(cumsum, given)[0].data], want);
    for (const { name } of cumsum.variants) {
      const [{ data }] = await runVariant(cumsum, name, given);
      assertEquals([...data], want, name);
    }
  }
});

Deno.test("variants agree with the reference where rows straddle blocks", async () => {
  const ran = new Set<string>();
  for (const n of [1, 2, 127, 128, 129, 256, 257, 1031]) {
    for (const reverse of [false, true]) {
      const inputs = [noise([3, n], n)];
      const given = { inputs, attrs: along(1, reverse), length: n };
      for (const name of await checkOp(cumsum, given)) ran.add(name);
    }
  }
  assertEquals([...ran].sort(), ["blocked", "naive"]);
});

Deno.test("every element type, axis and view is scanned", async () => {
  for (const dtype of ["f32", "f16", "i32", "u32", "bool"] as const) {
    for (const axis of [0, 1, 2]) {
      const inputs = [noise([4, 300, 2], axis, dtype)];
      await checkOp(cumsum, { inputs, attrs: along(axis), length: 300 });
    }
  }
  const view = {
    // The outer sizes share a factor: a walk that mixes up coprime axes may still visit each row once.
    shape: [4, 290, 2],
    dtype: "f32" as const,
    strides: [2, 3, 0],
    offset: 7,
  };
  for (const axis of [0, 1, 2]) {
    for (const reverse of [false, true]) {
      await checkOp(cumsum, {
        inputs: [noise([900], 3)],
        views: [view],
        attrs: along(axis, reverse),
        length: 290,
      });
    }
  }
});

Deno.test("sums of bool count in i32 and those of i32 wrap", async () => {
  const bool = host([1, 0, 1, 1], [4], "bool");
  const i32 = host([2 ** 31 - 1, 1, 1], [3], "i32");
  const run = async (input: typeof bool) => {
    const [y] = await runVariant(cumsum, "naive", {
      inputs: [input],
      attrs: along(0),
    });
    assertEquals(
      y,
      runReference(cumsum, { inputs: [input], attrs: along(0) })[0],
    );
    return [y.dtype, ...y.data];
  };
  assertEquals(await run(bool), ["i32", 1, 1, 2, 3]);
  assertEquals(await run(i32), ["i32", 2147483647, -2147483648, -2147483647]);
});

Deno.test("a scalar is a row of one, no elements need no launch, and an axis that isn't there is an error", async () => {
  await checkOp(cumsum, { inputs: [host([7], [])], attrs: along(0) });
  await checkOp(cumsum, { inputs: [host([], [0, 3])], attrs: along(0) });
  await checkOp(cumsum, { inputs: [host([], [3, 0])], attrs: along(1, true) });
  const error = assertThrows(
    () => cumsum.infer([{ shape: [2], dtype: "f32" }], along(1)),
    ShapeError,
  );
  assertEquals(
    error.message,
    "Cannot take the cumsum along axis 1: expected an integer from -1 to 0 for a tensor of rank 1",
  );
});

Deno.test("operands over the binding limit, long rows and narrow dispatches are scanned in parts", async () => {
  const limits = { maxStorageBufferBindingSize: 2 ** 20 };
  const few = {
    ...limits,
    maxLoopTrips: 1000,
    maxComputeWorkgroupsPerDimension: 7,
  };
  const cases: [number[], CumsumAttrs][] = [
    [[393_216], along(0, true)],
    [[1024, 384], along(0)],
    [[1024, 384], along(1, true)],
    [[2, 262_144], along(0)],
    [[2, 262_144], along(1)],
  ];
  for (const [shape, attrs] of cases) {
    const given = { inputs: [noise(shape, 2)], attrs, length: 393_216 };
    await checkOp(cumsum, { ...given, limits });
    await checkOp(cumsum, { ...given, limits: few });
  }
});

Deno.test("the running sum of a million values stays as exact as pairwise summation", async () => {
  const n = 1_000_000;
  const values = new Float32Array(n).map((_, i) => 0.1 + (i % 7) * 0.01);
  const [{ data }] = await runVariant(cumsum, "blocked", {
    inputs: [host(values, [n])],
    attrs: along(0),
  });
  let exact = 0;
  let worst = 0;
  values.forEach((x, i) => {
    exact += x;
    worst = Math.max(worst, Math.abs(data[i] - exact) / exact);
  });
  assertLess(worst, 1e-6);
});
