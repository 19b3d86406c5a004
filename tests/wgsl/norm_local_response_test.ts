/** Local response normalisation and its gradient: values worked by hand, every variant, window and limit. */
import { assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { DTypeError, LimitError, ShapeError } from "../../wgsl/errors.ts";
import {
  localResponse,
  type LocalResponseAttrs,
  localResponseBackward,
  windowSum,
} from "../../wgsl/norm/local_response.ts";
import type { DType, Limits } from "../../wgsl/op.ts";
import {
  checkOp,
  host,
  noise,
  PORTABLE_LIMITS,
  runReference,
  runVariant,
} from "../support/plan.ts";
import { contiguousView } from "../../wgsl/shape.ts";

const ALEXNET: LocalResponseAttrs = { size: 5, alpha: 1, beta: 0.75, k: 2 };

/** Checks all three ops. Returns the names of the variants that ran. */
async function checkAll(
  shape: readonly number[],
  attrs: LocalResponseAttrs,
  { dtype = "f32", limits = {} }: {
    readonly dtype?: DType;
    readonly limits?: Partial<Limits>;
  } = {},
): Promise<string[]> {
  const x = noise(shape, 1, dtype);
  const given = { attrs, limits, length: 4 * attrs.size };
  const d = runReference(localResponse, { inputs: [x], attrs })[1];
  const dy = noise(shape, 2, dtype);
  const { size } = attrs;
  return [
    ...await checkOp(localResponse, { ...given, inputs: [x] }),
    ...await checkOp(localResponseBackward, { ...given, inputs: [dy, x, d] }),
    ...await checkOp(windowSum, {
      inputs: [x],
      attrs: { size, before: size >> 1 },
      limits,
      length: size,
    }),
  ];
}

Deno.test("three channels in windows of two give what is worked by hand", async () => {
  const attrs = { size: 2, alpha: 2, beta: 1, k: 1 };
  const x = host([1, 2, 3], [1, 3, 1]);
  // A window of two is the channel before and the channel itself.
  const d = [1 + 1, 1 + 1 + 4, 1 + 4 + 9];
  const dy = [1, 0, 1];
  const t = [1 / 4, 0, 3 / 14 ** 2];
  const dx = [
    1 / 2 - 2 * 1 * (t[0] + t[1]),
    0 - 2 * 2 * (t[1] + t[2]),
    1 / 14 - 2 * 3 * t[2],
  ];
  for (const name of ["runs", "naive"]) {
    const outputs = await runVariant(localResponse, name, {
      inputs: [x],
      attrs,
    });
    d.forEach((value, i) => {
      assertAlmostEquals(outputs[0].data[i], x.data[i] / value, 1e-6);
      assertAlmostEquals(outputs[1].data[i], value, 1e-6);
    });
    const [gradient] = await runVariant(localResponseBackward, name, {
      inputs: [host(dy, [1, 3, 1]), x, host(d, [1, 3, 1])],
      attrs,
    });
    dx.forEach((v, i) => assertAlmostEquals(gradient.data[i], v, 1e-6));
    const sums = await runVariant(windowSum, name, {
      inputs: [x],
      attrs: { size: 2, before: 0 },
    });
    assertEquals(Array.from(sums[0].data), [3, 5, 3]);
  }
});

Deno.test("every variant agrees with its reference where channels straddle runs and windows straddle the tensor", async () => {
  const ran = new Set<string>();
  const cases: [number[], number][] = [
    [[1, 1, 1], 1],
    [[2, 3, 5], 5],
    [[2, 9, 1, 13], 4],
    [[1, 40, 3], 26],
    [[1, 4, 3], 31],
  ];
  for (const [shape, size] of cases) {
    for (const name of await checkAll(shape, { ...ALEXNET, size })) {
      ran.add(name);
    }
  }
  assertEquals([...ran].sort(), ["naive", "runs"]);
  await checkAll([2, 11, 6], ALEXNET, { dtype: "f16" });
});

Deno.test("tensors over the binding limit are cut by images, then by channels with their neighbours", async () => {
  const limits = { maxStorageBufferBindingSize: 2 ** 20 };
  await checkAll([3, 3, 30_000], ALEXNET, { limits });
  await checkAll([1, 13, 30_000], ALEXNET, { limits });
  const view = contiguousView({ shape: [1, 5, 100_000], dtype: "f32" });
  const run = () =>
    localResponse.variants[0].plan({
      inputs: [view],
      outputs: [view, view],
      attrs: ALEXNET,
      limits: { ...PORTABLE_LIMITS, ...limits },
    });
  assertEquals(
    assertThrows(run, LimitError).message,
    "Cannot bind a window of 5 channels: maxStorageBufferBindingSize holds 2",
  );
  // An image that just fits isn't cut.
  const fits = contiguousView({ shape: [2, 3, 87_360], dtype: "f32" });
  const { launches } = localResponse.variants[0].plan({
    inputs: [fits],
    outputs: [fits, fits],
    attrs: ALEXNET,
    limits: { ...PORTABLE_LIMITS, ...limits },
  });
  assertEquals(launches.length, 2);
});

Deno.test("no elements need no launch, and what has no channels or is no float is refused", async () => {
  await checkAll([0, 3, 4], ALEXNET);
  const infer = (shape: number[], dtype: DType = "f32") => () =>
    localResponse.infer([{ shape, dtype }], ALEXNET);
  assertEquals(
    assertThrows(infer([3]), ShapeError).message,
    "Cannot normalise [3] across channels: expected [N, C, ...]",
  );
  assertEquals(
    assertThrows(infer([3, 2], "i32"), DTypeError).message,
    "Cannot normalise i32 across channels: expected one of f32, f16, f64",
  );
  const [a, b] = [[2, 3], [2, 4]].map((shape) => ({
    shape,
    dtype: "f32" as const,
  }));
  assertEquals(
    assertThrows(
      () => localResponseBackward.infer([b, a, a], ALEXNET),
      ShapeError,
    ).message,
    "Cannot take the gradient of normalised [2, 3] from [2, 4] and [2, 3]: expected the same shape",
  );
});
