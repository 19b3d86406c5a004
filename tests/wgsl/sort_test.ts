/** Sorting: values worked by hand, order of equals, NaN, every variant, element type and limit. */
import { assertEquals } from "@std/assert";
import { sort, type SortAttrs } from "../../wgsl/reduce/sort.ts";
import type { DType, HostArray } from "../../wgsl/op.ts";
import {
  checkOp,
  host,
  noise,
  runReference,
  runVariant,
} from "../support/plan.ts";

const UP: SortAttrs = { descending: false };
const DOWN: SortAttrs = { descending: true };
const MEBIBYTE = 2 ** 20;

/** Asserts the values, signs of zero included, and indices that the reference and every variant give. */
async function expectSorted(
  x: HostArray,
  attrs: SortAttrs,
  values: readonly number[],
  indices: readonly number[],
): Promise<void> {
  const given = { inputs: [x], attrs };
  const results = [runReference(sort, given)];
  for (const { name } of sort.variants) {
    results.push(await runVariant(sort, name, given));
  }
  for (const result of results) {
    assertEquals(result.map(({ data }) => [...data]), [
      [...values],
      [...indices],
    ]);
  }
}

Deno.test("rows are sorted either way, equals in their order, NaN above everything", async () => {
  const x = host([3, 1, 2, 3, 1, -Infinity, NaN, Infinity, NaN, 0], [2, 5]);
  await expectSorted(
    x,
    UP,
    [1, 1, 2, 3, 3, -Infinity, 0, Infinity, NaN, NaN],
    [1, 4, 2, 0, 3, 0, 4, 2, 1, 3],
  );
  await expectSorted(
    x,
    DOWN,
    [3, 3, 2, 1, 1, NaN, NaN, Infinity, 0, -Infinity],
    [0, 3, 2, 1, 4, 1, 3, 2, 4, 0],
  );
});

Deno.test("zeros of either sign are equal and keep their signs", async () => {
  const x = host([1, -0, 0, -0, -1], [5]);
  await expectSorted(x, UP, [-1, -0, 0, -0, 1], [4, 1, 2, 3, 0]);
  await expectSorted(x, DOWN, [1, -0, 0, -0, -1], [0, 1, 2, 3, 4]);
});

Deno.test("integers sort over their whole range", async () => {
  const i32 = host([0, -1, 2 ** 31 - 1, -(2 ** 31), -1], [5], "i32");
  await expectSorted(
    i32,
    UP,
    [-(2 ** 31), -1, -1, 0, 2 ** 31 - 1],
    [3, 1, 4, 0, 2],
  );
  const u32 = host([2 ** 31, 0, 2 ** 32 - 1, 2 ** 31 - 1], [4], "u32");
  await expectSorted(
    u32,
    DOWN,
    [2 ** 32 - 1, 2 ** 31, 2 ** 31 - 1, 0],
    [2, 0, 3, 1],
  );
});

Deno.test("variants agree with the reference where rows straddle blocks, spans and workgroups", async () => {
  const sizes = [1, 2, 15, 16, 17, 31, 32, 33, 63, 64, 65, 129, 1031];
  for (const n of sizes) {
    const x = noise([3, n], n);
    // Coarse values, so that many are equal.
    const coarse = host(x.data.map((v) => Math.round(v * 4)), [3, n]);
    for (const attrs of [UP, DOWN]) {
      const ran = await checkOp(sort, { inputs: [coarse], attrs });
      assertEquals(ran, ["merge", "naive"]);
    }
  }
  // Rows that fill their shares and workgroups whole.
  await checkOp(sort, { inputs: [noise([64, 64])], attrs: UP });
});

Deno.test("every element type and rank is sorted along the last axis", async () => {
  const dtypes: DType[] = ["f32", "f16", "i32", "u32", "bool"];
  for (const dtype of dtypes) {
    for (const attrs of [UP, DOWN]) {
      await checkOp(sort, { inputs: [noise([2, 3, 70], 1, dtype)], attrs });
    }
  }
  await checkOp(sort, { inputs: [host([7], [])], attrs: UP });
  await checkOp(sort, { inputs: [host([], [3, 0])], attrs: UP });
  await checkOp(sort, { inputs: [host([], [0, 3])], attrs: DOWN });
});

Deno.test("operands over the binding limit are sorted in parts, and so are rows over it", async () => {
  const limits = { maxStorageBufferBindingSize: MEBIBYTE };
  const cases: [number[], SortAttrs][] = [
    [[400, 983], DOWN],
    [[3, 90_001], UP],
    [[270_001], DOWN],
  ];
  for (const [shape, attrs] of cases) {
    const inputs = [noise(shape, 4)];
    await checkOp(sort, { inputs, attrs, limits, variants: ["merge"] });
  }
});

Deno.test("few trips and narrow dispatches only make more launches", async () => {
  const limits = {
    maxStorageBufferBindingSize: MEBIBYTE,
    maxLoopTrips: 1000,
    maxComputeWorkgroupsPerDimension: 7,
  };
  for (const shape of [[90, 90], [9001]]) {
    await checkOp(sort, { inputs: [noise(shape, 5)], attrs: UP, limits });
  }
});
