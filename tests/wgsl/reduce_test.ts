/** Folds over axes: values worked by hand, every variant against the reference, strides, empty axes, accuracy and errors. */
import { assertEquals, assertLess, assertThrows } from "@std/assert";
import { ShapeError } from "../../wgsl/errors.ts";
import type { DType, HostArray } from "../../wgsl/op.ts";
import {
  all,
  any,
  max,
  min,
  prod,
  type ReduceAttrs,
  sum,
} from "../../wgsl/reduce/reduce.ts";
import {
  checkOp,
  host,
  noise,
  runReference,
  runVariant,
} from "../support/plan.ts";

const OPS = [sum, prod, max, min, any, all];

function over(axes: readonly number[], keepDims = false): ReduceAttrs {
  return { axes, keepDims };
}

/** Asserts what the reference and each variant give. */
async function expectValues(
  op: typeof sum,
  input: HostArray,
  attrs: ReduceAttrs,
  want: readonly number[],
): Promise<void> {
  const given = { inputs: [input], attrs };
  const what = `${op.name} over [${attrs.axes}]`;
  assertEquals([...runReference(op, given)[0].data], [...want], what);
  for (const { name } of op.variants) {
    if (name === "tree" && input.data.length < 64) continue;
    if (name === "rows") continue; // It takes 256 rows and more.
    const [{ data }] = await runVariant(op, name, given);
    assertEquals([...data], [...want], `${what} (${name})`);
  }
}

Deno.test("folds of [[1, 2, 3], [4, 5, 6]] are those worked by hand", async () => {
  const x = host([1, 2, 3, 4, 5, 6], [2, 3]);
  await expectValues(sum, x, over([1]), [6, 15]);
  await expectValues(sum, x, over([0]), [5, 7, 9]);
  await expectValues(sum, x, over([0, 1]), [21]);
  await expectValues(sum, x, over([]), [1, 2, 3, 4, 5, 6]);
  await expectValues(prod, x, over([1]), [6, 120]);
  await expectValues(max, x, over([0]), [4, 5, 6]);
  await expectValues(min, x, over([1]), [1, 4]);
  await expectValues(any, x, over([1]), [1, 1]);
  await expectValues(all, x, over([0]), [1, 1, 1]);
});

Deno.test("folds of integers and bool are exact, and wrap at 32 bits", async () => {
  const i32 = host([2 ** 31 - 1, 1, -5, 7], [2, 2], "i32");
  await expectValues(sum, i32, over([1]), [-(2 ** 31), 2]);
  await expectValues(prod, i32, over([1]), [2 ** 31 - 1, -35]);
  await expectValues(max, i32, over([0]), [2 ** 31 - 1, 7]);
  await expectValues(min, i32, over([0]), [-5, 1]);
  const u32 = host([2 ** 32 - 1, 2, 65537, 65537], [2, 2], "u32");
  await expectValues(sum, u32, over([1]), [1, 131074]);
  await expectValues(prod, u32, over([1]), [2 ** 32 - 2, 131073]);
  await expectValues(max, u32, over([0]), [2 ** 32 - 1, 65537]);
  await expectValues(min, u32, over([0]), [65537, 2]);
  const bool = host([1, 0, 1, 1, 0, 0], [3, 2], "bool");
  await expectValues(sum, bool, over([0]), [2, 1]);
  await expectValues(prod, bool, over([1]), [0, 1, 0]);
  await expectValues(max, bool, over([1]), [1, 1, 0]);
  await expectValues(min, bool, over([1]), [0, 1, 0]);
  await expectValues(any, bool, over([1]), [1, 1, 0]);
  await expectValues(all, bool, over([1]), [0, 1, 0]);
});

Deno.test("the result has the kept axes, and 1 in place of the folded ones where dimensions are kept", () => {
  const x = { shape: [2, 3, 4, 5], dtype: "f16" } as const;
  const infer = (op: typeof sum, attrs: ReduceAttrs) => op.infer([x], attrs);
  assertEquals(infer(sum, over([1, 3])), [{ shape: [2, 4], dtype: "f16" }]);
  assertEquals(infer(max, over([1, 3], true)), [
    { shape: [2, 1, 4, 1], dtype: "f16" },
  ]);
  assertEquals(infer(any, over([0, 1, 2, 3])), [{ shape: [], dtype: "bool" }]);
  const dtypes = (op: typeof sum) =>
    (["f32", "i32", "u32", "bool"] as const).map((dtype) =>
      op.infer([{ shape: [2], dtype }], over([0]))[0].dtype
    );
  assertEquals(dtypes(sum), ["f32", "i32", "u32", "i32"]);
  assertEquals(dtypes(prod), ["f32", "i32", "u32", "i32"]);
  assertEquals(dtypes(max), ["f32", "i32", "u32", "bool"]);
  assertEquals(dtypes(all), ["bool", "bool", "bool", "bool"]);
});

