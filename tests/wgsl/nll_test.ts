/** Negative log-likelihood of labels and its gradient: values worked by hand, shapes, ignored labels, limits, and what is refused. */
import { assertEquals, assertThrows } from "@std/assert";
import { DTypeError, ShapeError } from "../../wgsl/errors.ts";
import type { DType, HostArray, Shape } from "../../wgsl/op.ts";
import { sizeOf } from "../../wgsl/shape.ts";
import { nllLoss, nllLossBackward } from "../../wgsl/softmax/nll.ts";
import {
  checkOp,
  host,
  noise,
  runReference,
  runVariant,
} from "../support/plan.ts";

/** Labels of all classes in turn, each third one ignored. */
function labelsOf(
  shape: Shape,
  classes: number,
  ignoreIndex: number,
  dtype: DType,
): HostArray {
  const values = Array.from(
    { length: sizeOf(shape) },
    (_, i) => i % 3 === 2 ? ignoreIndex : i * 7 % classes,
  );
  return host(values, shape, dtype);
}

/** Checks both ops for scores of a shape. */
async function check(
  shape: Shape,
  ignoreIndex = -100,
  labelType: DType = "i32",
  dtype: DType = "f32",
  limits = {},
): Promise<void> {
  const classes = shape.length === 1 ? shape[0] : shape[1];
  const labelShape = shape.length === 1 ? [] : [shape[0], ...shape.slice(2)];
  const labels = labelsOf(labelShape, classes, ignoreIndex, labelType);
  const inputs = [noise(shape, 1, dtype), labels];
  const attrs = { ignoreIndex };
  assertEquals(await checkOp(nllLoss, { inputs, attrs, limits }), ["naive"]);
  const gradient = {
    inputs: [noise(labelShape, 2, dtype), labels],
    attrs: { ignoreIndex, classes },
    limits,
  };
  assertEquals(await checkOp(nllLossBackward, gradient), ["naive"]);
}

Deno.test("losses and their gradients are those worked by hand", async () => {
  const x = host([-1, -2, -3, -4, -5, -6], [2, 3]);
  const labels = host([2, 9], [2], "i32");
  const given = { inputs: [x, labels], attrs: { ignoreIndex: 9 } };
  const wanted = [host([3, 0], [2]), host([1, 0], [2])];
  assertEquals(runReference(nllLoss, given), wanted);
  assertEquals(await runVariant(nllLoss, "naive", given), wanted);
  const back = {
    inputs: [host([10, 20], [2]), labels],
    attrs: { ignoreIndex: 9, classes: 3 },
  };
  const dx = [host([0, 0, -10, 0, 0, 0], [2, 3])];
  assertEquals(runReference(nllLossBackward, back), dx);
  assertEquals(await runVariant(nllLossBackward, "naive", back), dx);
});

Deno.test("one sample, many, planes of them and none agree with the reference", async () => {
  for (
    const shape of [[5], [1, 1], [65, 10], [3, 4, 7], [2, 3, 5, 9], [0, 4]]
  ) {
    await check(shape);
  }
});

Deno.test("ignored labels may be classes, of either type, and of none", async () => {
  await check([9, 4], 2);
  await check([9, 4], 2, "u32");
  await check([9, 4], 2 ** 32 - 1, "u32");
  // Bits that a label of the other type would have.
  const labels = host([2 ** 32 - 100, 1], [2], "u32");
  const x = host([1, 2, 3, 4], [2, 2]);
  const given = { inputs: [x, labels], attrs: { ignoreIndex: -100 } };
  const [losses, counts] = await runVariant(nllLoss, "naive", given);
  assertEquals([losses.data, counts.data].map((data) => Array.from(data)), [
    [NaN, -4],
    [1, 1],
  ]);
});

Deno.test("half-precision scores give halves", async () => {
  await check([65, 10], -100, "i32", "f16");
  await check([2, 3, 5, 9], 1, "i32", "f16");
});

Deno.test("scores larger than a binding are searched in parts", async () => {
  const limits = { maxStorageBufferBindingSize: 1024 };
  // Images, then classes of an image, then places of a class.
  await check([40, 10], -100, "i32", "f32", limits);
  await check([2, 20, 9, 9], -100, "i32", "f32", limits);
  await check([1, 3, 20, 21], 2, "i32", "f32", limits);
});

Deno.test("on the device a label outside of the classes gives NaN, and no gradient; the reference throws", async () => {
  const labels = host([3, -1, 1, 2 ** 31 - 1], [4], "i32");
  const given = {
    inputs: [noise([4, 3], 1), labels],
    attrs: { ignoreIndex: -100 },
  };
  const limits = { maxStorageBufferBindingSize: 256 };
  for (const cut of [{}, { limits }]) {
    const [losses] = await runVariant(nllLoss, "naive", { ...given, ...cut });
    assertEquals(Array.from(losses.data, Number).map(Number.isNaN), [
      ...[true, true, false, true],
    ]);
  }
  const [dx] = await runVariant(nllLossBackward, "naive", {
    inputs: [host([1, 1, 1, 1], [4]), labels],
    attrs: { ignoreIndex: -100, classes: 3 },
  });
  const want = new Array(12).fill(0);
  want[2 * 3 + 1] = -1;
  assertEquals(Array.from(dx.data, Number), want.map((v) => v + 0));
  assertThrows(
    () => runReference(nllLoss, given),
    RangeError,
    "Cannot take the likelihood of label 3 at 0: expected 0 to 2",
  );
});

Deno.test("labels that don't fit are refused", () => {
  const meta = (shape: number[], dtype: DType = "f32") => ({ shape, dtype });
  const attrs = { ignoreIndex: -100 };
  assertThrows(
    () => nllLoss.infer([meta([4, 3]), meta([3], "i32")], attrs),
    ShapeError,
    "Cannot take the likelihood of labels [3] in [4, 3]: expected labels [4]",
  );
  assertThrows(
    () => nllLoss.infer([meta([4, 0]), meta([4], "i32")], attrs),
    ShapeError,
    "Cannot take the likelihood of labels in [4, 0]: expected [C] or [N, C, …] with classes",
  );
  assertThrows(
    () => nllLoss.infer([meta([]), meta([0], "i32")], attrs),
    ShapeError,
  );
  assertThrows(
    () => nllLoss.infer([meta([4, 3]), meta([4])], attrs),
    DTypeError,
    "Cannot take the likelihood of f32 labels: expected i32 or u32",
  );
  assertThrows(
    () => nllLoss.infer([meta([4, 3], "i32"), meta([4], "i32")], attrs),
    DTypeError,
    "Cannot take the likelihood in i32: expected f32, f16 or f64",
  );
});
