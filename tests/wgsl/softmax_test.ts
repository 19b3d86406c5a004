/** Softmax, log-softmax and their gradients: values worked by hand, every variant, axis, stride and limit. */
import { assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { DTypeError, ShapeError } from "../../wgsl/errors.ts";
import type { HostArray, Op } from "../../wgsl/op.ts";
import type { AlongAxis } from "../../wgsl/softmax/rows.ts";
import {
  logSoftmax,
  logSoftmaxBackward,
  softmax,
  softmaxBackward,
} from "../../wgsl/softmax/softmax.ts";
import {
  checkOp,
  host,
  noise,
  runReference,
  runVariant,
} from "../support/plan.ts";
import { tolerance } from "../support/tolerance.ts";

const FORWARD = [softmax, logSoftmax];
const BACKWARD = [softmaxBackward, logSoftmaxBackward];
const MEBIBYTE = 2 ** 20;

/** Asserts what the reference and each named variant give. */
async function expectValues(
  op: Op<AlongAxis>,
  inputs: HostArray[],
  want: readonly number[],
): Promise<void> {
  const given = { inputs, attrs: { axis: 1 } };
  const results: [string, HostArray][] = [
    ["reference", runReference(op, given)[0]],
  ];
  for (const { name } of op.variants) {
    results.push([name, (await runVariant(op, name, given))[0]]);
  }
  for (const [name, { data }] of results) {
    want.forEach((value, i) =>
      assertAlmostEquals(
        data[i],
        value,
        tolerance(3, 1),
        `${op.name} (${name}) [${i}]`,
      )
    );
  }
}

/** What a gradient op takes: an output that its forward op could have given, and a gradient. */
function backwardInputs(op: Op<AlongAxis>, shape: number[], axis: number) {
  const forward = op === softmaxBackward ? softmax : logSoftmax;
  const attrs = { axis };
  const [y] = runReference(forward, { inputs: [noise(shape, 1)], attrs });
  return [y, noise(shape, 2)];
}

Deno.test("softmax and log-softmax of log 1, 2, 3 and of large equal values are those worked by hand", async () => {
  const [a, b, c] = [1, 2, 3].map(Math.log);
  const x = host([a, b, c, 1000, 1000, 1000], [2, 3]);
  const y = [1 / 6, 1 / 3, 1 / 2, 1 / 3, 1 / 3, 1 / 3];
  await expectValues(softmax, [x], y);
  await expectValues(logSoftmax, [x], y.map(Math.log));
});

Deno.test("the gradients for y = 1/4, 3/4 and dy = 1, 0 are those worked by hand", async () => {
  const y = [0.25, 0.75, 1, 0];
  const dy = host([1, 0, 3, 2], [2, 2]);
  await expectValues(
    softmaxBackward,
    [host(y, [2, 2]), dy],
    [0.25 * 0.75, -0.75 * 0.25, 0, 0],
  );
  await expectValues(
    logSoftmaxBackward,
    [host(y.map((p) => Math.log(p)), [2, 2]), dy],
    [0.75, -0.75, -2, 2],
  );
});

Deno.test("every variant agrees with its reference where rows straddle turns, registers and workgroups", async () => {
  const ran = new Set<string>();
  for (const n of [1, 3, 4, 5, 32, 33, 64, 65, 131, 1031]) {
    for (const op of FORWARD) {
      const given = { inputs: [noise([3, n], n)], attrs: { axis: 1 } };
      for (const name of await checkOp(op, { ...given, length: n })) {
        ran.add(`${op.name} ${name}`);
      }
    }
    for (const op of BACKWARD) {
      const inputs = backwardInputs(op, [3, n], 1);
      const given = { inputs, attrs: { axis: 1 }, length: n };
      for (const name of await checkOp(op, given)) {
        ran.add(`${op.name} ${name}`);
      }
    }
  }
  const all = [...FORWARD, ...BACKWARD].flatMap((op) =>
    op.variants.map(({ name }) => `${op.name} ${name}`)
  );
  assertEquals([...ran].sort(), all.sort());
});

Deno.test("rows run along any axis of any view, in f32 and f16", async () => {
  // Sizes share factors: a walk that mixes up axes of coprime sizes may still visit each row once.
  const view = {
    shape: [6, 3, 4],
    dtype: "f32" as const,
    strides: [2, 0, 31],
    offset: 3,
  };
  const other = { ...view, strides: [13, 60, 1], offset: 11 };
  // Long enough for every variant.
  const long = { ...view, shape: [4, 70, 6], strides: [3, 11, 0] };
  const otherLong = { ...long, strides: [1, 13, 2], offset: 11 };
  for (const axis of [0, 1, 2]) {
    const attrs = { axis };
    for (const op of FORWARD) {
      const x = noise([5, 70, 3], 1);
      await checkOp(op, { inputs: [x], attrs, length: 70 });
      await checkOp(op, { inputs: [x], views: [view], attrs, length: 6 });
      await checkOp(op, { inputs: [x], views: [long], attrs, length: 70 });
    }
    for (const op of BACKWARD) {
      const inputs = backwardInputs(op, [5, 70, 3], axis);
      await checkOp(op, { inputs, attrs, length: 70 });
      await checkOp(op, { inputs, views: [view, other], attrs, length: 6 });
      const views = [long, otherLong];
      await checkOp(op, { inputs, views, attrs, length: 70 });
    }
  }
  const f16 = noise([4, 40], 3, "f16");
  for (const op of FORWARD) {
    await checkOp(op, { inputs: [f16], attrs: { axis: 1 } });
  }
  for (const op of BACKWARD) {
    await checkOp(op, { inputs: [f16, f16], attrs: { axis: 1 }, length: 40 });
  }
});

Deno.test("rows lie among five other axes that don't merge", async () => {
  const shape = [2, 3, 2, 70, 3, 2];
  const view = {
    shape,
    dtype: "f32" as const,
    strides: [420, 2, 840, 6, 1680, 1],
    offset: 3,
  };
  const [x, y] = [noise([5043], 1), noise([5043], 2)];
  const other = { ...view, strides: [36, 72, 1, 216, 2, 6], offset: 0 };
  const given = { attrs: { axis: 3 }, length: 70 };
  const z = noise([15_120], 3);
  for (const op of FORWARD) {
    await checkOp(op, { ...given, inputs: [x], views: [view] });
  }
  for (const op of BACKWARD) {
    const views = [view, other];
    await checkOp(op, { ...given, inputs: [y, z], views });
  }
});

Deno.test("a scalar is a row of one, and no elements need no launch", async () => {
  const attrs = { axis: 0 };
  await checkOp(softmax, { inputs: [host([7], [])], attrs });
  await checkOp(logSoftmaxBackward, {
    inputs: [host([0], []), host([3], [])],
    attrs,
  });
  await checkOp(softmax, { inputs: [host([], [0, 3])], attrs });
  await checkOp(logSoftmax, { inputs: [host([], [3, 0])], attrs: { axis: 1 } });
});

Deno.test("operands over the binding limit and rows over it are normalised in parts", async () => {
  const limits = { maxStorageBufferBindingSize: MEBIBYTE };
  const shape = [3, 131_072];
  for (const axis of [0, 1]) {
    const given = { attrs: { axis }, limits, length: shape[axis] };
    const op = axis === 0 ? softmax : logSoftmax;
    await checkOp(op, { ...given, inputs: [noise(shape, 4)] });
    for (const op of BACKWARD) {
      const inputs = backwardInputs(op, shape, axis);
      await checkOp(op, { ...given, inputs, variants: ["rows", "staged"] });
    }
  }
});

Deno.test("few trips and narrow dispatches only make more launches", async () => {
  const limits = {
    maxLoopTrips: 1000,
    maxComputeWorkgroupsPerDimension: 7,
    maxStorageBufferBindingSize: MEBIBYTE,
  };
  for (const shape of [[1, 300_000], [3500, 70]]) {
    const given = { attrs: { axis: 1 }, limits, length: shape[1] };
    for (const op of FORWARD) {
      const ran = await checkOp(op, { ...given, inputs: [noise(shape, 5)] });
      assertEquals(ran.includes("naive"), shape[1] < 1000);
    }
    for (const op of BACKWARD) {
      const inputs = backwardInputs(op, shape, 1);
      await checkOp(op, { ...given, inputs });
    }
  }
});

Deno.test("integers, an axis that isn't there and a gradient of another shape are errors", () => {
  const x = { shape: [2, 3], dtype: "f32" } as const;
  const errors = [
    assertThrows(
      () => softmax.infer([{ ...x, dtype: "i32" }], { axis: 1 }),
      DTypeError,
    ),
    assertThrows(() => logSoftmax.infer([x], { axis: 2 }), ShapeError),
    assertThrows(
      () => softmaxBackward.infer([x, { ...x, shape: [3, 2] }], { axis: 1 }),
      ShapeError,
    ),
    assertThrows(
      () => logSoftmaxBackward.infer([x, { ...x, dtype: "f16" }], { axis: 1 }),
      DTypeError,
    ),
  ];
  assertEquals(errors.map((e) => e.message), [
    'Cannot take the softmax of i32: expected floats, convert with to("f32")',
    "Cannot take the logSoftmax along axis 2: expected an integer from -2 to 1 for a tensor of rank 2",
    "Cannot take the gradient of softmax for [2, 3] from [3, 2]: both must have the same shape",
    "Cannot take the gradient of logSoftmax for f32 from f16: both must have the same element type",
  ]);
});

Deno.test("a NaN or an infinity anywhere in a row decides that row and no other", async () => {
  const n = 7;
  for (const special of [NaN, Infinity, -Infinity]) {
    const x = noise([n + 1, n]);
    // Row i has it at place i; the last row has none.
    for (let i = 0; i < n; i++) x.data[i * n + i] = special;
    for (const op of FORWARD) {
      await checkOp(op, { inputs: [x], attrs: { axis: 1 }, length: n });
    }
  }
});