Deno.test("variants agree with the reference where sizes straddle accumulators, slots and workgroups", async () => {
  for (const n of [1, 3, 4, 5, 63, 64, 65, 127, 257, 1031]) {
    const x = noise([3, n], n);
    await checkOp(sum, { inputs: [x], attrs: over([1]), length: n });
    await checkOp(max, { inputs: [x], attrs: over([0]) });
  }
  for (const op of OPS) {
    const x = noise([3, 131], 5);
    const ran = await checkOp(op, { inputs: [x], attrs: over([1]) });
    assertEquals(ran, ["vectors", "chunk", "tree", "naive"]);
  }
});

Deno.test("runs that begin and end between vectors are folded whole", async () => {
  const x = noise([1000], 6);
  const columns = noise([1000], 6, "f16");
  for (const n of [16, 17, 18, 19, 20, 35]) {
    for (const offset of [0, 1, 2, 3]) {
      const strides = [210, n + 1, 1];
      const view = { shape: [3, 5, n], strides, offset };
      for (const axes of [[2], [0, 2]]) {
        for (const input of [x, columns]) {
          const { dtype } = input;
          await checkOp(sum, {
            inputs: [input],
            views: [{ ...view, dtype }],
            attrs: over(axes),
            length: 3 * n,
            variants: ["vectors"],
          });
        }
      }
    }
  }
});

Deno.test("every element type agrees with the reference", async () => {
  const dtypes: DType[] = ["f32", "f16", "i32", "u32", "bool"];
  for (const dtype of dtypes) {
    const x = noise([5, 67], 3, dtype);
    for (const op of OPS) {
      // Products of that many elements leave the range of f16 and wrap in integers.
      const axes = op === prod ? [0] : [1];
      await checkOp(op, { inputs: [x], attrs: over(axes), length: 67 });
    }
  }
});

Deno.test("any choice of axes folds, contiguous or not", async () => {
  const x = noise([4, 3, 5, 6], 2);
  const choices = [[], [0], [1], [2], [3], [0, 2], [1, 3], [0, 2, 3], [
    0,
    1,
    2,
    3,
  ]];
  const permuted = {
    shape: [5, 4, 6, 3],
    dtype: "f32" as const,
    strides: [6, 90, 1, 30],
    offset: 0,
  };
  const sliced = {
    shape: [2, 3, 3, 2],
    dtype: "f32" as const,
    strides: [180, 30, 12, 2],
    offset: 91,
  };
  const repeated = {
    shape: [4, 7, 5, 2],
    dtype: "f32" as const,
    strides: [90, 0, 6, 0],
    offset: 1,
  };
  for (const axes of choices) {
    for (const view of [undefined, permuted, sliced, repeated]) {
      await checkOp(sum, {
        inputs: [x],
        views: [view],
        attrs: over(axes, axes.length === 2),
        length: 360,
        variants: ["vectors", "chunk", "naive"],
      });
    }
  }
  await checkOp(sum, { inputs: [x], views: [permuted], attrs: over([0, 2]) });
});

Deno.test("folding an empty axis gives what leaves others unchanged, and no output needs no launch", async () => {
  const x = host([], [2, 0, 3]);
  await expectValues(sum, x, over([1]), [0, 0, 0, 0, 0, 0]);
  await expectValues(prod, x, over([0, 1]), [1, 1, 1]);
  await expectValues(any, x, over([1, 2]), [0, 0]);
  await expectValues(all, x, over([0, 1, 2]), [1]);
  for (const op of OPS) await expectValues(op, x, over([0]), []);
});

Deno.test("an extreme of no elements and an axis that isn't there are errors", () => {
  const x = { shape: [2, 0, 3], dtype: "f32" } as const;
  const errors = [
    assertThrows(() => max.infer([x], over([0, 1])), ShapeError),
    assertThrows(() => min.infer([x], over([1])), ShapeError),
    assertThrows(() => sum.infer([x], over([3])), ShapeError),
  ];
  assertEquals(errors.map((e) => e.message), [
    "Cannot take the max of [2, 0, 3] along axis 1: it has no elements to choose from, name other axes",
    "Cannot take the min of [2, 0, 3] along axis 1: it has no elements to choose from, name other axes",
    "Cannot take the sum along axis 3: expected an integer from -3 to 2 for a tensor of rank 3",
  ]);
});

Deno.test("the sum of a million values is as exact as pairwise summation", async () => {
  const n = 1_000_000;
  const values = new Float32Array(n);
  for (let i = 0; i < n; i++) values[i] = 0.1 + (i % 7) * 0.01;
  const exact = values.reduce((total, x) => total + x, 0);
  const x = host(values, [n]);
  for (const variant of ["chunk", "tree"]) {
    const given = { inputs: [x], attrs: over([0]) };
    const [{ data }] = await runVariant(sum, variant, given);
    assertLess(Math.abs(data[0] - exact) / exact, 3e-7, variant);
  }
});

Deno.test("the same sum has the same bits every time", async () => {
  const x = noise([3, 40_000], 9);
  for (const variant of ["chunk", "tree"]) {
    const given = { inputs: [x], attrs: over([1]) };
    const first = await runVariant(sum, variant, given);
    assertEquals(await runVariant(sum, variant, given), first);
  }
});
