/** Convolutions and their gradients give values worked by hand, and PyTorch's. */
import { assertEquals } from "@std/assert";
import { conv2d } from "../../wgsl/conv/conv2d.ts";
import { conv2dInputGradient } from "../../wgsl/conv/conv2d_input_gradient.ts";
import { conv2dWeightGradient } from "../../wgsl/conv/conv2d_weight_gradient.ts";
import type { Conv2dAttrs } from "../../wgsl/conv/geometry.ts";
import type { HostArray, Op } from "../../wgsl/op.ts";
import fixture from "../fixtures/conv_values.json" with { type: "json" };
import { PLAIN } from "../support/convolution.ts";
import {
  applicable,
  type Case,
  host,
  runReference,
  runVariant,
} from "../support/plan.ts";

/** Checks that the reference and every variant give exactly these values. */
async function assertValues<Attrs>(
  op: Op<Attrs>,
  given: Case<Attrs>,
  shape: readonly number[],
  values: readonly number[],
): Promise<void> {
  const results: [string, HostArray][] = [
    ["reference", runReference(op, given)[0]],
  ];
  for (const name of applicable(op, given)) {
    results.push([name, (await runVariant(op, name, given))[0]]);
  }
  for (const [name, result] of results) {
    const what = `${op.name} (${name})`;
    assertEquals(result.shape, shape, what);
    // Adding 0 makes -0 the 0 that it equals.
    assertEquals(Array.from(result.data, (v) => v + 0), [...values], what);
  }
}

const NINE = host([1, 2, 3, 4, 5, 6, 7, 8, 9], [1, 1, 3, 3]);
const FOUR = host([1, 2, 3, 4], [1, 1, 2, 2]);
const ONES = host([1, 1, 1, 1], [1, 1, 2, 2]);

Deno.test("conv2d slides the kernel without turning it, and adds the bias of each output channel", async () => {
  const inputs = [NINE, FOUR];
  await assertValues(conv2d, { inputs, attrs: PLAIN }, [1, 1, 2, 2], [
    1 * 1 + 2 * 2 + 3 * 4 + 4 * 5,
    1 * 2 + 2 * 3 + 3 * 5 + 4 * 6,
    1 * 4 + 2 * 5 + 3 * 7 + 4 * 8,
    1 * 5 + 2 * 6 + 3 * 8 + 4 * 9,
  ]);
  const two = host([1, 0, 0, 0, 0, 0, 0, 1], [2, 1, 2, 2]);
  const biased = [NINE, two, host([10, 20], [2])];
  await assertValues(
    conv2d,
    { inputs: biased, attrs: PLAIN },
    [1, 2, 2, 2],
    [11, 12, 14, 15, 25, 26, 28, 29],
  );
});

Deno.test("conv2d pads each side by its own, steps by the stride and spreads taps by the dilation", async () => {
  const padded: Conv2dAttrs = {
    ...PLAIN,
    padding: [1, 0, 0, 2],
    stride: [2, 2],
  };
  // The padded plane is [0 0 0 0 0; 1 2 3 0 0; 4 5 6 0 0; 7 8 9 0 0].
  await assertValues(
    conv2d,
    { inputs: [NINE, ONES], attrs: padded },
    [1, 1, 2, 2],
    [1 + 2, 3, 4 + 5 + 7 + 8, 6 + 9],
  );
  const spread: Conv2dAttrs = { ...PLAIN, dilation: [2, 2] };
  await assertValues(
    conv2d,
    { inputs: [NINE, FOUR], attrs: spread },
    [1, 1, 1, 1],
    [1 * 1 + 2 * 3 + 3 * 7 + 4 * 9],
  );
});

Deno.test("conv2d in groups shows each output channel its own group's inputs only", async () => {
  const x = host([1, 10, 100, 1000], [1, 4, 1, 1]);
  const w = host([1, 2, 3, 4, 5, 6, 7, 8], [4, 2, 1, 1]);
  await assertValues(
    conv2d,
    { inputs: [x, w], attrs: { ...PLAIN, groups: 2 } },
    [1, 4, 1, 1],
    [21, 43, 6500, 8700],
  );
});

Deno.test("conv2dInputGradient lays each output's kernel where it was read, and leaves unseen inputs 0", async () => {
  await assertValues(
    conv2dInputGradient,
    { inputs: [FOUR, FOUR], attrs: { ...PLAIN, inputSize: [3, 3] } },
    [1, 1, 3, 3],
    [1, 4, 4, 6, 20, 16, 9, 24, 16],
  );
  await assertValues(
    conv2dInputGradient,
    {
      inputs: [FOUR, FOUR],
      attrs: { ...PLAIN, stride: [2, 2], inputSize: [5, 4] },
    },
    [1, 1, 5, 4],
    [1, 2, 2, 4, 3, 4, 6, 8, 3, 6, 4, 8, 9, 12, 12, 16, 0, 0, 0, 0],
  );
});

Deno.test("conv2dWeightGradient sums, for each tap, the inputs that it saw", async () => {
  await assertValues(
    conv2dWeightGradient,
    { inputs: [NINE, ONES], attrs: { ...PLAIN, kernelSize: [2, 2] } },
    [1, 1, 2, 2],
    [1 + 2 + 4 + 5, 2 + 3 + 5 + 6, 4 + 5 + 7 + 8, 5 + 6 + 8 + 9],
  );
});

interface Listed {
  readonly shape: readonly number[];
  readonly values: readonly number[];
}

function listed({ shape, values }: Listed): HostArray {
  return host(values, shape);
}

Deno.test("convolutions and their gradients are PyTorch's to the last bit where sums are exact", async () => {
  for (const given of fixture.cases) {
    const attrs = {
      stride: given.stride,
      padding: given.padding,
      dilation: given.dilation,
      groups: given.groups,
    } as unknown as Conv2dAttrs;
    const [x, w, bias, dy] = [given.x, given.w, given.bias, given.dy]
      .map(listed);
    const [, , height, width] = x.shape;
    const [, , rows, columns] = w.shape;
    await assertValues(
      conv2d,
      { inputs: [x, w, bias], attrs },
      given.y.shape,
      given.y.values,
    );
    await assertValues(
      conv2dInputGradient,
      { inputs: [dy, w], attrs: { ...attrs, inputSize: [height, width] } },
      given.dx.shape,
      given.dx.values,
    );
    await assertValues(
      conv2dWeightGradient,
      { inputs: [x, dy], attrs: { ...attrs, kernelSize: [rows, columns] } },
      given.dw.shape,
      given.dw.values,
    );
  }
});

Deno.test("NaN and infinities in the input reach the outputs that see them, and no others", async () => {
  const x = host([NaN, 0, 0, 0, 0, Infinity], [1, 1, 1, 6]);
  const w = host([1, 1], [1, 1, 1, 2]);
  await assertValues(
    conv2d,
    { inputs: [x, w], attrs: PLAIN },
    [1, 1, 1, 5],
    [NaN, 0, 0, 0, Infinity],
  );
  // With a stride, the tiled kernel fills rows of taps up with taps that must not be seen.
  const strided = host([0, 0, 0, NaN, 0, 0, 0, 0, 0], [1, 1, 1, 9]);
  const three = host([1, 1, 1], [1, 1, 1, 3]);
  await assertValues(
    conv2d,
    { inputs: [strided, three], attrs: { ...PLAIN, stride: [1, 2] } },
    [1, 1, 1, 4],
    [0, NaN, 0, 0],
  );
});
