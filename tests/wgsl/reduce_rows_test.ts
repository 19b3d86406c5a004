/** Folds of many short rows, four to an invocation: every phase of a row in its vectors, its places, cut operands, and where they don't apply. */
import { assertEquals } from "@std/assert";
import type { View } from "../../wgsl/op.ts";
import { argMax, argMin } from "../../wgsl/reduce/arg.ts";
import { any, max, mean, prod, sum } from "../../wgsl/reduce/reduce.ts";
import { contiguousView } from "../../wgsl/shape.ts";
import {
  checkOp,
  host,
  noise,
  PORTABLE_LIMITS,
  runReference,
  runVariant,
} from "../support/plan.ts";

/** Whether rows of a view are folded by fours. */
function applies(view: View, axes: readonly number[]): boolean {
  const attrs = { axes, keepDims: false };
  const { applies } = sum.variants.find(({ name }) => name === "rows")!;
  return applies!({
    inputs: [view],
    outputs: sum.infer([view], attrs).map(contiguousView),
    attrs,
    limits: PORTABLE_LIMITS,
  });
}

Deno.test("rows of every remainder by four are folded like the reference's, by every op", async () => {
  for (const n of [16, 17, 18, 19, 127]) {
    const x = noise([260, n], n);
    const attrs = { axes: [1], keepDims: false };
    const variants = ["rows"];
    await checkOp(mean, { inputs: [x], attrs, length: n, variants });
    await checkOp(max, { inputs: [x], attrs, variants });
    if (n % 4 !== 3) continue;
    await checkOp(any, { inputs: [x], attrs, variants });
    for (const op of [argMax, argMin]) {
      const given = { axis: 1, keepDims: false };
      await checkOp(op, { inputs: [x], attrs: given, variants });
    }
    const halves = noise([256, n], n, "f16");
    await checkOp(sum, { inputs: [halves], attrs, length: n, variants });
  }
});

Deno.test("an element counts in its own row alone, wherever it stands", async () => {
  for (const n of [16, 17, 18, 19]) {
    const x = host(new Array(256 * n).fill(1), [256, n]);
    for (let i = 0; i < 4 * n; i++) x.data[i] = i % n + 2;
    const given = { inputs: [x], attrs: { axes: [1], keepDims: false } };
    const [total] = await runVariant(sum, "rows", given);
    const first = n * (n + 3) / 2;
    const want = Array.from({ length: 256 }, (_, k) => k < 4 ? first : n);
    assertEquals([...total.data], want);
  }
});

Deno.test("a special value is found by rows wherever it stands, and in its own row alone", async () => {
  const n = 17;
  const attrs = { axes: [1], keepDims: false };
  for (const special of [NaN, Infinity, -Infinity]) {
    const x = noise([256, n], 5);
    for (let k = 0; k < 4 * n; k++) x.data[k * n + k % n] = special;
    for (const op of [max, sum]) {
      const given = { inputs: [x], attrs };
      const [want] = runReference(op, given);
      const [got] = await runVariant(op, "rows", given);
      const kind = (v: number) => Number.isFinite(v) ? 0 : v;
      const kinds = (data: Iterable<number>) => Array.from(data, kind);
      assertEquals(kinds(got.data), kinds(want.data), op.name);
    }
  }
});

Deno.test("planes are rows when both of their axes are folded, and products of them are the reference's", async () => {
  const attrs = { axes: [2, 3], keepDims: true };
  const x = noise([4, 65, 5, 7], 3);
  const ran = await checkOp(prod, { inputs: [x], attrs, length: 35 });
  assertEquals(ran, ["rows", "vectors", "chunk", "naive"]);
});

Deno.test("rows of more than a binding are cut between fours, and more workgroups than a dimension holds are folded into two", async () => {
  const attrs = { axes: [1], keepDims: false };
  const limits = {
    maxStorageBufferBindingSize: 2 ** 20,
    maxComputeWorkgroupsPerDimension: 3,
  };
  const variants = ["rows"];
  const length = 49;
  const x = noise([8196, length], 7);
  await checkOp(sum, { inputs: [x], attrs, limits, length, variants });
  await checkOp(max, { inputs: [x], attrs, limits, variants });
});

Deno.test("rows that don't begin with a vector, lie apart, are few, short or long go by other kernels", () => {
  const view = contiguousView({ shape: [256, 49], dtype: "f32" });
  assertEquals(applies(view, [1]), true);
  assertEquals(applies({ ...view, offset: 8 }, [1]), true);
  assertEquals(applies({ ...view, offset: 6 }, [1]), false);
  assertEquals(applies({ ...view, strides: [50, 1] }, [1]), false);
  assertEquals(applies({ ...view, strides: [1, 256] }, [1]), false);
  assertEquals(applies(view, [0]), false);
  for (const shape of [[252, 49], [257, 49], [256, 15], [256, 128]]) {
    assertEquals(applies(contiguousView({ shape, dtype: "f32" }), [1]), false);
  }
});
