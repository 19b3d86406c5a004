/** NaN, infinities, zeros of either sign, subnormals and the largest floats: ops along an axis give what PyTorch gives. */
import { assert, assertEquals } from "@std/assert";
import type { AnyOp } from "../../wgsl/op.ts";
import { argMax, argMin } from "../../wgsl/reduce/arg.ts";
import { cumsum } from "../../wgsl/reduce/cumsum.ts";
import {
  all,
  any,
  max,
  mean,
  min,
  prod,
  sum,
} from "../../wgsl/reduce/reduce.ts";
import { sort } from "../../wgsl/reduce/sort.ts";
import { logSoftmax, softmax } from "../../wgsl/softmax/softmax.ts";
import fixture from "../fixtures/reduce_values.json" with { type: "json" };
import { host, runReference, runVariant } from "../support/plan.ts";
import { isNearSubnormal, keepsSubnormals } from "../support/subnormals.ts";
import { tolerance } from "../support/tolerance.ts";

type Listed = readonly (number | string)[];

const ROWS: readonly Listed[] = fixture.rows;
const SHAPE = [ROWS.length, ROWS[0].length];
const RESULTS: Readonly<Record<string, Listed>> = fixture.results;
const x = host(ROWS.flat().map(Number), SHAPE);

const FOLDS = [sum, mean, prod, max, min, any, all];
const axes = { axes: [1], keepDims: false };
const axis = { axis: 1, keepDims: false };

/** Each op, its attributes, and the names of its outputs in the fixture. */
const CASES: readonly [AnyOp, unknown, ...string[]][] = [
  ...FOLDS.map((op): [AnyOp, unknown, string] => [op, axes, op.name]),
  [argMax, axis, "argMax"],
  [argMin, axis, "argMin"],
  [cumsum, { axis: 1, reverse: false }, "cumsum"],
  [softmax, { axis: 1 }, "softmax"],
  [logSoftmax, { axis: 1 }, "logSoftmax"],
  [sort, { descending: false }, "sort", "sortIndices"],
  [sort, { descending: true }, "sortDescending", "sortDescendingIndices"],
];

/** The elements that are not PyTorch's, of those that a device which keeps subnormals or not must have. Zeros of either sign pass for each other, but for sorting, which only moves values. */
function differences(
  name: string,
  got: ArrayLike<number>,
  subnormals = true,
): string[] {
  const want = RESULTS[name].map(Number);
  const width = want.length / SHAPE[0];
  const scale = name.toLowerCase().includes("softmax") ? 1 : 0;
  assertEquals(got.length, want.length);
  return want.flatMap((value, i) => {
    const found = got[i];
    const close = found === value ||
      Math.abs(found - value) <=
        tolerance(SHAPE[1], Math.max(scale, Math.abs(value)));
    const same = name.startsWith("sort") || Number.isNaN(value)
      ? Object.is(found, value)
      : close;
    if (same || !subnormals && isNearSubnormal(value)) return [];
    return [
      `row [${ROWS[Math.floor(i / width)]}] element ${
        i % width
      }: ${found}, PyTorch ${value}`,
    ];
  });
}

Deno.test("references give PyTorch's results for special values", () => {
  for (const [op, attrs, ...names] of CASES) {
    const outputs = runReference(op, { inputs: [x], attrs });
    outputs.forEach(({ data }, i) =>
      assertEquals(differences(names[i], data), [], names[i])
    );
  }
});

Deno.test("every variant gives PyTorch's results for special values", async () => {
  const whole = await keepsSubnormals("special values of reductions");
  for (const [op, attrs, ...names] of CASES) {
    for (const { name } of op.variants) {
      if (name === "rows") continue; // It takes 256 rows and more.
      const outputs = await runVariant(op, name, { inputs: [x], attrs });
      outputs.forEach(({ data }, i) =>
        assertEquals(
          differences(names[i], data, whole),
          [],
          `${names[i]} (${name})`,
        )
      );
    }
  }
});

Deno.test("a special value in a long row is found by every variant, wherever it stands", async () => {
  const n = 700;
  const places = [0, 1, 63, 64, 255, 256, 511, 699];
  for (const special of [NaN, Infinity, -Infinity]) {
    const rows = places.flatMap((at) =>
      Array.from({ length: n }, (_, i) => i === at ? special : Math.sin(i))
    );
    const inputs = [host(rows, [places.length, n])];
    for (const op of [max, min, sum, mean, any]) {
      const [want] = runReference(op, { inputs, attrs: axes });
      for (const { name } of op.variants) {
        if (name === "rows") continue;
        const [got] = await runVariant(op, name, { inputs, attrs: axes });
        const what = `${op.name} (${name}) of ${special}`;
        want.data.forEach((value, row) =>
          assert(
            Object.is(got.data[row], value) ||
              Math.abs(got.data[row] - value) <= tolerance(n, 1),
            `${what} in row ${row}: ${got.data[row]}, expected ${value}`,
          )
        );
      }
    }
    for (const op of [softmax, logSoftmax]) {
      const given = { inputs, attrs: { axis: 1 } };
      const [want] = runReference(op, given);
      for (const { name } of op.variants) {
        if (name === "registers") continue;
        const [got] = await runVariant(op, name, given);
        const what = `${op.name} (${name}) of ${special}`;
        want.data.forEach((value, i) =>
          assert(
            Object.is(got.data[i], value) ||
              Math.abs(got.data[i] - value) <= tolerance(n, 1),
            `${what} at ${i}: ${got.data[i]}, expected ${value}`,
          )
        );
      }
    }
  }
});

Deno.test("extremes of zeros keep their sign, and subnormals are told apart", async () => {
  const tiny = 2 ** -149;
  const rows = host([-0, -0, -0, tiny, 0, 2 * tiny], [2, 3]);
  for (const op of [max, min]) {
    for (const { name } of op.variants) {
      const [{ data }] = await runVariant(op, name, {
        inputs: [rows],
        attrs: axes,
      });
      assertEquals([...data], op === max ? [-0, 2 * tiny] : [-0, 0], name);
    }
  }
});
