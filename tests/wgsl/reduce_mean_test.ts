/** The mean in one reduction: values worked by hand, every variant against the reference and the sum, split reductions, f16 and errors. */
import { assert, assertEquals, assertThrows } from "@std/assert";
import { tensor } from "../../core/mod.ts";
import { DTypeError, ShapeError } from "../../wgsl/errors.ts";
import type { HostArray, Limits } from "../../wgsl/op.ts";
import { contiguousView } from "../../wgsl/shape.ts";
import { mean, type ReduceAttrs, sum } from "../../wgsl/reduce/reduce.ts";
import { onBothDevices } from "../support/devices.ts";
import {
  checkOp,
  host,
  noise,
  PORTABLE_LIMITS,
  runReference,
  runVariant,
} from "../support/plan.ts";

const FEW: Partial<Limits> = {
  maxStorageBufferBindingSize: 2 ** 20,
  maxLoopTrips: 1000,
  maxComputeWorkgroupsPerDimension: 7,
};

function over(axes: readonly number[], keepDims = false): ReduceAttrs {
  return { axes, keepDims };
}

/** Asserts what the reference and each variant that applies give. */
async function expectValues(
  input: HostArray,
  attrs: ReduceAttrs,
  want: readonly number[],
): Promise<void> {
  const given = { inputs: [input], attrs };
  const what = `mean over [${attrs.axes}]`;
  assertEquals([...runReference(mean, given)[0].data], [...want], what);
  const request = {
    inputs: [contiguousView(input)],
    outputs: mean.infer([input], attrs).map(contiguousView),
    attrs,
    limits: PORTABLE_LIMITS,
  };
  for (const { name, applies } of mean.variants) {
    if (applies && !applies(request)) continue;
    const [{ data }] = await runVariant(mean, name, given);
    assertEquals([...data], [...want], `${what} (${name})`);
  }
}

Deno.test("means of [[1, 2, 3], [4, 5, 9]] are those worked by hand", async () => {
  const x = host([1, 2, 3, 4, 5, 9], [2, 3]);
  await expectValues(x, over([1]), [2, 6]);
  await expectValues(x, over([0], true), [2.5, 3.5, 6]);
  await expectValues(x, over([0, 1]), [4]);
  await expectValues(x, over([]), [1, 2, 3, 4, 5, 9]);
  await expectValues(host([7], []), over([]), [7]);
});

Deno.test("the mean of equal values is that value", async () => {
  for (const n of [3, 7, 49, 70, 1000]) {
    const x = host(Array.from({ length: n }, () => 5), [n]);
    await expectValues(x, over([0]), [5]);
  }
});

Deno.test("the mean over an empty axis is NaN, and no output needs no launch", async () => {
  const x = host([], [2, 0, 3]);
  await expectValues(x, over([1]), [NaN, NaN, NaN, NaN, NaN, NaN]);
  await expectValues(x, over([0, 1, 2], true), [NaN]);
  await expectValues(x, over([0]), []);
  await expectValues(host([], [0], "f16"), over([0]), [NaN]);
});

Deno.test("variants agree with the reference where sizes straddle accumulators, slots and workgroups", async () => {
  for (const n of [1, 3, 4, 5, 63, 64, 65, 127, 257, 1031]) {
    const x = noise([3, n], n);
    await checkOp(mean, { inputs: [x], attrs: over([1]), length: n });
    await checkOp(mean, { inputs: [x], attrs: over([0], true) });
  }
  const x = noise([3, 131], 5);
  const ran = await checkOp(mean, { inputs: [x], attrs: over([1]) });
  assertEquals(ran, ["vectors", "chunk", "tree", "naive"]);
});

Deno.test("means over views take their strides", async () => {
  const x = noise([4, 3, 5, 6], 2);
  const dtype = "f32" as const;
  const views = [
    { shape: [5, 4, 6, 3], dtype, strides: [6, 90, 1, 30], offset: 0 },
    { shape: [2, 3, 3, 2], dtype, strides: [180, 30, 12, 2], offset: 91 },
    { shape: [4, 7, 5, 2], dtype, strides: [90, 0, 6, 0], offset: 1 },
  ];
  for (const view of views) {
    for (const axes of [[0], [3], [1, 2], [0, 3], [0, 1, 2, 3]]) {
      const given = { inputs: [x], views: [view], attrs: over(axes) };
      await checkOp(mean, { ...given, length: 360 });
    }
  }
});

Deno.test("a mean split over several launches is divided once", async () => {
  const long = 393_216;
  const one = { inputs: [noise([long], 2)], attrs: over([0]), limits: FEW };
  for (const name of await checkOp(mean, { ...one, length: long })) {
    const [{ data: [total] }] = await runVariant(sum, name, one);
    const [{ data: [average] }] = await runVariant(mean, name, one);
    const want = total / long;
    assert(Math.abs(average - want) <= 3e-7 * Math.abs(want), name);
  }
  const rows = [noise([4000, 90], 3)];
  for (const axes of [[0], [1]]) {
    const given = { inputs: rows, attrs: over(axes), limits: FEW };
    await checkOp(mean, { ...given, length: 4000 });
  }
  const vectors = mean.variants.find(({ name }) => name === "vectors")!;
  const { launches } = vectors.plan({
    inputs: [contiguousView(one.inputs[0])],
    outputs: [contiguousView({ shape: [], dtype: "f32" })],
    attrs: over([0]),
    limits: { ...PORTABLE_LIMITS, ...FEW },
  });
  assert(launches.length > 2, `${launches.length} launches`);
});

Deno.test("an operand over the binding limit is averaged in windows, whichever axis is folded", async () => {
  const inputs = [noise([3, 512, 256], 1)];
  const limits = { maxStorageBufferBindingSize: 2 ** 20 };
  for (const axes of [[0], [1], [2], [0, 2], [0, 1, 2]]) {
    const length = 3 * 512 * 256;
    await checkOp(mean, { inputs, attrs: over(axes), limits, length });
  }
});

Deno.test("f16 is rounded once: neither the sum nor the count leaves its range", async () => {
  await checkOp(mean, { inputs: [noise([5, 67], 3, "f16")], attrs: over([1]) });
  const large = host(Array.from({ length: 128 }, () => 60_000), [128], "f16");
  await expectValues(large, over([0]), [60_000]);
  const many = host(Array.from({ length: 70_000 }, () => 0.5), [70_000], "f16");
  await expectValues(many, over([0]), [0.5]);
  // Their sum is 2048 in f16, of which a third rounds to 682.5.
  await expectValues(host([2048, 1, 0], [3], "f16"), over([0]), [683]);
});

Deno.test("integers, bool and axes that aren't there are refused", () => {
  const errors = (["i32", "u32", "bool"] as const).map((dtype) =>
    assertThrows(
      () => mean.infer([{ shape: [2], dtype }], over([0])),
      DTypeError,
    )
  );
  assertEquals(errors.map(({ message }) => message), [
    "Cannot take the mean of i32: expected a float dtype",
    "Cannot take the mean of u32: expected a float dtype",
    "Cannot take the mean of bool: expected a float dtype",
  ]);
  const { message } = assertThrows(
    () => mean.infer([{ shape: [2], dtype: "f32" }], over([1])),
    ShapeError,
  );
  assertEquals(
    message,
    "Cannot take the mean along axis 1: expected an integer from -1 to 0 for a tensor of rank 1",
  );
});

onBothDevices(
  "tensors of integers and bool, and scalars, have a mean in floats",
  async () => {
    const count = tensor([[1, 2], [4, 8]], { dtype: "i32" });
    const columns = count.mean(0);
    assertEquals(columns.dtype, "f32");
    assertEquals(await columns.array(), [2.5, 5]);
    const answers = tensor([1, 0, 1, 1], { dtype: "bool" });
    assertEquals(await answers.mean().item(), 0.75);
    assertEquals(await tensor(3).mean(0).item(), 3);
  },
);
